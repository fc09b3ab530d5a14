// Steps and workflows per second, and the latency of one, beside the same rows written raw on the same driver.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Troupe, workflow } from 'troupe'
import { rawWorkflows } from './raw-workflows.ts'
import { machine, median, rate, table } from './report.ts'

const inFlight = 100
const rounds = 3
const workflowsPerRound = 20_000
const alonePerRound = 1_000

const threeSteps = workflow('three-steps', {}, async (ctx, i: number) => {
  const a = await ctx.step('a', () => ({ ok: true, i }))
  const b = await ctx.step('b', () => ({ ok: true, i: a.i + 1 }))
  return ctx.step('c', () => ({ ok: true, i: b.i + 1 }))
})

interface Figures {
  /** Workflows a second, so many in flight. */
  readonly throughput: number
  /** Milliseconds of one alone. */
  readonly alone: number
}

async function measure(start: (i: number) => Promise<unknown>): Promise<Figures> {
  await together(start, 2_000)
  const before = performance.now()
  await together(start, workflowsPerRound)
  const throughput = (workflowsPerRound / (performance.now() - before)) * 1_000
  return { throughput, alone: await oneByOne(start) }
}

async function together(start: (i: number) => Promise<unknown>, count: number): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await start(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

async function oneByOne(start: (i: number) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < alonePerRound; i++) {
    const before = performance.now()
    await start(i)
    times.push(performance.now() - before)
  }
  return median(times)
}

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const measureTroupe = (): Promise<Figures> =>
  withFolder(async (folder) => {
    const troupe = await Troupe.open({ store: `sqlite:${join(folder, 'troupe.db')}`, definitions: [threeSteps] })
    await troupe.start()
    const figures = await measure((i) => troupe.run(threeSteps, i))
    await troupe.stop()
    return figures
  })

const measureRaw = (): Promise<Figures> =>
  withFolder(async (folder) => {
    const raw = await rawWorkflows(join(folder, 'raw.db'))
    const figures = await measure((i) => raw.run(i))
    raw.close()
    return figures
  })

const troupes: Figures[] = []
const raws: Figures[] = []
for (let round = 0; round < rounds; round++) {
  process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  raws.push(await measureRaw())
  troupes.push(await measureTroupe())
}

const troupe = { throughput: median(troupes.map((f) => f.throughput)), alone: median(troupes.map((f) => f.alone)) }
const raw = { throughput: median(raws.map((f) => f.throughput)), alone: median(raws.map((f) => f.alone)) }
const percent = (part: number, whole: number): string => `${Math.round((part / whole) * 100)} %`

console.log(machine())
console.log(`3-step workflows, SQLite synchronous=FULL, one process, median of ${rounds} rounds\n`)
console.log(
  table(
    ['', 'Troupe', 'raw group commit', 'ratio'],
    [
      [
        `workflows/s, ${inFlight} at a time`,
        rate(troupe.throughput),
        rate(raw.throughput),
        percent(troupe.throughput, raw.throughput),
      ],
      [
        `steps/s, ${inFlight} at a time`,
        rate(troupe.throughput * 3),
        rate(raw.throughput * 3),
        percent(troupe.throughput, raw.throughput),
      ],
      [
        'one alone, median',
        `${troupe.alone.toFixed(2)} ms`,
        `${raw.alone.toFixed(2)} ms`,
        `+${(troupe.alone - raw.alone).toFixed(2)} ms`,
      ],
    ],
  ),
)
