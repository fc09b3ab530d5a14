// `troupe templates`: the templates that a store keeps.
import { isTroupeError, TroupeError } from '../../lib/errors.ts'
import type { TemplateStatus } from '../../template/keeper/template-verbs.ts'
import { shortHash } from '../../template/model/title.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { oneLine } from '../paint.ts'
import { withClient } from '../store-client.ts'
import type { Column } from '../table.ts'
import { age } from '../times.ts'

export async function listCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const rows = await withClient(flags, io, (troupe) => troupe.templates()).catch(tellOfFiles)
  const nothing = 'No templates yet: the first process that registers one keeps it.'
  const problems = rows.flatMap(({ problem }) => problem ?? [])
  const hint = problems.length === 0 ? undefined : problems.join('\n')
  printListing({ rows, nothing, columns: columnsFor(io.clock.now()), narrow, hint }, flags, io)
  return exitCodes.ok
}

/** Who has no store yet is here for the files, as a rule. */
function tellOfFiles(error: unknown): never {
  if (!isTroupeError(error, 'store_unavailable')) throw error
  const message = `${error.message}\nFiles need no store: troupe templates validate`
  throw new TroupeError(error.code, message, { cause: error, details: error.details })
}

function columnsFor(now: number): Column<TemplateStatus>[] {
  return [
    { title: 'NAME', cell: ({ name }) => oneLine(name), least: 8, cutAt: 'middle' },
    { title: 'VERSION', cell: ({ version }) => oneLine(version), least: 7 },
    { title: 'HASH', cell: ({ hash }) => shortHash(hash) },
    { title: 'STEPS', cell: ({ steps }) => String(steps ?? 'damaged'), align: 'right' },
    { title: 'UNFINISHED', cell: ({ runs }) => String(runs), align: 'right' },
    { title: 'KEPT', cell: ({ keptAt }) => age(keptAt, now), align: 'right' },
    {
      title: '',
      cell: ({ isNamed }) => (isNamed ? 'by name' : ''),
      paint: (_template, text, paint) => paint('green', text),
    },
  ]
}

function narrow({ name, version, hash, runs }: TemplateStatus): string {
  return `${oneLine(name)} ${oneLine(version)}  ${shortHash(hash)}  ${runs} unfinished`
}
