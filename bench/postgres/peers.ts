// The Postgres bench for libraries of others, on the same server where they take one.
import { addPeers, loadPeer } from '../installed-peers.ts'
import type { Within } from '../postgres-server.ts'
import { bullmqOnPostgres, bullmqOnSomeRedis, type BullMq } from '../queue/peer-bullmq.ts'
import type { Peer, Wanted } from '../queue/peers.ts'
import { dbosPeer, type DbosModule } from '../workflow/peer-dbos.ts'
import {
  openWorkflowOnPostgres,
  type OpenWorkflowModule,
  type PostgresBackendModule,
} from '../workflow/peer-openworkflow.ts'
import { restatePeer } from '../workflow/peer-restate.ts'
import type { WorkflowPeer } from '../workflow/peers.ts'
import { absurdPeer, type AbsurdModule } from './peer-absurd.ts'
import { graphileName, graphilePeer, type GraphileWorker } from './peer-graphile.ts'
import { pgBossPeer, type PgBossModule } from './peer-pg-boss.ts'

interface AskedOfQueues {
  readonly wanted: Wanted
  readonly within: Within
  readonly redisPort: number
}

interface AskedOfWorkflows {
  readonly within: Within
  /** The file with the tables of absurd; empty where there is none. */
  readonly absurdTables: string
}

type Tell = (line: string) => void

/** The queues that are present. Of one that is not, the reason is told; so too below. */
export async function queuePeers({ wanted, within, redisPort }: AskedOfQueues, tell: Tell): Promise<Peer[]> {
  const peers: Peer[] = []
  const bullmq = {
    bullmq: async () => peers.push(await bullmqOnSomeRedis(await loadPeer<BullMq>('bullmq'), wanted, redisPort)),
    'bullmq on Postgres': async () => peers.push(bullmqOnPostgres(await loadPeer<BullMq>('bullmq'), wanted, within)),
  }
  const others = {
    [graphileName]: async () => peers.push(graphilePeer(await loadPeer<GraphileWorker>(graphileName), wanted, within)),
    'pg-boss': async () => peers.push(pgBossPeer(await loadPeer<PgBossModule>('pg-boss'), wanted, within)),
  }
  await addPeers('devDependencies', others, tell)
  await addPeers('optionalDependencies', bullmq, tell)
  return peers
}

export async function workflowPeers({ within, absurdTables }: AskedOfWorkflows, tell: Tell): Promise<WorkflowPeer[]> {
  const peers: WorkflowPeer[] = []
  const adders = {
    dbos: async () => peers.push(dbosPeer(await loadPeer<DbosModule>('@dbos-inc/dbos-sdk'), within)),
    restate: async () => peers.push(await restatePeer()),
    openworkflow: async () => {
      const backends = await loadPeer<PostgresBackendModule>('openworkflow/postgres')
      peers.push(openWorkflowOnPostgres(await loadPeer<OpenWorkflowModule>('openworkflow'), backends, within))
    },
    absurd: async () => {
      if (absurdTables === '')
        throw new Error('its tables are no part of its package: --absurd names the file they are in')
      peers.push(absurdPeer(await loadPeer<AbsurdModule>('absurd-sdk'), absurdTables, within))
    },
  }
  await addPeers('devDependencies', adders, tell)
  return peers
}
