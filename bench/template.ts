// Templates beside a bare loop over the same graph with the same group commit, in one run, with every count checked.
//
//   npm run bench:template                       everything, about two minutes
//   npm run bench:template -- --only stage       pieces whose name contains it
//   npm run bench:template -- --rounds 1
import { benchOptions, progress } from './command-line.ts'
import { busyness } from './measure.ts'
import { Bars, machine, median, rate, table } from './report.ts'
import { chain, layered, wide } from './template/graphs.ts'
import { loading } from './template/loading.ts'
import { shapes, shapesAlone } from './template/shapes.ts'
import { scriptStep, stageOf } from './template/stages.ts'
import { oursOf, rawOf, type Load } from './template/throughput.ts'

const { only, rounds, own } = benchOptions({ part: '1' })
/** How much of everything is done: a thousandth to see that it works. */
const part = Number(own['part'])

const names = {
  steps: 'steps a second',
  flat: 'a run of 10,000 steps beside ten of 1,000',
  stage: 'a stage of a critical path',
  script: 'a script step of ten lines',
  shapes: 'the shapes of Tasker, each run alone',
  loading: 'a template of 10,000 nodes, from its text',
}
const isWanted = (name: string): boolean => name.includes(only)
const bars = new Bars()

const some = (count: number): number => Math.max(1, Math.round(count * part))

async function sidesOf(load: Load, what: string): Promise<{ ours: number; raw: number }> {
  const sides: { ours: number[]; raw: number[] } = { ours: [], raw: [] }
  for (let round = 1; round <= rounds; round++) {
    progress(`${what}: ${load.graph.name}: round ${round} of ${rounds}`)
    sides.raw.push((await rawOf(load)).perSecond)
    sides.ours.push((await oursOf(load)).perSecond)
  }
  progress('')
  return { ours: median(sides.ours), raw: median(sides.raw) }
}

async function showSteps(): Promise<void> {
  const loads: readonly Load[] = [
    { graph: wide(some(1_000)), atOnce: 4, runs: some(100) },
    { graph: layered(10, some(100)), atOnce: 4, runs: some(100) },
    { graph: chain(some(20)), atOnce: 100, runs: some(5_000) },
  ]
  const lines: string[][] = []
  for (const load of loads) {
    const { ours, raw } = await sidesOf(load, names.steps)
    const runs = `${load.graph.name}, ${load.atOnce} runs at a time`
    lines.push([runs, rate(ours), rate(raw), `${Math.round((ours / raw) * 100)} %`])
    bars.add(`${names.steps}, ${load.graph.name}`, ours, { least: 40_000, unit: '' })
  }
  console.log(`\n${names.steps}, median of ${rounds} rounds`)
  console.log(table(['', 'troupe', 'bare loop', 'beside it'], lines))
}

async function showFlat(): Promise<void> {
  const few = await sidesOf({ graph: layered(10, some(100)), atOnce: 1, runs: some(50) }, names.flat)
  const many = await sidesOf({ graph: layered(10, some(1_000)), atOnce: 1, runs: some(5) }, names.flat)
  const us = (perSecond: number): string => (1_000_000 / perSecond).toFixed(1)
  console.log(`\n${names.flat}, one after the other: µs of a step`)
  const lines = [
    ['troupe', us(few.ours), us(many.ours)],
    ['bare loop', us(few.raw), us(many.raw)],
  ]
  console.log(table(['', '1,000 steps', '10,000 steps'], lines))
  bars.add('a step of 10,000 beside one of 1,000', few.ours / many.ours, { most: 1.2, unit: '×' })
}

async function showStage(): Promise<void> {
  progress(names.stage)
  const { troupe, raw } = await stageOf(50, some(100))
  progress('')
  console.log(`\n${names.stage}, in ms: a run alone of 50 steps, one after the other, that do nothing`)
  const lines = Object.entries({ troupe, 'bare loop': raw }).map(([who, { p50, p99 }]) => [
    who,
    p50.toFixed(3),
    p99.toFixed(3),
  ])
  console.log(table(['', 'p50', 'p99'], lines))
  bars.add('overhead of a stage, median', troupe.p50, { most: 0.5, unit: ' ms' })
}

async function showScript(): Promise<void> {
  progress(names.script)
  const { p50, p99 } = await scriptStep(5, some(100))
  progress('')
  console.log(`\n${names.script}, in ms: p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)}`)
  bars.add('a script step, median', p50, { most: 2, unit: ' ms' })
}

async function showShapes(): Promise<void> {
  progress(names.shapes)
  const all = await shapesAlone(some(500))
  progress('')
  console.log(`\n${names.shapes}, in ms from the call to the result
What stands behind ours is published by Tasker, for its own cluster of ten processes: it is not measured here.`)
  const lines = shapes.map(({ name, steps, published }, place) => {
    const { p50, p99 } = all[place] ?? { p50: Number.NaN, p99: Number.NaN }
    return [name, String(steps), p50.toFixed(2), p99.toFixed(2), published.p50, published.p99]
  })
  console.log(table(['', 'steps', 'p50', 'p99', 'Tasker: p50', 'its bound of p99'], lines))
}

function showLoading(): void {
  const nodes = Math.max(100, some(10_000))
  const bounds = { json: 300, yaml: 1_500 } as const
  const lines = (['json', 'yaml'] as const).map((format) => {
    progress(`${names.loading}: ${format}`)
    const { firstMs, laterMs } = loading(nodes, format, rounds + 2)
    bars.add(`${nodes} nodes from ${format.toUpperCase()}, the first time`, firstMs, {
      most: bounds[format],
      unit: ' ms',
    })
    return [format.toUpperCase(), firstMs.toFixed(0), laterMs.toFixed(0)]
  })
  progress('')
  console.log(`\n${names.loading}, read and checked, in ms`)
  console.log(table(['', 'the first time', 'later, median'], lines))
}

const othersPart = busyness()
console.log(`${machine()}\nSQLite synchronous=FULL, one process`)
if (isWanted(names.loading)) showLoading()
if (isWanted(names.steps)) await showSteps()
if (isWanted(names.flat)) await showFlat()
if (isWanted(names.stage)) await showStage()
if (isWanted(names.script)) await showScript()
if (isWanted(names.shapes)) await showShapes()
bars.tell(othersPart())
