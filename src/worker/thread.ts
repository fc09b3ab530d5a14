// Attempts in worker threads: what stands here for an attempt there, passes on what it is told, and writes down what it says.
import type { Activation } from '../engine/activation/activation.ts'
import type { Performance } from '../engine/activation/surroundings.ts'
import { Encoded } from '../engine/activation/encoded.ts'
import { errorText } from '../engine/error-text.ts'
import { sharedAt, type Thread, type Threads, type ThreadUser } from '../engine/pool/threads.ts'
import type { HeldRecord, WriteOwner } from '../engine/writes.ts'
import { decodeError } from '../lib/codec.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import { toError } from '../lib/errors.ts'
import { reviveError } from '../model/error-classes.ts'
import { workerCrashed, type Crash } from '../model/errors.ts'
import type { ThreadPlace } from './thread-place.ts'
import type { FromThread, Place, ToThread } from './thread-wire.ts'

let definitions = 0

/** Performs the attempts of a definition in threads. */
export function performInThread({ kind }: ThreadPlace, place: Place): (activation: Activation) => Promise<Encoded> {
  const found: Found = { kind, place, definition: ++definitions }
  return async (activation) => {
    const { threads } = activation.around
    const turn = threads.enter()
    activation.waitsFor = turn
    if (turn !== undefined) await turn
    if (!activation.isOver) return new AttemptInThread(activation, threads).perform(found)
    threads.leave()
    throw activation.signal.reason
  }
}

type Words = Extract<FromThread, { type: 'emit' | 'progress' | 'log' }>

/** The code of a definition. */
interface Found {
  readonly kind: ThreadPlace['kind']
  readonly place: Place
  readonly definition: number
}

class AttemptInThread implements Performance, ThreadUser {
  readonly #activation: Activation
  readonly #threads: Threads
  readonly #result = deferred<Encoded>()
  readonly #cleaning = new Map<number, Deferred<void>>()
  #thread: Thread | undefined
  #id = 0
  /** Its code has come to an end, or to nothing that is waited for. */
  #isSettled = false
  #isCut = false
  #isTold = false

  constructor(activation: Activation, threads: Threads) {
    this.#activation = activation
    this.#threads = threads
  }

  /** Resolves with what its code returned, whatever became of the attempt by then. */
  perform({ kind, place, definition }: Found): Promise<Encoded> {
    const { claimed } = this.#activation
    // Deferred first, so it comes last.
    this.#activation.defer(() => this.#close())
    const thread = this.#threads.take(kind, this)
    this.#thread = thread
    this.#id = thread.nextId()
    this.#activation.attach(this)
    const { id: runId, correlationId, attempt, scheduledAt, states, input } = claimed
    const untold = thread.knows.has(definition) ? undefined : place
    thread.knows.add(definition)
    const told = { runId, correlationId, attempt, scheduledAt, states, input }
    this.#post({ type: 'run', id: this.#id, definition, place: untold, ...told })
    return this.#result.promise
  }

  // Performance

  drain(): void {}

  over(reason: Error | undefined): void {
    if (reason === undefined || this.#isSettled || this.#thread === undefined) return
    this.#isCut = true
    Atomics.store(this.#thread.shared, sharedAt.cut, this.#id)
    this.#post({ type: 'cut', id: this.#id, reason: errorText(reason) })
  }

  // ThreadUser

  ended(crash: Crash): void {
    this.#thread = undefined
    this.#settle()
    this.#result.reject(workerCrashed(this.#activation.definition.name, crash))
    // What was deferred is gone with it.
    for (const { resolve } of this.#cleaning.values()) resolve()
  }

  hear(message: FromThread): void {
    const activation = this.#activation
    if (message.id !== this.#id) return
    switch (message.type) {
      case 'write':
        return this.#write(message.records)
      case 'emit':
      case 'progress':
      case 'log':
        return this.#hearWords(message)
      case 'beat':
        return activation.beat()
      case 'snooze':
        this.#settle()
        return activation.snooze(message.delayMs)
      case 'later':
        return void this.#give()
      case 'defer':
        return activation.defer(() => this.#clean(message.n))
      case 'told':
        this.#isTold = true
        return
      default:
        return this.#hearEnd(message)
    }
  }

  #hearWords(message: Words): void {
    const { speech } = this.#activation
    const { shared } = this.#thread ?? {}
    if (message.type === 'emit') speech.emit(new Encoded(message.value))
    else if (message.type === 'progress') speech.progress(message.done, message.total)
    else speech.log(message.level, message.text, message.fields)
    if (shared === undefined) return
    Atomics.add(shared, sharedAt.heard, 1)
    Atomics.notify(shared, sharedAt.heard)
  }

  async #give(): Promise<void> {
    try {
      this.#post({ type: 'token', id: this.#id, token: await this.#activation.later() })
    } catch (error) {
      this.#post({ type: 'token', id: this.#id, token: undefined, error: errorText(toError(error)) })
    }
  }

  #hearEnd(message: FromThread): void {
    if (message.type === 'cleaned') {
      const cleaning = this.#cleaning.get(message.n)
      this.#cleaning.delete(message.n)
      if (message.error === undefined) cleaning?.resolve()
      else cleaning?.reject(errorOf(message.error))
      return
    }
    this.#settle()
    if (message.type === 'returned') this.#result.resolve(new Encoded(message.value))
    else if (message.type === 'unstorable') this.#result.resolve(new Encoded(errorOf(message.error)))
    else if (message.type === 'threw') this.#result.reject(errorOf(message.error))
  }

  #settle(): void {
    this.#isSettled = true
  }

  #write(given: readonly HeldRecord[]): void {
    const activation = this.#activation
    if (!activation.isHeard) return
    const { held } = activation
    const records = given.map(({ list, record }) => ({ list, record: { ...record, held } })) as HeldRecord[]
    activation.write(kept, records)
  }

  #post(message: ToThread): void {
    this.#thread?.post(message)
  }

  /** Has the thread run what was deferred there. One that is busy after all that time is not waited for. */
  #clean(n: number): Promise<void> | undefined {
    if (this.#thread === undefined) return undefined
    if (this.#isCut && !this.#isTold && !this.#isSettled) return this.#end(this.#thread)
    const cleaned = deferred<void>()
    this.#cleaning.set(n, cleaned)
    this.#post({ type: 'clean', id: this.#id, n })
    return cleaned.promise
  }

  /** Keeps the thread for the next attempt, or ends it when there is code in it that goes on. */
  #close(): Promise<void> | undefined {
    const thread = this.#thread
    try {
      if (thread === undefined) return undefined
      if (!this.#isSettled || this.#cleaning.size > 0) return this.#end(thread)
      this.#threads.giveBack(thread)
      return undefined
    } finally {
      this.#threads.leave()
    }
  }

  #end(thread: Thread): Promise<void> {
    const { log } = this.#activation.deps
    const { definition, claimed } = this.#activation
    log.warn({ run: claimed.id }, `worker '${definition.name}' went on after its signal: its thread was ended`)
    this.#thread = undefined
    this.#result.reject(this.#activation.signal.reason)
    return this.#threads.end(thread)
  }
}

// What could not be kept would be missed by the next attempt: this one is given up then.
const kept: WriteOwner = { written: () => {} }

function errorOf(text: string): Error {
  return decodeError(text, reviveError)
}
