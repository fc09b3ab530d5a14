// The bench of traces reads them, performs them, and would notice if one was not performed as it says.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { printedBy } from '../examples/printed.ts'
import { axisOf, timeText } from '../bench/wfcommons/axis.ts'
import { figuresOf, idealMakespan, type Performed } from '../bench/wfcommons/figures.ts'
import { gantt } from '../bench/wfcommons/gantt.ts'
import { lanesOf } from '../bench/wfcommons/lanes.ts'
import { faultsOf, spansOf, type Line } from '../bench/wfcommons/ledger.ts'
import { readTraceOptions } from '../bench/wfcommons/options.ts'
import { performTrace } from '../bench/wfcommons/perform.ts'
import { readTrace, traceOf, type Trace } from '../bench/wfcommons/trace.ts'

const file = fileURLToPath(new URL('traces/twelve-tasks.json', import.meta.url))
const twelve = readTrace(file)
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-traces-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const place = (id: string): number => twelve.tasks.findIndex((task) => task.id === id)

/** As it would be with as many actors as one likes, and no cost. */
function idealLines({ tasks }: Trace): Line[] {
  const ends: number[] = []
  for (const [task, { parents, seconds }] of tasks.entries())
    ends[task] = seconds * 1_000 + Math.max(0, ...parents.map((parent) => ends[parent] ?? 0))
  const lines = tasks.flatMap(({ seconds }, task): Line[] => [
    { what: 'begun', task, atMs: (ends[task] ?? 0) - seconds * 1_000 },
    { what: 'ended', task, atMs: ends[task] ?? 0 },
  ])
  const order = { ended: 0, begun: 1 }
  const isInstant = (task: number): boolean => tasks[task]?.seconds === 0
  return lines.sort(
    (one, other) =>
      one.atMs - other.atMs ||
      (one.task === other.task || isInstant(one.task) || isInstant(other.task)
        ? one.task - other.task
        : order[one.what] - order[other.what]),
  )
}

const idealRun = (): Performed => ({
  spans: spansOf(twelve, idealLines(twelve)),
  calledAt: 0,
  endedAt: 11_600,
  actors: 12,
  msPerSecond: 1_000,
})

describe('a trace', () => {
  it('is read: tasks, kinds, times, parents', () => {
    expect(twelve).toMatchObject({ name: 'twelve-tasks', untimed: 0 })
    expect(twelve.tasks).toHaveLength(12)
    expect(twelve.tasks[9]).toEqual({ id: 'report_ID10', category: 'report', seconds: 2, parents: [6, 7, 8] })
  })

  it('is read in the form of before too, in which tasks are meant by their names', () => {
    const tasks = [
      { name: 'a_1', type: 'compute', runtimeInSeconds: 1.5, children: ['b_2'] },
      { name: 'b_2', type: 'compute', parents: ['a_1'], category: 'bee' },
    ]
    const text = JSON.stringify({ name: 'old', schemaVersion: '1.4', workflow: { tasks } })
    expect(traceOf('old.json', text)).toEqual({
      name: 'old',
      untimed: 1,
      tasks: [
        { id: 'a_1', category: 'a', seconds: 1.5, parents: [] },
        { id: 'b_2', category: 'bee', seconds: 0, parents: [0] },
      ],
    })
  })

  it('may lack the times of tasks, which take none then', () => {
    const text = changed('"runtimeInSeconds": 5.0', '"runtimeInSeconds": null')
    const { untimed, tasks } = traceOf('t.json', text)
    expect([untimed, tasks[place('map_ID04')]?.seconds]).toEqual([1, 0])
  })

  const changed = (from: string, to: string): string => readFileSync(file, 'utf8').replaceAll(from, to)

  it.each([
    ['{\n  "name": x', 't.json:2:11: this is not JSON: expected a value'],
    ['[]', 't.json: the whole is [], and is to be an object'],
    [changed('"1.5"', '"1.3"'), 't.json: schemaVersion is "1.3", and is to be "1.5" or "1.4"'],
    [
      readFileSync(file, 'utf8').replace('["fetch_ID01"]', '["fetch"]'),
      't.json: workflow.specification.tasks[1].parents[0] is "fetch", and is to be one of the tasks',
    ],
    [
      changed('"runtimeInSeconds": 3.0', '"runtimeInSeconds": "3"'),
      't.json: workflow.execution.tasks[2].runtimeInSeconds is "3", and is to be a number of 0 or more',
    ],
    [changed('map_ID04', 'map_ID03'), '"map_ID03" stands there twice'],
    [changed('"execution"', '"executed"'), 't.json: workflow.execution is not there'],
    [
      JSON.stringify({
        schemaVersion: '1.4',
        workflow: { tasks: ['a', 'b', 'c'].map((name, i, all) => ({ name, parents: [all[(i + 1) % 3]] })) },
      }),
      't.json: tasks wait for each other in a circle: a → c → b → a',
    ],
    [JSON.stringify({ schemaVersion: '1.4', workflow: { tasks: [] } }), 't.json: the trace has no tasks'],
  ])('that is wrong is told with file and place: %#', (text, told) => {
    expect(() => traceOf('t.json', text)).toThrow(expect.objectContaining({ name: 'TraceError' }))
    expect(() => traceOf('t.json', text)).toThrow(told)
  })

  it('is performed: every task once, none before its parents', async () => {
    const { spans, actors } = await performTrace(twelve, { scale: 0, rounds: 1 })
    expect(spans.every(({ begunAt, endedAt }) => begunAt <= endedAt)).toBe(true)
    expect([spans.length, actors]).toEqual([12, 12])
  })
})

describe('the ledger of a run', () => {
  const lines = idealLines(twelve)
  const at = (what: Line['what'], id: string): number =>
    lines.findIndex((line) => line.what === what && line.task === place(id))
  const without = (index: number): Line[] => lines.toSpliced(index, 1)

  it('has no faults where all went as the trace says', () => {
    expect(faultsOf(twelve, lines)).toEqual([])
  })

  it.each<[string, Line[], string[]]>([
    [
      'a task that never began',
      without(at('begun', 'notes_ID11')),
      ['notes_ID11 ended without having begun', 'notes_ID11 began 0 times'],
    ],
    ['a task that never ended', without(at('ended', 'done_ID12')), ['done_ID12 ended 0 times']],
    ['a task that began twice', [...lines, lines[at('begun', 'map_ID03')] as Line], ['map_ID03 began 2 times']],
    [
      'a child before its parent',
      without(at('begun', 'split_ID02')).toSpliced(
        at('ended', 'fetch_ID01'),
        0,
        lines[at('begun', 'split_ID02')] as Line,
      ),
      ['split_ID02 began before its parent fetch_ID01 had ended'],
    ],
    [
      'a task of nobody',
      [...lines, { what: 'begun', task: 12, atMs: 0 }],
      ['task 12, which the trace does not have, has begun'],
    ],
    ['none at all', [], twelve.tasks.flatMap(({ id }) => [`${id} began 0 times`, `${id} ended 0 times`])],
  ])('tells of %s', (_, mutated, faults) => {
    expect(faultsOf(twelve, mutated)).toEqual(faults)
  })
})

describe('the figures of a run', () => {
  it('are those that the trace gives by arithmetic', () => {
    const figures = figuresOf(twelve, idealRun())
    expect([...figures.critical].map((task) => twelve.tasks[task]?.id)).toEqual([
      'fetch_ID01',
      'split_ID02',
      'map_ID04',
      'merge_ID07',
      'report_ID10',
      'done_ID12',
    ])
    expect(figures).toMatchObject({ makespan: 11_600, levels: 6, edges: 15, handOver: { p50: 0, p99: 0 } })
    expect([figures.criticalPath, figures.ideal, figures.parallelism.mean * 11_600].map(Math.round)).toEqual([
      11_600, 11_600, 25_300,
    ])
    expect([figures.parallelism.peak, figures.overheadPerStage, figures.overheadPerTask].map(Math.round)).toEqual([
      5, 0, 0,
    ])
  })

  it('count what is slower than it could be', () => {
    const run = idealRun()
    const late = run.spans.map(({ begunAt, endedAt }) => ({ begunAt: begunAt + 60, endedAt: endedAt + 60 }))
    const { handOver, overheadPerStage, overheadPerTask } = figuresOf(twelve, { ...run, spans: late, endedAt: 11_660 })
    expect([handOver.p99, overheadPerStage, overheadPerTask].map(Math.round)).toEqual([60, 10, 5])
  })

  it.each([
    [1, 25.3],
    [2, 14.6],
    [12, 11.6],
  ])('know the least that %i actors take', (actors, seconds) => {
    const took = twelve.tasks.map((task) => task.seconds)
    expect(idealMakespan(twelve, took, actors)).toBeCloseTo(seconds, 9)
  })
})

describe('the chart of a run', () => {
  it('puts each task in the first lane that is free', () => {
    const span = (begunAt: number, endedAt: number) => ({ begunAt, endedAt })
    expect(lanesOf([span(0, 5), span(1, 2), span(2, 4), span(3, 6), span(5, 7)])).toEqual([0, 1, 1, 2, 0])
  })

  it('has a bar for each task, those of the critical path marked and joined, in light and dark', () => {
    const trace = { ...twelve, name: 'a <b> & "c"' }
    const svg = gantt({ trace, performed: idealRun(), figures: figuresOf(twelve, idealRun()) })
    const bars = svg.match(/<rect class="kind\d( critical)?"[^>]*><title>/g) ?? []
    expect([bars.length, bars.filter((bar) => bar.includes('critical')).length]).toEqual([12, 6])
    expect(svg.match(/class="link"/g)).toHaveLength(5)
    expect(svg).toContain('<title>map_ID04: 5000 ms, from 3000 ms</title>')
    expect(svg).toContain('a &lt;b&gt; &amp; &quot;c&quot;')
    expect(svg).toContain('@media (prefers-color-scheme:dark)')
    expect(svg).not.toContain('NaN')
  })

  it('has an axis with round places', () => {
    expect(axisOf(11_600)).toEqual([0, 2_000, 4_000, 6_000, 8_000, 10_000])
    expect(axisOf(0)).toEqual([0])
    expect([0.125, 12.34, 123.4, 9_999, 12_345].map(timeText)).toEqual([
      '0.125 ms',
      '12.3 ms',
      '123 ms',
      '9999 ms',
      '12.3 s',
    ])
  })
})

describe('the command line of the bench', () => {
  const { argv } = process

  afterEach(() => {
    process.argv = argv
    process.exitCode = undefined
  })

  it('takes files and folders', () => {
    writeFileSync(join(folder, 'b.json'), '')
    writeFileSync(join(folder, 'a.json'), '')
    writeFileSync(join(folder, 'c.txt'), '')
    expect(readTraceOptions([folder, 'x.json', '--actors', '2'])).toEqual({
      files: [join(folder, 'a.json'), join(folder, 'b.json'), 'x.json'],
      scale: 0.001,
      actors: 2,
      rounds: 3,
      folder: '.cache/wfcommons',
    })
  })

  it.each([
    [[], 'no trace is named'],
    [['x.json', '--scale', 'fast'], '--scale is fast, and is to be a number of 0 or more'],
    [['x.json', '--actors', '0'], '--actors is 0, and is to be a whole number of 1 or more'],
    [['x.json', '--nope'], "Unknown option '--nope'"],
    [['--help'], 'help'],
  ])('says of %j what is wrong', (args, told) => {
    expect(readTraceOptions(args)).toBe(told)
  })

  it('tells the figures, writes the charts, and says what cannot be read', async () => {
    const bad = join(folder, 'bad.json')
    writeFileSync(bad, '{ "schemaVersion": "2.0" }')
    process.argv = [...argv.slice(0, 1), 'wfcommons', file, bad, '--scale', '0', '--rounds', '1', '--out', folder]
    const lines = (await printedBy(() => import('../bench/wfcommons.ts'))).flatMap((text) => text.split('\n'))
    expect(
      lines
        .find((line) => line.startsWith('twelve-tasks'))
        ?.split(/\s+/)
        .slice(0, 4),
    ).toEqual(['twelve-tasks', '12', '15', '6'])
    expect(lines).toContain(
      `${bad}: schemaVersion is "2.0", and is to be "1.5" or "1.4", which are the forms of traces that are known here`,
    )
    expect(readFileSync(join(folder, 'twelve-tasks.svg'), 'utf8')).toContain('twelve-tasks')
    expect(process.exitCode).toBe(1)
  })
})
