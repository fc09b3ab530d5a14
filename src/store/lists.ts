// The lists that a batch is made of.
import type { Batch, Committed } from './store.ts'

/** What a batch writes for runs that are held: each record carries the claim it is written under. */
export const heldLists = [
  'waits',
  'steps',
  'children',
  'turns',
  'attempts',
  'emits',
  'drops',
  'logs',
  'progress',
  'states',
  'tokens',
  'refusals',
  'handled',
  'begins',
  'settles',
  'undoes',
  'retries',
  'parks',
  'continues',
  'upgrades',
] as const satisfies readonly (keyof Batch)[]

/** The lists of a batch. */
export type BatchLists = Omit<Batch, 'nodeId' | 'seq'>

/** A batch that is being filled. */
export type Draft = { -readonly [K in keyof BatchLists]: BatchLists[K][number][] } & {
  nodeId: number
  seq: number
}

/** One with nothing in it. Measured: a batch that is spread from parts takes 3.6 KB, one that is filled 0.5. */
export function emptyDraft(nodeId: number, seq: number): Draft {
  return {
    nodeId,
    seq,
    starts: [],
    waits: [],
    steps: [],
    children: [],
    turns: [],
    attempts: [],
    emits: [],
    drops: [],
    logs: [],
    progress: [],
    states: [],
    tokens: [],
    refusals: [],
    handled: [],
    begins: [],
    settles: [],
    undoes: [],
    retries: [],
    parks: [],
    continues: [],
    upgrades: [],
    releases: [],
    completions: [],
    tells: [],
    cancels: [],
    claims: [],
  }
}

/** The answer to a batch of which nothing had to be told. */
export const nothingCommitted: Committed = {
  isNodeLost: false,
  lost: new Set(),
  started: [],
  joined: new Map(),
  tells: [],
  told: [],
  completions: [],
  cancels: [],
  woken: 0,
  claimed: [],
  heldBack: [],
  cancelRequests: [],
  taken: [],
  opensAt: null,
  isMoreToEnd: false,
}
