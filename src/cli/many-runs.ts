// Commands that do something to runs by their ids, or to all that a filter finds.
import type { BulkAction, BulkOptions, BulkProgress } from '../engine/bulk.ts'
import type { ByOption } from '../engine/audit.ts'
import type { Troupe } from '../troupe.ts'
import type { CommonFlags } from './config.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { findRun } from './find-run.ts'
import type { Io } from './io.ts'
import { whereRuns, type WhereFlags } from './state-words.ts'
import { withClient } from './store-client.ts'
import { usage } from './usage.ts'
import { toJson } from './values.ts'
import { whoDoes, type ByFlags } from './who.ts'

export interface ManyFlags extends CommonFlags, WhereFlags, ByFlags {
  readonly dryRun?: boolean
}

/** What is done, and how it is told. */
export interface Doing {
  readonly action: BulkAction
  one(troupe: Troupe, id: string, who: ByOption): Promise<unknown>
  /** For what a filter finds. */
  readonly options?: BulkOptions
  /** As in `1 run would be …`. */
  readonly would: string
  /** As in `1 run is …`. */
  readonly done: string
  readonly nothing: string
  /** Why some were left, as in `2 runs …`. */
  readonly skipped?: string
  readonly seeFirst: string
}

/** Which runs. */
export interface Asked {
  readonly ids: readonly string[]
  readonly flags: ManyFlags
}

export async function doToMany(doing: Doing, { ids, flags }: Asked, io: Io): Promise<ExitCode> {
  const isFiltered = Object.keys(whereRuns(flags)).length > 0
  if (ids.length > 0 && isFiltered) throw usage('Give ids or a filter, not both.')
  if (ids.length > 0 && flags.dryRun === true) throw usage('--dry-run goes with a filter, as in --fingerprint.')
  if (ids.length === 0 && !isFiltered)
    throw usage(`Give the ids of runs, or a filter: --fingerprint, --name, --state, --code or --tag. ${doing.seeFirst}`)
  const told = await withClient(flags, io, (troupe) =>
    ids.length > 0 ? doToEach(doing, troupe, { ids, flags }) : doToAll(doing, troupe, flags),
  )
  if (flags.json === true) io.stdout.write(`${toJson(told)}\n`)
  else io.stderr.write(`${wordsFor(doing, told, flags)}\n`)
  return exitCodes.ok
}

type Told = Pick<BulkProgress, 'matched' | 'done' | 'skipped' | 'preview'>

async function doToEach(doing: Doing, troupe: Troupe, { ids, flags }: Asked): Promise<Told> {
  // All are looked up before the first is touched.
  const runs = await Promise.all(ids.map((id) => findRun(troupe, id)))
  for (const { id } of runs) await doing.one(troupe, id, whoDoes(flags))
  return { matched: runs.length, done: runs.length, skipped: 0 }
}

function doToAll({ action, options }: Doing, troupe: Troupe, flags: ManyFlags): Promise<Told> {
  return troupe.bulk(action, whereRuns(flags), { ...options, dryRun: flags.dryRun === true, ...whoDoes(flags) })
}

function wordsFor(
  { would, done: isDone, nothing, skipped: why = 'had changed meanwhile' }: Doing,
  told: Told,
  { dryRun }: ManyFlags,
): string {
  const { matched, done, skipped } = told
  if (dryRun === true) return [`${counted(matched)} would be ${would}.`, ...previewLines(told)].join('\n')
  if (matched === 0) return nothing
  const rest = skipped === 0 ? '' : ` ${counted(skipped)} ${why}.`
  return `${counted(done)} ${done === 1 ? 'is' : 'are'} ${isDone}.${rest}`
}

/** What it would be done to, and what would be left. */
function previewLines({ matched, preview }: Told): string[] {
  if (preview === undefined) return []
  const { sample, left } = preview
  const more = matched - sample.length
  const others = more > 0 ? [`  and ${more.toLocaleString('en')} more`] : []
  const rest = left.map(({ state, runs, why }) => `${counted(runs)} in state ${state} would be left: ${why}.`)
  return [...sample.map((id) => `  ${id}`), ...others, ...rest]
}

function counted(runs: number): string {
  return runs === 1 ? '1 run' : `${runs.toLocaleString('en')} runs`
}
