// A run of a trace as a picture: a bar for each task, in its lane and the colour of its kind, over an axis of time; the critical path is marked.
import { axisOf, timeText } from './axis.ts'
import type { Figures, Performed } from './figures.ts'
import { lanesOf } from './lanes.ts'
import { legendOf, legendHeight, legendText, type Legend } from './legend.ts'
import { markup, rounded, style, widthOf } from './markup.ts'
import type { Trace } from './trace.ts'

export interface Chart {
  readonly trace: Trace
  readonly performed: Performed
  readonly figures: Figures
}

const width = 1_200
const margin = 28
const inner = width - 2 * margin
const head = 74
const foot = 62
/** Room for all lanes, and how high one may be. */
const lanesHeight = 720
const highestLane = 26
const lowestLabelled = 15

/** Where things stand. */
interface Drawing extends Chart {
  readonly legend: Legend
  readonly lanes: readonly number[]
  readonly laneHeight: number
  readonly top: number
  readonly bottom: number
  x(atMs: number): number
}

export function gantt(chart: Chart): string {
  const drawing = drawingOf(chart)
  const { bottom, legend } = drawing
  const height = bottom + foot
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${rounded(height)}" viewBox="0 0 ${width} ${rounded(height)}" role="img" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="12">`,
    `<title>${markup(chart.trace.name)}</title>`,
    style,
    `<rect class="paper" width="${width}" height="${rounded(height)}"/>`,
    ...headText(chart),
    ...legendText(legend, { x: margin, y: head }),
    ...axisText(drawing),
    ...chart.performed.spans.map((_, task) => barText(drawing, task)),
    ...criticalText(drawing),
    '</svg>',
    '',
  ].join('\n')
}

function drawingOf(chart: Chart): Drawing {
  const { spans, calledAt } = chart.performed
  const lanes = lanesOf(spans)
  const count = lanes.reduce((most, lane) => Math.max(most, lane + 1), 1)
  const laneHeight = Math.min(highestLane, lanesHeight / count)
  const legend = legendOf(chart.trace, inner)
  const top = head + legendHeight(legend) + 22
  const scale = inner / chart.figures.makespan
  return {
    ...chart,
    legend,
    lanes,
    laneHeight,
    top,
    bottom: top + count * laneHeight,
    x: (atMs) => margin + (atMs - calledAt) * scale,
  }
}

function headText({ trace, figures, performed }: Chart): string[] {
  const { makespan, criticalPath, parallelism } = figures
  const times = `${timeText(makespan)} from the call to the result; the critical path is ${timeText(criticalPath)}`
  const tasks = `${trace.tasks.length} tasks, ${parallelism.peak} at once at most, ${parallelism.mean.toFixed(1)} on average`
  const pace = `a second of the trace is ${timeText(performed.msPerSecond)}`
  return [
    `<text class="ink" x="${margin}" y="36" font-size="18" font-weight="600">${markup(trace.name)}</text>`,
    `<text class="pale" x="${margin}" y="58">${tasks} · ${times} · ${pace}</text>`,
  ]
}

function axisText({ figures, performed, top, bottom, x }: Drawing): string[] {
  return axisOf(figures.makespan).flatMap((atMs) => {
    const place = rounded(x(performed.calledAt + atMs))
    return [
      `<path class="grid" d="M${place} ${rounded(top - 6)}V${rounded(bottom + 6)}"/>`,
      `<text class="pale" x="${place}" y="${rounded(bottom + 24)}" text-anchor="middle">${timeText(atMs)}</text>`,
    ]
  })
}

function barText({ trace, performed, figures, lanes, laneHeight, top, x, legend }: Drawing, task: number): string {
  const { begunAt, endedAt } = performed.spans[task] ?? { begunAt: 0, endedAt: 0 }
  const { id, category } = trace.tasks[task] ?? { id: '', category: '' }
  const [from, to] = [x(begunAt), x(endedAt)]
  const barHeight = laneHeight > 4 ? laneHeight - Math.min(4, laneHeight / 4) : laneHeight
  const y = top + (lanes[task] ?? 0) * laneHeight
  const wide = Math.max(1, to - from)
  const mark = figures.critical.has(task) ? ' critical' : ''
  const told = `${id}: ${timeText(endedAt - begunAt)}, from ${timeText(begunAt - performed.calledAt)}`
  const bar = `<rect class="${legend.classOf(category)}${mark}" x="${rounded(from)}" y="${rounded(y)}" width="${rounded(wide)}" height="${rounded(barHeight)}" rx="${rounded(Math.min(3, barHeight / 4))}"><title>${markup(told)}</title></rect>`
  const isLabelled = laneHeight >= lowestLabelled && wide > widthOf(id) + 12
  if (!isLabelled) return bar
  return `${bar}<text class="on" x="${rounded(from + 7)}" y="${rounded(y + barHeight / 2 + 4)}" font-size="11">${markup(id)}</text>`
}

/** From the end of each task on the critical path to the beginning of the next. */
function criticalText({ performed, figures, lanes, laneHeight, top, x }: Drawing): string[] {
  const path = [...figures.critical].map((task) => ({ task, ...(performed.spans[task] ?? { begunAt: 0, endedAt: 0 }) }))
  path.sort((one, other) => one.begunAt - other.begunAt)
  const middle = (task: number): number => top + ((lanes[task] ?? 0) + 0.5) * laneHeight
  return path.slice(1).map((next, index) => {
    const { task, endedAt } = path[index] ?? next
    const [from, to] = [rounded(x(endedAt)), rounded(x(next.begunAt))]
    return `<path class="link" d="M${from} ${rounded(middle(task))}L${to} ${rounded(middle(next.task))}"/>`
  })
}
