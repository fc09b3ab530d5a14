// Where in a file a script is at fault, and the line itself with a mark below it.
import type { ErrorDetails } from '../lib/errors.ts'
import type { ScriptPoint } from './wire.ts'

/** Where a script stands in a file; lines and columns count from 1. */
export interface ScriptFrom {
  readonly file?: string
  /** The line of the file in which the script begins. */
  readonly line?: number
  /** The column in which each of its lines begins. */
  readonly column?: number
}

export interface Place {
  /** To follow what happened: ` (order.yaml:14:9)`. */
  readonly text: string
  /** The line and the mark, on lines of their own. */
  readonly excerpt: string
  readonly details: ErrorDetails
}

interface Shown {
  readonly script: string
  readonly from: ScriptFrom
}

const nowhere: Place = { text: '', excerpt: '', details: {} }
// Wide enough for a terminal.
const mostShown = 100

/** Where in its file a point of a script is; one behind its end is at its end. */
export function placeOf(point: ScriptPoint | undefined, { script, from }: Shown): Place {
  if (point === undefined) return nowhere
  const lines = script.split('\n')
  const isWithin = point.line >= 1 && point.line <= lines.length
  const at = isWithin ? point.line : lines.length
  // Characters, not the halves of surrogate pairs.
  const source = Array.from((lines[at - 1] ?? '').trimEnd())
  const column = Math.min(Math.max(1, isWithin ? point.column : Infinity), source.length + 1)
  const line = (from.line ?? 1) + at - 1
  const inFile = (from.column ?? 1) + column - 1
  const text = from.file === undefined ? `line ${line}, column ${inFile}` : `${from.file}:${line}:${inFile}`
  return {
    text: ` (${text})`,
    excerpt: excerptOf(source, line, column),
    details: { ...(from.file !== undefined && { file: from.file }), line, column: inFile },
  }
}

function excerptOf(source: readonly string[], line: number, column: number): string {
  // Of a long line what is around the column.
  const start = column > mostShown ? column - Math.floor(mostShown / 2) : 0
  const shown = source.slice(start, start + mostShown)
  const margin = `  ${line} | `
  const before = shown.slice(0, column - 1 - start).map((each) => (each === '\t' ? each : ' '))
  return `\n${margin}${shown.join('')}\n${' '.repeat(margin.length - 2)}| ${before.join('')}^`
}
