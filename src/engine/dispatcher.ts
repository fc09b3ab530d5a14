// The dispatcher: brings ready runs to free actors, by claim or, for what is started here, at once.
import { Actor } from '../actor/actor.ts'
import type { Started } from '../store/start.ts'
import type { Claimed, ClaimRequest } from '../store/store.ts'
import { isSuspect, suspectFrom } from '../model/suspect.ts'
import { Activation } from './activation/activation.ts'
import type { Surroundings } from './activation/surroundings.ts'
import type { ActiveRuns } from './activation/active-runs.ts'
import { OwnRuns } from './membership/own-runs.ts'
import type { PoolKind } from './definition/definition.ts'
import type { Pool } from './pool/pool.ts'
import type { Registry } from './definition/registry.ts'
import { ClaimWrite, ManyStartsWrite, StartWrite, type ManyStarts, type StartOrder } from './starts.ts'

export interface DispatcherOptions {
  readonly registry: Registry
  readonly pools: Readonly<Record<PoolKind, Pool>>
  readonly around: Surroundings
  readonly active: ActiveRuns
  /** Numbers of the queues this node serves, by name. */
  readonly queues: ReadonlyMap<string, number>
  /** Performs what was started here and nothing else. */
  readonly isOwnOnly: boolean
  readonly membership: { readonly isLeaseOver: boolean }
}

interface Claiming {
  isUnderWay: boolean
  /** The last claim brought all it asked for, so there may be more. */
  mayBeMore: boolean
  /** Something became ready while a claim was under way. */
  isHinted: boolean
  /** How many places are held for what the claim under way may bring. */
  reserved: number
  /** How many runs were claimed so far; the oldest have their turns in that. */
  taken: number
  /** When the last claim was answered, how long that took, and how many tasks the pool had ended by then. */
  answeredAtMs: number
  tookMs: number
  finished: number
}

// How long a run that was claimed ahead may wait here, when another node may have an actor for it.
const longestAheadMs = 1_000
// An answer that took longer may have come after the end of the lease.
const lateMs = 1_000

export class Dispatcher extends Actor {
  readonly #options: DispatcherOptions
  readonly #claiming: Record<PoolKind, Claiming> = {
    workflow: newClaiming(),
    task: newClaiming(),
  }
  /** The ids of what was started here and has not ended, where nothing else is performed. */
  readonly #own: OwnRuns | undefined
  #isServing = false

  constructor(options: DispatcherOptions) {
    super()
    this.#options = options
    if (options.isOwnOnly) this.#own = new OwnRuns(options.around.deps, () => this.hint())
  }

  /** `nodeId` staggers the turns of the oldest: they come also when every node takes only a few runs in its life. */
  serve(nodeId: number): void {
    this.#claiming.workflow.taken = this.#claiming.task.taken = nodeId - 1
    this.#isServing = true
    this.hint()
  }

  /** Claims and starts nothing more here. */
  close(): void {
    this.#isServing = false
  }

  /** Makes a run durable; runs it here at once when an actor is free and nothing older waits. */
  start(order: StartOrder): void {
    const { pools, queues, around } = this.#options
    const { runsOn, isElsewhere } = order.definition
    const pool = pools[runsOn]
    const isServed = this.#own !== undefined || queues.has(order.queue)
    const canRunHere = this.#isServing && isServed && order.record.dueAt === null && isElsewhere !== true
    const directly = canRunHere && !this.#claiming[runsOn].mayBeMore && pool.free > 0
    if (directly) pool.reserve(1)
    around.write(new StartWrite(order, directly, (started) => this.#started(order, directly, started)))
  }

  /** Makes many runs durable. They are claimed as all others are: what there is room for is known then. */
  startMany(starts: ManyStarts): void {
    this.#options.around.write(new ManyStartsWrite(starts, (started) => this.#startedMany(starts, started)))
  }

  /** A run has ended. */
  ended(id: string): void {
    this.#own?.delete(id)
  }

  /** A run that is performed here has started another. */
  startedByRun(id: string): void {
    this.#own?.add(id)
    this.hint()
  }

  /** Runs may have become ready; one that is given was tried again here. */
  hint(again?: string): void {
    if (again !== undefined) this.#own?.takeOver([again])
    this.#claim('workflow')
    this.#claim('task')
  }

  /** An actor of a pool has nothing to do, or soon will. */
  freed(kind: PoolKind): void {
    if (this.#claiming[kind].mayBeMore) this.#claim(kind)
  }

  #claim(kind: PoolKind): void {
    const claiming = this.#claiming[kind]
    const { pools, registry, around } = this.#options
    if (claiming.isUnderWay) {
      claiming.isHinted = true
      return
    }
    if (!this.#isServing || registry.idsFor(kind).length === 0 || this.#own?.size === 0) return
    const { clock } = around.deps
    const askedAtMs = clock.monotonic()
    claiming.mayBeMore = roomIn(pools[kind], claiming, askedAtMs).want === 0
    if (claiming.mayBeMore) return
    claiming.isUnderWay = true
    around.write(
      new ClaimWrite(
        () => this.#request(kind),
        (claimed, isOneHeldBack) => {
          const want = this.#unreserve(kind)
          claiming.answeredAtMs = clock.monotonic()
          claiming.tookMs = claiming.answeredAtMs - askedAtMs
          claiming.finished = pools[kind].finished
          this.#claimed(kind, claimed, isOneHeldBack || claimed.length === want)
        },
      ),
    )
  }

  /** Holds places for as many as may come. Measured: half as many commits as when that is decided before the runs of the last claim have ended. */
  #request(kind: PoolKind): ClaimRequest {
    const claiming = this.#claiming[kind]
    const { pools, registry, queues, active, around } = this.#options
    // Race: a batch that failed is made anew.
    this.#unreserve(kind)
    const { want, begins } = roomIn(pools[kind], claiming, around.deps.clock.monotonic())
    claiming.reserved = want
    pools[kind].reserve(want)
    return {
      queueIds: [...queues.values()],
      only: this.#own?.ids(),
      definitionIds: registry.idsFor(kind),
      want,
      begins,
      taken: claiming.taken,
      mostDeliveries: active.holdsUpSuspects ? suspectFrom - 1 : Number.MAX_SAFE_INTEGER,
    }
  }

  #unreserve(kind: PoolKind): number {
    const { reserved } = this.#claiming[kind]
    this.#claiming[kind].reserved = 0
    this.#options.pools[kind].unreserve(reserved)
    return reserved
  }

  #claimed(kind: PoolKind, answer: readonly Claimed[], mayBeMore: boolean): void {
    const claiming = this.#claiming[kind]
    claiming.isUnderWay = false
    // Invariant: I9. What came too late is for whoever takes over: the sweep gives it back, should nobody.
    const isTooLate = claiming.tookMs > lateMs && answer.length > 0 && this.#options.membership.isLeaseOver
    const claimed = isTooLate ? none : answer
    claiming.taken += claimed.length
    const { counts } = this.#options.around
    counts.claims += 1
    counts.claimed += claimed.length
    const begun = claimed.map((run) => this.#begin(run))
    const ahead = begun.filter(({ claimed: { hasBegun } }) => !hasBegun)
    if (ahead.length > 0) this.#giveBackLater(ahead)
    claiming.mayBeMore = mayBeMore
    // What was held back because nobody is free waits for whoever is next.
    if ((claiming.mayBeMore && claimed.length > 0) || claiming.isHinted) {
      claiming.isHinted = false
      this.#claim(kind)
    }
  }

  #started(order: StartOrder, directly: boolean, started: Started | undefined): void {
    const { record, definition } = order
    if (directly) this.#options.pools[definition.runsOn].unreserve(1)
    if (started === undefined) return
    this.#own?.started([started])
    if (started.replacedId !== undefined) this.#options.around.heard(started.replacedId)
    if (started.held === undefined) this.#expect(record, [started], definition.runsOn)
    else this.#begin(freshlyStarted(order, started, started.held))
  }

  #startedMany({ definition, records }: ManyStarts, started: readonly Started[]): void {
    this.#own?.started(started)
    // They were started by one call, so they are due at one time.
    const [first] = records
    if (first !== undefined) this.#expect(first, started, definition.runsOn)
  }

  /** Looks for what these starts have made ready, now and when they are due. */
  #expect(
    { dueAt, deadlineAt, expiresAt, key }: StartOrder['record'],
    started: readonly Started[],
    kind: PoolKind,
  ): void {
    const { around } = this.#options
    // A start may make ready the run that waited for it.
    if (dueAt === null || key !== null) this.#claim(kind)
    const at = dueAt ?? Math.min(deadlineAt ?? Infinity, expiresAt ?? Infinity)
    if (at !== Infinity) around.dueAt(at)
    if (key === null) return
    for (const { replacedId } of started) if (replacedId !== undefined) around.heard(replacedId)
  }

  /** What was claimed ahead in vain, since what is performed takes long, is for whoever has an actor for it. */
  #giveBackLater(ahead: readonly Activation[]): void {
    const { clock } = this.#options.around.deps
    clock.after(longestAheadMs, () => ahead.forEach((activation) => activation.putBack()), { background: true })
  }

  #begin(claimed: Claimed): Activation {
    const { registry, active, around, pools } = this.#options
    const definition = registry.byId(claimed.definitionId)
    if (definition === undefined)
      throw new Error(`Definition ${claimed.definitionId} was claimed and is not known here`)
    if (isFirst(claimed)) around.counts.waitMs.add(claimed.startedAt - claimed.createdAt)
    const activation = new Activation(claimed, definition, around)
    // Race: the claims of both pools were in one batch, and each brought one.
    const isSecondSuspect = isSuspect(claimed.deliveries) && active.holdsUpSuspects
    active.add(activation)
    if (isSecondSuspect) activation.putBack()
    else if (activation.begin()) pools[definition.runsOn].execute(activation)
    return activation
  }
}

/** Whether nothing of the run was done before, as far as can be seen from its claim. */
function isFirst({ held, attempt, steps, waits }: Claimed): boolean {
  return held.generation === 1 && attempt === 1 && steps.length === 0 && waits.length === 0
}

function newClaiming(): Claiming {
  return {
    isUnderWay: false,
    mayBeMore: false,
    isHinted: false,
    reserved: 0,
    taken: 0,
    answeredAtMs: 0,
    tookMs: 0,
    finished: 0,
  }
}

/** How many runs are wanted, and how many of them begin at once. */
function roomIn({ free, prefetch, finished }: Pool, last: Claiming, nowMs: number): { want: number; begins: number } {
  return { want: free + Math.min(prefetch, turnover(last, finished, nowMs)), begins: free }
}

/** How many tasks will end while a claim is under way, as they did since the last one: few or none, when they take long. */
function turnover(last: Claiming, finished: number, nowMs: number): number {
  const ended = finished - last.finished
  const inMs = nowMs - last.answeredAtMs
  if (ended === 0) return 0
  return inMs > 0 ? Math.floor((ended / inMs) * last.tookMs) : Infinity
}

const none: readonly never[] = []

function freshlyStarted({ record }: StartOrder, started: Started, held: Claimed['held']): Claimed {
  return {
    held,
    id: started.id,
    definitionId: record.definitionId,
    input: record.input,
    attempt: 1,
    deliveries: 0,
    hasBegun: true,
    createdAt: started.createdAt,
    startedAt: started.createdAt,
    // As it was written.
    deadlineAt: record.deadlineAt && record.deadlineAt + started.createdAt - (record.askedAt ?? started.createdAt),
    expiresAt: null,
    correlationId: record.correlationId,
    depth: 0,
    retry: record.retry,
    isUnchecked: false,
    undoing: undefined,
    steps: [],
    formerSteps: undefined,
    failedAttempts: [],
    lives: undefined,
    scheduledAt: null,
    waits: [],
    states: [],
    awaiting: undefined,
    awaitingSteps: none,
  }
}
