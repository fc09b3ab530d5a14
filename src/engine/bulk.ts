// One action on many runs: in slices, each durable on its own, so that others have their turn in between.
import { optionInvalid, runCancelled } from '../model/errors.ts'
import { generationMoves, runMoves, runOutcomes, type RunState } from '../model/run.ts'
import type { PickedRun } from '../store/operating.ts'
import type { Store } from '../store/store.ts'
import type { RunsWhere } from '../store/views.ts'
import { checkBy, type ByOption } from './audit.ts'
import { checkChoice, checkFunction, checkOptions, checkText } from './checks.ts'
import { errorText } from './error-text.ts'
import { checkRunsWhere, knownOfWhere, runStates } from './filters.ts'
import { RequestWrite } from './request-write.ts'

export type BulkAction = 'retry' | 'cancel' | 'delete' | 'fork' | 'resume'

const bulkActions: readonly BulkAction[] = ['retry', 'cancel', 'delete', 'fork', 'resume']

export interface BulkProgress {
  /** Runs that the filter finds and the action fits, when it began. */
  readonly matched: number
  /** Those it was done to. */
  readonly done: number
  /** Those that had changed meanwhile, and for `fork` those without the step. */
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
  /** Called after each slice. */
  readonly onProgress?: (progress: BulkProgress) => void
}

// One transaction: short enough that runs that end meanwhile do not feel it.
const slice = 200

const mostInSample = 10

interface Fitting {
  /** The states in which the action fits. */
  readonly most: readonly RunState[]
  /** Those that are meant when the filter says nothing of states. */
  readonly unlessTold: readonly RunState[]
  /** Why it does not fit the others. */
  readonly why: string
}

const fitting: Readonly<Record<BulkAction, Fitting>> = {
  retry: {
    most: generationMoves.again.from,
    unlessTold: ['failed'],
    why: 'only what failed or was cancelled is tried again',
  },
  cancel: { most: runMoves.cancel.from, unlessTold: runMoves.cancel.from, why: 'it has ended' },
  delete: { most: runOutcomes, unlessTold: runOutcomes, why: 'only what has ended is deleted' },
  fork: { most: runStates, unlessTold: ['failed'], why: '' },
  resume: { most: ['parked'], unlessTold: ['parked'], why: 'only what was set aside is resumed' },
}

/** What a bulk action needs of the engine. */
export interface BulkOwner {
  readonly store: Store
  uuid(): string
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
  checkOptions('troupe.bulk', options, ['dryRun', 'by', 'reason', 'undo', 'from', 'onProgress'])
  const { dryRun, by, reason, undo, from, onProgress } = options
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw optionInvalid('dryRun', dryRun, 'true or false')
  checkBy({ by })
  if (undo !== undefined && typeof undo !== 'boolean') throw optionInvalid('undo', undo, 'true or false')
  if (reason !== undefined && typeof reason !== 'string') throw optionInvalid('reason', reason, 'a text')
  if (from !== undefined) checkText('from', from, 'the path of a step')
  if (from !== undefined && action !== 'fork') throw optionInvalid('from', from, `nothing: it is an option of 'fork'`)
  if (onProgress !== undefined) checkFunction('onProgress', onProgress)
}

/** count → pick a slice → do it → tell → the next, from the newest to the oldest; what starts meanwhile is left alone. */
export async function performBulk(owner: BulkOwner, order: BulkOrder): Promise<BulkProgress> {
  const { action, where, options } = order
  const { dryRun = false, by, reason = '', undo = true, from, onProgress } = options
  const filter = filterFor(action, where)
  if (dryRun) return previewOf(owner, order, filter)
  const matched = filter === undefined ? 0 : await countFitting(owner, action, filter)
  let progress: BulkProgress = { matched, done: 0, skipped: 0 }
  if (filter === undefined || matched === 0) return progress
  const told = { ...(reason !== '' && { reason }), ...(!undo && { undo }), ...(from !== undefined && { from }) }
  const details = JSON.stringify({ ...where, ...told, matched })
  await owner.store.recordAudit({ actor: by ?? null, action: `bulk ${action}`, target: '', details })
  for await (const picked of slicesOf(owner, action, filter)) {
    const done = await perform[action](owner, picked, options)
    if (action !== 'delete') owner.hint()
    progress = { matched, done: progress.done + done, skipped: progress.skipped + picked.length - done }
    onProgress?.(progress)
  }
  return progress
}

async function previewOf(
  owner: BulkOwner,
  { action, where }: BulkOrder,
  filter: RunsWhere | undefined,
): Promise<BulkProgress> {
  const { store } = owner
  const meant = [filter?.state ?? []].flat()
  const matched = filter === undefined ? 0 : await countFitting(owner, action, filter)
  const sample: string[] = []
  if (filter !== undefined && matched > 0)
    for await (const picked of slicesOf(owner, action, filter)) {
      sample.push(...picked.slice(0, mostInSample - sample.length).map(({ id }) => id))
      if (sample.length === mostInSample) break
    }
  const left: BulkPreview['left'][number][] = []
  for (const state of where.state === undefined ? runStates : [where.state].flat()) {
    const found = await store.countRuns({ ...where, state })
    const runs = meant.includes(state) ? (action === 'resume' ? found - matched : 0) : found
    if (runs > 0) left.push({ state, runs, why: whyLeft(action, state) })
  }
  return { matched, done: 0, skipped: 0, preview: { sample, left } }
}

function whyLeft(action: BulkAction, state: RunState): string {
  const { most, unlessTold, why } = fitting[action]
  return most.includes(state) && !unlessTold.includes(state) ? `meant only when state says '${state}'` : why
}

/** Undefined when the action fits none of the states that are asked for. */
function filterFor(action: BulkAction, where: RunsWhere): RunsWhere | undefined {
  const { most, unlessTold } = fitting[action]
  const state = where.state === undefined ? unlessTold : most.filter((one) => [where.state].flat().includes(one))
  return state.length === 0 ? undefined : { ...where, state }
}

/** Which runs were set aside no filter says. */
async function countFitting(owner: BulkOwner, action: BulkAction, filter: RunsWhere): Promise<number> {
  if (action !== 'resume') return owner.store.countRuns(filter)
  let count = 0
  for await (const picked of slicesOf(owner, action, filter)) count += picked.length
  return count
}

async function* slicesOf(
  { store, turn }: BulkOwner,
  action: BulkAction,
  filter: RunsWhere,
): AsyncGenerator<PickedRun[]> {
  for (let before: number | null = null; ; await turn()) {
    const picked: PickedRun[] = await store.pickRuns(filter, { before, limit: slice })
    const last = picked.at(-1)
    if (last === undefined) return
    before = last.runId
    if (action !== 'resume') yield picked
    else {
      const aside = new Set(await store.interventions.listSetAside(picked.map(({ id }) => id)))
      if (aside.size > 0) yield picked.filter(({ id }) => aside.has(id))
    }
  }
}

type Perform = (owner: BulkOwner, picked: readonly PickedRun[], options: BulkOptions) => Promise<number>

/** Each tells how many it was done to. */
const perform: Readonly<Record<BulkAction, Perform>> = {
  retry: retryAll,
  cancel: cancelAll,
  delete: deleteAll,
  fork: forkAll,
  resume: resumeAll,
}

async function deleteAll({ store }: BulkOwner, picked: readonly PickedRun[]): Promise<number> {
  return countOf(await store.deleteRuns(idsOf(picked), undefined), 'deleted')
}

async function retryAll({ store, hint }: BulkOwner, picked: readonly PickedRun[]): Promise<number> {
  const ids = idsOf(picked)
  const answers = await store.reopenRuns(ids, undefined)
  const reopened = ids.filter((_id, place) => answers[place] === 'reopened')
  reopened.forEach((id) => hint(id))
  return reopened.length
}

async function resumeAll({ store }: BulkOwner, picked: readonly PickedRun[]): Promise<number> {
  return countOf(await store.interventions.resume(idsOf(picked), undefined), 'resumed')
}

async function forkAll(
  { store, uuid, hint }: BulkOwner,
  picked: readonly PickedRun[],
  { from }: BulkOptions,
): Promise<number> {
  let done = 0
  for (const run of picked) {
    const id = uuid()
    const told = await store.interventions.fork({ from: run.id, id, step: from ?? null, input: null }, undefined)
    if (told !== 'forked') continue
    hint(id)
    done += 1
  }
  return done
}

/** Does not wait for those that are running: they end when they have heard of it. */
async function cancelAll(
  owner: BulkOwner,
  picked: readonly PickedRun[],
  { reason = '', undo = true }: BulkOptions,
): Promise<number> {
  const answers = picked.map(async ({ id, name }) => {
    const value = errorText(runCancelled(name, id, reason))
    const write = new RequestWrite('cancels', { id, reason, value, skipsUndo: !undo })
    await owner.cancel(write)
    return write.answer
  })
  return (await Promise.all(answers)).filter((answer) => answer === 'cancelled' || answer === 'asked').length
}

function idsOf(picked: readonly PickedRun[]): string[] {
  return picked.map(({ id }) => id)
}

function countOf(answers: readonly string[], done: string): number {
  return answers.filter((answer) => answer === done).length
}

function isOutcome(state: RunState): boolean {
  return runOutcomes.some((outcome) => outcome === state)
}
