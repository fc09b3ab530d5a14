// Compares what a block prints with the comments beside it.

import { format } from 'node:util'

const onOneLine = (text: string): string => text.trim().replace(/\s+/g, ' ')

interface Expectation {
  readonly expected: string
  readonly printed: string[]
}

// One block is run at a time.
let current: Expectation[] = []

/** Begins a block: what its lines are expected to print, in the order they stand. */
export function says(lines: readonly string[]): (expected: string, ...values: unknown[]) => void {
  const expectations: Expectation[] = lines.map((expected) => ({ expected, printed: [] }))
  current = expectations
  return (expected, ...values) => {
    const same = expectations.filter((line) => line.expected === expected)
    const line = same.find(({ printed }) => printed.length === 0) ?? same.at(-1)
    line?.printed.push(onOneLine(format(...values)))
  }
}

/** Ends a block: how what it printed differs from what its comments say. A line that printed often is compared as a list. */
export function differences(): string[] {
  const ended = current
  current = []
  return ended.flatMap(({ expected, printed }) => {
    if (printed.join(', ') === onOneLine(expected)) return []
    return [`expected ${onOneLine(expected)}, printed ${printed.length === 0 ? 'nothing' : printed.join(', ')}`]
  })
}
