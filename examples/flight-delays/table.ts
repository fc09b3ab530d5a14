// A table of figures that stays folded until someone wants the numbers behind a chart.

import { escape } from './svg.ts'

/** The first column names the row; all others are right-aligned figures. */
export function dataTable(summary: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return `<details><summary>${escape(summary)}</summary>${plainTable(heads, rows)}</details>`
}

export function plainTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((name) => `<th scope="col">${escape(name)}</th>`).join('')
  const body = rows.map(([name = '', ...cells]) => {
    const figures = cells.map((cell) => `<td>${escape(cell)}</td>`).join('')
    return `<tr><th scope="row">${escape(name)}</th>${figures}</tr>`
  })
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`
}
