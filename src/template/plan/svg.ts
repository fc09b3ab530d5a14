// A template as a picture: a row of boxes for each level, edges from above to below.
import { clip } from '../../lib/text.ts'
import type { Template, TemplateStep } from '../model/template.ts'
import { planOf, type Plan } from './plan.ts'

const box = { width: 180, height: 44, between: 24, below: 48, margin: 20 }
const longestShown = 22

const colours = {
  standard: '#eef2f7',
  decision: '#fff3d6',
  deferred_convergence: '#e3f4e5',
  batchable: '#e9e5fa',
  batch_worker: '#f6e6f1',
} as const

interface Point {
  readonly x: number
  readonly y: number
}

/** Each row stands in the middle; within it steps stand near the middle of those they need. */
export function svg({ name, steps }: Pick<Template, 'name' | 'steps'>): string {
  const plan = planOf(steps)
  const rows = rowsOf(plan)
  const widest = Math.max(1, ...rows.map(({ length }) => length))
  const width = 2 * box.margin + widest * (box.width + box.between) - box.between
  const height = 2 * box.margin + rows.length * (box.height + box.below) - box.below
  const points = pointsOf(rows, width)
  const edges = plan.before.flatMap((all, place) => all.map((earlier) => edgeText({ steps, points }, earlier, place)))
  const boxes = steps.map((step, place) => boxText(step, points.get(place)))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>${escaped(name)}</title>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#8a94a3"/></marker></defs>',
    ...edges,
    ...boxes,
    '</svg>',
    '',
  ].join('\n')
}

function rowsOf(plan: Plan): readonly (readonly number[])[] {
  const rows: number[][] = []
  for (const place of plan.order) {
    const row = (rows[plan.levels[place] ?? 0] ??= [])
    row.push(place)
  }
  // Within its row, from 0 to 1.
  const shares = new Map<number, number>()
  for (const row of rows) {
    const wanted = new Map(row.map((place) => [place, middle(plan.before[place] ?? [], shares)]))
    row.sort((one, other) => (wanted.get(one) ?? 0) - (wanted.get(other) ?? 0) || one - other)
    for (const [index, place] of row.entries()) shares.set(place, (index + 1) / (row.length + 1))
  }
  return rows
}

function middle(places: readonly number[], shares: ReadonlyMap<number, number>): number {
  if (places.length === 0) return 0.5
  return places.reduce((sum, place) => sum + (shares.get(place) ?? 0.5), 0) / places.length
}

function pointsOf(rows: readonly (readonly number[])[], width: number): ReadonlyMap<number, Point> {
  const points = new Map<number, Point>()
  for (const [level, row] of rows.entries()) {
    const rowWidth = row.length * (box.width + box.between) - box.between
    for (const [index, place] of row.entries()) {
      const x = (width - rowWidth) / 2 + index * (box.width + box.between)
      points.set(place, { x, y: box.margin + level * (box.height + box.below) })
    }
  }
  return points
}

interface Drawing {
  readonly steps: readonly TemplateStep[]
  readonly points: ReadonlyMap<number, Point>
}

function edgeText({ steps, points }: Drawing, from: number, to: number): string {
  const [start, end] = [points.get(from), points.get(to)]
  if (start === undefined || end === undefined) return ''
  const [x, y] = [start.x + box.width / 2, start.y + box.height]
  const [endX, endY] = [end.x + box.width / 2, end.y]
  const half = (y + endY) / 2
  const { onError } = steps[from] as TemplateStep
  const dashes = typeof onError === 'object' && onError.fallback === steps[to]?.name ? ' stroke-dasharray="5 4"' : ''
  return `<path d="M${x} ${y}C${x} ${half} ${endX} ${half} ${endX} ${endY}" fill="none" stroke="#8a94a3"${dashes} marker-end="url(#tip)"/>`
}

function boxText({ name, role }: TemplateStep, point: Point | undefined): string {
  if (point === undefined) return ''
  const { x, y } = point
  const isPlain = role === 'standard'
  const middleX = x + box.width / 2
  const label = `<text x="${middleX}" y="${y + (isPlain ? 27 : 20)}" text-anchor="middle">${escaped(clip(name, longestShown))}</text>`
  const kind = isPlain
    ? ''
    : `<text x="${middleX}" y="${y + 36}" text-anchor="middle" font-size="10" fill="#5b6675">${role}</text>`
  return `<g><title>${escaped(name)}</title><rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="6" fill="${colours[role]}" stroke="#8a94a3"/>${label}${kind}</g>`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

// oxlint-disable-next-line no-control-regex -- XML has no way to write them
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

/** What XML forbids is left out. */
function escaped(text: string): string {
  return text.replace(forbidden, '').replace(/[&<>"']/g, (sign) => entities[sign] ?? '')
}
