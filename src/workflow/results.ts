// What the code of a workflow is promised: each result is given once, in the order of the journal, remembered or fresh.
import type { Clock } from '../lib/clock.ts'
import { decode, decodeError } from '../lib/codec.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import { toError } from '../lib/errors.ts'
import { reviveError } from '../model/error-classes.ts'
import { journalMismatch } from '../model/errors.ts'
import type { RememberedStep, StepKind } from '../store/store.ts'
import type { Journal } from './journal.ts'
import { Releases, type Receiver } from './releases.ts'

/** What the code asks for. */
export interface Asked {
  readonly path: string
  readonly kind: StepKind
  /** One of its name at a time; others of a kind are told apart by the order in which they are asked for. */
  readonly isNamed: boolean
}

interface Promised {
  readonly given: Deferred<unknown>
  /** The name that is free again once the result was given. */
  readonly name: string | undefined
}

export interface ResultsOptions {
  readonly clock: Clock
  readonly journal: Journal
  /** The seq of the last remembered result; 0 without any. */
  readonly lastRemembered: number
  /** Nothing new is begun: only what is remembered is given. */
  readonly isLocked: boolean
  /** The code has a turn after each result. */
  readonly inTurns: boolean
  /** Nothing is given any more. */
  readonly isClosed: () => boolean
  /** The code asks for something else at a path of the journal; true when nothing comes of that. */
  readonly mismatched: (stored: RememberedStep, asked: Pick<Asked, 'path' | 'kind'>) => boolean
  /** All that was there is given, and the code has had its turn. */
  readonly settled: () => void
}

export class Results implements Receiver {
  readonly #options: ResultsOptions
  readonly #releases: Releases
  readonly #promised = new Map<string, Promised>()
  // How far user code has been led through what it did before, by seq.
  #lastGiven = 0
  // How much of that it has asked for and was not given.
  #recalling = 0
  // User code is having its turn after a remembered result.
  #isReacting = false

  constructor(options: ResultsOptions) {
    this.#options = options
    this.#releases = new Releases(options.clock, options.journal, this)
  }

  get inTurns(): boolean {
    return this.#options.inTurns
  }

  /** Whether the code may still do something because of them. */
  get isUnderWay(): boolean {
    return this.#releases.isUnderWay
  }

  /** Whether the code is yet to be given something that it did before and has asked for again. */
  get isRecalling(): boolean {
    return this.#recalling > 0
  }

  /** The result that cannot be given before an earlier one that the code has not asked for. */
  get blocked(): RememberedStep | undefined {
    return this.#releases.blocked
  }

  /** Gives it all the same. */
  passOver(): void {
    this.#releases.passOver()
  }

  /** Whether the code was further than this before. */
  get hasMore(): boolean {
    return this.#lastGiven < this.#options.lastRemembered
  }

  /** Whether the code repeats what it did before a remembered result, and so says nothing new. */
  isEcho(isExecuting: boolean): boolean {
    if (!this.hasMore) return false
    // What is said while a step's function runs may be its word, which is new.
    return this.#isReacting || !isExecuting
  }

  /** What is said from now on is new, whatever the code around it repeats. */
  hush(): void {
    this.#isReacting = false
  }

  /** A promise that is settled through the journal, by what is remembered or what `begin` leads to; never, when the activation is over: then it is garbage. */
  ask(
    { path, kind, isNamed }: Asked,
    begin: (path: string) => void,
    entered?: (path: string) => void,
  ): Promise<unknown> {
    const { journal, isClosed, isLocked } = this.#options
    const given = deferred<unknown>()
    const promised = { given, name: isNamed ? path : undefined }
    if (isClosed()) return given.promise
    try {
      const own = isNamed ? journal.enter(path) : journal.enterUnnamed(path)
      entered?.(own)
      const remembered = journal.look(own)
      if (remembered !== undefined && !this.#isFitting(remembered, kind)) return given.promise
      this.#promised.set(own, promised)
      if (remembered !== undefined) {
        this.#recall(remembered)
      } else if (!isLocked) begin(own)
    } catch (error) {
      fail(promised, error)
    }
    return given.promise
  }

  /** What is remembered of a path, once; undefined when that is nothing. */
  recall(path: string, kind: StepKind): Promise<unknown> | undefined {
    const { journal, isClosed } = this.#options
    if (isClosed()) return new Promise(() => {})
    const remembered = journal.look(path)
    if (remembered === undefined) return undefined
    if (!this.#isFitting(remembered, kind)) return new Promise(() => {})
    const recalled = this.#promise(path)
    this.#recall(remembered)
    return recalled
  }

  /** The same path once more: what is remembered of it is replaced. */
  replace(path: string, begin: () => void): Promise<unknown> {
    if (this.#options.isClosed() || this.#options.isLocked) return new Promise(() => {})
    const replaced = this.#promise(path)
    begin()
    return replaced
  }

  /** Gives a result in its turn. */
  add(step: RememberedStep): void {
    this.#releases.add(step)
  }

  give({ path, seq, isError, value }: RememberedStep): void {
    if (seq <= this.#options.lastRemembered) this.#recalling -= 1
    this.#reactTo(seq)
    const promised = this.#take(path)
    if (promised === undefined) return
    try {
      if (isError) fail(promised, decodeError(value, reviveError))
      else promised.given.resolve(decode(value))
    } catch (error) {
      fail(promised, error)
    }
  }

  settled(): void {
    this.#options.settled()
  }

  /** What was asked for cannot be begun: the code is told, and nothing is remembered. */
  refuse(path: string, error: Error): void {
    const promised = this.#take(path)
    if (promised !== undefined) fail(promised, error)
  }

  clear(): void {
    this.#recalling = 0
    this.#releases.clear()
    this.#promised.clear()
  }

  #recall(remembered: RememberedStep): void {
    this.#options.journal.take(remembered)
    this.#recalling += 1
    this.add(remembered)
  }

  /** False when nothing comes of it any more. Throws `journal_mismatch`. */
  #isFitting(stored: RememberedStep, kind: StepKind): boolean {
    // What was resolved by hand is a step, whatever the code makes of it.
    if (stored.kind === kind || (stored.kind === 'step' && kind === 'tx')) return true
    if (this.#options.mismatched(stored, { path: stored.path, kind })) return false
    throw journalMismatch(stored.path, stored.kind, kind)
  }

  #promise(path: string): Promise<unknown> {
    const given = deferred<unknown>()
    this.#promised.set(path, { given, name: undefined })
    return given.promise
  }

  #reactTo(seq: number): void {
    this.#lastGiven = seq
    if (seq >= this.#options.lastRemembered) return
    this.#isReacting = true
    this.#options.clock.soon(() => {
      if (this.#lastGiven === seq) this.#isReacting = false
    })
  }

  #take(path: string): Promised | undefined {
    const promised = this.#promised.get(path)
    this.#promised.delete(path)
    if (promised?.name !== undefined) this.#options.journal.leave(promised.name)
    return promised
  }
}

/** A failure that nobody awaits yet stands in the journal; it must not end the process and all that runs in it. */
function fail({ given }: Pick<Promised, 'given'>, error: unknown): void {
  given.promise.catch(() => undefined)
  given.reject(toError(error))
}
