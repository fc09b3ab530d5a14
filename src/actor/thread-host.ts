// Runs in a worker thread: makes the one actor of it, hands it its messages and posts back what comes of them.

import { parentPort, workerData } from 'node:worker_threads'
import type { Log, LogFields } from '../lib/log.ts'
import type { Actor } from './actor.ts'
import { exportMissing, replyNotCopied } from './errors.ts'
import type { Handle } from './handle.ts'
import { cellOf } from './ref.ts'
import type { ActorRef, Ref } from './ref.ts'
import { ActorSystem } from './system.ts'
import { fieldsOfAnswer, fieldsOfMessage, postEach, toWire } from './thread-wire.ts'
import type { Answers, FromThread, LogLevel, Messages, ToThread, WorkerData } from './thread-wire.ts'

type Exports = Readonly<Record<string, unknown>>

type MakesActor = new (...args: readonly unknown[]) => Actor

// The mailbox that counts is the one outside.
const mailbox = Number.MAX_SAFE_INTEGER
// Whoever asks outside gives up there.
const timeout = '36500d'

const endOfTurn = Promise.resolve()

let answers: Answers = []

function post(message: FromThread): void {
  parentPort?.postMessage(message)
}

function answer(id: unknown, isReply: boolean, value: unknown): void {
  if (answers.length === 0) void endOfTurn.then(postAnswers)
  answers.push(id, isReply, value)
}

function postAnswers(): void {
  const batch = answers
  answers = []
  postEach(batch, fieldsOfAnswer, {
    post,
    refused: (at, error) => post([batch[at], false, toWire(replyNotCopied(error))]),
  })
}

/** Tells outside what the actor logs; its failures are told there as those of the actor that stands for it. */
const log: Log = { debug: logging('debug'), info: logging('info'), warn: logging('warn'), error: logging('error') }

function logging(level: LogLevel): (fields: LogFields, message: string) => void {
  return (fields, message) => {
    if ('phase' in fields) return
    const { actor: _, ...told } = fields
    postEach([{ type: 'log', level, fields: told, message }], 1, {
      post: ([entry]) => post(entry as FromThread),
      refused: () => post({ type: 'log', level, fields: {}, message }),
    })
  }
}

async function start({ module, className, args }: WorkerData): Promise<void> {
  const type = exportOf((await import(module)) as Exports, className)
  if (typeof type !== 'function') throw exportMissing(className, module)
  const system = new ActorSystem({ name: className, log })
  const [ref, handle] = system.spawn(() => new (type as MakesActor)(...args), { mailbox })
  const error = await cellOf(ref).life.startError
  if (error !== undefined) throw error
  parentPort?.on('message', (message: ToThread) => hear(ref, handle, message))
  void handle.done.then(({ error: failure }) => end(failure))
  post({ type: 'ready' })
}

/** Also that of a CommonJS module, whose exports may all be found under `default` only. */
function exportOf(exported: Exports, className: string): unknown {
  const fallback = exported.default as Exports | undefined
  return exported[className] ?? fallback?.[className] ?? fallback
}

function hear(ref: Ref<Actor>, handle: Handle, message: ToThread): void {
  if (message === 'stop') void handle.stop()
  else handleAll(ref as unknown as ActorRef, message)
}

function handleAll(ref: ActorRef, messages: Messages): void {
  for (let at = 0; at < messages.length; at += fieldsOfMessage) {
    const [id, isAsk, name, payload] = [
      messages[at],
      messages[at + 1] === true,
      messages[at + 2] as string,
      messages[at + 3],
    ]
    void ref.ask(name, payload, { timeout }).then(
      (reply) => answer(id, true, isAsk ? reply : undefined),
      (error: unknown) => {
        answer(id, false, toWire(error))
        // Nobody asked, so nobody can act on it.
        if (!isAsk) cellOf(ref as unknown as Ref<Actor>).life.fail('handle', error)
      },
    )
  }
}

/** After the answers that are still to be posted. */
function end(failure: unknown): void {
  void endOfTurn.then(() => post(failure === undefined ? { type: 'ended' } : { type: 'ended', error: toWire(failure) }))
}

start(workerData as WorkerData).catch(end)
