// One action on many runs: in slices, each a transaction of its own, so that others have their turn in between.
import { optionInvalid, runCancelled } from '../model/errors.ts'
import { generationMoves, runMoves, runOutcomes, type RunState } from '../model/run.ts'
import type { PickedRun } from '../store/operating.ts'
import type { Store } from '../store/store.ts'
import type { RunsWhere } from '../store/views.ts'
import { checkBy, type ByOption } from './audit.ts'
import type { CancelOrder } from './cancel-order.ts'
import { checkChoice, checkFunction, checkOptions } from './checks.ts'
import { errorText } from './error-text.ts'
import { checkRunsWhere, knownOfWhere } from './filters.ts'
import { RequestWrite } from './request-write.ts'

export type BulkAction = 'retry' | 'cancel' | 'delete'

const bulkActions: readonly BulkAction[] = ['retry', 'cancel', 'delete']

export interface BulkProgress {
  /** Runs that the filter finds and the action fits, when it began. */
  readonly matched: number
  /** Those it was done to. */
  readonly done: number
  /** Those that had changed meanwhile. */
  readonly skipped: number
}

export interface BulkOptions extends ByOption {
  /** Counts what would be done, and does nothing. */
  readonly dryRun?: boolean
  /** Is told to the runs that are cancelled. */
  readonly reason?: string
  /** False lets stay what the runs did that are cancelled, as in `cancel`. */
  readonly undo?: boolean
  /** Called after each slice. */
  readonly onProgress?: (progress: BulkProgress) => void
}

// One transaction: short enough that runs that end meanwhile do not feel it.
const slice = 200

/** The states in which an action fits; a retry of what was cancelled has to be asked for. */
const fitting: Readonly<
  Record<BulkAction, { readonly most: readonly RunState[]; readonly unlessTold: readonly RunState[] }>
> = {
  retry: { most: generationMoves.again.from, unlessTold: ['failed'] },
  cancel: { most: runMoves.cancel.from, unlessTold: runMoves.cancel.from },
  delete: { most: runOutcomes, unlessTold: runOutcomes },
}

/** What a bulk action needs of the engine. */
export interface BulkOwner {
  readonly store: Store
  cancel(write: RequestWrite<'cancels'>): Promise<void>
  /** Runs have become ready, or were asked to end; one that is given is ready again. */
  hint(id?: string): void
  /** Lets others have their turn. */
  turn(): Promise<void>
}

export interface BulkOrder {
  readonly action: BulkAction
  readonly where: RunsWhere
  readonly options: BulkOptions
}

/** What `troupe.bulk` is asked to do. Throws `option_invalid`. */
export function checkBulk(action: string, where: RunsWhere, options: BulkOptions): void {
  checkChoice('The action of troupe.bulk', action, bulkActions)
  checkOptions('the filter of troupe.bulk', where, knownOfWhere)
  checkRunsWhere(where)
  if (Object.values(where).every((value) => value === undefined))
    throw optionInvalid('The filter of troupe.bulk', where, `at least one of ${knownOfWhere.join(', ')}`)
  const unended = action === 'delete' && [where.state ?? []].flat().find((state) => !isOutcome(state))
  if (typeof unended === 'string')
    throw optionInvalid('state', unended, `${runOutcomes.join(', ')}: only what has ended is deleted. Cancel it first`)
  checkOptions('troupe.bulk', options, ['dryRun', 'by', 'reason', 'undo', 'onProgress'])
  const { dryRun, by, reason, undo, onProgress } = options
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw optionInvalid('dryRun', dryRun, 'true or false')
  checkBy({ by })
  if (undo !== undefined && typeof undo !== 'boolean') throw optionInvalid('undo', undo, 'true or false')
  if (reason !== undefined && typeof reason !== 'string') throw optionInvalid('reason', reason, 'a text')
  if (onProgress !== undefined) checkFunction('onProgress', onProgress)
}

/** count → pick a slice → do it → tell → the next, from the newest to the oldest; what starts meanwhile is left alone. */
export async function performBulk(owner: BulkOwner, { action, where, options }: BulkOrder): Promise<BulkProgress> {
  const { store } = owner
  const { dryRun = false, by, reason = '', undo = true, onProgress } = options
  const filter = filterFor(action, where)
  const matched = filter === undefined ? 0 : await store.countRuns(filter)
  let progress: BulkProgress = { matched, done: 0, skipped: 0 }
  if (dryRun || filter === undefined || matched === 0) return progress
  const details = JSON.stringify({ ...where, ...(reason !== '' && { reason }), ...(!undo && { undo }), matched })
  await store.recordAudit({ actor: by ?? null, action: `bulk ${action}`, target: '', details })
  for (let before: number | null = null; ;) {
    const picked: PickedRun[] = await store.pickRuns(filter, { before, limit: slice })
    const last = picked.at(-1)
    if (last === undefined) return progress
    before = last.runId
    const done = await perform[action](owner, picked, { reason, skipsUndo: !undo })
    if (action !== 'delete') owner.hint()
    progress = { matched, done: progress.done + done, skipped: progress.skipped + picked.length - done }
    onProgress?.(progress)
    await owner.turn()
  }
}

/** Undefined when the action fits none of the states that are asked for. */
function filterFor(action: BulkAction, where: RunsWhere): RunsWhere | undefined {
  const { most, unlessTold } = fitting[action]
  const state = where.state === undefined ? unlessTold : most.filter((one) => [where.state].flat().includes(one))
  return state.length === 0 ? undefined : { ...where, state }
}

/** Each tells how many it was done to. */
const perform: Readonly<
  Record<BulkAction, (owner: BulkOwner, picked: readonly PickedRun[], order: CancelOrder) => Promise<number>>
> = { retry: retryAll, cancel: cancelAll, delete: deleteAll }

async function deleteAll({ store }: BulkOwner, picked: readonly PickedRun[]): Promise<number> {
  const ids = picked.map(({ id }) => id)
  return (await store.deleteRuns(ids, undefined)).filter((answer) => answer === 'deleted').length
}

async function retryAll({ store, hint }: BulkOwner, picked: readonly PickedRun[]): Promise<number> {
  const ids = picked.map(({ id }) => id)
  const answers = await store.reopenRuns(ids, undefined)
  const reopened = ids.filter((_id, place) => answers[place] === 'reopened')
  reopened.forEach((id) => hint(id))
  return reopened.length
}

/** Does not wait for those that are running: they end when they have heard of it. */
async function cancelAll(
  owner: BulkOwner,
  picked: readonly PickedRun[],
  { reason, skipsUndo }: CancelOrder,
): Promise<number> {
  const answers = picked.map(async ({ id, name }) => {
    const value = errorText(runCancelled(name, id, reason))
    const write = new RequestWrite('cancels', { id, reason, value, skipsUndo })
    await owner.cancel(write)
    return write.answer
  })
  return (await Promise.all(answers)).filter((answer) => answer === 'cancelled' || answer === 'asked').length
}

function isOutcome(state: RunState): boolean {
  return runOutcomes.some((outcome) => outcome === state)
}
