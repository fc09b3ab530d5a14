// `troupe dead`: what failed for good, by reason.
import type { DeadKind } from '../../engine/dead-kinds.ts'
import { addCommand, wholeNumber, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { oneLine, paintFor } from '../paint.ts'
import { withClient } from '../store-client.ts'
import { drawTable, type Column } from '../table.ts'
import { age } from '../times.ts'
import { toJson } from '../values.ts'

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
    .option('--name <name>', 'only runs of this worker or workflow')
    .option('--limit <n>', 'how many reasons at most (default: 20)', wholeNumber)
}

async function deadCommand({ name, limit = mostKinds, ...flags }: DeadFlags, io: Io): Promise<ExitCode> {
  const filter = { limit, ...(name !== undefined && { name }) }
  const kinds = await withClient(flags, io, (troupe) => troupe.dead(filter))
  if (flags.json === true) io.stdout.write(`${toJson(kinds, io.stdout.isTerminal ? 2 : 0)}\n`)
  else if (kinds.length === 0) io.stderr.write(`Nothing failed for good${name === undefined ? '' : ` of '${name}'`}.\n`)
  else printKinds(kinds, io)
  return exitCodes.ok
}

function printKinds(kinds: readonly DeadKind[], io: Io): void {
  const now = io.clock.now()
  const look = { columns: io.stdout.columns, paint: paintFor(io.stdout, io.env) }
  const lines =
    drawTable(kinds, columnsFor(now), look) ?? kinds.flatMap((kind) => [kind.fingerprint, `  ${reason(kind)}`])
  io.stdout.write(`${lines.join('\n')}\n`)
  io.stderr.write(`${paintFor(io.stderr, io.env)('dim', 'See its runs: troupe runs --fingerprint FINGERPRINT')}\n`)
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
  return error === undefined ? '' : oneLine(`${error.name}: ${error.message}`)
}
