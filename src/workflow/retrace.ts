// Leading the code of a run through what it did before: what is new waits until it has been led there, and code that takes another way is found out.
import type { Activation } from '../engine/activation/activation.ts'
import type { Timer } from '../lib/clock.ts'
import { differenceOf, type JournalPlace } from '../model/divergence.ts'
import type { Journal } from './journal.ts'
import type { Results } from './results.ts'
import { policyOf, tellOfDifference } from './set-aside.ts'
import type { StepKind } from '../store/store.ts'
import type { WaitKind, WaitRecord } from '../store/waits.ts'
import type { Waits } from './waits/waits.ts'

// How long the code may take on its way between two things it asks for: it may be reading a file in between.
const patienceMs = 100

// Before a run is set aside, as the process may be busy.
const lastPatienceMs = 2_000

export interface RetraceOptions {
  readonly activation: Activation
  readonly journal: Journal
  readonly waits: Waits
  readonly results: Results
}

interface Waiting {
  readonly asked: JournalPlace
  readonly begin: (path: string) => void
}

/**
 * Invariant: I13. A result that the journal holds was asked for before anything that followed from it; so code that asks for something new,
 * or ends, and does not ask for what the journal holds next, has changed.
 */
export class Retrace {
  readonly #options: RetraceOptions
  readonly #isStrict: boolean
  readonly #mostMs: number
  // Nothing is compared: as it is told, or because the journal lacks what failed in the generation before.
  #isOff: boolean
  // The code has come to something that no activation before came to.
  #hasBegun = false
  #waiting: Waiting[] = []
  #timer: Timer | undefined
  // Rises with everything the code asks for or is given.
  #progress = 0
  #progressSeen = 0
  #waitedMs = 0

  constructor(options: RetraceOptions) {
    this.#options = options
    const policy = policyOf(options.activation)
    // Nothing depends on it, and there are many.
    this.#mostMs = options.activation.around.rehearsing === undefined ? lastPatienceMs : patienceMs * 3
    // A run that undoes is led through its journal for what undoes, and does nothing new.
    const undoes = options.activation.claimed.undoing !== undefined
    this.#isStrict = policy === 'strict' && !undoes
    this.#isOff = policy === 'off' || undoes || !options.journal.isWhole
  }

  /** How much waits to be begun. */
  get size(): number {
    return this.#waiting.length
  }

  /** The code goes again to a wait of a former activation, and said in that one what it says until then. */
  get isOnTheWay(): boolean {
    return !this.#hasBegun && this.#options.waits.unaskedCount > 0
  }

  /** The code has come to something new. */
  begun(): void {
    this.#hasBegun = true
  }

  /** Begins what the code asks for: at once, or when it has been led through all it did before. */
  begin(asked: JournalPlace, begin: (path: string) => void): void {
    const wait = this.#options.waits.see(asked.path)
    if (wait !== undefined && askedAs(wait).kind !== asked.kind && this.mismatched(askedAs(wait), asked)) return
    this.#progress += 1
    if (this.#isLeading) {
      this.#waiting.push({ asked, begin })
      this.#wait()
      return
    }
    this.#beginAll()
    this.#beginOne(asked, begin)
  }

  /** The code has had its turn after all it could be given. */
  look(): void {
    const { journal, results } = this.#options
    this.#progress += 1
    if (!this.#isLeading) this.#beginAll()
    // What it remembers may follow from what is done anew.
    if (!journal.isWhole && results.blocked !== undefined) return results.passOver()
    this.#wait()
  }

  /** The code has come to its end; true when it must not end there. */
  ended(end: string): boolean {
    if (this.#isOff) return false
    const left = this.#left()
    if (left.length === 0) return false
    this.#tell(left, end)
    return this.#isStrict
  }

  /** It asks for something else at a path of the journal; true when that goes no further. */
  mismatched(stored: JournalPlace, asked: JournalPlace): boolean {
    if (!this.#isStrict) return false
    this.#tellOf({ left: [stored], asked: [asked] })
    return true
  }

  /**
   * The code does not ask for what it has to undo: the run is set aside until code comes that does, unless the policy says that it goes on. So it does also
   * where the same code may rightly take another way than it took: it might never end.
   */
  tellOfLeft(left: readonly JournalPlace[]): void {
    const { activation, journal } = this.#options
    if (journal.isWhole && policyOf(activation) !== 'off') this.#tellOf({ left, asked: [] })
  }

  /** The code has left a scope: what waits to be begun of this kind there is not any more. Tells which that was. */
  leave(scope: string, kind: StepKind): readonly string[] {
    if (this.#waiting.length === 0) return []
    const isLeft = ({ asked }: Waiting): boolean => asked.kind === kind && asked.path.startsWith(`${scope}/`)
    const left = this.#waiting.filter(isLeft)
    if (left.length > 0) this.#waiting = this.#waiting.filter((waiting) => !isLeft(waiting))
    return left.map(({ asked }) => asked.path)
  }

  clear(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#waiting = []
  }

  get #isLeading(): boolean {
    if (this.#isOff) return false
    const { journal, waits } = this.#options
    return journal.unreadCount > 0 || waits.unseenCount > 0
  }

  get #isStuck(): boolean {
    return this.#waiting.length > 0 || this.#options.results.blocked !== undefined
  }

  #wait(): void {
    if (this.#timer !== undefined || !this.#isStuck) return
    this.#progressSeen = this.#progress
    this.#timer = this.#options.activation.deps.clock.after(patienceMs, () => this.#judge())
  }

  #judge(): void {
    this.#timer = undefined
    if (!this.#isStuck) return
    const isGettingOn = this.#progress !== this.#progressSeen
    this.#waitedMs = isGettingOn ? 0 : this.#waitedMs + patienceMs
    if (isGettingOn) return this.#wait()
    if (this.#isBlockedInVain()) return this.#goOn()
    const left = this.#isOff ? [] : this.#left()
    // What else it holds need not be asked for.
    this.#isOff ||= left.length === 0
    if (left.length === 0) return this.#goOn()
    if (this.#isStrict && this.#waitedMs < this.#mostMs) return this.#wait()
    this.#tell(left)
    if (!this.#isStrict) this.#goOn()
  }

  /** What the next result waits for need not be asked for. */
  #isBlockedInVain(): boolean {
    const { journal, results } = this.#options
    const { seq } = results.blocked ?? { seq: 0 }
    return seq > 0 && !journal.unread().some((step) => step.seq < seq)
  }

  /** Once for each activation. */
  #tell(left: readonly JournalPlace[], end?: string): void {
    this.#isOff = true
    const late = this.#options.results.blocked
    const asked = this.#waiting.map((waiting): JournalPlace => waiting.asked)
    this.#tellOf({ left, asked: late === undefined ? asked : [...asked, late], end })
  }

  #tellOf(found: Omit<Parameters<typeof differenceOf>[0], 'after'>): void {
    const { activation, journal, waits } = this.#options
    const difference = differenceOf({ ...found, after: journal.lastTaken })
    tellOfDifference(activation, [...waits.records, ...waits.unasked], difference)
  }

  #goOn(): void {
    this.#waitedMs = 0
    if (!this.#isLeading) this.#beginAll()
    if (this.#options.results.blocked !== undefined) this.#options.results.passOver()
    this.#wait()
  }

  #beginAll(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    for (const { asked, begin } of waiting) this.#beginOne(asked, begin)
  }

  #beginOne(asked: JournalPlace, begin: (path: string) => void): void {
    const { activation, waits } = this.#options
    const { rehearsing } = activation.around
    if (rehearsing !== undefined) return rehearsing.asked(asked)
    const unasked = waits.unaskedCount
    begin(asked.path)
    // Only a wait of a former activation is nothing new.
    this.#hasBegun ||= waits.unaskedCount === unasked
  }

  /** What is remembered and was not asked for, in the order of the journal, then what was waited for. */
  #left(): JournalPlace[] {
    const { journal, waits } = this.#options
    const unseen = waits.unseen.filter(({ path }) => !journal.isOver(path))
    return [...journal.unread(), ...unseen.map(askedAs)]
  }
}

const kindsAsked: Readonly<Record<WaitKind, string>> = {
  sleep: 'sleep',
  backoff: 'step',
  completion: 'step',
  message: 'receive',
  run: 'result',
  limiter: 'step',
  ask: 'ask',
  mail: '',
  end: '',
  answer: 'answer',
  diverged: '',
}

/** What code asks for that comes to wait. */
function askedAs({ path, kind }: WaitRecord): JournalPlace {
  return { path, kind: kindsAsked[kind] }
}
