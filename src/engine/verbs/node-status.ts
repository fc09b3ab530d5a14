// How this node and its store are: what people, load balancers and dashboards ask, answered beside the way of the runs.
import type { Breaker, BreakerView } from '../../lib/breaker.ts'
import { formatMs } from '../../lib/duration.ts'
import { toError } from '../../lib/errors.ts'
import { counted } from '../../lib/text.ts'
import type { Histogram } from '../../lib/histogram.ts'
import type { EventCounts } from '../events/events.ts'
import type { StepCounts } from '../step-counts.ts'
import type { Face } from './face.ts'
import type { IntakeView } from '../intake.ts'
import { isDoneWithin } from '../in-time.ts'
import type { Finding } from '../../store/health.ts'
import { DatabaseFindings, findingOfCommits } from './database-findings.ts'
import { skewOf } from '../membership/clock-skew.ts'
import type { Pool } from '../pool/pool.ts'
import type { StatusVerbs } from './verbs.ts'

/** The templates of the store that this process has at hand, compiled; what is registered is not among them. */
export interface TemplateCounts {
  readonly atHand: number
  /** All of theirs. */
  readonly steps: number
  /** How often one was asked for that was there, or was not, and how many had to go for others. */
  readonly hits: number
  readonly misses: number
  readonly evictions: number
}

/** What this process did since its engine was opened. */
export interface NodeStatus {
  readonly node: string
  readonly uptimeMs: number
  /** The names that can be called. */
  readonly definitions: readonly string[]
  /** Attempts of runs that ended here, however they did. */
  readonly executed: number
  readonly succeeded: number
  /** Timed out included; an attempt that is followed by another counts. */
  readonly failed: number
  /** How long an attempt took; 0 when there was none. */
  readonly averageMs: number
  /** Attempts of steps, counted as those of runs are. */
  readonly steps: Pick<NodeStatus, 'executed' | 'succeeded' | 'failed' | 'averageMs'>
  readonly events: EventCounts
  readonly templates: TemplateCounts
  readonly breakers: readonly BreakerView[]
  /** What callers want started and the store has yet to take. */
  readonly intake: IntakeView
}

export interface Health {
  /** `degraded`: it works, with trouble, or a breaker is half open. `failing`: what is started here will not be performed here, or a breaker is open. */
  readonly status: 'ok' | 'degraded' | 'failing'
  /** What is wrong, each in a sentence. */
  readonly reasons: readonly string[]
  /** Whether it serves queues; an engine that was only opened is a client, which is not wrong. */
  readonly isServing: boolean
  /** How long the store took to answer. */
  readonly storeMs: number
  /** How long the event loop let this wait. */
  readonly lagMs: number
  /** `commits`: how the store takes what is written. `completions`: before `complete`, `fail` and `heartbeat`. One for each publisher. */
  readonly breakers: readonly BreakerView[]
  /** What the database says of itself, at most ten seconds ago, and how long commits take: the same as `troupe doctor`. Empty while the store does not answer. An error among them degrades. */
  readonly findings: readonly Finding[]
}

/** One thing that is measured. Counters rise from the time the engine was opened. */
export interface Metric {
  readonly kind: 'counter' | 'gauge' | 'summary'
  readonly unit: string
  readonly points: readonly MetricPoint[]
}

export interface MetricPoint {
  readonly attributes: Readonly<Record<string, string>>
  readonly value: number
}

/** By names in the style of OpenTelemetry. */
export type Metrics = Readonly<Record<string, Metric>>

/** What is asked of the engine of a process. */
export interface EngineView {
  readonly name: string
  /** 0 while this process is no node. */
  readonly nodeId: number
  readonly isServing: boolean
  /** Why nothing goes on here, when a part of the engine has died or it stops. */
  readonly failure: Error | undefined
  readonly pools: Readonly<Record<'workflow' | 'task', Pick<Pool, 'size' | 'busy' | 'waiting'>>>
}

// A store or a loop that is slower than this is told of.
const slowMs = 1_000
const nearlyFull = 0.8
const patienceMs = 5_000
const quantiles = [0.5, 0.9, 0.99]

interface StatusParts {
  readonly node: string
  readonly templates: () => TemplateCounts
  /** Before results from outside. */
  readonly completions: Breaker
}

export class NodeStatuses implements StatusVerbs {
  readonly #face: Face
  readonly #node: string
  readonly #templates: () => TemplateCounts
  readonly #openedAtMs: number
  readonly #completions: Breaker
  readonly #findings: DatabaseFindings

  constructor(face: Face, { node, templates, completions }: StatusParts) {
    this.#face = face
    this.#node = node
    this.#templates = templates
    this.#completions = completions
    this.#findings = new DatabaseFindings(face.deps.clock, face.deps.store)
    this.#openedAtMs = face.deps.clock.monotonic()
  }

  async status(): Promise<NodeStatus> {
    const { deps, engine, registry } = this.#face
    const { executed, succeeded, failed, totalMs } = engine.counts
    return {
      node: this.#node,
      uptimeMs: deps.clock.monotonic() - this.#openedAtMs,
      definitions: registry.names(),
      executed,
      succeeded,
      failed,
      averageMs: executed === 0 ? 0 : totalMs / executed,
      steps: stepsOf(engine.counts.steps),
      events: engine.events.counts(),
      templates: this.#templates(),
      breakers: this.#breakers(),
      intake: engine.intake.view(),
    }
  }

  async health(): Promise<Health> {
    const { clock } = this.#face.deps
    const askedAtMs = clock.monotonic()
    await new Promise<void>((resolve) => clock.soon(resolve))
    const lagMs = clock.monotonic() - askedAtMs
    const { isServing, failure } = this.#face.engine.view
    const [store, findings] = await Promise.all([this.#askStore(), this.#listFindings()])
    const breakers = this.#breakers()
    const failing = [failure?.message, store.failing, ...toldOf(breakers, 'open', clock.now())].filter(
      (reason) => reason !== undefined,
    )
    const degraded = [
      ...toldOf(breakers, 'half_open', clock.now()),
      store.ms > slowMs && `The store took ${Math.round(store.ms)} ms to answer.`,
      toldOfIntake(this.#face.engine.intake.view()),
      skewOf(this.#face.deps.store),
      ...findings.flatMap(({ severity, text }) => (severity === 'error' ? [text] : [])),
      lagMs > slowMs && `The event loop was held up for ${Math.round(lagMs)} ms: give long work to a thread.`,
    ].filter((reason) => reason !== false && reason !== undefined)
    const status = failing.length > 0 ? 'failing' : degraded.length > 0 ? 'degraded' : 'ok'
    return { status, reasons: [...failing, ...degraded], isServing, storeMs: store.ms, lagMs, breakers, findings }
  }

  async metrics(): Promise<Metrics> {
    const { engine, checkOpen } = this.#face
    checkOpen()
    const { counts } = engine
    return {
      'troupe.run.attempts': counter('{attempt}', 'outcome', {
        succeeded: counts.succeeded,
        failed: counts.failed,
        cancelled: counts.cancelled,
      }),
      'troupe.run.retries': counter('{attempt}', counts.retried),
      'troupe.run.wait': summary('ms', counts.waitMs),
      'troupe.run.active': gauge('{run}', [point({}, engine.underWay.ids().length)]),
      'troupe.run.woken': counter('{run}', counts.woken),
      'troupe.run.rescued': counter('{run}', counts.rescued),
      'troupe.run.given_up': counter('{run}', counts.givenUp),
      'troupe.repair.count': counter('{repair}', counts.repaired),
      'troupe.run.messages.dropped': counter('{message}', counts.droppedMessages),
      'troupe.retention.deleted': counter('{row}', 'what', counts.deleted),
      'troupe.retention.passes': counter('{pass}', counts.retentionPasses),
      'troupe.claim.count': counter('{claim}', counts.claims),
      'troupe.claim.runs': counter('{run}', counts.claimed),
      'troupe.commit.count': counter('{commit}', counts.commitMs.count),
      'troupe.commit.failed': counter('{commit}', counts.failedCommits),
      'troupe.commit.duration': summary('ms', counts.commitMs),
      'troupe.commit.writes': summary('{write}', counts.batchWrites),
      'troupe.intake.waiting': gauge('{run}', [point({}, engine.intake.view().waiting)]),
      'troupe.pool.size': gauge('{actor}', this.#pools('size')),
      'troupe.pool.busy': gauge('{actor}', this.#pools('busy')),
      'troupe.pool.waiting': gauge('{task}', this.#pools('waiting')),
      'troupe.queue.runs': gauge('{run}', await this.#queues()),
    }
  }

  /** Whether it answers, and whether it takes this node for one that lives. */
  async #askStore(): Promise<{ readonly ms: number; readonly failing: string | undefined }> {
    const { deps, engine } = this.#face
    const askedAtMs = deps.clock.monotonic()
    const failing = await this.#storeTrouble(engine.view.nodeId)
    return { ms: deps.clock.monotonic() - askedAtMs, failing }
  }

  async #storeTrouble(nodeId: number): Promise<string | undefined> {
    const { clock, store } = this.#face.deps
    try {
      const asked = store.listNodes()
      if (!(await isDoneWithin(clock, patienceMs, asked))) return `The store gave no answer within ${patienceMs} ms.`
      const own = (await asked).find((node) => node.nodeId === nodeId)
      // A client is none, and a node that was declared dead starts anew with its next commit.
      if (nodeId === 0 || (own !== undefined && !own.isExpired)) return undefined
      return 'The lease of this node has ended: what ran here goes on elsewhere.'
    } catch (error) {
      return `The store cannot be read: ${toError(error).message}`
    }
  }

  async #listFindings(): Promise<readonly Finding[]> {
    const ofCommits = findingOfCommits(this.#face.engine.counts.commitMs)
    const findings = await this.#findings.list()
    return ofCommits === undefined ? findings : [...findings, ofCommits]
  }

  #breakers(): readonly BreakerView[] {
    const [commits, ...others] = this.#face.engine.breakers
    return [...(commits === undefined ? [] : [commits]), this.#completions.view(), ...others]
  }

  #pools(what: 'size' | 'busy' | 'waiting'): MetricPoint[] {
    return Object.entries(this.#face.engine.view.pools).map(([pool, sizes]) => point({ pool }, sizes[what]))
  }

  async #queues(): Promise<MetricPoint[]> {
    const queues = await this.#face.deps.store.listQueues()
    return queues.flatMap(({ name, ready, running, lost, scheduled, parked }) =>
      Object.entries({ ready, running, lost, scheduled, parked }).map(([state, runs]) =>
        point({ queue: name, state }, runs),
      ),
    )
  }
}

/** Callers come faster than the store takes what they bring. */
function toldOfIntake({ waiting, capacity, chars, capacityChars }: IntakeView): string | undefined {
  const share = Math.max(waiting / capacity, chars / capacityChars)
  if (share < nearlyFull) return undefined
  return `${waiting.toLocaleString('en')} runs wait to be stored, ${Math.round(share * 100)} % of what may: await calls before making more.`
}

function stepsOf({ executed, succeeded, failed, averageMs }: StepCounts): NodeStatus['steps'] {
  return { executed, succeeded, failed, averageMs }
}

function toldOf(breakers: readonly BreakerView[], wanted: 'open' | 'half_open', now: number): string[] {
  return breakers.flatMap(({ name, state, failures, retryAt }) => {
    if (state !== wanted) return []
    const is = `The breaker '${name}' is ${state.replace('_', ' ')} after ${counted(failures, 'failure')} in a row`
    if (state === 'half_open') return `${is}: a few are tried to see whether it works.`
    return `${is}: it is tried again ${retryAt === null ? 'with the next write' : `in ${formatMs(retryAt - now)}`}.`
  })
}

function point(attributes: Readonly<Record<string, string>>, value: number): MetricPoint {
  return { attributes, value }
}

/** Of one number, or of several that one attribute tells apart. */
function counter(unit: string, ...values: [number] | [string, Readonly<Record<string, number>>]): Metric {
  const [first, parts] = values
  if (parts === undefined) return { kind: 'counter', unit, points: [point({}, first as number)] }
  const points = Object.entries(parts).map(([part, value]) => point({ [first]: part }, value))
  return { kind: 'counter', unit, points }
}

function gauge(unit: string, points: readonly MetricPoint[]): Metric {
  return { kind: 'gauge', unit, points }
}

function summary(unit: string, histogram: Histogram): Metric {
  const points = quantiles.map((quantile) => point({ quantile: String(quantile) }, histogram.quantile(quantile)))
  return { kind: 'summary', unit, points: [...points, point({ quantile: '1' }, histogram.max)] }
}
