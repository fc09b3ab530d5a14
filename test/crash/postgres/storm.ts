// Faults that strike a Postgres, the way to it, or the nodes on it, while four nodes perform what is started and all that they share.
import { systemClock } from '../../../src/lib/clock.ts'
import type { Random } from '../random.ts'
import { closeCampaign, leaseMs, openCampaign, placesOf, startRandom, type CampaignAccount } from '../campaign.ts'
import { areReady, Child } from '../children.ts'
import type { Strike } from './faults.ts'

/** How a node comes to the store. */
export interface Way {
  readonly url: string
  /** A command that starts it in other surroundings. */
  readonly within?: readonly string[]
}

export interface StormOptions {
  readonly build: string
  /** The store, without faults in between. */
  readonly store: string
  /** One for each node. */
  readonly ways: readonly Way[]
  readonly ledger: string
  readonly random: Random
  /** How often each fault is to come, */
  readonly times: number
  /** and for how long they come at most. */
  readonly forMs: number
  /** The faults, which take turns. The nodes stand in the order of their ways. */
  readonly strikes: Readonly<Record<string, Strike>>
}

export interface StormAccount extends Omit<CampaignAccount, 'kills' | 'isCoded' | 'plain' | 'readByOthers'> {
  /** How often each fault came. */
  readonly struck: Readonly<Record<string, number>>
}

// Steps and workflows at a time in each node.
const most = 8
const readyMs = 30_000
// So many runs are started between two faults at most.
const startsBetween = 3
// A fault that does not come is tried again, but not for ever.
const patience = 3

/** start → strike while runs are started → let all come to their end → account */
export async function runStorm(options: StormOptions): Promise<StormAccount> {
  const { build, ways, random, times, forMs, strikes } = options
  const campaign = await openCampaign({ ...options, kills: 0, shares: true })
  const nodes = ways.map(({ url, within }) => {
    const order = { ...placesOf(campaign), store: url, leaseMs, seed: 0, starts: 0, most, isCutOff: true }
    return new Child(build, order, 'child.ts', within)
  })
  const isReady = await areReady(nodes, readyMs)
  if (!isReady) campaign.failures.push('a node did not start')
  const struck = Object.fromEntries(Object.keys(strikes).map((fault) => [fault, 0]))
  const until = systemClock.monotonic() + (isReady ? forMs : 0)
  for (let round = 0; round < times * patience && systemClock.monotonic() < until; round++) {
    for (const [fault, strike] of Object.entries(strikes)) {
      if (struck[fault] === times) continue
      for (let n = random.between(0, startsBetween); n > 0; n--) startRandom(campaign)
      if (await strike(nodes)) struck[fault] = (struck[fault] ?? 0) + 1
    }
  }
  for (const node of nodes) node.stop()
  for (const { code, errors } of await Promise.all(nodes.map((node) => node.ended)))
    if (code !== 0) campaign.failures.push(`a node ended with ${code}: ${errors}`)
  const { figures, violations } = await closeCampaign(campaign)
  return { struck, figures, violations }
}
