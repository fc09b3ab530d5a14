// How a run is made of what another one did.
import { decode } from '../../lib/codec.ts'
import { runNotFound } from '../../model/errors.ts'
import { stepNotFound } from '../../model/intervention-errors.ts'
import type { ForkInput } from '../../store/operating.ts'
import { auditRecord, type ByOption } from './audit.ts'
import { inputText } from './call.ts'
import { checkKey, checkOptions, checkText } from '../checks.ts'
import type { Face } from './face.ts'
import { limitsFor } from '../limits/limits.ts'
import type { RunHandle } from '../watch/run-handle.ts'

export interface ForkOptions extends ByOption {
  /** The path of a step, as `troupe.steps` shows it: that and all that was recorded after it is done anew. Without it the fork goes on as `retry` would. */
  readonly from?: string | undefined
  /** Takes the place of the input of the other run. */
  readonly input?: unknown
  /** The same key with the same run is the same fork, for as long as that is kept. At most 1,024 characters. */
  readonly idempotencyKey?: string | undefined
}

/** Throws what `handle.fork` says. */
export async function forkRun(face: Face, run: ForkedRun, options: ForkOptions = {}): Promise<RunHandle> {
  const { deps, engine } = face
  face.checkOpen()
  checkOptions('fork', options, ['from', 'input', 'idempotencyKey', 'by'])
  const { from: step, input, idempotencyKey, by } = options
  if (step !== undefined) checkText('from', step, 'the path of a step')
  if (idempotencyKey !== undefined) checkKey('idempotencyKey', idempotencyKey)
  const id = deps.ids.uuid()
  const details = {
    to: id,
    ...(step !== undefined && { from: step }),
    ...(input !== undefined && { input: 'edited' }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  }
  const audit = auditRecord('fork', { by }, { action: 'fork', target: run.id, details })
  const edited = input === undefined ? null : await editedInput(face, run, input)
  const key = idempotencyKey === undefined ? undefined : { text: idempotencyKey, leavesOwn: false }
  const order = { from: run.id, id, step: step ?? null, input: edited, key }
  const told = await deps.store.operating.forkRun(order, audit)
  if (told === 'not_found') throw runNotFound(run.id)
  if (told !== 'forked' && 'joined' in told) return face.handleOf({ id: told.joined, name: run.name })
  if (told !== 'forked') throw stepNotFound(run.id, step ?? '', told.known)
  engine.hints.ready(id)
  return face.handleOf({ id, name: run.name })
}

interface ForkedRun {
  readonly id: string
  readonly name: string
}

/** Another input, checked here where the code of the run is known, else by whoever performs it. */
async function editedInput(
  { deps, registry, engine, encodeInput }: Face,
  { id, name }: ForkedRun,
  input: unknown,
): Promise<ForkInput> {
  // Race: what was given may be changed while the store is asked.
  const text = inputText(input, engine.maxValueBytes)
  const copy = decode(text)
  const definitionId = await deps.store.definitions.findOf(id)
  const here = definitionId === undefined ? undefined : registry.own(definitionId)
  const definition = here ?? (await registry.learn(name))
  return {
    value: here === undefined ? text : await encodeInput(here, copy),
    limits: limitsFor(definition, copy, (limiter) => registry.limiterId(limiter)),
    isUnchecked: here === undefined,
  }
}
