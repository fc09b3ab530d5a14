// `troupe stats`: what became of the runs of each definition, in figures.
import type { RunStats } from '../../engine/verbs/run-stats.ts'
import { formatMs } from '../../lib/duration.ts'
import type { Troupe } from '../../troupe.ts'
import { percent } from '../bar.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { oneLine } from '../paint.ts'
import { withClient } from '../store-client.ts'
import type { Column } from '../table.ts'
import { usage } from '../usage.ts'

// Whose names are told when none is asked for.
const mostRuns = 1_000

export function addStats(shell: Shell): void {
  addCommand<CommonFlags>(shell, {
    name: 'stats',
    takes: '[NAME...]',
    summary: 'show what became of the runs of each definition',
    description:
      'Shows how many runs of a definition ever ended, and how: also of those that are deleted. Without names: of the definitions of the newest 1,000 runs.',
    perform: (flags, names, io) => statsCommand(names, flags, io),
  }).argument('[name...]', 'workers or workflows')
}

interface Row extends RunStats {
  readonly name: string
}

async function statsCommand(names: readonly string[], flags: CommonFlags, io: Io): Promise<ExitCode> {
  const rows = await withClient(flags, io, (troupe) => statsOf(troupe, names))
  const nothing = 'No runs yet. Start one: troupe run NAME [JSON]'
  printListing({ rows, nothing, columns, narrow: drawNarrow }, flags, io)
  return exitCodes.ok
}

/** Throws `usage` for a name without runs. */
async function statsOf(troupe: Troupe, asked: readonly string[]): Promise<Row[]> {
  const known = (await troupe.runs({ limit: mostRuns })).map(({ name }) => name)
  const names = asked.length > 0 ? asked : [...new Set(known)].toSorted()
  const rows: Row[] = []
  for (const name of names) {
    const stats = await troupe.stats(name)
    if (stats === undefined) throw usage(`Nothing is known of '${name}'. There is: ${[...new Set(known)].join(', ')}`)
    rows.push({ name, ...stats })
  }
  return rows
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => oneLine(name), least: 8, cutAt: 'middle' },
  { title: 'ENDED', cell: ({ runs }) => String(runs), align: 'right' },
  { title: 'SUCCEEDED', cell: ({ succeeded }) => String(succeeded), align: 'right' },
  {
    title: 'FAILED',
    cell: ({ failed }) => String(failed),
    align: 'right',
    paint: ({ failed }, text, paint) => (failed > 0 ? paint('red', text) : text),
  },
  { title: 'TIMED OUT', cell: ({ timedOut }) => String(timedOut), align: 'right' },
  { title: 'CANCELLED', cell: ({ cancelled }) => String(cancelled), align: 'right' },
  { title: 'SUCCESS', cell: successText, align: 'right' },
  { title: 'AVERAGE', cell: ({ runs, averageMs }) => timeText(runs, averageMs), align: 'right' },
  { title: 'LAST TOOK', cell: ({ runs, lastRunMs = 0 }) => timeText(runs, lastRunMs), align: 'right' },
]

function successText({ runs, successRate }: Row): string {
  return runs === 0 ? '' : percent(successRate / 100)
}

function timeText(runs: number, ms: number): string {
  return runs === 0 ? '' : formatMs(Math.round(ms))
}

function drawNarrow(row: Row): string {
  return `${oneLine(row.name)}  ${row.succeeded} of ${row.runs} succeeded  ${timeText(row.runs, row.averageMs)}`.trimEnd()
}
