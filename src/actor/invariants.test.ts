import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { Handle } from './handle.ts'
import type { Overflow } from './mailbox.ts'
import type { Ref } from './ref.ts'
import { ActorSystem } from './system.ts'

type Kind = 'sync' | 'async' | 'gated' | 'throws' | 'missing'
type Step =
  | { readonly do: 'tell' | 'send' | 'ask'; readonly to: number; readonly kind: Kind }
  | { readonly do: 'stop' | 'kill' | 'open'; readonly to: number }
  | { readonly do: 'advance' | 'settle' }

interface Message {
  readonly n: number
  readonly sender: number
}

class Subject extends Actor {
  readonly #handled: Message[]
  #gate = deferred<void>()
  constructor(handled: Message[]) {
    super()
    this.#handled = handled
  }
  sync(message: Message): number {
    this.#handled.push(message)
    return message.n
  }
  async async(message: Message): Promise<number> {
    this.#handled.push(message)
    await undefined
    return message.n
  }
  async gated(message: Message): Promise<number> {
    this.#handled.push(message)
    await this.#gate.promise
    return message.n
  }
  throws(message: Message): void {
    this.#handled.push(message)
    throw new Error('thrown on purpose')
  }
  open(): void {
    this.#gate.resolve()
    this.#gate = deferred()
  }
}

const target = fc.integer({ min: 0, max: 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom('tell' as const, 'send' as const, 'ask' as const),
      to: target,
      kind: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom<Kind>('sync', 'async') },
        { weight: 3, arbitrary: fc.constant<Kind>('gated') },
        { weight: 1, arbitrary: fc.constantFrom<Kind>('throws', 'missing') },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('open' as const), to: target }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('stop' as const, 'kill' as const), to: target }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('advance' as const, 'settle' as const) }) },
)

const overflow = fc.constantFrom<Overflow>('wait', 'fail', 'drop-oldest', 'drop-newest')

interface Loose {
  tell(name: string, message: Message): boolean
  send(name: string, message: Message): Promise<void> | undefined
  ask(name: string, message: Message, options: { timeout: number }): Promise<unknown>
}

interface Player {
  readonly actor: Subject
  readonly ref: Ref<Subject>
  readonly handle: Handle<Subject>
}

/** Plays steps against two actors and books what became of every message. */
class Play {
  readonly clock = new ManualClock()
  readonly system = new ActorSystem({ clock: this.clock, log: new RecordedLog() })
  readonly handled: Message[] = []
  readonly dead: Message[] = []
  /** Dead letters whose handler had begun. */
  cutOff = 0
  readonly open: Promise<unknown>[] = []
  readonly wrong: string[] = []
  readonly #actors: Player[] = []
  sent = 0

  constructor(limits: { capacity: number; overflow: Overflow }) {
    this.system.deadLetters.onDeadLetter(({ payload }) => {
      this.dead.push(payload as Message)
      if (this.handled.includes(payload as Message)) this.cutOff++
    })
    for (let index = 0; index < 2; index++) {
      const actor = new Subject(this.handled)
      const [ref, handle] = this.system.spawn(() => actor, { mailbox: limits })
      this.#actors.push({ actor, ref, handle })
    }
  }

  async take(next: Step): Promise<void> {
    if (!('to' in next)) return this.clock.advance(next.do === 'advance' ? 20 : 0)
    const { actor, ref, handle } = this.#actors[next.to] as Player
    if ('kind' in next) this.#send(ref as unknown as Loose, next.do, next.kind)
    else if (next.do === 'open') actor.open()
    else this.open.push(handle[next.do]())
  }

  async end(): Promise<void> {
    for (const { handle } of this.#actors) this.open.push(handle.stop({ within: 50 }))
    await this.clock.advance(100)
    await Promise.all(this.open)
  }

  #send(ref: Loose, verb: 'tell' | 'send' | 'ask', kind: Kind): void {
    const message = { n: this.sent++, sender: 0 }
    const deadBefore = this.dead.length
    if (verb === 'tell' && ref.tell(kind, message) === (this.dead.at(-1) === message))
      this.wrong.push(`tell ${message.n} tells the wrong thing`)
    if (verb === 'send') this.open.push(ref.send(kind, message)?.catch(() => undefined) ?? Promise.resolve())
    if (verb === 'ask') {
      const replied = ref.ask(kind, message, { timeout: 10 })
      this.open.push(
        replied.then(
          (reply) => reply === message.n || this.wrong.push(`ask ${message.n} got ${String(reply)}`),
          () => undefined,
        ),
      )
    }
    if (this.dead.length > deadBefore + 1) this.wrong.push(`message ${message.n} buried more than one`)
  }
}

describe('I16', () => {
  it(
    'every message is handled or is a dead letter, exactly once, and every ask and send settles',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 4 }),
          overflow,
          fc.array(step, { maxLength: 60 }),
          async (capacity, policy, steps) => {
            const play = new Play({ capacity, overflow: policy })
            for (const next of steps) await play.take(next)
            await play.end()
            const fates = new Set([...play.handled, ...play.dead].map(({ n }) => n))
            expect(fates.size).toBe(play.sent)
            expect(new Set(play.handled).size).toBe(play.handled.length)
            expect(new Set(play.dead).size).toBe(play.dead.length)
            expect(play.handled.length + play.dead.length - play.cutOff).toBe(play.sent)
            expect(play.wrong).toEqual([])
            const { processed, failed, ...metrics } = play.system.metrics()
            expect(processed + failed + metrics.deadLetters).toBe(play.sent)
            expect(metrics).toMatchObject({ actors: 0, waiting: 0, deadLetters: play.dead.length })
          },
        ),
        { numRuns: 300 },
      )
    },
  )
})

describe('order', () => {
  it('is that of sending for the messages of one sender, whatever the others do', { timeout: 60_000 }, async () => {
    const sends = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom('tell', 'send', 'ask', 'settle')), {
      maxLength: 80,
    })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), overflow, sends, async (capacity, policy, all) => {
        const clock = new ManualClock()
        const system = new ActorSystem({ clock, log: new RecordedLog() })
        const handled: Message[] = []
        const [ref, handle] = system.spawn(() => new Subject(handled), { mailbox: { capacity, overflow: policy } })
        const loose = ref as unknown as Loose
        for (const [n, [sender, verb]] of all.entries()) {
          const kind = n % 3 === 0 ? 'async' : 'sync'
          if (verb === 'tell') loose.tell(kind, { n, sender })
          if (verb === 'send') void loose.send(kind, { n, sender })
          if (verb === 'ask') loose.ask(kind, { n, sender }, { timeout: 10_000 }).catch(() => undefined)
          if (verb === 'settle') await clock.advance(0)
        }
        await clock.advance(0)
        await handle.stop()
        for (const sender of [0, 1, 2]) {
          const order = handled.filter((message) => message.sender === sender).map(({ n }) => n)
          expect(order).toEqual([...order].sort((a, b) => a - b))
        }
        const withoutTells = all.filter(([, verb]) => verb === 'send' || verb === 'ask').length
        if (policy === 'wait') expect(handled.length).toBeGreaterThanOrEqual(withoutTells)
      }),
      { numRuns: 200 },
    )
  })
})
