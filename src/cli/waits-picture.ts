// All that a run waits for, drawn for people.
import type { WaitStatus } from '../engine/verbs/wait-status.ts'
import { oneLine, printable, type Paint } from './paint.ts'
import { drawTable, type Column } from './table.ts'
import { relative, timestamp } from './times.ts'

/** What a picture of waits needs to know of where it is shown. */
interface WaitsLook {
  readonly columns: number
  readonly paint: Paint
  readonly now: number
  readonly mostSteps: number
}

/** A line for each, the earliest time first. */
export function drawWaits(waits: readonly WaitStatus[], { columns, paint, now, mostSteps }: WaitsLook): string[] {
  if (waits.length === 0) return []
  const shown = waits.slice(0, mostSteps)
  const lines =
    drawTable(shown, waitColumns(now), { columns: columns - 2, paint }) ??
    shown.map((wait) => [printable(wait.path), waitWords(wait), dueWords(wait, now)].filter(Boolean).join('  '))
  return waits.length === shown.length ? lines : [...lines, paint('dim', `… and ${waits.length - shown.length} more`)]
}

function waitColumns(now: number): Column<WaitStatus>[] {
  return [
    { title: 'STEP', cell: ({ path }) => printable(path), least: 8, cutAt: 'middle' },
    { title: 'WAITS FOR', cell: waitWords, least: 12 },
    { title: 'UNTIL', cell: (wait) => dueWords(wait, now), paint: (_wait, text, paint) => paint('dim', text) },
  ]
}

function waitWords({ kind, name = '', key }: WaitStatus): string {
  const named = `'${oneLine(name)}'`
  switch (kind) {
    case 'sleep':
      return 'its time'
    case 'backoff':
      return 'its next attempt'
    case 'completion':
      return 'somebody to finish it from outside'
    case 'message':
      return `message ${named}${key === undefined ? '' : ` of key '${oneLine(key)}'`}`
    case 'mail':
      return 'a message'
    case 'ask':
      return `to be asked ${named}`
    case 'answer':
      return `its own answer to ${named}`
    case 'run':
      return `the end of run ${name}`
    case 'limiter':
      return `limiter ${named}`
  }
}

function dueWords({ dueAt }: WaitStatus, now: number): string {
  return dueAt === undefined ? '' : `${timestamp(dueAt)}  ${relative(dueAt, now)}`
}
