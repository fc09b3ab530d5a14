// Nodes as the store knows them: who they are, what they serve, and how long they count as alive.
import type { LeaseKeeper, LeaseOrder } from './lease.ts'
import type { AuditRecord } from './operating.ts'
import type { DeadNode, DeadRun, Rescued } from './repairs.ts'
import type { NodeView } from './views.ts'

/** Who a node is to the machine it runs on; enough to prove that it is dead. */
export interface NodeIdentity {
  readonly name: string
  readonly bootId: string | null
  readonly pidNamespace: string | null
  readonly pid: number
  readonly pidStartedAt: string | null
  /** Of the library, for people. */
  readonly version?: string | undefined
}

export interface NodeRow extends NodeIdentity {
  readonly nodeId: number
  readonly isExpired: boolean
  /** It is asked to take no more work and to stop. */
  readonly isDraining: boolean
}

/** What a node can perform. */
export interface Serving {
  readonly queueIds: readonly number[]
  readonly definitionIds: readonly number[]
}

export interface NodeStore {
  /** The nodes, the first one first. */
  listNodeViews(): Promise<NodeView[]>

  insertNode(identity: NodeIdentity, leaseMs: number): Promise<number>
  /** False when the node was declared dead meanwhile. */
  renewNode(nodeId: number, leaseMs: number): Promise<boolean>
  /** Renews the lease also while this thread is busy; undefined where nobody else could see that it ran out. */
  keepLease(order: LeaseOrder): LeaseKeeper | undefined
  /** How long the lease of a node lasts from now on; 0 when it has none, or when that cannot be read. Never throws. */
  leaseLeftMs(nodeId: number): number
  /** Keeps what a node can perform, for people who ask why a run waits. What was set aside as other code of its definition did not fit is ready again. */
  updateServing(nodeId: number, serving: Serving): Promise<void>
  listNodes(): Promise<NodeRow[]>
  /** Asks a node to stop, and keeps who asked: from now on it claims nothing. False when it was asked before, or is gone. */
  drainNode(nodeId: number, audit?: AuditRecord): Promise<boolean>
  /** By how much the clock of this machine is ahead of the time that all nodes go by; 0 where they go by this clock. Never throws. */
  clockAheadMs(): number
  /** Keeps that, for people. */
  updateNodeClock(nodeId: number, aheadMs: number): Promise<void>
  /** Makes what these nodes ran ready again, but for what killed too many of them, and forgets them. */
  rescueNodes(nodes: readonly DeadNode[], fate: DeadRun): Promise<Rescued>
  /** Gives back what this node holds in the store but not in memory; counts the runs. */
  releaseUnheld(nodeId: number, isHeld: (runId: number) => boolean): Promise<number>
  deleteNode(nodeId: number): Promise<void>
}
