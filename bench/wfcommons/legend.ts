// Which kind of task has which colour: those that took longest in all have one of their own.
import { clip } from '../../src/lib/text.ts'
import { colours, markup, widthOf } from './markup.ts'
import type { Trace } from './trace.ts'

interface Entry {
  readonly name: string
  readonly className: string
  readonly x: number
  readonly row: number
}

export interface Legend {
  readonly entries: readonly Entry[]
  classOf(category: string): string
}

const rowHeight = 20
const longestShown = 32
const others = 'rest'

export function legendOf({ tasks }: Trace, width: number): Legend {
  const kinds = new Map<string, { count: number; seconds: number }>()
  for (const { category, seconds } of tasks) {
    const kind = kinds.get(category) ?? { count: 0, seconds: 0 }
    kinds.set(category, { count: kind.count + 1, seconds: kind.seconds + seconds })
  }
  const most = [...kinds].sort(([, one], [, other]) => other.seconds - one.seconds)
  const isEnough = most.length <= colours.length
  const own = most.slice(0, isEnough ? most.length : colours.length)
  const classes = new Map(own.map(([name], index) => [name, `kind${index}`]))
  const rest = most.slice(own.length).reduce((sum, [, { count }]) => sum + count, 0)
  const named = own.map(([name, { count }]) => ({
    name: `${clip(name, longestShown)} × ${count}`,
    className: classes.get(name) ?? others,
  }))
  const all = isEnough ? named : [...named, { name: `${most.length - own.length} others × ${rest}`, className: others }]
  return {
    entries: placed([...all, { name: 'critical path', className: 'paper critical' }], width),
    classOf: (category) => classes.get(category) ?? others,
  }
}

function placed(entries: readonly Pick<Entry, 'name' | 'className'>[], width: number): readonly Entry[] {
  let x = 0
  let row = 0
  return entries.map((entry) => {
    const wide = 36 + widthOf(entry.name)
    if (x > 0 && x + wide > width) [x, row] = [0, row + 1]
    const at = { ...entry, x, row }
    x += wide
    return at
  })
}

export function legendHeight({ entries }: Legend): number {
  return ((entries.at(-1)?.row ?? 0) + 1) * rowHeight
}

export function legendText({ entries }: Legend, at: { readonly x: number; readonly y: number }): string[] {
  return entries.map(({ name, className, x, row }) => {
    const [left, top] = [at.x + x, at.y + row * rowHeight]
    return `<rect class="${className}" x="${left}" y="${top}" width="12" height="12" rx="3"/><text class="ink" x="${left + 18}" y="${top + 10.5}">${markup(name)}</text>`
  })
}
