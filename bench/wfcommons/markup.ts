// How a picture is written: colours for light and dark, texts and numbers.

/** In light, and in dark. */
export const colours: readonly (readonly [string, string])[] = [
  ['#3f74bd', '#6ea0e6'],
  ['#dd8420', '#f0a650'],
  ['#3b9767', '#5fbf8c'],
  ['#c9485b', '#ee7c8b'],
  ['#8360bd', '#ab8ce2'],
  ['#2b9a9d', '#52c3c5'],
  ['#98684a', '#c3926f'],
  ['#cf6aa0', '#eb9cc4'],
  ['#868f2f', '#b6bf62'],
  ['#4d5fa8', '#8696de'],
]

const rules = (side: 0 | 1): string => {
  const [paper, ink, pale, grid, rest] = [
    ['#ffffff', '#1c2430', '#5d6878', '#e3e7ec', '#9aa4b1'],
    ['#14181f', '#e8ecf2', '#98a3b3', '#2a313c', '#6d7887'],
  ][side] as readonly string[]
  const kinds = colours.map((pair, index) => `.kind${index}{fill:${pair[side]}}`)
  return [
    `.paper{fill:${paper}}.ink{fill:${ink}}.pale{fill:${pale}}.on{fill:${paper}}.rest{fill:${rest}}`,
    `.grid{stroke:${grid}}.critical{stroke:${ink};stroke-width:2}.link{stroke:${ink};stroke-width:1.5;stroke-dasharray:3 3;fill:none}`,
    ...kinds,
  ].join('')
}

export const style = `<style>${rules(0)}@media (prefers-color-scheme:dark){${rules(1)}}</style>`

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

// oxlint-disable-next-line no-control-regex -- XML has no way to write them
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

export function markup(text: string): string {
  return text.replace(forbidden, '').replace(/[&<>"]/g, (sign) => entities[sign] ?? '')
}

/** About how wide a text of 12 pixels is: a picture cannot ask. */
export function widthOf(text: string): number {
  const wide = text.replace(/[^A-Z_MW×]/g, '').length
  return text.length * 6.8 + wide * 2
}

export function rounded(value: number): string {
  return String(Math.round(value * 100) / 100)
}
