// Steps of many pieces: one for each item of a list, or for each batch.
import { optionInvalid } from '../../model/errors.ts'
import { toError } from '../../lib/errors.ts'
import { keyedPath } from '../../model/path.ts'
import { mapSettled } from '../../workflow/map.ts'
import { batchesFailed } from '../errors.ts'
import { defaultBatches } from '../model/defaults.ts'
import type { Scope, TemplateStep } from '../model/template.ts'
import type { StepPlace } from './graph-run.ts'
import type { Piece } from './piece.ts'

type PerformPiece = (piece: Piece) => Promise<unknown>

/** How one piece is done, and what stands for the batches where there are none. */
export interface PieceWork {
  readonly perform: PerformPiece
  readonly placeholder: (path: string) => Promise<unknown>
}

/** All of a step: at one go, an item of its list at a time, or a batch. */
export function performPieces(step: TemplateStep, at: StepPlace, work: PieceWork): Promise<unknown> {
  if (step.role === 'batch_worker') return performBatches(step, at, work)
  if (step.forEach !== undefined) return performEach(step, at, work.perform)
  return work.perform({ step, path: step.name, at })
}

/** The outputs in the order of the items; with `onError: continue` null of those that failed. */
async function performEach(step: TemplateStep, at: StepPlace, perform: PerformPiece): Promise<unknown[]> {
  const { items, key, concurrency } = step.forEach as NonNullable<TemplateStep['forEach']>
  const list = items.make(at.scope)
  if (!Array.isArray(list)) throw optionInvalid(`forEach of step '${step.name}'`, list, 'a list')
  const scopes = list.map((item: unknown, index): Scope => ({ ...at.scope, item, index }))
  const keys = scopes.map((scope, index) => (key === undefined ? String(index) : String(key.make(scope))))
  const seen = new Set<string>()
  const twice = keys.find((each) => seen.size === seen.add(each).size)
  if (twice !== undefined)
    throw optionInvalid(`The key of step '${step.name}'`, twice, 'a key of its own for each item')
  const each = (index: number): Promise<unknown> =>
    perform({ step, path: keyedPath(step.name, keys[index] as string), at: { ...at, scope: scopes[index] as Scope } })
  const goesOn = step.onError === 'continue'
  const settled = await mapSettled(list.length, each, { concurrency, stopsOnError: !goesOn })
  return settled.map((result) => {
    if (result.status === 'fulfilled') return result.value
    if (goesOn) return null
    throw result.reason
  })
}

/** The outputs in the order of the batches. */
async function performBatches(
  step: TemplateStep,
  at: StepPlace,
  { perform, placeholder }: PieceWork,
): Promise<unknown> {
  const { size, parallelism, failureStrategy, cursorField, checkpointInterval } = step.batch ?? defaultBatches
  const cursors = at.batches()
  if (cursors.length === 0) return placeholder(`${step.name}_000`).then(() => [])
  const metadata = { size, failureStrategy, cursorField, checkpointInterval: checkpointInterval ?? null }
  const nameOf = (index: number): string => `${step.name}_${String(index + 1).padStart(3, '0')}`
  const each = (index: number): Promise<unknown> => {
    const batch = { name: nameOf(index), cursor: cursors[index], index, count: cursors.length, ...metadata }
    const scope: Scope = { ...at.scope, item: cursors[index], index }
    return perform({ step, path: nameOf(index), batch, at: { ...at, scope } })
  }
  const stopsOnError = failureStrategy === 'fail_fast'
  const settled = await mapSettled(cursors.length, each, { concurrency: parallelism, stopsOnError })
  const failed = settled.flatMap((result, index) =>
    result.status === 'rejected' ? [{ name: nameOf(index), error: toError(result.reason) }] : [],
  )
  const [first] = failed
  if (first !== undefined && failureStrategy !== 'isolate')
    throw stopsOnError
      ? first.error
      : batchesFailed(
          step.name,
          failed.map(({ name }) => name),
          first.error,
        )
  return settled.map((result) => (result.status === 'fulfilled' ? result.value : null))
}
