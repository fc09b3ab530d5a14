// ctx.loop: turns of which only the newest state is remembered, so that a run may go on for ever at the same cost.
import { optionInvalid } from '../model/errors.ts'
import { joinPath, keyedPath } from '../model/path.ts'
import type { Steps } from './steps/steps.ts'

/** What a turn of a loop leads to: another one, or the result of the loop. */
export type Turn<State, Result> = { readonly again: State } | { readonly done: Result }

/** What is remembered of a loop. */
export interface LoopState {
  readonly turn: number
  readonly state: unknown
}

export interface Loop<State> {
  /** What it is called in errors. */
  readonly what: string
  readonly path: string
  readonly state: State
}

/** Performs turn after turn, each in a scope of its own, until one gives the result. */
export function performLoop<State, Result>(
  steps: Steps,
  { what, path, state }: Loop<State>,
  perform: (state: State, scope: string) => Promise<Turn<State, Result>>,
): Promise<Result> {
  return steps.scoped(path, async (scope) => {
    const own = joinPath(scope, 'state')
    let now = ((await steps.turns.recall(own)) ?? { turn: 1, state }) as { turn: number; state: State }
    let turnScope = ''
    try {
      for (;;) {
        turnScope = keyedPath(scope, String(now.turn))
        steps.turns.open(turnScope)
        const startedAt = steps.activation.deps.store.now()
        const turn = await perform(now.state, turnScope)
        checkTurn(what, turn)
        if ('done' in turn) return turn.done
        await steps.endScope(turnScope)
        now = { turn: now.turn + 1, state: turn.again }
        await steps.turns.next(own, now, { scope: turnScope, startedAt })
      }
    } finally {
      if (turnScope !== '') await steps.endScope(turnScope)
      steps.turns.close(turnScope)
    }
  })
}

function checkTurn(what: string, turn: unknown): void {
  const isTurn = typeof turn === 'object' && turn !== null && ('again' in turn || 'done' in turn)
  if (!isTurn) throw optionInvalid(`A turn of ${what}`, turn, '{ again: state } or { done: result }')
}
