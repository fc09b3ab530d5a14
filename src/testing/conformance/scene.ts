// What a conformance case plays on: a database, a clock that stands still, and nodes that commit batches.
import assert from 'node:assert/strict'
import type { Clock } from '../../lib/clock.ts'
import type { RunOutcome } from '../../model/run.ts'
import type { StartKey } from '../../model/start-key.ts'
import { emptyDraft, type BatchLists } from '../../store/lists.ts'
import { bareStart, type StartRecord } from '../../store/start.ts'
import type { CancelRecord } from '../../store/cancels.ts'
import type { NodeIdentity } from '../../store/nodes.ts'
import type * as store from '../../store/store.ts'
import type { RunView } from '../../store/views.ts'
import type { ParkRecord } from '../../store/waits.ts'
import { ManualClock } from '../manual-clock.ts'

/** A kind of store. */
export interface Backend {
  readonly name: string
  /** Makes a new and empty database. */
  create(): Promise<Database>
}

/** One database. */
export interface Database {
  /** Opens it, each time on a connection of its own; undefined when it can have only one and has it. */
  connect(clock: Clock): Promise<store.Store | undefined>
  remove(): Promise<void>
}

/** Named as sentences of behaviour. */
export type Cases = Readonly<Record<string, (scene: Scene) => Promise<void>>>

/** The parts of a batch that a case is about. */
export type Part = Partial<BatchLists>

/** Where the clock of every scene starts. */
export const startMs = 1_700_000_000_000

export const leaseMs = 10_000

/** One node, or with the number 0 a client. */
export class Peer {
  readonly store: store.Store
  readonly nodeId: number
  readonly #scene: Scene
  #seq = 0

  constructor(scene: Scene, on: store.Store, nodeId: number) {
    this.#scene = scene
    this.store = on
    this.nodeId = nodeId
  }

  /** The next batch, to be committed by hand. */
  batch(part: Part): store.Batch {
    return { ...emptyDraft(this.nodeId, ++this.#seq), ...part }
  }

  commit(part: Part): Promise<store.Committed> {
    return this.store.commit(this.batch(part))
  }

  async claim(want = 1): Promise<readonly store.Claimed[]> {
    const { claimed } = await this.commit({ claims: [this.#scene.claimRequest({ want })] })
    return claimed[0] ?? []
  }

  /** Claims the one run that is ready. */
  async claimOne(): Promise<store.Claimed> {
    const [claimed] = await this.claim()
    if (claimed === undefined) throw new Error('No run was ready to be claimed')
    return claimed
  }

  /** Commits what is said under a claim and tells whether the store took it. */
  async isTaken(held: store.Held, part: Part): Promise<boolean> {
    const { lost, isNodeLost } = await this.commit(part)
    return !isNodeLost && !lost.has(held)
  }

  /** Whether this node may still write under a claim. */
  holds(held: store.Held): Promise<boolean> {
    return this.isTaken(held, { progress: [{ held, done: 0, total: 1 }] })
  }
}

export class Scene {
  readonly clock: ManualClock
  readonly store: store.Store
  readonly node: Peer
  readonly client: Peer
  readonly definitionId: number
  readonly queueId: number
  readonly #database: Database
  readonly #opened: store.Store[]
  #ids = 0

  private constructor(clock: ManualClock, database: Database, known: Known) {
    this.clock = clock
    this.#database = database
    this.store = known.store
    this.#opened = [known.store]
    this.definitionId = known.definitionId
    this.queueId = known.queueId
    this.node = new Peer(this, known.store, known.nodeId)
    this.client = new Peer(this, known.store, 0)
  }

  static async open(database: Database): Promise<Scene> {
    const clock = new ManualClock(startMs)
    const opened = await database.connect(clock)
    if (opened === undefined) throw new Error('A new database could not be opened')
    const definitionId = await opened.internDefinition('resize', '1')
    const queueId = await opened.internQueue('default')
    const nodeId = await opened.insertNode(identity('first'), leaseMs)
    return new Scene(clock, database, { store: opened, definitionId, queueId, nodeId })
  }

  /** The same database on another connection; on the only one where there can be no other. */
  async connect(clock: Clock = this.clock): Promise<store.Store> {
    const another = await this.#database.connect(clock)
    if (another !== undefined) this.#opened.push(another)
    return another ?? this.store
  }

  /** Another node, on a connection of its own where that is possible. */
  async addNode(name = 'second'): Promise<Peer> {
    const on = await this.connect()
    return new Peer(this, on, await on.insertNode(identity(name), leaseMs))
  }

  /** Someone who starts and cancels runs and runs none, on a connection of its own where that is possible. */
  async addClient(): Promise<Peer> {
    return new Peer(this, await this.connect(), 0)
  }

  startRecord(values: Partial<StartRecord> = {}): StartRecord {
    return {
      ...bareStart,
      id: `run-${++this.#ids}`,
      definitionId: this.definitionId,
      queueId: this.queueId,
      input: 'j{}',
      ...values,
    }
  }

  claimRequest(values: Partial<store.ClaimRequest> = {}): store.ClaimRequest {
    return {
      queueIds: [this.queueId],
      definitionIds: [this.definitionId],
      want: 1,
      begins: 1_000,
      taken: 0,
      mostDeliveries: 99,
      ...values,
    }
  }

  /** Starts a run from outside and returns its id. */
  async start(values: Partial<StartRecord> = {}): Promise<string> {
    const { started } = await this.client.commit({ starts: [this.startRecord(values)] })
    return started[0]?.id ?? 'none was started'
  }

  /** A run that the first node holds. */
  async startAndClaim(values: Partial<StartRecord> = {}): Promise<store.Claimed> {
    await this.start(values)
    return this.node.claimOne()
  }

  async stateOf(id: string): Promise<RunView['state'] | undefined> {
    return (await this.store.findRun(id))?.state
  }

  /** All of a run but why it waits, which also follows from what else there is. */
  async rowOf(id: string): Promise<Omit<RunView, 'reason'> | undefined> {
    const run = await this.store.findRun(id)
    if (run === undefined) return undefined
    const { reason: _, ...row } = run
    return row
  }

  /** Sweeps over everything, a few runs at a time, and counts what had to be mended. */
  async repair(): Promise<number> {
    let all = await this.store.repairLimiters()
    let after = 0
    do {
      const { mended, through } = await this.store.repairRuns({ after, limit: 3, nodeId: this.node.nodeId })
      all += mended
      after = through
    } while (after > 0)
    return all
  }

  async close(): Promise<void> {
    for (const opened of this.#opened) await opened.close()
    await this.#database.remove()
  }
}

/** Compares values, and not of what class a row is: drivers differ in that. */
export function same(actual: unknown, expected: unknown, message?: string): void {
  assert.deepEqual(structuredClone(actual), structuredClone(expected), message)
}

export function identity(name: string): NodeIdentity {
  return { name, bootId: 'boot-1', pidNamespace: null, pid: 4711, pidStartedAt: '12345' }
}

export function step(held: store.Held, path: string, values: Partial<store.StepRecord> = {}): store.StepRecord {
  const times = { startedAt: startMs, finishedAt: startMs + 5 }
  return { held, path, seq: 1, kind: 'step', attempt: 1, isError: false, value: `j"${path}"`, ...times, ...values }
}

export function attempt(held: store.Held, path: string, n: number): store.AttemptRecord {
  return { held, path, attempt: n, error: '{"name":"Error"}', startedAt: startMs + n, finishedAt: startMs + n + 1 }
}

export function settle(held: store.Held, outcome: RunOutcome = 'succeeded'): store.SettleRecord {
  return {
    held,
    outcome,
    attempt: 1,
    value: `j"${outcome} by its node"`,
    hadWaits: true,
    code: null,
    fingerprint: null,
  }
}

export function park(held: store.Held, dueAt: number): ParkRecord {
  return { held, dueAt, waits: [{ path: 'nap', kind: 'sleep', name: null, dueAt }] }
}

/** An error as it is kept. */
export function errorValue(code: string): string {
  return JSON.stringify({ name: 'TroupeError', code, message: `told as ${code}` })
}

/** A key as `idempotencyKey` makes it. */
export function attach(key: string): StartKey {
  return { rule: 'attach', key }
}

export function cancel(id: string): CancelRecord {
  return { id, value: errorValue('run_cancelled'), reason: 'asked to' }
}

interface Known {
  readonly store: store.Store
  readonly definitionId: number
  readonly queueId: number
  readonly nodeId: number
}
