// A trace as a template, performed on a SQLite file by workers that sleep for as long as the tasks took, scaled.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadTemplate, template, Troupe, worker, type Definition } from 'troupe'
import { withFolder } from '../measure.ts'
import { faultsOf, spansOf, type Line } from './ledger.ts'
import type { Performed } from './figures.ts'
import type { Trace } from './trace.ts'

export interface Rules {
  /** What a second of the trace lasts, in seconds. */
  readonly scale: number
  /** How many tasks may be under way at once; all of them unless told. */
  readonly actors?: number | undefined
  /** How often it is performed. */
  readonly rounds: number
}

/** Steps until the engine is warm, and how many runs may be made for them. */
const warm = { steps: 500, mostRuns: 10 }

/** A run under way: its ledger, and how long a second of the trace is. */
interface Performing {
  readonly lines: Line[]
  readonly msPerSecond: number
}

/** Of its rounds the one in the middle. Throws when a ledger has faults. The engine is warm: the same runs have been made without sleeping. */
export function performTrace(trace: Trace, { scale, actors = trace.tasks.length, rounds }: Rules): Promise<Performed> {
  return withFolder(async (folder) => {
    let performing: Performing = { lines: [], msPerSecond: 0 }
    const definition = templateOf(trace)
    const troupe = await Troupe.open({
      store: `sqlite:${join(folder, 'troupe.db')}`,
      definitions: [sleeper(trace, () => performing), definition],
      pools: { task: { min: Math.min(actors, 50), max: actors } },
      logLevel: 'warn',
    })
    const perform = async (msPerSecond: number): Promise<Performed> => {
      performing = { lines: [], msPerSecond }
      const calledAt = performance.now()
      await troupe.run(definition)
      const endedAt = performance.now()
      const { lines } = performing
      check(trace, lines)
      return { spans: spansOf(trace, lines), calledAt, endedAt, actors, msPerSecond }
    }
    try {
      await troupe.start()
      for (let steps = 0; steps < warm.steps; steps += Math.max(trace.tasks.length, warm.steps / warm.mostRuns))
        await perform(0)
      const performed: Performed[] = []
      for (let round = 0; round < rounds; round++) performed.push(await perform(scale * 1_000))
      return middleOf(performed)
    } finally {
      await troupe.stop()
    }
  })
}

function middleOf(performed: readonly Performed[]): Performed {
  const tookOf = ({ calledAt, endedAt }: Performed): number => endedAt - calledAt
  const sorted = [...performed].sort((one, other) => tookOf(one) - tookOf(other))
  return sorted[sorted.length >> 1] as Performed
}

/** By way of its text, so that what reads people's templates reads this one. */
function templateOf(trace: Trace): Definition<unknown> {
  return template(loadTemplate(templateText(trace), { file: trace.name, format: 'json' }).template)
}

function templateText({ name, tasks }: Trace): string {
  const steps = tasks.map(({ id, parents }, task) => ({
    name: id,
    uses: 'sleep',
    needs: parents.map((parent) => tasks[parent]?.id),
    with: { task },
    retry: { attempts: 1 },
  }))
  return JSON.stringify({ name, steps, output: null })
}

function sleeper({ tasks }: Trace, performing: () => Performing): Definition {
  return worker('sleep', {}, async (ctx, { task }: { readonly task: number }) => {
    const { lines, msPerSecond } = performing()
    lines.push({ what: 'begun', task, atMs: performance.now() })
    // Timers know whole milliseconds: what is shorter than half of one is over at once.
    const ms = Math.round((tasks[task]?.seconds ?? 0) * msPerSecond)
    if (ms > 0) await sleep(ms, undefined, { signal: ctx.signal })
    lines.push({ what: 'ended', task, atMs: performance.now() })
  })
}

const mostTold = 10

function check(trace: Trace, lines: readonly Line[]): void {
  const faults = faultsOf(trace, lines)
  if (faults.length === 0) return
  const more = faults.length > mostTold ? [`and ${faults.length - mostTold} more`] : []
  throw new Error([`${trace.name} was not performed as it says:`, ...faults.slice(0, mostTold), ...more].join('\n  '))
}
