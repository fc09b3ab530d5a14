// How a step is undone: by another worker, which is given what the step was given and what it gave.
import { retryPolicy } from '../../model/retry.ts'
import { undoPath } from '../../model/path.ts'
import { definitionInvalid } from '../../model/errors.ts'
import { checkedRetry } from '../../worker/options.ts'
import type { StepContext } from '../../workflow/steps/step.ts'
import type { Steps } from '../../workflow/steps/steps.ts'
import type { UndoContext, UndoRules } from '../../workflow/undoing/undo-options.ts'
import { defaultInput, type Names, type Piece } from './piece.ts'
import { performWorker } from './worker-step.ts'

const attempts = 3
const timeoutMs = 60_000
const defaultRetry = retryPolicy(undefined, attempts)

export function undoOf({ steps, names, piece }: { steps: Steps; names: Names; piece: Piece }): UndoRules | undefined {
  const { undo, name } = piece.step
  if (undo === undefined) return undefined
  const run = (output: unknown, context: UndoContext): unknown => {
    const definition = names.worker(undo.uses)
    if (definition?.handler === undefined) throw names.missing(undo.uses)
    const { activation } = steps
    const input =
      undo.with === undefined ? { ...defaultInput(piece), output } : undo.with.make({ ...piece.at.scope, output })
    return performWorker({ activation, definition, path: undoPath(piece.path) }, withoutToken(context), input)
  }
  const retry = undo.retry === undefined ? defaultRetry : checkedRetry(`undo of step '${name}'`, undo.retry, attempts)
  return { run, retry, timeoutMs: undo.timeoutMs ?? timeoutMs }
}

/** What is undone is done when its worker has returned. */
function withoutToken(context: UndoContext): StepContext {
  return {
    attempt: context.attempt,
    idempotencyKey: context.idempotencyKey,
    get signal() {
      return context.signal
    },
    later: () =>
      Promise.reject(
        definitionInvalid('ctx.later() was called where a step is undone: that is done when its worker has returned.'),
      ),
  }
}
