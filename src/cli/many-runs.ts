// Commands that do something to runs by their ids, or to all that a filter finds.
import type { BulkAction } from '../engine/verbs/bulk-actions.ts'
import type { BulkOptions, BulkProgress } from '../engine/verbs/bulk.ts'
import type { WhyOption } from '../engine/verbs/audit.ts'
import { counted } from '../lib/text.ts'
import type { Troupe } from '../troupe.ts'
import type { CommonFlags } from './config.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { findRun } from './find-run.ts'
import type { Io } from './io.ts'
import { whereRuns, type WhereFlags } from './state-words.ts'
import { withClient } from './store-client.ts'
import { usage } from './usage.ts'
import { toJson } from './values.ts'
import { whyDone, type WhyFlags } from './who.ts'

export interface ManyFlags extends CommonFlags, WhereFlags, WhyFlags {
  readonly dryRun?: boolean
}

/** What is done to all that a filter finds, and how it is told. */
export interface DoingToAll {
  readonly action: BulkAction
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

/** The same to runs by their ids, one after the other. */
export interface Doing extends DoingToAll {
  one(troupe: Troupe, id: string, who: WhyOption): Promise<unknown>
}

/** Which runs. */
export interface Asked {
  readonly ids: readonly string[]
  readonly flags: ManyFlags
}

export async function doToMany(doing: Doing, { ids, flags }: Asked, io: Io): Promise<ExitCode> {
  if (ids.length === 0) return doToAll(doing, flags, io)
  if (isFiltered(flags)) throw usage('Give ids or a filter, not both.')
  if (flags.dryRun === true) throw usage('--dry-run goes with a filter, as in --fingerprint.')
  const told = await withClient(flags, io, (troupe) => doToEach(doing, troupe, { ids, flags }))
  return tellOf(doing, { flags, told }, io)
}

export async function doToAll(doing: DoingToAll, flags: ManyFlags, io: Io): Promise<ExitCode> {
  if (!isFiltered(flags))
    throw usage(`Give the ids of runs, or a filter: --fingerprint, --name, --state, --code or --tag. ${doing.seeFirst}`)
  const { action } = doing
  const options = { ...doing.options, dryRun: flags.dryRun === true, ...whyDone(flags) }
  const told = await withClient(flags, io, (troupe) => troupe.bulk(action, whereRuns(flags), options))
  return tellOf(doing, { flags, told }, io)
}

function isFiltered(flags: ManyFlags): boolean {
  return Object.keys(whereRuns(flags)).length > 0
}

function tellOf(
  doing: DoingToAll,
  { flags, told }: { readonly flags: ManyFlags; readonly told: Told },
  io: Io,
): ExitCode {
  if (flags.json === true) io.stdout.write(`${toJson(told)}\n`)
  else io.stderr.write(`${wordsFor(doing, told, flags)}\n`)
  return exitCodes.ok
}

type Told = Pick<BulkProgress, 'matched' | 'done' | 'skipped' | 'preview'>

async function doToEach(doing: Doing, troupe: Troupe, { ids, flags }: Asked): Promise<Told> {
  // All are looked up before the first is touched.
  const runs = await Promise.all(ids.map((id) => findRun(troupe, id)))
  for (const { id } of runs) await doing.one(troupe, id, whyDone(flags))
  return { matched: runs.length, done: runs.length, skipped: 0 }
}

function wordsFor(
  { would, done: isDone, nothing, skipped: why = 'had changed meanwhile' }: DoingToAll,
  told: Told,
  { dryRun }: ManyFlags,
): string {
  const { matched, done, skipped } = told
  if (dryRun === true)
    return [`${counted(matched - skipped, 'run')} would be ${would}.`, ...previewLines(told)].join('\n')
  if (matched === 0) return nothing
  const rest = skipped === 0 ? '' : ` ${counted(skipped, 'run')} ${why}.`
  return `${counted(done, 'run')} ${done === 1 ? 'is' : 'are'} ${isDone}.${rest}`
}

/** What it would be done to, and what would be left. */
function previewLines({ matched, skipped, preview }: Told): string[] {
  if (preview === undefined) return []
  const { sample, left } = preview
  const more = matched - skipped - sample.length
  const others = more > 0 ? [`  and ${more.toLocaleString('en')} more`] : []
  const rest = left.map(({ state, runs, why }) => `${counted(runs, 'run')} in state ${state} would be left: ${why}.`)
  return [...sample.map((id) => `  ${id}`), ...others, ...rest]
}
