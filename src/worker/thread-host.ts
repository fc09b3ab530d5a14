// Runs in a worker thread: loads the modules of workers, and performs one attempt after the other.
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { sharedAt } from '../engine/threads.ts'
import { decode } from '../lib/codec.ts'
import { isThenable } from '../lib/thenable.ts'
import { markThread } from './hosted.ts'
import { WorkerContext } from './context.ts'
import { loadUrl } from './load-module.ts'
import { ThreadAttempt, type ThreadSide } from './thread-attempt.ts'
import { handlerIn, type Handler } from './thread-handler.ts'
import type { News, RunMessage, ThreadData, ToThread } from './thread-wire.ts'

const port = parentPort as MessagePort
const data = workerData as ThreadData
const handlers = new Map<string, Handler>()

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
  const attempt = new ThreadAttempt(message, sideOf(message.id))
  current = attempt
  const handler = handlers.get(keyOf(message))
  if (handler !== undefined) return perform(attempt, handler, message)
  find(message).then(
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

async function find(message: RunMessage): Promise<Handler> {
  const handler = handlerIn(await loadUrl(message.place.module), message.place)
  handlers.set(keyOf(message), handler)
  return handler
}

function keyOf({ place: { module, name, version, handler } }: RunMessage): string {
  return JSON.stringify([module, name, version, handler])
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
