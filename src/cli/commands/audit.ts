// `troupe audit`: what people did.
import type { AuditEntry } from '../../engine/verbs/audit.ts'
import { addCommand, wholeNumber, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { oneLine } from '../paint.ts'
import { withClient } from '../store-client.ts'
import type { Column } from '../table.ts'
import { timestamp } from '../times.ts'

interface AuditFlags extends CommonFlags {
  readonly limit?: number
}

const mostEntries = 20

export function addAudit(shell: Shell): void {
  addCommand<AuditFlags>(shell, {
    name: 'audit',
    summary: 'list what people did',
    description: 'Lists what people did to runs, queues, limiters and schedules, the newest first.',
    perform: (flags, _operands, io) => auditCommand(flags, io),
  }).option('--limit <n>', 'how many at most (default: 20)', wholeNumber)
}

async function auditCommand({ limit = mostEntries, ...flags }: AuditFlags, io: Io): Promise<ExitCode> {
  const rows = await withClient(flags, io, (troupe) => troupe.audit({ limit }))
  const narrow = (entry: AuditEntry): string => `${timestamp(entry.at)}  ${what(entry)}`
  printListing({ rows, nothing: 'Nobody did anything yet.', columns, narrow }, flags, io)
  return exitCodes.ok
}

const columns: readonly Column<AuditEntry>[] = [
  { title: 'AT', cell: ({ at }) => timestamp(at), paint: (_entry, text, paint) => paint('dim', text) },
  { title: 'BY', cell: ({ by }) => oneLine(by ?? ''), least: 4 },
  { title: 'WHAT', cell: what, least: 20 },
]

function what({ action, target, details }: AuditEntry): string {
  const known = Object.entries(details).filter(([, value]) => value !== null)
  const told = known.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return oneLine([action, target, ...told].filter((part) => part !== '').join('  '))
}
