// The workflow bench for libraries of others.
import { addPeers, loadPeer, needsNode } from '../installed-peers.ts'
import { dbosPeer, type DbosModule } from './peer-dbos.ts'
import { openWorkflowPeer, type BackendModule, type OpenWorkflowModule } from './peer-openworkflow.ts'
import { restatePeer } from './peer-restate.ts'
import type { Figures } from './three-steps.ts'

export interface WorkflowPeer {
  readonly who: string
  measure(): Promise<Figures>
  /** What a reader must know to compare it. */
  readonly note: string
}

/** The peers that are present. Of one that is not, the reason is told. */
export async function workflowPeers(tell: (line: string) => void): Promise<WorkflowPeer[]> {
  const peers: WorkflowPeer[] = []
  const adders = {
    dbos: async () => peers.push(dbosPeer(await loadPeer<DbosModule>('@dbos-inc/dbos-sdk'))),
    restate: async () => peers.push(await restatePeer()),
    openworkflow: async () => {
      needsNode(22, 'its SQLite')
      const backends = await loadPeer<BackendModule>('openworkflow/sqlite')
      peers.push(openWorkflowPeer(await loadPeer<OpenWorkflowModule>('openworkflow'), backends))
    },
  }
  await addPeers('devDependencies', adders, tell)
  return peers
}
