// Rates as a property: random bounds, arrivals, nodes and changes. In no window do more pass than the rate gives, and what is due passes.
import assert from 'node:assert/strict'
import { seededRandom } from '../../lib/random.ts'
import { unbounded, type Rate } from '../../model/limiter.ts'
import { settle, type Cases, type Peer, type Scene } from './scene.ts'

const seeds = Array.from({ length: 8 }, (_, n) => n + 1)
const keys = ['ann', 'bob']
const rounds = 60
// A time of today has a precision of a quarter of a microsecond.
const tolerance = 1e-3

export const rateCases: Cases = Object.fromEntries(
  seeds.map((seed): [string, Cases[string]] => [
    `lets pass what the rate gives and no more, in every window (seed ${seed})`,
    (scene) => new RateTrial(scene, seed).run(),
  ]),
)

/** How many have passed above what the rate gave meanwhile: a pass adds one, time takes it back. Known from the passes alone. */
class Account {
  readonly passes: { readonly at: number; readonly given: number }[] = []
  #debt = 0
  #at = 0

  /** `given` is how many the rate has given since the beginning. */
  settleTo(given: number): number {
    this.#debt = Math.max(0, this.#debt - (given - this.#at))
    this.#at = given
    return this.#debt
  }

  pass(at: number, given: number): void {
    this.settleTo(given)
    this.#debt += 1
    this.passes.push({ at, given })
  }
}

class RateTrial {
  readonly #scene: Scene
  readonly #seed: number
  readonly #random: () => number
  readonly #accounts = new Map(keys.map((key) => [key, new Account()]))
  readonly #keyOf = new Map<string, string>()
  readonly #waiting = new Map(keys.map((key) => [key, 0]))
  readonly #tickets = new Map<number, string>()
  #nodes: { readonly peer: Peer; tickets: number[] }[] = []
  #rate: Rate
  #mostBurst: number
  #given = 0
  #limiterId = 0

  constructor(scene: Scene, seed: number) {
    this.#scene = scene
    this.#seed = seed
    this.#random = seededRandom(seed)
    this.#rate = this.#anyRate()
    this.#mostBurst = this.#rate.burst
  }

  async run(): Promise<void> {
    const { store } = this.#scene
    this.#limiterId = await store.internLimiter('paced', { ...unbounded, rate: this.#rate })
    this.#nodes = [this.#scene.node, await this.#scene.addNode()].map((peer) => ({ peer, tickets: [] }))
    for (let round = 0; round < rounds; round++) {
      if (this.#below(12) === 0) await this.#change()
      await this.#arrive()
      await this.#passAll()
      await this.#isNobodyLate()
      await this.#advance()
    }
    while ([...this.#waiting.values()].some((count) => count > 0)) {
      await this.#passAll()
      await this.#isNobodyLate()
      await this.#advance(true)
    }
    for (const [key, { passes }] of this.#accounts) this.#isInBounds(key, passes)
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most)
  }

  #anyRate(): Rate {
    return { limit: 1 + this.#below(20), perMs: 100 + this.#below(4_000), burst: 1 + this.#below(8) }
  }

  async #change(): Promise<void> {
    this.#rate = this.#anyRate()
    this.#mostBurst = Math.max(this.#mostBurst, this.#rate.burst)
    await this.#scene.store.setLiveBounds('paced', { rate: this.#rate })
  }

  /** A flood, a trickle or nothing: runs, and what is no run, for either key and on either node. */
  async #arrive(): Promise<void> {
    const count = [0, 1, 1 + this.#below(3), this.#below(25)][this.#below(4)] ?? 0
    for (let n = 0; n < count; n++) {
      const key = keys[this.#below(2)] as string
      const limits = [{ limiterId: this.#limiterId, key }]
      this.#waiting.set(key, (this.#waiting.get(key) ?? 0) + 1)
      if (this.#below(3) > 0) {
        this.#keyOf.set(await this.#scene.start({ limits, priority: this.#below(3) }), key)
        continue
      }
      const node = this.#anyNode()
      const { tickets, passed } = await this.#pass(node, { enters: [{ uses: limits, step: null }] })
      for (const ticket of tickets) this.#tickets.set(ticket, key)
      node.tickets.push(...tickets)
      this.#havePassed(node, passed)
    }
  }

  #anyNode(): { readonly peer: Peer; tickets: number[] } {
    return this.#nodes[this.#below(this.#nodes.length)] as { peer: Peer; tickets: number[] }
  }

  #pass({ peer }: { peer: Peer }, passing: object) {
    const nothing = { enters: [], holds: 0, leaves: [], yields: false }
    return peer.store.passLimiters(peer.nodeId, { ...nothing, ...passing })
  }

  #havePassed(node: { peer: Peer; tickets: number[] }, passed: readonly number[]): void {
    for (const ticket of passed.filter((one) => node.tickets.includes(one)))
      this.#counts(this.#tickets.get(ticket) ?? '')
    node.tickets = node.tickets.filter((ticket) => !passed.includes(ticket))
  }

  /** Until nobody passes any more, on any node. */
  async #passAll(): Promise<void> {
    await this.#scene.store.wakeRuns(99)
    for (let quiet = 0; quiet < 2 * this.#nodes.length; quiet++) {
      const node = this.#anyNode()
      const claimed = await node.peer.claim(1 + this.#below(4))
      for (const { id } of claimed) this.#counts(this.#keyOf.get(id) ?? '')
      await node.peer.commit({ settles: claimed.map(({ held }) => settle(held)) })
      const { passed } = await this.#pass(node, {})
      this.#havePassed(node, passed)
      if (passed.length > 0) await this.#pass(node, { leaves: passed })
      if (claimed.length + passed.length > 0) quiet = -1
    }
    for (const node of this.#nodes) this.#havePassed(node, (await this.#pass(node, {})).passed)
  }

  #counts(key: string): void {
    const account = this.#accounts.get(key) as Account
    const debt = account.settleTo(this.#given)
    assert.ok(debt + 1 <= this.#rate.burst + tolerance, this.#told(`${key} passed at a debt of ${debt}`))
    account.pass(this.#scene.store.now(), this.#given)
    this.#waiting.set(key, (this.#waiting.get(key) ?? 0) - 1)
  }

  /** Whoever still waits is not due, and the store says in time when he is. */
  async #isNobodyLate(): Promise<void> {
    const { nextDueAt } = await this.#scene.store.wakeRuns(99)
    for (const [key, count] of this.#waiting) {
      const debt = (this.#accounts.get(key) as Account).settleTo(this.#given)
      const missing = debt + 1 - this.#rate.burst
      if (count === 0) continue
      assert.ok(missing > -tolerance, this.#told(`${key} waits at a debt of ${debt}`))
      const dueAt = this.#scene.store.now() + (missing * this.#rate.perMs) / this.#rate.limit
      assert.ok(
        (nextDueAt ?? Infinity) <= dueAt + 1,
        this.#told(`${key} is due at ${dueAt}, looked for at ${nextDueAt}`),
      )
    }
  }

  async #advance(isLast = false): Promise<void> {
    const { nextDueAt } = await this.#scene.store.wakeRuns(99)
    const untilNext = Math.max(1, Math.ceil((nextDueAt ?? 0) - this.#scene.store.now()))
    const ms = isLast || this.#below(2) === 0 ? untilNext : this.#below([5, 200, 6_000][this.#below(3)] ?? 5)
    await this.#scene.clock.advance(ms)
    this.#given += (ms * this.#rate.limit) / this.#rate.perMs
  }

  /** The property itself, for every window that begins and ends with a pass. */
  #isInBounds(key: string, passes: Account['passes']): void {
    for (const [first, from] of passes.entries()) {
      for (let last = first; last < passes.length; last++) {
        const to = passes[last] as (typeof passes)[number]
        const most = this.#mostBurst + to.given - from.given + tolerance
        const count = last - first + 1
        assert.ok(
          count <= most,
          this.#told(`${count} of ${key} passed from ${from.at} to ${to.at}, at most ${most} may`),
        )
      }
    }
  }

  #told(what: string): string {
    return `seed ${this.#seed}, ${JSON.stringify(this.#rate)}: ${what}`
  }
}
