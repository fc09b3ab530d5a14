import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { Handle } from './handle.ts'
import type { Overflow } from './mailbox.ts'
import type { Ref } from './ref.ts'
import type { SpawnOptions } from './spawn.ts'
import type { RestartPolicy } from './supervision.ts'
import { ActorSystem } from './system.ts'

const kinds = {
  plain: ['sync', 'async'],
  waiting: ['gated', 'beside', 'read', 'task'],
  aside: ['stash', 'stash', 'unstash'],
  ending: ['throws', 'throwsLate', 'besideThrows', 'leave', 'missing'],
} as const

type Kind = (typeof kinds)[keyof typeof kinds][number]
type Verb = 'tell' | 'send' | 'ask'
type Step =
  | { readonly do: Verb; readonly to: number; readonly kind: Kind; readonly priority: boolean }
  | { readonly do: 'stop' | 'kill' | 'open'; readonly to: number }
  | { readonly do: 'advance' | 'settle' }

interface Message {
  readonly n: number
  readonly sender: number
  readonly priority: boolean
}

/** What became of the messages to one actor, and what should not have. */
class Books {
  readonly begun: Message[] = []
  readonly dead = new Set<Message>()
  readonly wrong: string[] = []
  readonly #stashed = new Set<Message>()

  begin(message: Message): void {
    if (this.dead.has(message)) this.wrong.push(`${message.n} begins as a dead letter`)
    if (this.#stashed.delete(message)) return
    if (this.begun.includes(message)) this.wrong.push(`${message.n} begins twice`)
    this.begun.push(message)
  }

  isNew(message: Message): boolean {
    return !this.begun.includes(message)
  }

  stash(message: Message): void {
    this.#stashed.add(message)
  }

  bury(message: Message): void {
    if (this.dead.has(message)) this.wrong.push(`${message.n} is buried twice`)
    this.dead.add(message)
  }

  /** Of one sender and one lane, in the order they began. */
  orderOf(sender: number, priority: boolean): number[] {
    return this.begun.filter((one) => one.sender === sender && one.priority === priority).map(({ n }) => n)
  }
}

/** What outlives the restarts of one actor. */
class Stage {
  readonly books = new Books()
  gate = deferred<void>()
  /** Which of its starts fails. */
  readonly #failingStart: number
  #starts = 0

  constructor(failingStart = 0) {
    this.#failingStart = failingStart
  }

  enter(): void {
    if (++this.#starts === this.#failingStart) throw new Error('start fails on purpose')
  }

  open(): void {
    this.gate.resolve()
    this.gate = deferred()
  }
}

/** Handles every kind of message one at a time, and notices when it does not. */
class Subject extends Actor {
  readonly #stage: Stage
  #ordinary = 0
  #reading = 0
  constructor(stage: Stage) {
    super()
    this.#stage = stage
    stage.enter()
  }
  sync(message: Message): number {
    return this.during(message, () => message.n)
  }
  async async(message: Message): Promise<number> {
    return this.later(message, undefined)
  }
  async gated(message: Message): Promise<number> {
    return this.later(message, this.#stage.gate.promise)
  }
  async beside(message: Message): Promise<number> {
    return this.later(message, this.#stage.gate.promise)
  }
  async read(message: Message): Promise<number> {
    return this.later(message, this.#stage.gate.promise)
  }
  task(message: Message): number {
    const { gate } = this.#stage
    this.ctx.task(() => gate.promise, undefined, { limit: 1 })
    return this.during(message, () => message.n)
  }
  stash(message: Message): number {
    if (!this.#stage.books.isNew(message)) return this.sync(message)
    this.during(message, () => undefined)
    this.ctx.stash()
    this.#stage.books.stash(message)
    return -1
  }
  unstash(message: Message): number {
    this.ctx.unstash()
    return this.sync(message)
  }
  throws(message: Message): void {
    this.during(message, fail)
  }
  async throwsLate(message: Message): Promise<void> {
    await this.later(message, this.#stage.gate.promise)
    fail()
  }
  async besideThrows(message: Message): Promise<void> {
    await this.later(message, this.#stage.gate.promise)
    fail()
  }
  leave(message: Message): number {
    this.ctx.stop()
    return this.sync(message)
  }
  protected during<T>(message: Message, fn: () => T): T {
    this.#stage.books.begin(message)
    if (this.#ordinary + this.#reading > 0) this.#stage.books.wrong.push(`${message.n} begins beside another`)
    return fn()
  }
  protected async later(message: Message, until: Promise<void> | undefined): Promise<number> {
    this.during(message, () => this.#ordinary++)
    await until
    this.#ordinary--
    return message.n
  }
  protected async laterBeside(message: Message, isReading: boolean): Promise<number> {
    this.#stage.books.begin(message)
    if (this.#ordinary > 0) this.#stage.books.wrong.push(`${message.n} begins beside an ordinary one`)
    if (isReading) this.#reading++
    await this.#stage.gate.promise
    if (isReading) this.#reading--
    return message.n
  }
}

/** The same with handlers that run beside others. */
class Overlapping extends Subject {
  static readonly concurrent = { beside: 2, besideThrows: 2 }
  static readonly shared = ['read']
  override beside(message: Message): Promise<number> {
    return this.laterBeside(message, false)
  }
  override read(message: Message): Promise<number> {
    return this.laterBeside(message, true)
  }
  override async besideThrows(message: Message): Promise<void> {
    await this.laterBeside(message, false)
    fail()
  }
}

function fail(): never {
  throw new Error('thrown on purpose')
}

interface Loose {
  tell(name: string, message: Message, options: { priority: boolean }): boolean
  send(name: string, message: Message, options: { priority: boolean }): Promise<void> | undefined
  ask(name: string, message: Message, options: { priority: boolean; timeout: number }): Promise<unknown>
}

interface Player {
  readonly stage: Stage
  readonly ref: Ref<Subject>
  readonly handle: Handle<Subject>
}

interface Setting {
  readonly capacity: number
  readonly overflow: Overflow
  readonly restart: RestartPolicy
  readonly backoff: number
  readonly hasPriority: boolean
  readonly overlaps: boolean
  readonly failingStart: number
  readonly isHurried: boolean
}

/** In a hurry, so much time passes with each look at it that a slice of work ends after a few messages. */
class PassingClock extends ManualClock {
  readonly #perLookMs: number
  #passedMs = 0
  constructor(perLookMs: number) {
    super()
    this.#perLookMs = perLookMs
  }
  override monotonic(): number {
    return super.monotonic() + (this.#passedMs += this.#perLookMs)
  }
}

/** Plays steps against two actors and books what became of every message. */
class Play {
  readonly clock: ManualClock
  readonly system: ActorSystem
  readonly open: Promise<unknown>[] = []
  readonly wrong: string[] = []
  readonly players: Player[] = []
  readonly #setting: Setting
  #deadBefore = 0
  sent = 0

  constructor(setting: Setting) {
    this.#setting = setting
    this.clock = new PassingClock(setting.isHurried ? 1 : 0)
    this.system = new ActorSystem({ clock: this.clock, log: new RecordedLog() })
    this.system.deadLetters.onDeadLetter(({ actor, payload }) => {
      const player = this.players.find(({ ref }) => `(#${ref.id})` === /\(#\d+\)/.exec(actor)?.[0])
      player?.stage.books.bury(payload as Message)
    })
    for (let index = 0; index < 2; index++) this.#spawn()
  }

  async take(next: Step): Promise<void> {
    if (!('to' in next)) return this.clock.advance(next.do === 'advance' ? 20 : 0)
    const { stage, ref, handle } = this.players[next.to] as Player
    if ('kind' in next) this.#send(ref as unknown as Loose, next)
    else if (next.do === 'open') stage.open()
    else this.open.push(handle[next.do]())
  }

  async end(): Promise<void> {
    for (const { handle } of this.players) this.open.push(handle.stop({ within: 50 }))
    await this.clock.advance(100)
    await Promise.all(this.open)
  }

  #spawn(): void {
    const { capacity, overflow, restart, backoff, hasPriority, overlaps, failingStart } = this.#setting
    const stage = new Stage(failingStart)
    const restarts = { max: 4, within: 30, backoff }
    const options: SpawnOptions = { mailbox: { capacity, overflow }, restart, restarts, priority: hasPriority }
    const [ref, handle] = this.system.spawn(() => (overlaps ? new Overlapping(stage) : new Subject(stage)), options)
    this.players.push({ stage, ref, handle })
  }

  #send(ref: Loose, { do: verb, kind, priority: isUrgent }: Extract<Step, { kind: Kind }>): void {
    const priority = isUrgent && this.#setting.hasPriority
    const message = { n: this.sent++, sender: 0, priority }
    this.#deadBefore = this.system.deadLetters.count
    if (verb === 'tell') this.#tell(ref, kind, message)
    if (verb === 'send')
      this.open.push(ref.send(kind, message, { priority })?.catch(() => undefined) ?? Promise.resolve())
    if (verb === 'ask') {
      const check = (reply: unknown): void => {
        if (reply !== message.n) this.wrong.push(`ask ${message.n} got ${String(reply)}`)
      }
      this.open.push(ref.ask(kind, message, { priority, timeout: 10 }).then(check, () => undefined))
    }
    if (this.system.deadLetters.count > this.#deadBefore + 1) this.wrong.push(`${message.n} buried more than one`)
  }

  #tell(ref: Loose, kind: Kind, message: Message): void {
    const isIn = ref.tell(kind, message, { priority: message.priority })
    const isDead = this.players.some(({ stage }) => stage.books.dead.has(message))
    if (isIn === isDead) this.wrong.push(`tell ${message.n} tells the wrong thing`)
  }
}

const verb = fc.constantFrom<Verb>('tell', 'send', 'ask')
const to = fc.nat({ max: 1 })
const kind = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom<Kind>(...kinds.plain) },
  { weight: 3, arbitrary: fc.constantFrom<Kind>(...kinds.waiting) },
  { weight: 2, arbitrary: fc.constantFrom<Kind>(...kinds.aside) },
  { weight: 1, arbitrary: fc.constantFrom<Kind>(...kinds.ending) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 24, arbitrary: fc.record({ do: verb, to, kind, priority: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('open' as const), to }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('stop' as const, 'kill' as const), to }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('advance' as const, 'settle' as const) }) },
)
const setting: fc.Arbitrary<Setting> = fc.record({
  capacity: fc.integer({ min: 1, max: 4 }),
  overflow: fc.constantFrom<Overflow>('wait', 'fail', 'drop-oldest', 'drop-newest'),
  restart: fc.constantFrom<RestartPolicy>('temporary', 'transient', 'permanent'),
  backoff: fc.constantFrom(0, 15),
  hasPriority: fc.boolean(),
  overlaps: fc.boolean(),
  failingStart: fc.constantFrom(0, 0, 0, 1, 2),
  isHurried: fc.boolean(),
})

const isRising = (numbers: readonly number[]): boolean =>
  numbers.every((n, index) => index === 0 || n > (numbers[index - 1] as number))

describe('I16', () => {
  it(
    'every message is handled or is a dead letter, exactly once, and every ask and send settles',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(setting, fc.array(step, { maxLength: 60, size: 'max' }), async (chosen, steps) => {
          const play = new Play(chosen)
          for (const next of steps) await play.take(next)
          await play.end()
          const books = play.players.map(({ stage }) => stage.books)
          expect([...play.wrong, ...books.flatMap(({ wrong }) => wrong)]).toEqual([])
          const fates = new Set(books.flatMap(({ begun, dead }) => [...begun, ...dead]))
          expect(fates.size).toBe(play.sent)
          const { processed, failed, ...metrics } = play.system.metrics()
          expect(processed + failed + metrics.deadLetters).toBe(play.sent)
          expect(metrics).toMatchObject({ actors: 0, waiting: 0 })
          for (const one of books)
            expect([one.orderOf(0, false), one.orderOf(0, true)].map(isRising)).toEqual([true, true])
        }),
        { numRuns: 1500 },
      )
    },
  )
})

describe('order', () => {
  it(
    'is that of sending for the messages of one sender in one lane, also over restarts',
    { timeout: 60_000 },
    async () => {
      const sends = fc.array(
        fc.record({
          sender: fc.integer({ min: 0, max: 2 }),
          do: verb,
          priority: fc.boolean(),
          kind: fc.nat({ max: 9 }),
          settles: fc.boolean(),
        }),
        { maxLength: 80, size: 'max' },
      )
      const limits = fc.record({
        capacity: fc.integer({ min: 1, max: 4 }),
        overflow: fc.constantFrom<Overflow>('wait', 'fail', 'drop-oldest', 'drop-newest'),
      })
      await fc.assert(
        fc.asyncProperty(limits, sends, async (mailbox, all) => {
          const clock = new ManualClock()
          const system = new ActorSystem({ clock, log: new RecordedLog() })
          const stage = new Stage()
          const options = { mailbox, priority: true, restart: 'transient', restarts: { max: 100 } } as const
          const [ref, handle] = system.spawn(() => new Subject(stage), options)
          const loose = ref as unknown as Loose
          for (const [n, { sender, do: by, priority, kind: number, settles }] of all.entries()) {
            const message = { n, sender, priority }
            const name = number === 0 ? 'throws' : number % 2 === 0 ? 'async' : 'sync'
            if (by === 'tell') loose.tell(name, message, { priority })
            if (by === 'send') void loose.send(name, message, { priority })
            if (by === 'ask') loose.ask(name, message, { priority, timeout: 10_000 }).catch(() => undefined)
            if (settles) await clock.advance(0)
          }
          await clock.advance(0)
          await handle.stop()
          const { books } = stage
          for (const sender of [0, 1, 2])
            expect([books.orderOf(sender, false), books.orderOf(sender, true)].map(isRising)).toEqual([true, true])
          expect([books.wrong, books.begun.length + system.deadLetters.count]).toEqual([[], all.length])
          if (mailbox.overflow === 'wait')
            expect(books.begun.length).toBeGreaterThanOrEqual(all.filter((one) => one.do !== 'tell').length)
        }),
        { numRuns: 300 },
      )
    },
  )
})
