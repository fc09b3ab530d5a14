// What the workers of decisions and of steps that make batches give: small helpers, each of which makes one form of it.
import { checkOptions, checkWhole } from '../engine/checks.ts'

/** The part of all items that one batch is for. */
export interface BatchCursor {
  /** `001` and so on. */
  readonly id: string
  /** The first item of it; the first of all is 0. */
  readonly start: number
  /** The first item after it. */
  readonly end: number
  readonly size: number
}

/** What a step of type `batchable` gives. */
export interface Batches<Cursor = BatchCursor> {
  readonly batches: readonly Cursor[]
  readonly total: number
  /** Why there are none. */
  readonly reason?: string
}

/** What a step of type `decision` gives. */
export interface Branches {
  readonly branches: readonly string[]
  /** Why there are none. */
  readonly reason?: string
}

/**
 * Divides so many items among workers as evenly as can be, or into batches of a size; none where there are no items. A cursor is from `start` up to and without `end`.
 *
 * Throws: `option_invalid`.
 *
 * ```ts
 * import { batchesOf } from 'troupe'
 * console.log(batchesOf(10, { workers: 3 }).batches.map(({ id, start, end }) => [id, start, end])) // [ [ '001', 0, 4 ], [ '002', 4, 7 ], [ '003', 7, 10 ] ]
 * console.log(batchesOf(10, { size: 4 }).batches.map(({ size }) => size)) // [ 4, 4, 2 ]
 * ```
 */
export function batchesOf(
  total: number,
  how: { readonly workers: number } | { readonly size: number },
): Batches<BatchCursor> {
  checkOptions('batchesOf', how, ['workers', 'size'])
  checkWhole('The number of items', total, 0)
  const ends = 'size' in how ? endsOfSize(total, how.size) : endsOfWorkers(total, how.workers)
  return { batches: ends.map((end, index) => cursorOf(index, ends[index - 1] ?? 0, end)), total }
}

/**
 * That there is nothing to do: the steps after the batches are done, with none.
 *
 * ```ts
 * import { noBatches } from 'troupe'
 * console.log(noBatches('the file is empty')) // { batches: [], total: 0, reason: 'the file is empty' }
 * ```
 */
export function noBatches(reason?: string): Batches<never> {
  return { batches: [], total: 0, ...(reason !== undefined && { reason }) }
}

/**
 * The steps that a decision chooses of those after it.
 *
 * ```ts
 * import { branches } from 'troupe'
 * console.log(branches('approve', 'notify')) // { branches: [ 'approve', 'notify' ] }
 * ```
 */
export function branches(...steps: readonly string[]): Branches {
  return { branches: steps }
}

/**
 * That a decision chooses none of the steps after it.
 *
 * ```ts
 * import { noBranches } from 'troupe'
 * console.log(noBranches('nothing to approve')) // { branches: [], reason: 'nothing to approve' }
 * ```
 */
export function noBranches(reason?: string): Branches {
  return { branches: [], ...(reason !== undefined && { reason }) }
}

function endsOfSize(total: number, size: number): number[] {
  checkWhole('size', size, 1)
  return Array.from({ length: Math.ceil(total / size) }, (_, index) => Math.min((index + 1) * size, total))
}

/** The first of them have one item more where it does not come out even. */
function endsOfWorkers(total: number, workers: number): number[] {
  checkWhole('workers', workers, 1)
  const count = Math.min(workers, total)
  const least = Math.floor(total / Math.max(count, 1))
  const larger = total - least * count
  return Array.from({ length: count }, (_, index) => least * (index + 1) + Math.min(index + 1, larger))
}

function cursorOf(index: number, start: number, end: number): BatchCursor {
  return { id: String(index + 1).padStart(3, '0'), start, end, size: end - start }
}
