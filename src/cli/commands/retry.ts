// `troupe retry`: tries runs again that failed or were cancelled, by their ids or by what they have in common.
import type { ByOption, RunsWhere } from '../../engine/options.ts'
import type { BulkProgress } from '../../engine/bulk.ts'
import type { Troupe } from '../../troupe.ts'
import { addCommand, addWhere, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { findRun } from '../find-run.ts'
import type { Io } from '../io.ts'
import { whereRuns, type WhereFlags } from '../state-words.ts'
import { withClient } from '../store-client.ts'
import { usage } from '../usage.ts'
import { toJson } from '../values.ts'
import { addBy, whoDoes, type ByFlags } from '../who.ts'

interface RetryFlags extends CommonFlags, WhereFlags, ByFlags {
  readonly dryRun?: boolean
}

export function addRetry(shell: Shell): void {
  const command = addCommand<RetryFlags>(shell, {
    name: 'retry',
    takes: '[ID...]',
    summary: 'try runs again that failed or were cancelled',
    description:
      'Tries runs again by their ids, or all that a filter finds: those that failed, unless --state says cancelled. A workflow remembers the steps that succeeded.',
    help,
    perform: (flags, ids, io) => retryCommand(ids, flags, io),
  })
  addBy(addWhere(command))
    .argument('[id...]', 'their ids, or at least the first 8 characters of each')
    .option('--dry-run', 'only count what the filter finds')
}

const help = `Examples:
  troupe retry 0197f3a2-5c1e
  troupe dead                          see what failed, by reason
  troupe retry --fingerprint 9f2c1d07aa31b4e6 --dry-run
  troupe retry --name order --state timed-out`

async function retryCommand(ids: readonly string[], flags: RetryFlags, io: Io): Promise<ExitCode> {
  const where = whereRuns(flags)
  const isFiltered = Object.keys(where).length > 0
  if (ids.length > 0 && isFiltered) throw usage('Give ids or a filter, not both.')
  if (ids.length > 0 && flags.dryRun === true) throw usage('--dry-run goes with a filter, as in --fingerprint.')
  if (ids.length === 0 && !isFiltered)
    throw usage(
      'Give the ids of runs, or a filter: --fingerprint, --name, --state, --code or --tag. See what failed: troupe dead',
    )
  const who = whoDoes(flags)
  const told = await withClient(flags, io, (troupe) =>
    ids.length > 0 ? retryEach(troupe, ids, who) : retryAll(troupe, where, { ...flags, ...who }),
  )
  if (flags.json === true) io.stdout.write(`${toJson(told)}\n`)
  else io.stderr.write(`${wordsFor(told, flags)}\n`)
  return exitCodes.ok
}

type Told = Pick<BulkProgress, 'matched' | 'done' | 'skipped'>

async function retryEach(troupe: Troupe, ids: readonly string[], who: ByOption): Promise<Told> {
  // All are looked up before the first is touched.
  const runs = await Promise.all(ids.map((id) => findRun(troupe, id)))
  for (const { id } of runs) await troupe.retry(id, who)
  return { matched: runs.length, done: runs.length, skipped: 0 }
}

function retryAll(troupe: Troupe, where: RunsWhere, { dryRun, by }: RetryFlags): Promise<Told> {
  return troupe.bulk('retry', where, { ...(dryRun !== undefined && { dryRun }), ...(by !== undefined && { by }) })
}

function wordsFor({ matched, done, skipped }: Told, { dryRun }: RetryFlags): string {
  if (dryRun === true) return `${counted(matched)} would be tried again.`
  if (matched === 0) return 'Nothing to try again. See what failed: troupe dead'
  const rest = skipped === 0 ? '' : ` ${counted(skipped)} had changed meanwhile.`
  return `${counted(done)} ${done === 1 ? 'is' : 'are'} ready to be tried again.${rest}`
}

function counted(runs: number): string {
  return runs === 1 ? '1 run' : `${runs.toLocaleString('en')} runs`
}
