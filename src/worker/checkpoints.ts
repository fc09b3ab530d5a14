// How far the work of a run, or of a step of one, has come: kept from one stay on an actor to the next.
import type { Attempt } from '../engine/activation/attempt.ts'
import { checkOptions } from '../engine/checks.ts'
import { messageBytes } from '../engine/value-size.ts'
import type { WriteOwner } from '../engine/writes.ts'
import { decode, encode } from '../lib/codec.ts'
import { optionInvalid } from '../model/errors.ts'
import { checkpointKey } from '../model/path.ts'

/** How far work has come that says so with `ctx.checkpoint`. */
export interface Checkpoint<Cursor = unknown, Results = unknown> {
  /** Where it goes on. */
  readonly cursor: Cursor
  /** So far, as its code counts; 0 unless told. */
  readonly itemsProcessed: number
  /** What its code gathered so far; undefined unless told. */
  readonly results: Results
  /** The first is 1. */
  readonly number: number
  /** When it was kept, in milliseconds since 1970. */
  readonly at: number
  /** The last 20, this one with them, the newest last. */
  readonly history: readonly CheckpointMark[]
}

/** A checkpoint as its history has it. */
export type CheckpointMark = Pick<Checkpoint, 'cursor' | 'itemsProcessed' | 'at'>

export interface CheckpointOptions<Results = unknown> {
  /** How many items are done, from the beginning on. */
  readonly itemsProcessed?: number
  /** What was gathered, from the beginning on: it takes the place of what was kept before. */
  readonly results?: Results
}

// Invariant: I15.
const mostCheckpoints = 100_000
const mostInHistory = 20
const cursorBytes = 4_096

// What could not be kept would be missed by whoever goes on from it: the attempt is given up then.
const kept: WriteOwner = { written: () => {} }

export function lastCheckpointOf({ claimed }: Pick<Attempt, 'claimed'>): Checkpoint | undefined {
  const state = claimed.states.find(({ key }) => key === checkpointKey)
  return state && (decode(state.value) as Checkpoint)
}

/** Keeps it and ends the stay on the actor; it counts as no attempt. */
export function checkpoint(attempt: Attempt, cursor: unknown, options: CheckpointOptions): void {
  checkOptions('checkpoint', options, ['itemsProcessed', 'results'])
  const { itemsProcessed = 0, results } = options
  if (!Number.isFinite(itemsProcessed) || itemsProcessed < 0)
    throw optionInvalid('itemsProcessed', itemsProcessed, 'a number from 0 on')
  encode(cursor, { maxBytes: cursorBytes, what: 'the cursor of a checkpoint' })
  const before = lastCheckpointOf(attempt)
  const number = (before?.number ?? 0) + 1
  if (number > mostCheckpoints)
    throw optionInvalid('The number of checkpoints', number, `at most ${mostCheckpoints}: do more between two of them`)
  const mark: CheckpointMark = { cursor, itemsProcessed, at: attempt.deps.clock.now() }
  const history = [...(before?.history ?? []), mark].slice(-mostInHistory)
  const next: Checkpoint = { ...mark, results, number, history }
  const value = encode(next, { maxBytes: messageBytes, what: 'a checkpoint' })
  if (!attempt.isHeard) return
  attempt.write(kept, [{ list: 'states', record: { held: attempt.held, key: checkpointKey, value } }])
  attempt.snooze(0)
}
