// What can be done to many runs: in which states each action fits a run, and how it is done to a slice of them.
import { generationMoves, runMoves, runOutcomes, type RunState } from '../../model/run.ts'
import type { PickedRun } from '../../store/operating.ts'
import type { Store } from '../../store/store.ts'
import type { BulkOptions } from './bulk.ts'
import { bringCancel } from '../activation/cancel-order.ts'
import type { Face } from './face.ts'
import { runStates } from './filters.ts'

export type BulkAction = 'retry' | 'cancel' | 'delete' | 'fork' | 'resume'

interface Doing {
  /** The states in which the action fits. */
  readonly most: readonly RunState[]
  /** Those that are meant when the filter says nothing of states. */
  readonly unlessTold: readonly RunState[]
  /** Why it does not fit the others. */
  readonly why: string
  /** What to do first where a filter asks for one of the others; they are left without a word unless there is one. */
  readonly first?: string
  /** Of runs in those states the ones that it fits, where no filter says which. */
  fits?(store: Store, ids: readonly string[]): Promise<string[]>
  /** Of runs that it fits the ones it can be done to; the others are skipped. */
  able?(store: Store, ids: readonly string[], options: BulkOptions): Promise<readonly string[]>
  /** Why it cannot be done to the others. */
  whyUnable?(options: BulkOptions): string
  /** Tells to how many it was done. */
  perform(face: Face, picked: readonly PickedRun[], options: BulkOptions): Promise<number>
}

export const bulkActions: Readonly<Record<BulkAction, Doing>> = {
  retry: {
    most: generationMoves.again.from,
    unlessTold: ['failed'],
    why: 'only what failed or was cancelled is tried again',
    perform: retryAll,
  },
  cancel: {
    most: runMoves.cancel.from,
    unlessTold: runMoves.cancel.from,
    why: 'it has ended',
    perform: cancelAll,
  },
  delete: {
    most: runOutcomes,
    unlessTold: runOutcomes,
    why: 'only what has ended is deleted',
    first: 'Cancel it first',
    perform: deleteAll,
  },
  fork: {
    most: runStates,
    unlessTold: ['failed'],
    why: '',
    able: async (store, ids, { from }) => (from === undefined ? ids : store.operating.listForkable(ids, from)),
    whyUnable: ({ from = '' }) => `it has no step '${from}'`,
    perform: forkAll,
  },
  resume: {
    most: ['parked'],
    unlessTold: ['parked'],
    why: 'only what was set aside is resumed',
    fits: (store, ids) => store.operating.listSetAside(ids),
    perform: wakeAll,
  },
}

async function retryAll({ deps, engine }: Face, picked: readonly PickedRun[]): Promise<number> {
  const ids = idsOf(picked)
  const told = await deps.store.operating.reopenRuns(ids, undefined)
  const reopened = ids.filter((_id, place) => told[place] === 'reopened')
  reopened.forEach((id) => engine.hints.ready(id))
  return reopened.length
}

/** Does not wait for those that are running: they end when they have heard of it. */
async function cancelAll(
  face: Face,
  picked: readonly PickedRun[],
  { reason = '', undo = true }: BulkOptions,
): Promise<number> {
  const told = await Promise.all(picked.map((run) => bringCancel(face, run, { reason, skipsUndo: !undo })))
  face.engine.hints.ready()
  return told.filter((answer) => answer === 'cancelled' || answer === 'asked').length
}

async function deleteAll({ deps }: Face, picked: readonly PickedRun[]): Promise<number> {
  return countOf(await deps.store.operating.deleteRuns(idsOf(picked), undefined), 'deleted')
}

async function forkAll(
  { deps, engine }: Face,
  picked: readonly PickedRun[],
  { from, idempotencyKey: text }: BulkOptions,
): Promise<number> {
  // What is done again after a crash may find what it made itself.
  const key = text === undefined ? undefined : { text, leavesOwn: true }
  let done = 0
  for (const run of picked) {
    const id = deps.ids.uuid()
    const order = { from: run.id, id, step: from ?? null, input: null, key }
    if ((await deps.store.operating.forkRun(order, undefined)) !== 'forked') continue
    engine.hints.ready(id)
    done += 1
  }
  return done
}

async function wakeAll({ deps, engine }: Face, picked: readonly PickedRun[]): Promise<number> {
  const woken = countOf(await deps.store.operating.wakeRunsSetAside(idsOf(picked), undefined), 'woken')
  engine.hints.ready()
  return woken
}

function idsOf(picked: readonly PickedRun[]): string[] {
  return picked.map(({ id }) => id)
}

function countOf(told: readonly string[], done: string): number {
  return told.filter((answer) => answer === done).length
}
