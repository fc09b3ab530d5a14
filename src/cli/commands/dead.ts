// `troupe dead`: what failed for good, by reason.
import type { DeadKind } from '../../engine/verbs/dead-kinds.ts'
import { addCommand, wholeNumber, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { errorWords } from '../error-text.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { oneLine } from '../paint.ts'
import { withClient } from '../store-client.ts'
import type { Column } from '../table.ts'
import { age } from '../times.ts'

interface DeadFlags extends CommonFlags {
  readonly name?: string
  readonly limit?: number
}

const mostKinds = 20

export function addDead(shell: Shell): void {
  addCommand<DeadFlags>(shell, {
    name: 'dead',
    summary: 'list what failed for good, by reason',
    description:
      'Lists what failed for good and was not tried again, the latest first. Runs that failed for the same reason have one fingerprint.',
    perform: (flags, _operands, io) => deadCommand(flags, io),
  })
    .option('--name <name>', 'only runs of this worker, workflow or template')
    .option('--limit <n>', 'how many reasons at most (default: 20)', wholeNumber)
}

async function deadCommand({ name, limit = mostKinds, ...flags }: DeadFlags, io: Io): Promise<ExitCode> {
  const filter = { limit, ...(name !== undefined && { name }) }
  const rows = await withClient(flags, io, (troupe) => troupe.dead(filter))
  const listing = {
    rows,
    nothing: `Nothing failed for good${name === undefined ? '' : ` of '${name}'`}.`,
    columns: columnsFor(io.clock.now()),
    narrow: (kind: DeadKind) => [kind.fingerprint, `  ${reason(kind)}`],
    hint: 'See its runs: troupe runs --fingerprint FINGERPRINT',
  }
  printListing(listing, flags, io)
  return exitCodes.ok
}

function columnsFor(now: number): Column<DeadKind>[] {
  return [
    { title: 'FINGERPRINT', cell: ({ fingerprint }) => fingerprint, paint: (_kind, text, paint) => paint('dim', text) },
    { title: 'RUNS', cell: ({ runs }) => String(runs), align: 'right' },
    { title: 'FIRST', cell: ({ firstAt }) => age(firstAt, now), align: 'right' },
    { title: 'LAST', cell: ({ lastAt }) => age(lastAt, now), align: 'right' },
    { title: 'NAME', cell: ({ newest }) => oneLine(newest.name), least: 8, cutAt: 'middle' },
    { title: 'ERROR', cell: reason, least: 16, paint: (_kind, text, paint) => paint('red', text) },
  ]
}

function reason({ newest: { error } }: DeadKind): string {
  return error === undefined ? '' : errorWords(error)
}
