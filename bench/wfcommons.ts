// Traces of real workflows as templates, performed with their recorded run times scaled: every task once, none before its parents, and what the engine adds.
//
//   npm run bench:wfcommons -- FILE…                 traces in WfFormat, or folders of them
//   npm run bench:wfcommons -- FILE --scale 0.01     a second of the trace is 10 ms
//   npm run bench:wfcommons -- FILE --actors 8       eight tasks at once at most
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { progress } from './command-line.ts'
import { busyness } from './measure.ts'
import { Bars, machine, median, table } from './report.ts'
import { timeText } from './wfcommons/axis.ts'
import { figuresOf, type Figures } from './wfcommons/figures.ts'
import { gantt } from './wfcommons/gantt.ts'
import { readTraceOptions, usage } from './wfcommons/options.ts'
import { performTrace } from './wfcommons/perform.ts'
import { TraceError } from './wfcommons/place.ts'
import { readTrace } from './wfcommons/trace.ts'
import { commitAfter } from './wfcommons/yardstick.ts'

const told = readTraceOptions(process.argv.slice(2))
if (told === 'help') console.log(usage)
else if (typeof told === 'string') console.error(`${told}: see --help`)
if (typeof told === 'string') process.exit(told === 'help' ? 0 : 2)
const { files, folder, ...rules } = told
const { scale, actors, rounds } = rules

const head = [
  '',
  'tasks',
  'edges',
  'levels',
  'makespan',
  'critical path',
  'at once',
  'peak',
  'overhead a stage',
  'a task',
  'hand-over p50',
  'p99',
]
/** How long the machine idles before a commit, as it does while tasks sleep. */
const pauseMs = 20
const lines: string[][] = []
const charts: string[] = []
const overheads: number[] = []
let failed = 0

async function show(file: string): Promise<void> {
  const trace = readTrace(file)
  progress(trace.name)
  const performed = await performTrace(trace, rules)
  const figures = figuresOf(trace, performed)
  progress('')
  if (trace.untimed > 0) console.error(`${file}: ${trace.untimed} tasks have no recorded time, and take none here`)
  lines.push(lineOf(trace.name, trace.tasks.length, figures))
  overheads.push(figures.overheadPerStage)
  const chart = join(folder, `${trace.name}.svg`)
  writeFileSync(chart, gantt({ trace, performed, figures }))
  charts.push(chart)
}

function lineOf(name: string, tasks: number, figures: Figures): string[] {
  const { edges, levels, makespan, criticalPath, parallelism, overheadPerStage, overheadPerTask, handOver } = figures
  const times = [overheadPerStage, overheadPerTask, handOver.p50, handOver.p99].map((ms) => `${ms.toFixed(2)} ms`)
  const counts = [tasks, edges, levels].map(String)
  const atOnce = [parallelism.mean.toFixed(1), String(parallelism.peak)]
  return [name, ...counts, timeText(makespan), timeText(criticalPath), ...atOnce, ...times]
}

const bars = new Bars()
const othersPart = busyness()
mkdirSync(folder, { recursive: true })
const bound = actors === undefined ? 'as many tasks at once as are ready' : `${actors} tasks at once at most`
console.log(
  `${machine()}\nSQLite synchronous=FULL, one process; a second of the trace is ${timeText(scale * 1_000)}; ${bound}; the middle one of ${rounds} rounds\n`,
)
for (const file of files) {
  try {
    await show(file)
  } catch (error) {
    failed += 1
    console.error(error instanceof TraceError ? error.message : error)
  }
}
if (lines.length > 0) {
  const [inRow, afterPause] = [await commitAfter(0), await commitAfter(scale > 0 ? pauseMs : 0)]
  console.log(table(head, lines))
  console.log(`
every task ran exactly once, and none before its parents had ended: by the ledger of the tasks
overhead: the makespan without the least that so many actors could take for tasks as long as these were, for each stage of the critical path, and for each task
hand-over: from the end of the last parent, which is committed first, to the beginning of the task
a bare commit of one row here: ${inRow.toFixed(2)} ms in a row, ${afterPause.toFixed(2)} ms after ${pauseMs} ms in which nothing was done

${charts.join('\n')}`)
  bars.add('overhead a stage on the critical path, median of the traces', median(overheads), { most: 0.5, unit: ' ms' })
  bars.tell(othersPart())
}
process.exitCode = failed > 0 ? 1 : 0
