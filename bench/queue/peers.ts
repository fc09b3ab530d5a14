// The queue bench for libraries of others.
import { addPeers, loadPeer } from '../installed-peers.ts'
import { withPostgres } from '../postgres-server.ts'
import { bullmqOnPostgres, bullmqOnSomeRedis, type BullMq } from './peer-bullmq.ts'
import { plainjobPeer, type PlainJob } from './peer-plainjob.ts'
import type { Row } from './work.ts'

/** What the rows of the bench are called and how many runs each takes. */
export interface Wanted {
  readonly call: string
  readonly callMany: string
  readonly process: string
  readonly count: number
}

export interface Peer {
  readonly who: string
  readonly rows: readonly Row[]
  /** Milliseconds from a start to the first line of its handler, several times, while nothing else goes on. */
  latency(): Promise<number[]>
  /** What a reader must know to compare it. */
  readonly note: string
}

/** The peers that are present. Of one that is not, the reason is told. */
export async function queuePeers(wanted: Wanted, redisPort: number, tell: (line: string) => void): Promise<Peer[]> {
  const peers: Peer[] = []
  const adders = {
    plainjob: async () => {
      const plainjob = await loadPeer<PlainJob>('plainjob')
      for (const synchronous of ['normal', 'full'] as const) peers.push(plainjobPeer(plainjob, wanted, synchronous))
    },
    bullmq: async () => {
      peers.push(await bullmqOnSomeRedis(await loadPeer<BullMq>('bullmq'), wanted, redisPort))
    },
    'bullmq on Postgres': async () => {
      const bullmq = await loadPeer<BullMq>('bullmq')
      // Whether it can be started here.
      await withPostgres(async () => {})
      peers.push(bullmqOnPostgres(bullmq, wanted))
    },
  }
  await addPeers('optionalDependencies', adders, tell)
  return peers
}
