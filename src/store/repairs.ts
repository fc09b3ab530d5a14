// What becomes of the runs of dead nodes, and what a sweep looks for: runs and slots that nobody would ever come back to.

export interface RepairStore {
  /**
   * Looks at the next unfinished runs after one. Who waits for what is there, for what has ended or for nothing is made ready;
   * who runs on a node that is not known is given back; who has to pass limiters has its slots, or its place in a line.
   * Writes only when it finds something; in a healthy store it never does.
   */
  repairRuns(slice: RepairSlice): Promise<Repaired>
  /** Frees slots whose holder is gone, and forgets rates that decide nothing any more; counts the slots. Writes as above. */
  repairLimiters(): Promise<number>
}

export interface RepairSlice {
  /** The number of the run after which it begins; 0 for the first. */
  readonly after: number
  /** How many runs are looked at. */
  readonly limit: number
  /** Whose runs are told. */
  readonly nodeId: number
}

export interface Repaired {
  readonly mended: number
  /** After which run the next slice begins; 0 when this was the last. */
  readonly through: number
  /** The runs of the slice that the store says this node holds. */
  readonly held: readonly number[]
}

/** What became of the runs of dead nodes. */
export interface Rescued {
  /** How many are ready again. */
  readonly released: number
  readonly givenUp: readonly GivenUpRun[]
}

/** A run that has failed, because too many processes died while they ran it. */
export interface GivenUpRun {
  readonly id: string
  readonly definitionId: number
  readonly name: string
  readonly generation: number
  readonly attempt: number
  /** How many processes died. */
  readonly deliveries: number
}

export interface DeadNode {
  readonly nodeId: number
  /** Its process is known to be gone; otherwise only an expired lease counts. */
  readonly isProved: boolean
}

/** What becomes of runs whose process died. */
export interface DeadRun {
  /** How often a process may die while it runs the same thing. */
  readonly maxDeliveries: number
  /** The error of a run that reached that, as a record in JSON. */
  readonly value: string
}
