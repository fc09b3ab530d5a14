// The few pieces of SVG that every chart here is made of, and the one style they share.

export interface Attributes {
  readonly [name: string]: string | number | undefined
}

export interface Chart {
  /** The file's name without its ending. */
  readonly name: string
  readonly title: string
  readonly description: string
  readonly width: number
  readonly height: number
  readonly body: string
}

/** A straight mapping from values to pixels. */
export type Scale = (value: number) => number

export function scale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const factor = (range[1] - range[0]) / (domain[1] - domain[0])
  return (value) => range[0] + (value - domain[0]) * factor
}

/** Round values that cover `low` to `high` in about `parts` steps; the first and last lie at or beyond the ends, never together. */
export function ticks(low: number, high: number, parts: number): number[] {
  if (high <= low) return [low, low + 1]
  const rough = (high - low) / parts
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999)!
  const first = Math.floor(low / step)
  const last = Math.ceil(high / step - 1e-9)
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)))
}

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? pixel(value) : escape(String(value))}"`)
    .join('')
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`
}

export function text(content: string, attributes: Attributes): string {
  return element('text', attributes, escape(content))
}

/** A margin of error, or a mark that runs across bars: a line on a paler one, to be seen on any ground. */
export function clearLine(className: 'whisker' | 'reference', ends: Attributes): string {
  return element('line', { class: 'under', ...ends }) + element('line', { class: className, ...ends })
}

/** Shapes that belong to one value, with the words a pointer resting on them shows. */
export function marked(tooltip: string, ...shapes: readonly string[]): string {
  return element('g', {}, element('title', {}, escape(tooltip)), ...shapes)
}

/** The chart as part of a page, which must carry `chartStyle` itself. */
export function inlineSvg(chart: Chart): string {
  return svgElement(chart, {}, '')
}

/** The chart as a file of its own. */
export function standaloneSvg(chart: Chart): string {
  const size = { xmlns: 'http://www.w3.org/2000/svg', width: chart.width, height: chart.height }
  const paper = element('rect', { class: 'paper', width: chart.width, height: chart.height })
  return `${svgElement(chart, size, `<style>${chartStyle}</style>${paper}`)}\n`
}

export function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** A tenth of a pixel is finer than the eye and keeps files small and equal. */
export function pixel(value: number): string {
  const rounded = Math.round(value * 10) / 10
  return String(rounded === 0 ? 0 : rounded)
}

function svgElement(chart: Chart, extra: Attributes, before: string): string {
  const { name, title, description, width, height, body } = chart
  const labelled = { role: 'img', 'aria-labelledby': `${name}-title ${name}-description` }
  return element(
    'svg',
    { class: 'chart', viewBox: `0 0 ${width} ${height}`, ...labelled, ...extra },
    element('title', { id: `${name}-title` }, escape(title)),
    element('desc', { id: `${name}-description` }, escape(description)),
    before,
    body,
  )
}

/** Colours for both schemes; delays of any kind are coloured by the same five classes in every chart. */
export const chartStyle = `
.chart{--paper:#fff;--ink:#1b2230;--soft:#566074;--grid:#e4e7ee;--axis:#9aa3b5;--land:#eef0f4;--border:#fff;
--early:#3d7ebf;--d0:#7fa9d1;--d5:#e3b23c;--d10:#dd7a2f;--d15:#b93a32;--plain:#8b95a8;--share:#6b5ca5;--mean:#2b8a86;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-size:13px}
@media (prefers-color-scheme:dark){.chart{--paper:#12161f;--ink:#e9ecf3;--soft:#a4aec2;--grid:#262d3b;--axis:#596379;
--land:#1e2532;--border:#12161f;--early:#5b9fe0;--d0:#8fb9de;--d5:#e8c05a;--d10:#ec9150;--d15:#e5625a;--plain:#78839a;--share:#a294dd;--mean:#4cb3ad}}
.chart text{fill:var(--ink);font-variant-numeric:tabular-nums}
.chart .soft{fill:var(--soft)}.chart .small{font-size:12px}.chart .tiny{font-size:11px}
.chart .heading{font-weight:600;font-size:14px}.chart .end{text-anchor:end}.chart .middle{text-anchor:middle}
.chart .paper{fill:var(--paper)}.chart .grid{stroke:var(--grid)}.chart .axis{stroke:var(--axis)}
.chart .under{stroke:var(--paper);stroke-width:3.5;opacity:.55}
.chart .whisker{stroke:var(--ink);stroke-width:1.25}
.chart .reference{stroke:var(--ink);stroke-width:1.25;stroke-dasharray:4 4}
.chart .early{fill:var(--early)}.chart .d0{fill:var(--d0)}.chart .d5{fill:var(--d5)}.chart .d10{fill:var(--d10)}.chart .d15{fill:var(--d15)}
.chart .plain{fill:var(--plain)}.chart .share{fill:var(--share)}.chart .mean{fill:var(--mean)}
.chart .land{fill:var(--land);stroke:var(--border);stroke-width:.8;stroke-linejoin:round}
.chart .frame{fill:none;stroke:var(--grid)}
.chart .dot{stroke:var(--paper);stroke-width:1.2}.chart .few{fill:none;stroke:var(--soft);stroke-width:1.1}
.chart .clear{paint-order:stroke;stroke:var(--paper);stroke-width:4px}
.chart .halo{paint-order:stroke;stroke:var(--land);stroke-width:3.5px;stroke-linejoin:round}
`.trim()

/** The classes of mean delay that colours stand for, from early to late. */
export const delayClasses = [
  { name: 'early', below: 0, label: 'early' },
  { name: 'd0', below: 5, label: '0–5' },
  { name: 'd5', below: 10, label: '5–10' },
  { name: 'd10', below: 15, label: '10–15' },
  { name: 'd15', below: Infinity, label: '15 or more minutes late' },
] as const

export function delayClass(minutes: number): string {
  return delayClasses.find(({ below }) => minutes < below)!.name
}
