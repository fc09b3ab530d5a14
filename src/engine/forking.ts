// How a run is made of what another one did.
import { decode } from '../lib/codec.ts'
import { runNotFound } from '../model/errors.ts'
import { stepNotFound } from '../model/intervention-errors.ts'
import type { ForkInput } from '../store/interventions.ts'
import { auditRecord, type ByOption } from './audit.ts'
import { encodeInput } from './call.ts'
import { checkOptions, checkText } from './checks.ts'
import type { Face } from './face.ts'
import { limitsFor } from './limits.ts'
import type { RunHandle } from './run-handle.ts'

export interface ForkOptions extends ByOption {
  /** The path of a step, as `troupe.steps` shows it: that and all that was recorded after it is done anew. Without it the fork goes on as `retry` would. */
  readonly from?: string | undefined
  /** Takes the place of the input of the other run. */
  readonly input?: unknown
}

export class Forking {
  readonly #face: Face

  constructor(face: Face) {
    this.#face = face
  }

  /** Throws what `handle.fork` says. */
  async fork(run: { readonly id: string; readonly name: string }, options: ForkOptions = {}): Promise<RunHandle> {
    const { deps, engine, checkOpen } = this.#face
    checkOpen()
    checkOptions('fork', options, ['from', 'input', 'by'])
    const { from: step, input, by } = options
    if (step !== undefined) checkText('from', step, 'the path of a step')
    const id = deps.ids.uuid()
    const details = {
      to: id,
      ...(step !== undefined && { from: step }),
      ...(input !== undefined && { input: 'edited' }),
    }
    const audit = auditRecord('fork', { by }, { action: 'fork', target: run.id, details })
    const edited = input === undefined ? null : await this.#edited(run, input)
    const told = await deps.store.interventions.fork({ from: run.id, id, step: step ?? null, input: edited }, audit)
    if (told === 'not_found') throw runNotFound(run.id)
    if (told !== 'forked') throw stepNotFound(run.id, step ?? '', told.known)
    engine.hint(id)
    return this.#face.handleOf({ id, name: run.name })
  }

  /** Another input, checked here where the code of the run is known, else by whoever performs it. */
  async #edited({ id, name }: { readonly id: string; readonly name: string }, input: unknown): Promise<ForkInput> {
    const { deps, registry, engine } = this.#face
    // Race: what was given may be changed while the store is asked.
    const text = encodeInput(input, engine.maxValueBytes)
    const copy = decode(text)
    const definitionId = await deps.store.definitions.findOf(id)
    const here = definitionId === undefined ? undefined : registry.own(definitionId)
    const definition = here ?? (await registry.learn(name))
    return {
      value: here === undefined ? text : await this.#face.encodeInput(here, copy),
      limits: limitsFor(definition, copy, (limiter) => registry.limiterId(limiter)),
      isUnchecked: here === undefined,
    }
  }
}
