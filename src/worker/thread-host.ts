// Runs in a worker thread: loads the modules of workers, and performs one attempt after the other.
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { sharedAt } from '../engine/pool/threads.ts'
import { decode } from '../lib/codec.ts'
import { isThenable } from '../lib/thenable.ts'
import { markThread } from './hosted.ts'
import { WorkerContext } from './context.ts'
import { loadUrl } from './load-module.ts'
import { ThreadAttempt, type ThreadSide } from './thread-attempt.ts'
import { handlerIn, type Handler } from './thread-handler.ts'
import type { News, Place, RunMessage, ThreadData, ToThread } from './thread-wire.ts'

const port = parentPort as MessagePort
const data = workerData as ThreadData
/** By the number of the definition. */
const places = new Map<number, Place>()
const handlers = new Map<number, Handler>()

let id = 0
let current: ThreadAttempt | undefined

function hear(message: ToThread): void {
  if (message.type === 'run') return begin(message)
  if (message.id !== id) return
  if (message.type === 'cut') current?.cut(message.reason)
  else if (message.type === 'clean') void current?.clean(message.n)
  else current?.given(message)
}

function begin(message: RunMessage): void {
  current?.close()
  id = message.id
  const { definition } = message
  const place = message.place ?? (places.get(definition) as Place)
  places.set(definition, place)
  const attempt = new ThreadAttempt(message, place, sideOf(message.id))
  current = attempt
  const handler = handlers.get(definition)
  if (handler !== undefined) return perform(attempt, handler, message)
  find(definition, place).then(
    (found) => perform(attempt, found, message),
    (error: unknown) => attempt.threw(error),
  )
}

function perform(attempt: ThreadAttempt, handler: Handler, { input: text }: RunMessage): void {
  try {
    const input = decode(text)
    const output = handler(new WorkerContext(attempt, input), input)
    if (!isThenable(output)) return attempt.returned(output)
    Promise.resolve(output).then(
      (value) => attempt.returned(value),
      (error: unknown) => attempt.threw(error),
    )
  } catch (error) {
    attempt.threw(error)
  }
}

async function find(definition: number, place: Place): Promise<Handler> {
  const handler = handlerIn(await loadUrl(place.module), place)
  handlers.set(definition, handler)
  return handler
}

function sideOf(attemptId: number): ThreadSide {
  return {
    data,
    post: (news: News) => port.postMessage({ ...news, id: attemptId }),
    look: () => {
      if (Atomics.load(data.shared, sharedAt.cut) !== attemptId || id !== attemptId) return
      for (let mail = receiveMessageOnPort(port); mail !== undefined; mail = receiveMessageOnPort(port))
        hear(mail.message as ToThread)
    },
  }
}

markThread()
port.on('message', hear)
