// The report as a page that needs nothing beside it: a chart of the months and a table of the products.
import type { Totals } from './totals.ts'

const [width, height, top, bottom, left] = [760, 300, 20, 28, 64]

export function page(totals: Totals): string {
  const products = Object.entries(totals.byProduct)
  const regions = [...new Set(products.flatMap(([, { byRegion }]) => Object.keys(byRegion)))].sort()
  const rows = products.map(([name, { quantity, cents, byRegion }]) => {
    const figures = [String(quantity), ...regions.map((region) => money(byRegion[region] ?? 0)), money(cents)]
    return `<tr><th scope="row">${escaped(name)}</th>${figures.map((figure) => `<td>${figure}</td>`).join('')}</tr>`
  })
  const heads = ['Product', 'Pieces', ...regions, 'Revenue'].map((head) => `<th scope="col">${escaped(head)}</th>`)
  const bad = totals.badRows === 0 ? '' : ` ${totals.badRows} rows could not be read and are not counted.`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sales</title>
<style>${style}</style>
<h1>${money(totals.cents)} of sales</h1>
<p>From ${totals.rows} rows.${bad}</p>
${chart(totals)}
<table>
<thead><tr>${heads.join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</html>
`
}

export function money(cents: number): string {
  const [whole = '', part] = (cents / 100).toFixed(2).split('.')
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${part}`
}

function chart({ byMonth }: Totals): string {
  const months = Object.entries(byMonth)
  const most = Math.max(1, ...months.map(([, cents]) => cents))
  const step = niceStep(most / 4)
  const scale = (height - top - bottom) / (Math.ceil(most / step) * step)
  const lines = Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => {
    const y = rounded(height - bottom - index * step * scale)
    const label = `<text x="${left - 8}" y="${y + 4}" text-anchor="end">${money(index * step).slice(0, -3)}</text>`
    return `<line x1="${left}" x2="${width}" y1="${y}" y2="${y}"/>${label}`
  })
  const slot = (width - left) / Math.max(1, months.length)
  const bars = months.map(([month, cents], index) => {
    const x = rounded(left + index * slot + slot * 0.15)
    const [tall, wide] = [rounded(cents * scale), rounded(slot * 0.7)]
    const bar = `<rect x="${x}" y="${rounded(height - bottom - tall)}" width="${wide}" height="${tall}"/>`
    const label = `<text x="${rounded(x + wide / 2)}" y="${height - 8}" text-anchor="middle">${month.slice(2)}</text>`
    return `<g><title>${month}: ${money(cents)}</title>${bar}${label}</g>`
  })
  const parts = [...lines, ...bars].join('\n')
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Revenue by month">\n${parts}\n</svg>`
}

/** 1, 2 or 5 and zeros: what people read without thinking. */
function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= atLeast) ?? atLeast
}

function rounded(pixels: number): number {
  return Math.round(pixels * 10) / 10
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

const style = `
:root{color-scheme:light dark;--ink:light-dark(#1b2230,#e9ecf3);--soft:light-dark(#566074,#a4aec2);--line:light-dark(#e1e5ec,#262d3b)}
body{max-width:800px;margin:40px auto;padding:0 20px;color:var(--ink);font:16px/1.5 system-ui,sans-serif}
svg{width:100%;font-size:12px}
svg text{fill:var(--soft)}svg line{stroke:var(--line)}svg rect{fill:#3d7ebf}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:6px 0;border-bottom:1px solid var(--line);text-align:right;font-weight:400}
th:first-child{text-align:left}thead th{color:var(--soft)}
`.trim()
