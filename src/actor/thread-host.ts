// Runs in a worker thread: makes the one actor of it, hands it its messages and posts back what comes of them.

import { parentPort, workerData } from 'node:worker_threads'
import type { Log, LogFields } from '../lib/log.ts'
import type { Actor } from './actor.ts'
import type { DeadLetterReason } from './dead-letters.ts'
import { Envelope } from './envelope.ts'
import type { Asker, Escort } from './envelope.ts'
import { exportMissing, replyNotCopied } from './errors.ts'
import type { Life } from './life.ts'
import type { Mailbox } from './mailbox.ts'
import type { Method } from './protocol.ts'
import { cellOf } from './ref.ts'
import { ActorSystem } from './system.ts'
import { fieldsOfAnswer, fieldsOfMessage, postEach, toWire } from './thread-wire.ts'
import type { Answers, FromThread, LogLevel, Messages, Outcome, ToThread, WorkerData } from './thread-wire.ts'

type Exports = Readonly<Record<string, unknown>>

type MakesActor = new (...args: readonly unknown[]) => Actor

const endOfTurn = Promise.resolve()

let answers: Answers = []

function post(message: FromThread): void {
  parentPort?.postMessage(message)
}

function answer(id: number, outcome: Outcome, value: unknown): void {
  if (answers.length === 0) void endOfTurn.then(postAnswers)
  answers.push(id, outcome, value)
}

function postAnswers(): void {
  const batch = answers
  answers = []
  postEach(batch, fieldsOfAnswer, {
    post,
    refused: (at, error) => post([batch[at], false, toWire(replyNotCopied(error))]),
  })
}

/** The log of the actors here; what `isToldOutside` is left out. */
function logFor(isToldOutside: (fields: LogFields, message: string) => boolean): Log {
  const at =
    (level: LogLevel) =>
    (fields: LogFields, message: string): void => {
      if (isToldOutside(fields, message)) return
      const { actor: _, ...told } = fields
      postEach([{ type: 'log', level, fields: told, message }], 1, {
        post: ([entry]) => post(entry as FromThread),
        refused: () => post({ type: 'log', level, fields: {}, message }),
      })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

async function start({ module, className, args, capacity }: WorkerData): Promise<void> {
  const type = exportOf((await import(module)) as Exports, className)
  if (typeof type !== 'function') throw exportMissing(className, module)
  let name = ''
  const log = logFor(({ actor }, message) => actor === name && message.startsWith(`${name} failed (`))
  const system = new ActorSystem({ name: className, log })
  const [ref, handle] = system.spawn(
    () => {
      const actor = new (type as MakesActor)(...args)
      name = `${actor.constructor.name}(#1)`
      return actor
    },
    { mailbox: capacity },
  )
  const { mailbox, life } = cellOf(ref)
  const error = await life.startError
  if (error !== undefined) throw error
  // The door that is closed is the one outside: what it has let in is handled here first.
  life.leave = () => post({ type: 'leaves' })
  parentPort?.on('message', (message: ToThread) => {
    if (message === 'stop') void handle.stop()
    else takeIn(mailbox, life, message)
  })
  void handle.done.then(({ error: failure }) => end(failure))
  post({ type: 'ready' })
}

/** Also that of a CommonJS module, whose exports may all be found under `default` only. */
function exportOf(exported: Exports, className: string): unknown {
  const fallback = exported.default as Exports | undefined
  return exported[className] ?? fallback?.[className] ?? fallback
}

function takeIn(mailbox: Mailbox, life: Life, messages: Messages): void {
  for (let at = 0; at < messages.length; at += fieldsOfMessage) {
    const [id, isAsk, name, payload] = messages.slice(at, at + fieldsOfMessage) as [number, boolean, string, unknown]
    const envelope = new Envelope(name, payload, isAsk ? 'ask' : 'tell')
    envelope.ask = envelope.escort = new Passage(id, envelope, life)
    mailbox.put(envelope)
  }
}

/** The way of one message through the actor here; it tells outside how that ended. */
class Passage implements Asker, Escort {
  readonly #id: number
  readonly #envelope: Envelope
  readonly #life: Life
  #reason: DeadLetterReason | undefined
  isSettled = false

  constructor(id: number, envelope: Envelope, life: Life) {
    this.#id = id
    this.#envelope = envelope
    this.#life = life
  }

  get message(): string {
    return this.#envelope.name
  }

  handle(method: Method, actor: Actor): unknown {
    return method.call(actor, this.#envelope.payload)
  }

  cutOff(reason: DeadLetterReason): boolean {
    this.#reason = reason
    return true
  }

  resolve(reply: unknown): void {
    this.isSettled = true
    answer(this.#id, true, this.#envelope.operation === 'ask' ? reply : undefined)
  }

  reject(thrown: unknown): void {
    this.isSettled = true
    const reason = this.#reason
    if (reason === 'unknown' || (reason !== undefined && this.#life.isClosing))
      return answer(this.#id, reason, toWire(thrown))
    // The actor has failed: outside, that ends what was under way.
    if (reason !== undefined) return
    answer(this.#id, false, toWire(thrown))
    // Nobody asked, so nobody can act on it.
    if (this.#envelope.operation === 'tell') this.#life.fail('handle', thrown)
  }

  endWait(): void {
    // Whoever waits, waits outside.
  }
}

/** After the answers that are still to be posted. */
function end(failure: unknown): void {
  void endOfTurn.then(() => post(failure === undefined ? { type: 'ended' } : { type: 'ended', error: toWire(failure) }))
}

start(workerData as WorkerData).catch(end)
