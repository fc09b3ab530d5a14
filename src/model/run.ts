// A run: its states, the moves between them, and the outcomes it can have.
import type { Moves } from './moves.ts'

/** Where an unfinished run is. */
export type LiveState = 'ready' | 'scheduled' | 'running' | 'parked'

/** How a run ended. Timed out is failed with the code `timed_out`. */
export type RunOutcome = 'succeeded' | 'failed' | 'cancelled'

export type RunState = LiveState | RunOutcome

export const runOutcomes: readonly RunOutcome[] = ['succeeded', 'failed', 'cancelled']

/**
 * Every way a run may change state. The store builds its guards from this table,
 * the conformance suite tries every state against every move, and `docs/states.md` is drawn from it.
 */
export const runMoves = {
  claim: { from: ['ready'], to: 'running' },
  park: { from: ['running'], to: 'parked' },
  wake: { from: ['parked', 'scheduled'], to: 'ready' },
  retry: { from: ['running'], to: 'scheduled' },
  release: { from: ['running'], to: 'ready' },
  continue: { from: ['running'], to: 'ready' },
  undo: { from: ['ready', 'scheduled', 'running', 'parked'], to: 'ready' },
  succeed: { from: ['running'], to: 'succeeded' },
  fail: { from: ['running'], to: 'failed' },
  expire: { from: ['ready'], to: 'failed' },
  cancel: { from: ['ready', 'scheduled', 'running', 'parked'], to: 'cancelled' },
} as const satisfies Moves<RunState>

/** Every way a run that has ended may go on: as the same run in its next generation. Within a generation an ended run never changes. */
export const generationMoves = {
  again: { from: ['failed', 'cancelled'], to: 'ready' },
} as const satisfies Moves<RunState>

export type RunMove = keyof typeof runMoves
