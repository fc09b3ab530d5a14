// `troupe investigations` and `troupe investigate`: the runs that somebody has to look at, and what came of that.
import type { InvestigateOptions, Investigation } from '../../engine/verbs/investigating.ts'
import { investigationStates, type InvestigationState } from '../../model/investigation.ts'
import { addCommand, wholeNumber, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { findRun } from '../find-run.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { firstLine, oneLine } from '../paint.ts'
import { withClient } from '../store-client.ts'
import type { Column } from '../table.ts'
import { age } from '../times.ts'
import { usage } from '../usage.ts'
import { toJson } from '../values.ts'
import { addBy, whoDoes, type ByFlags } from '../who.ts'

interface ListFlags extends CommonFlags {
  readonly name?: string
  readonly state?: string
  readonly limit?: number
}

interface SayFlags extends CommonFlags, ByFlags {
  readonly state?: string
  readonly notes?: string
}

const most = 20
const states = investigationStates.join(', ')

export function addInvestigations(shell: Shell): void {
  addCommand<ListFlags>(shell, {
    name: 'investigations',
    summary: 'list the runs that somebody has to look at',
    description:
      'Lists runs that failed for good and were not tried again, that were declared stale, or of which somebody said so, the latest first; also those that were seen to.',
    perform: (flags, _operands, io) => listCommand(flags, io),
  })
    .option('--state <state>', `only those in this state: ${states}`)
    .option('--name <name>', 'only runs of this worker, workflow or template')
    .option('--limit <n>', 'how many at most (default: 20)', wholeNumber)
}

export function addInvestigate(shell: Shell): void {
  const command = addCommand<SayFlags>(shell, {
    name: 'investigate',
    takes: 'ID',
    summary: 'say that a run has to be looked at, or what came of it',
    description: 'Says of a run that somebody has to look at it, or what came of that. Nothing of the run is changed.',
    help,
    perform: (flags, [typed = ''], io) => sayCommand(typed, flags, io),
  })
  addBy(command)
    .argument('<id>', 'its id, or at least the first 8 characters')
    .option('--state <state>', `${states} (default: as it is, or pending)`)
    .option('--notes <text>', 'what is known of it')
}

const help = `Examples:
  troupe investigations --state pending
  troupe investigate 0197f3a2-5c1e --notes 'the bank does not answer'
  troupe investigate 0197f3a2-5c1e --state permanently_failed --notes 'the customer has left'`

async function listCommand({ name, state, limit = most, ...flags }: ListFlags, io: Io): Promise<ExitCode> {
  const filter = { limit, ...(name !== undefined && { name }), ...stateOf(state) }
  const rows = await withClient(flags, io, (troupe) => troupe.investigations(filter))
  const listing = {
    rows,
    nothing: 'Nobody has to look at anything.',
    columns: columnsFor(io.clock.now()),
    narrow: (row: Investigation) => [row.runId, `  ${row.state}  ${row.reason}`],
    hint: 'See one: troupe show ID. Do something: troupe retry ID, troupe resolve ID STEP',
  }
  printListing(listing, flags, io)
  return exitCodes.ok
}

function columnsFor(now: number): Column<Investigation>[] {
  return [
    { title: 'ID', cell: ({ runId }) => runId, paint: (_row, text, paint) => paint('dim', text) },
    { title: 'STATE', cell: ({ state }) => state },
    { title: 'REASON', cell: ({ reason }) => reason },
    { title: 'AGE', cell: ({ at }) => age(at, now), align: 'right' },
    { title: 'NAME', cell: ({ name }) => oneLine(name), least: 8, cutAt: 'middle' },
    { title: 'NOTES', cell: ({ notes, run }) => firstLine(notes ?? run.error?.message ?? ''), least: 12 },
  ]
}

async function sayCommand(typed: string, { notes, state, ...flags }: SayFlags, io: Io): Promise<ExitCode> {
  const options: InvestigateOptions = { ...stateOf(state), ...(notes !== undefined && { notes }), ...whoDoes(flags) }
  const id = await withClient(flags, io, async (troupe) => {
    const run = await findRun(troupe, typed)
    await troupe.investigate(run.id, options)
    return run.id
  })
  if (flags.json === true) io.stdout.write(`${toJson({ id, ...options })}\n`)
  else io.stderr.write(`The investigation of run ${id} is ${options.state ?? 'kept'}.\n`)
  return exitCodes.ok
}

function stateOf(state: string | undefined): { readonly state?: InvestigationState } {
  const known = investigationStates.find((each) => each === state)
  if (state !== undefined && known === undefined)
    throw usage(`--state is '${oneLine(state)}': expected one of ${states}.`)
  return known === undefined ? {} : { state: known }
}
