// A template as a picture: a row of boxes for each level, edges from above to below.
import { clip } from '../../lib/text.ts'
import type { Template, TemplateStep } from '../model/template.ts'
import { box, layoutOf, type Point, type Way } from './layout.ts'
import { planOf } from './plan.ts'

const longestShown = 22

const colours = {
  standard: '#eef2f7',
  decision: '#fff3d6',
  deferred_convergence: '#e3f4e5',
  batchable: '#e9e5fa',
  batch_worker: '#f6e6f1',
} as const

/** Edges that pass a row of boxes do so between them. */
export function svg({ name, steps }: Pick<Template, 'name' | 'steps'>): string {
  const { width, height, boxes: points, ways } = layoutOf(planOf(steps))
  const edges = ways.map((way) => edgeText(steps, points, way))
  const boxes = steps.map((step, place) => boxText(step, points[place]))
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

function edgeText(steps: readonly TemplateStep[], points: readonly (Point | undefined)[], way: Way): string {
  const { from, to, lanes } = way
  const [start, end] = [points[from], points[to]]
  if (start === undefined || end === undefined) return ''
  let at = { x: start.x, y: start.y + box.height }
  let path = `M${at.x} ${at.y}`
  for (const next of [...lanes, end]) {
    const half = (at.y + next.y) / 2
    path += `C${at.x} ${half} ${next.x} ${half} ${next.x} ${next.y}`
    at = { x: next.x, y: next.y + box.height }
    if (next !== end) path += `V${at.y}`
  }
  const { onError } = steps[from] as TemplateStep
  const dashes = typeof onError === 'object' && onError.fallback === steps[to]?.name ? ' stroke-dasharray="5 4"' : ''
  return `<path d="${path}" fill="none" stroke="#8a94a3"${dashes} marker-end="url(#tip)"/>`
}

function boxText({ name, role }: TemplateStep, point: Point | undefined): string {
  if (point === undefined) return ''
  const { x: middleX, y } = point
  const isPlain = role === 'standard'
  const label = `<text x="${middleX}" y="${y + (isPlain ? 27 : 20)}" text-anchor="middle">${escaped(clip(name, longestShown))}</text>`
  const kind = isPlain
    ? ''
    : `<text x="${middleX}" y="${y + 36}" text-anchor="middle" font-size="10" fill="#5b6675">${role}</text>`
  return `<g><title>${escaped(name)}</title><rect x="${middleX - box.width / 2}" y="${y}" width="${box.width}" height="${box.height}" rx="6" fill="${colours[role]}" stroke="#8a94a3"/>${label}${kind}</g>`
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
