// What a trace asks for at least, and what a run of it took: arithmetic of times, without an engine.
import { Heap } from '../../src/lib/heap.ts'
import { criticalPath, planOf } from '../../src/template/plan/plan.ts'
import { quantiles, type Quantiles } from '../measure.ts'
import type { Span } from './ledger.ts'
import type { Trace } from './trace.ts'

/** Milliseconds, unless told. */
export interface Figures {
  readonly makespan: number
  /** The longest way through, with the scaled times of the trace. */
  readonly criticalPath: number
  /** The tasks on it, by their place in the trace. */
  readonly critical: ReadonlySet<number>
  /** The least that so many actors could have taken for tasks as long as these were: timers are late, which is no cost of the engine. */
  readonly ideal: number
  /** What the engine added for each task on the critical path. */
  readonly overheadPerStage: number
  /** The same for each task: where many are ready at once, their number is what counts. */
  readonly overheadPerTask: number
  /** From the end of the last parent, or the call, to the beginning of the task. */
  readonly handOver: Quantiles
  /** How many tasks were under way at once. */
  readonly parallelism: { readonly mean: number; readonly peak: number }
  readonly levels: number
  readonly edges: number
}

export interface Performed {
  readonly spans: readonly Span[]
  readonly calledAt: number
  readonly endedAt: number
  readonly actors: number
  /** Milliseconds of a second of the trace. */
  readonly msPerSecond: number
}

export function figuresOf(trace: Trace, { spans, calledAt, endedAt, actors, msPerSecond }: Performed): Figures {
  const { tasks } = trace
  const path = longestWay(trace)
  const tookOf = spans.map(({ begunAt, endedAt: end }) => end - begunAt)
  const ideal = idealMakespan(trace, tookOf, actors)
  const makespan = endedAt - calledAt
  const handOvers = spans.map(({ begunAt }, place) => {
    const parents = tasks[place]?.parents ?? []
    return begunAt - Math.max(calledAt, ...parents.map((parent) => spans[parent]?.endedAt ?? calledAt))
  })
  return {
    makespan,
    criticalPath: path.seconds * msPerSecond,
    critical: path.tasks,
    ideal,
    overheadPerStage: (makespan - ideal) / path.tasks.size,
    overheadPerTask: (makespan - ideal) / tasks.length,
    handOver: quantiles(handOvers),
    parallelism: { mean: tookOf.reduce((sum, took) => sum + took, 0) / makespan, peak: peakOf(spans) },
    levels: path.levels,
    edges: tasks.reduce((sum, { parents }) => sum + parents.length, 0),
  }
}

function longestWay({ tasks }: Trace): { tasks: ReadonlySet<number>; seconds: number; levels: number } {
  const places = new Map(tasks.map(({ id }, place) => [id, place]))
  const plan = planOf(
    tasks.map(({ id, parents }) => ({ name: id, needs: parents.map((each) => tasks[each]?.id ?? '') })),
  )
  const { steps, sum } = criticalPath(plan, (id) => tasks[places.get(id) ?? -1]?.seconds ?? 0)
  return {
    tasks: new Set(steps.map((id) => places.get(id) ?? -1)),
    seconds: sum,
    levels: 1 + plan.levels.reduce((most, level) => Math.max(most, level), 0),
  }
}

/** How long so many actors take that lose no time: who is free takes what has been ready for longest. */
export function idealMakespan({ tasks }: Trace, took: readonly number[], actors: number): number {
  const children = childrenOf(tasks)
  const left = tasks.map(({ parents }) => parents.length)
  const ready: number[] = [...tasks.keys()].filter((place) => left[place] === 0)
  const underWay = new Heap<{ readonly place: number; readonly until: number }>((one, other) => one.until - other.until)
  let now = 0
  let next = 0
  for (;;) {
    for (; next < ready.length && underWay.size < actors; next++) {
      const place = ready[next] as number
      underWay.push({ place, until: now + (took[place] ?? 0) })
    }
    const ended = underWay.pop()
    if (ended === undefined) return now
    now = ended.until
    for (const child of children[ended.place] ?? []) if (--(left[child] as number) === 0) ready.push(child)
  }
}

function childrenOf(tasks: Trace['tasks']): readonly (readonly number[])[] {
  const children: number[][] = tasks.map(() => [])
  for (const [place, { parents }] of tasks.entries()) for (const parent of parents) children[parent]?.push(place)
  return children
}

/** Where one ends as another begins the two are not at once. */
function peakOf(spans: readonly Span[]): number {
  const changes = spans.flatMap(({ begunAt, endedAt }) => [
    { at: begunAt, by: 1 },
    { at: endedAt, by: -1 },
  ])
  changes.sort((one, other) => one.at - other.at || one.by - other.by)
  let now = 0
  let peak = 0
  for (const { by } of changes) peak = Math.max(peak, (now += by))
  return peak
}
