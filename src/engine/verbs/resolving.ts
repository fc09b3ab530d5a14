// How a person records the result of a step by hand.
import { encode } from '../../lib/codec.ts'
import { toError } from '../../lib/errors.ts'
import { optionInvalid, runNotFound } from '../../model/errors.ts'
import { resolveRefused, stepNotOpen } from '../../model/intervention-errors.ts'
import { auditRecord, type WhyOption } from './audit.ts'
import { checkOptions, checkText } from '../checks.ts'
import { errorText } from '../error-text.ts'
import type { Face } from './face.ts'
import { valueSize } from '../value-size.ts'

export interface ResolveOptions extends WhyOption {
  /** What the step gives to the code of its run. */
  readonly output?: unknown
  /** What the step fails with, for good. */
  readonly error?: unknown
  /**
   * Also for a step of which nothing is known: one that is executed for the first time leaves nothing in the store. A slip of the pen in its path then
   * sets the run aside, as its code does not ask for that step.
   */
  readonly force?: boolean
}

const known = ['output', 'error', 'force', 'by', 'reason']

/** Throws what `handle.resolve` says. */
export async function resolveStep(face: Face, { id, path }: ResolvedStep, options: ResolveOptions): Promise<void> {
  const { deps, engine, checkOpen } = face
  checkOpen()
  checkText('The path of a step', path, 'one of those that troupe.steps and troupe.attempts show')
  checkOptions('resolve', options, known)
  const { force = false, by, reason } = options
  if (typeof force !== 'boolean') throw optionInvalid('force', force, 'true or false')
  const result = resultOf(path, options, engine.maxValueBytes)
  const details = { step: path, ...(result.isError && { error: true }), ...(force && { force }) }
  const audit = auditRecord('resolve', { by, reason }, { action: 'resolve', target: id, details })
  const told = await deps.store.operating.resolveStep({ id, path, ...result, isForced: force }, audit)
  if (told === 'not_found') throw runNotFound(id)
  if (typeof told === 'object' && 'open' in told) throw stepNotOpen(id, path, told.open)
  if (told !== 'resolved') throw resolveRefused(id, path, told)
  engine.hints.ready(id)
  engine.hints.changed()
}

interface ResolvedStep {
  /** Of its run. */
  readonly id: string
  readonly path: string
}

function resultOf(
  path: string,
  options: ResolveOptions,
  maxBytes: number,
): { readonly isError: boolean; readonly value: string } {
  const isError = 'error' in options && options.error !== undefined
  if (isError && 'output' in options) throw optionInvalid('resolve', 'output and error', 'one of them')
  if (isError) return { isError, value: errorText(toError(options.error)) }
  if (!('output' in options)) throw optionInvalid('resolve', 'neither output nor error', 'one of them')
  return { isError, value: encode(options.output, valueSize(maxBytes, `result of step '${path}'`)) }
}
