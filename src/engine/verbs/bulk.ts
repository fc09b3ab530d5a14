// One action on many runs: in slices, each durable on its own, so that others have their turn in between.
import { optionInvalid } from '../../model/errors.ts'
import type { RunState } from '../../model/run.ts'
import type { PickedRun } from '../../store/operating.ts'
import type { RunsWhere } from '../../store/views.ts'
import { auditRecord, checkBy, type ByOption } from './audit.ts'
import { bulkActions, type BulkAction } from './bulk-actions.ts'
import { checkChoice, checkFunction, checkKey, checkOptions, checkText } from '../checks.ts'
import type { Face } from './face.ts'
import { checkRunsWhere, knownOfWhere, runStates } from './filters.ts'

export interface BulkProgress {
  /** Runs that the filter finds and the action fits, when it began. */
  readonly matched: number
  /** Those it was done to. */
  readonly done: number
  /** Those that had changed meanwhile, and for `fork` those without the step, which `dryRun` counts too. */
  readonly skipped: number
  /** What would be done, for `dryRun` alone. */
  readonly preview?: BulkPreview
}

export interface BulkPreview {
  /** The ids of the newest ten that it would be done to. */
  readonly sample: readonly string[]
  /** What the filter finds besides, and why it would be left. */
  readonly left: readonly { readonly state: RunState; readonly runs: number; readonly why: string }[]
}

export interface BulkOptions extends ByOption {
  /** Tells what would be done, and does nothing. */
  readonly dryRun?: boolean
  /** Is told to the runs that are cancelled. */
  readonly reason?: string
  /** False lets stay what the runs did that are cancelled, as in `cancel`. */
  readonly undo?: boolean
  /** The step that forks do anew, as in `fork`. */
  readonly from?: string
  /** Lets a bulk of forks be repeated: a run is forked once under a key, and what was forked under it is left alone. */
  readonly idempotencyKey?: string
  /** Called after each slice. */
  readonly onProgress?: (progress: BulkProgress) => void
}

// One transaction: short enough that runs that end meanwhile do not feel it.
const slice = 200

const mostInSample = 10

export interface BulkOrder {
  readonly action: BulkAction
  readonly where: RunsWhere
  readonly options: BulkOptions
}

/** What `troupe.bulk` is asked to do. Throws `option_invalid`. */
export function checkBulk(action: BulkAction, where: RunsWhere, options: BulkOptions): void {
  checkChoice('The action of troupe.bulk', action, Object.keys(bulkActions))
  checkOptions('the filter of troupe.bulk', where, knownOfWhere)
  checkRunsWhere(where)
  if (Object.values(where).every((value) => value === undefined))
    throw optionInvalid('The filter of troupe.bulk', where, `at least one of ${knownOfWhere.join(', ')}`)
  const { most, why, first } = bulkActions[action]
  const unfit = first === undefined ? undefined : [where.state ?? []].flat().find((state) => !most.includes(state))
  if (unfit !== undefined) throw optionInvalid('state', unfit, `${most.join(', ')}: ${why}. ${first}`)
  checkOptions('troupe.bulk', options, ['dryRun', 'by', 'reason', 'undo', 'from', 'idempotencyKey', 'onProgress'])
  const { dryRun, by, reason, undo, from, idempotencyKey, onProgress } = options
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw optionInvalid('dryRun', dryRun, 'true or false')
  checkBy({ by })
  if (undo !== undefined && typeof undo !== 'boolean') throw optionInvalid('undo', undo, 'true or false')
  if (reason !== undefined && typeof reason !== 'string') throw optionInvalid('reason', reason, 'a text')
  if (from !== undefined) checkText('from', from, 'the path of a step')
  if (idempotencyKey !== undefined) checkKey('idempotencyKey', idempotencyKey)
  for (const [name, value] of Object.entries({ from, idempotencyKey }))
    if (value !== undefined && action !== 'fork') throw optionInvalid(name, value, `nothing: it is an option of 'fork'`)
  if (onProgress !== undefined) checkFunction('onProgress', onProgress)
}

/** count → pick a slice → do it → tell → the next, from the newest to the oldest; what starts meanwhile is left alone. */
export async function performBulk(face: Face, order: BulkOrder): Promise<BulkProgress> {
  const { action, where, options } = order
  const { dryRun = false, by, reason, undo = true, from, idempotencyKey, onProgress } = options
  const filter = filterFor(action, where)
  if (dryRun) return previewOf(face, order, filter)
  const matched = filter === undefined ? 0 : await countFitting(face, action, filter)
  let progress: BulkProgress = { matched, done: 0, skipped: 0 }
  if (filter === undefined || matched === 0) return progress
  const told = { reason: reason === '' ? undefined : reason, undo: undo ? undefined : false, from, idempotencyKey }
  const entry = { action: `bulk ${action}`, target: '', details: { ...where, ...told, matched } }
  await face.deps.store.operating.recordAudit(auditRecord('troupe.bulk', { by }, entry))
  for await (const picked of slicesOf(face, action, filter)) {
    const done = await bulkActions[action].perform(face, picked, options)
    progress = { matched, done: progress.done + done, skipped: progress.skipped + picked.length - done }
    onProgress?.(progress)
  }
  return progress
}

async function previewOf(face: Face, order: BulkOrder, filter: RunsWhere | undefined): Promise<BulkProgress> {
  const { action, where } = order
  const meant = [filter?.state ?? []].flat()
  const matched = filter === undefined ? 0 : await countFitting(face, action, filter)
  const sample: string[] = []
  if (filter !== undefined && matched > 0)
    for await (const ids of ableSlices(face, order, filter)) {
      sample.push(...ids.slice(0, mostInSample - sample.length))
      if (sample.length === mostInSample) break
    }
  const left: BulkPreview['left'][number][] = []
  let skipped = 0
  for (const state of where.state === undefined ? runStates : [where.state].flat()) {
    const found = await face.deps.store.operating.countRuns({ ...where, state })
    const unfit = bulkActions[action].fits === undefined ? 0 : found - matched
    const runs = meant.includes(state) ? unfit : found
    if (runs > 0) left.push({ state, runs, why: whyLeft(action, state) })
    const unable = meant.includes(state) ? await countUnable(face, order, { ...where, state }) : 0
    if (unable > 0) left.push({ state, runs: unable, why: bulkActions[action].whyUnable?.(order.options) ?? '' })
    skipped += unable
  }
  return { matched, done: 0, skipped, preview: { sample, left } }
}

async function countUnable(face: Face, order: BulkOrder, filter: RunsWhere): Promise<number> {
  if (bulkActions[order.action].able === undefined) return 0
  let unable = await countFitting(face, order.action, filter)
  for await (const ids of ableSlices(face, order, filter)) unable -= ids.length
  return unable
}

/** The ids of those that it can be done to. */
async function* ableSlices(
  face: Face,
  { action, options }: BulkOrder,
  filter: RunsWhere,
): AsyncGenerator<readonly string[]> {
  const { able } = bulkActions[action]
  for await (const picked of slicesOf(face, action, filter)) {
    const ids = picked.map(({ id }) => id)
    yield able === undefined ? ids : await able(face.deps.store, ids, options)
  }
}

function whyLeft(action: BulkAction, state: RunState): string {
  const { most, unlessTold, why } = bulkActions[action]
  return most.includes(state) && !unlessTold.includes(state) ? `meant only when state says '${state}'` : why
}

/** Undefined when the action fits none of the states that are asked for. */
function filterFor(action: BulkAction, where: RunsWhere): RunsWhere | undefined {
  const { most, unlessTold } = bulkActions[action]
  const state = where.state === undefined ? unlessTold : most.filter((one) => [where.state].flat().includes(one))
  return state.length === 0 ? undefined : { ...where, state }
}

async function countFitting(face: Face, action: BulkAction, filter: RunsWhere): Promise<number> {
  if (bulkActions[action].fits === undefined) return face.deps.store.operating.countRuns(filter)
  let count = 0
  for await (const picked of slicesOf(face, action, filter)) count += picked.length
  return count
}

async function* slicesOf({ deps }: Face, action: BulkAction, filter: RunsWhere): AsyncGenerator<PickedRun[]> {
  const { store, clock } = deps
  const { fits } = bulkActions[action]
  let before: number | null = null
  for (;;) {
    const picked: PickedRun[] = await store.operating.pickRuns(filter, { before, limit: slice })
    const last = picked.at(-1)
    if (last === undefined) return
    before = last.runId
    const fitting =
      fits &&
      new Set(
        await fits(
          store,
          picked.map(({ id }) => id),
        ),
      )
    const meant = fitting === undefined ? picked : picked.filter(({ id }) => fitting.has(id))
    if (meant.length > 0) yield meant
    // Others have their turn.
    await new Promise<void>((resolve) => clock.soon(resolve))
  }
}
