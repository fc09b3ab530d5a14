// `troupe runs`: the runs of a store, the newest first.
import type { RunStatus } from '../../engine/verbs/run-status.ts'
import { formatMs } from '../../lib/duration.ts'
import { reasonText } from '../../model/reason.ts'
import { percent, shareOf } from '../bar.ts'
import { addCommand, addWhere, wholeNumber, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { findRun } from '../find-run.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { oneLine, stateStyles } from '../paint.ts'
import { stateWord, whereRuns, type WhereFlags } from '../state-words.ts'
import { withClient } from '../store-client.ts'
import type { Column, TableLook } from '../table.ts'
import { age, relative, tookMs } from '../times.ts'
import { cut } from '../width.ts'

interface RunsFlags extends CommonFlags, WhereFlags {
  readonly after?: string
  readonly limit?: number
}

const mostRuns = 20

export function addRuns(shell: Shell): void {
  const command = addCommand<RunsFlags>(shell, {
    name: 'runs',
    summary: 'list runs, the newest first',
    description: 'Lists runs, the newest first.',
    help,
    perform: (flags, _operands, io) => runsCommand(flags, io),
  })
  addWhere(command)
    .option('--after <id>', 'only runs older than this one')
    .option('--limit <n>', 'how many at most (default: 20)', wholeNumber)
}

const help = `Examples:
  troupe runs
  troupe runs --state failed --name order
  troupe runs --state timed-out        or crashed: both are failed
  troupe runs --json --limit 1000 | jq -r '.[].id'`

async function runsCommand(flags: RunsFlags, io: Io): Promise<ExitCode> {
  const limit = flags.limit ?? mostRuns
  // One more than is shown, to know whether there are more.
  const found = await withClient(flags, io, async (troupe) => {
    const after = flags.after === undefined ? {} : { after: (await findRun(troupe, flags.after)).id }
    return troupe.runs({ ...whereRuns(flags), ...after, limit: limit + 1 })
  })
  const rows = found.slice(0, limit)
  const now = io.clock.now()
  const isMore = found.length > limit
  const listing = {
    rows,
    nothing: nothingFound(flags),
    columns: columnsFor(rows, now),
    narrow: (run: RunStatus, look: TableLook) => drawStacked(run, now, look),
    hint: isMore ? `The newest ${limit}; see the next with --after ${rows.at(-1)?.id}` : undefined,
  }
  printListing(listing, flags, io)
  return exitCodes.ok
}

function columnsFor(runs: readonly RunStatus[], now: number): Column<RunStatus>[] {
  const columns: (Column<RunStatus> | undefined)[] = [
    { title: 'ID', cell: ({ id }) => id, paint: (_run, text, paint) => paint('dim', text) },
    { title: 'NAME', cell: ({ name }) => oneLine(name), least: 8, cutAt: 'middle' },
    { title: 'STATE', cell: stateWord, paint: ({ state }, text, paint) => paint(stateStyles[state], text) },
    runs.some(({ state, code }) => state === 'failed' && code !== undefined)
      ? { title: 'CODE', cell: ({ state, code = '' }) => (state === 'failed' ? oneLine(code) : ''), least: 6 }
      : undefined,
    runs.some(isLater) ? { title: 'STARTS', cell: (run) => startsText(run, now) } : undefined,
    runs.some(isHeldUp) ? { title: 'WAITS FOR', cell: waitsFor, least: 12 } : undefined,
    runs.some(hasProgress) ? { title: 'DONE', cell: done, align: 'right' } : undefined,
    { title: 'AGE', cell: ({ createdAt }) => age(createdAt, now), align: 'right' },
    { title: 'TOOK', cell: (run) => took(run, now), align: 'right' },
  ]
  return columns.filter((column) => column !== undefined)
}

/** A run on two lines, for windows that are narrower than an id and a word. */
function drawStacked(run: RunStatus, now: number, { columns, paint }: TableLook): string[] {
  const facts = [
    startsText(run, now),
    waitsFor(run),
    done(run),
    `${age(run.createdAt, now)} old`,
    took(run, now),
  ].filter((fact) => fact !== '')
  const state = stateWord(run)
  const rest = `  ${state}  ${facts.join('  ')}`
  const name = cut(oneLine(run.name), columns - rest.length)
  return [paint('dim', run.id), `${paint('bold', name)}  ${paint(stateStyles[run.state], state)}  ${facts.join('  ')}`]
}

function isLater({ state, dueAt }: RunStatus): boolean {
  return state === 'scheduled' && dueAt !== undefined
}

function startsText(run: RunStatus, now: number): string {
  return isLater(run) ? relative(run.dueAt ?? now, now) : ''
}

/** Whether it waits for something that does not come by itself. */
function isHeldUp({ reason }: RunStatus): boolean {
  return reason !== undefined && reason.kind !== 'timer' && reason.kind !== 'actor'
}

function waitsFor(run: RunStatus): string {
  return run.reason !== undefined && isHeldUp(run) ? oneLine(reasonText(run.reason)) : ''
}

function hasProgress(run: RunStatus): boolean {
  return shareOf(run.progress) !== undefined
}

function done(run: RunStatus): string {
  const share = shareOf(run.progress)
  return share === undefined ? '' : percent(share)
}

function took(run: RunStatus, now: number): string {
  const ms = tookMs(run, now)
  return ms === undefined ? '' : formatMs(ms)
}

function nothingFound({ state, name, code, tag = [], fingerprint }: RunsFlags): string {
  const filters = [
    state === undefined ? '' : `in state ${state}`,
    name === undefined ? '' : `of '${name}'`,
    code === undefined ? '' : `with code ${code}`,
    tag.length === 0 ? '' : `with ${tag.map((one) => `'${one}'`).join(', ')}`,
    fingerprint === undefined ? '' : `with fingerprint ${fingerprint}`,
  ].filter((text) => text !== '')
  if (filters.length === 0) return `No runs yet. Start one: troupe run NAME [JSON]`
  return `No runs ${filters.join(' ')}. See all: troupe runs`
}
