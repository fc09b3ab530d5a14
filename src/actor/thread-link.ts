// One worker thread, seen from outside: messages go in and answers come out in batches.

import { Worker } from 'node:worker_threads'
import { moduleBeside } from '../lib/beside.ts'
import { deferred } from '../lib/deferred.ts'
import { toError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { Buried } from './dead-letters.ts'
import { argumentsNotCopied, payloadNotCopied, threadEnded } from './errors.ts'
import type { ThreadOrder } from './thread.ts'
import { fieldsOfAnswer, fieldsOfMessage, fromWire, postEach } from './thread-wire.ts'
import type { Answers, FromThread, Messages, Outcome, ToThread, WireError } from './thread-wire.ts'

interface Listener {
  readonly log: Log
  /** The actor in the thread wishes to stop. */
  leaves(): void
  /** The actor or its thread failed. */
  failed(error: Error): void
}

interface Pending {
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: Error | Buried) => void
}

// Shared by all batches: the end of the turn that fills one.
const endOfTurn = Promise.resolve()

export class ThreadLink {
  readonly #worker: Worker
  readonly #listener: Listener
  readonly #name: string
  readonly #ready = deferred<void>()
  readonly #stopped = deferred<void>()
  readonly #pending = new Map<number, Pending>()
  #outbox: Messages = []
  #lastId = 0
  #isReady = false
  #isStopping = false
  #isOver = false

  constructor({ worker, ...order }: ThreadOrder, listener: Listener) {
    this.#listener = listener
    this.#name = `${order.className} in ${order.module}`
    // Who stops it may come to hear of it later.
    this.#stopped.promise.catch(() => undefined)
    try {
      this.#worker = new Worker(moduleBeside(import.meta.url, 'thread-host'), { ...worker, workerData: order })
    } catch (error) {
      throw argumentsNotCopied(this.#name, toError(error))
    }
    this.#worker.on('message', (message: FromThread) => this.#hear(message))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', (code) => this.#fail(threadEnded(this.#name, code)))
  }

  /** Resolves when the actor in the thread has started. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Passes a message on; the promise settles as its handler does. */
  forward(name: string, payload: unknown, isAsk: boolean): Promise<unknown> {
    if (this.#outbox.length === 0) void endOfTurn.then(() => this.#post())
    const id = ++this.#lastId
    this.#outbox.push(id, isAsk, name, payload)
    // The process stays alive while a message is under way, and not for an idle thread.
    if (this.#pending.size === 0) this.#worker.ref()
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }))
  }

  /** Has the actor stop in its thread, once it has handled what it was passed; what it has put aside comes back. */
  drain(): void {
    if (this.#isOver || this.#isStopping) return
    this.#isStopping = true
    this.#worker.ref()
    this.#post()
    this.#worker.postMessage('stop' satisfies ToThread)
  }

  /** Resolves when the actor has stopped in its thread. */
  async stop(): Promise<void> {
    this.drain()
    try {
      await this.#stopped.promise
    } finally {
      await this.terminate()
    }
  }

  /** Ends the thread, whatever it does; resolves when it is gone. */
  async terminate(): Promise<void> {
    this.#isOver = true
    this.#stopped.resolve()
    this.#ready.resolve()
    await this.#worker.terminate()
  }

  #post(): void {
    const outbox = this.#outbox
    this.#outbox = []
    if (this.#isOver || outbox.length === 0) return
    postEach(outbox, fieldsOfMessage, {
      post: (batch) => this.#worker.postMessage(batch),
      refused: (at, error) =>
        this.#take(outbox[at] as number)?.reject(
          new Buried('not-copied', payloadNotCopied(this.#name, String(outbox[at + 2]), error)),
        ),
    })
  }

  #hear(message: FromThread): void {
    if (this.#isOver) return
    if (Array.isArray(message)) return this.#hearAnswers(message)
    if (message.type === 'log')
      this.#listener.log[message.level](message.fields as Record<string, unknown>, message.message)
    else if (message.type === 'ready') this.#begin()
    else if (message.type === 'leaves') this.#listener.leaves()
    else if (message.error !== undefined) this.#fail(fromWire(message.error))
    else this.#stopped.resolve()
  }

  #hearAnswers(answers: Answers): void {
    for (let at = 0; at < answers.length; at += fieldsOfAnswer) {
      const [id, outcome, value] = answers.slice(at, at + fieldsOfAnswer) as [number, Outcome, unknown]
      const pending = this.#take(id)
      if (outcome === true) pending?.resolve(value)
      else if (outcome === false) pending?.reject(fromWire(value as WireError))
      else pending?.reject(new Buried(outcome, fromWire(value as WireError)))
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0 && !this.#isStopping) this.#worker.unref()
    return pending
  }

  #begin(): void {
    this.#isReady = true
    if (this.#pending.size === 0) this.#worker.unref()
    this.#ready.resolve()
  }

  #fail(error: Error): void {
    if (this.#isOver) return
    if (this.#isStopping) this.#stopped.reject(error)
    else if (this.#isReady) this.#listener.failed(error)
    else this.#ready.reject(error)
  }
}
