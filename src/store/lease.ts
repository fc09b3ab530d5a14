// The lease of a node as it is kept beside the main loop.

/** What a lease is kept by. */
export interface LeaseOrder {
  readonly nodeId: number
  readonly leaseMs: number
  /** Without a sign of life of the main loop for so long the lease is not renewed any more. */
  readonly stuckMs: number
  /** This node was declared dead: there is no lease left to be renewed. */
  readonly lost: (nodeId: number) => void
  /** It ends early; whoever wants it to go on asks for another. */
  readonly failed: (error: Error) => void
}

/** Renews a lease while the main loop is busy. */
export interface LeaseKeeper {
  /** The main loop lives, and this node goes by that number. */
  beat(nodeId: number): void
  /** Resolves when nothing is renewed any more. */
  stop(): Promise<void>
}
