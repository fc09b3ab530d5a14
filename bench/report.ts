// How a bench tells its figures.
import { cpus, totalmem } from 'node:os'
import type { Quantiles } from './measure.ts'

/** What a bar asks for; a figure may be without unit. */
export interface Bar {
  readonly least?: number
  readonly most?: number
  readonly unit: string
}

/** Which bars are met. */
export class Bars {
  readonly #lines: string[] = []

  add(name: string, value: number, { least, most, unit }: Bar): void {
    if (Number.isNaN(value)) return
    const isMet = value >= (least ?? -Infinity) && value <= (most ?? Infinity)
    const told = (one: number): string => (unit === '' ? rate(one) : `${Number(one.toFixed(3))}${unit}`)
    const wanted = least === undefined ? `at most ${told(most ?? 0)}` : `at least ${told(least)}`
    this.#lines.push(`${isMet ? 'met   ' : 'missed'}  ${name}: ${told(value)}, ${wanted}`)
  }

  /** With what other processes took of a core meanwhile, where none of them is a part of what is measured. */
  tell(othersPercent?: number): void {
    if (othersPercent !== undefined) {
      const others = `other processes took ${othersPercent.toFixed(0)} % of a core meanwhile`
      console.log(`\n${others}: above 20 % the figures say more about them`)
    }
    console.log(`\n${this.#lines.join('\n')}`)
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export function rate(perSecond: number): string {
  if (perSecond >= 1_000_000) return `${(perSecond / 1_000_000).toFixed(1)} M`
  return perSecond >= 1_000 ? `${(perSecond / 1_000).toFixed(1)} k` : perSecond.toFixed(0)
}

/** The machine in one line: figures mean little without it. */
export function machine(): string {
  const [cpu] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `Node ${process.versions.node}, ${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${memory} GiB`
}

/** Milliseconds in the middle and of the slowest in a hundred, a line for each. */
export function quantileTable(lines: readonly (readonly [string, Quantiles])[]): string {
  const told = lines.map(([what, { p50, p99 }]) => [what, p50.toFixed(2), p99.toFixed(2)])
  return table(['', 'p50', 'p99'], told)
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const drawn = lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
  return drawn.join('\n')
}
