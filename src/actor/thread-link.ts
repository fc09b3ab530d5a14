// One worker thread, seen from outside: messages go in and answers come out in batches.

import { Worker } from 'node:worker_threads'
import { deferred } from '../lib/deferred.ts'
import type { Log } from '../lib/log.ts'
import { payloadNotCopied, refNotCopied, threadEnded } from './errors.ts'
import { ActorRef } from './ref.ts'
import type { ThreadOrder } from './thread.ts'
import { fieldsOfAnswer, fieldsOfMessage, fromWire, postEach } from './thread-wire.ts'
import type { Answers, FromThread, Messages, ToThread, WireError } from './thread-wire.ts'

interface Listener {
  readonly log: Log
  /** The actor in the thread stopped of its own accord. */
  left(): void
  /** The actor or its thread failed. */
  failed(error: Error): void
}

interface Pending {
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: Error) => void
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

  constructor({ module, className, args, worker }: ThreadOrder, listener: Listener) {
    this.#listener = listener
    this.#name = `${className} in ${module}`
    // A module of TypeScript while the library is read from its own sources.
    const host = new URL(import.meta.url.endsWith('.ts') ? './thread-host.ts' : './thread-host.js', import.meta.url)
    this.#worker = new Worker(host, { ...worker, workerData: { module, className, args } })
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
    if (holdsRef(payload)) return Promise.reject(refNotCopied(this.#name, name))
    if (this.#outbox.length === 0) void endOfTurn.then(() => this.#post())
    const id = ++this.#lastId
    this.#outbox.push(id, isAsk, name, payload)
    // The process stays alive while a message is under way, and not for an idle thread.
    if (this.#pending.size === 0) this.#worker.ref()
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }))
  }

  /** Has the actor stop in its thread; resolves when that is over. */
  async stop(): Promise<void> {
    if (this.#isOver) return
    this.#isStopping = true
    this.#worker.ref()
    this.#worker.postMessage('stop' satisfies ToThread)
    await this.#stopped.promise
    this.terminate()
  }

  /** Ends the thread, whatever it does. */
  terminate(): void {
    this.#isOver = true
    this.#stopped.resolve()
    this.#ready.resolve()
    void this.#worker.terminate()
  }

  #post(): void {
    const outbox = this.#outbox
    this.#outbox = []
    if (this.#isOver) return
    postEach(outbox, fieldsOfMessage, {
      post: (batch) => this.#worker.postMessage(batch),
      refused: (at, error) =>
        this.#settle(outbox[at] as number, false, payloadNotCopied(this.#name, String(outbox[at + 2]), error)),
    })
  }

  #hear(message: FromThread): void {
    if (this.#isOver) return
    if (Array.isArray(message)) return this.#hearAnswers(message)
    if (message.type === 'log')
      this.#listener.log[message.level](message.fields as Record<string, unknown>, message.message)
    else if (message.type === 'ready') this.#begin()
    else if (message.error !== undefined) this.#fail(fromWire(message.error))
    else this.#leave()
  }

  #hearAnswers(answers: Answers): void {
    for (let at = 0; at < answers.length; at += fieldsOfAnswer) {
      const [id, isReply, value] = [answers[at], answers[at + 1], answers[at + 2]]
      this.#settle(id as number, isReply === true, isReply === true ? value : fromWire(value as WireError))
    }
  }

  #settle(id: number, isReply: boolean, value: unknown): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0 && !this.#isStopping) this.#worker.unref()
    if (isReply) pending?.resolve(value)
    else pending?.reject(value as Error)
  }

  #begin(): void {
    this.#isReady = true
    if (this.#pending.size === 0) this.#worker.unref()
    this.#ready.resolve()
  }

  #leave(): void {
    this.#stopped.resolve()
    if (!this.#isStopping) this.#listener.left()
  }

  #fail(error: Error): void {
    if (this.#isOver) return
    this.#stopped.resolve()
    if (this.#isReady) this.#listener.failed(error)
    else this.#ready.reject(error)
  }
}

/** Whether a payload, or one of its fields, is a ref, which a copy would turn into an empty object. */
function holdsRef(payload: unknown): boolean {
  if (typeof payload !== 'object' || payload === null) return false
  return payload instanceof ActorRef || Object.values(payload).some((value) => value instanceof ActorRef)
}
