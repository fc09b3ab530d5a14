// The two ways to register: a definition, or a name with its handler.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkObject, checkOptions } from '../engine/checks.ts'
import { asDefinition, type AnyDefinition, type Definition } from '../engine/definition/definition.ts'
import type { Schedule } from '../engine/schedule/schedule.ts'
import type { EngineVerbs, ReplaceOption } from '../engine/verbs/verbs.ts'
import { optionInvalid } from '../model/errors.ts'
import type { DefinitionOptions } from './options.ts'
import { worker, type InAnotherFile, type InThisFile, type StoredHandler, type WorkerHandler } from './worker.ts'

export type RegisterOptions<Input = never> = DefinitionOptions<Input> & InThisFile & ReplaceOption

/** Those of a worker whose code stands in the file that `thread` names. */
export type RegisterElsewhere<Input = never> = DefinitionOptions<Input> & InAnotherFile & ReplaceOption

/** The verbs of an engine that knows workers. */
export interface WorkerVerbs extends EngineVerbs {
  register(definition: Definition | Schedule, options?: ReplaceOption): Promise<void>
  register<Schema extends StandardSchemaV1, Output>(
    name: string,
    options: RegisterOptions<NoInfer<StandardSchemaV1.InferInput<Schema>>> & { readonly input: Schema },
    handler: StoredHandler<StandardSchemaV1.InferOutput<Schema>, Output>,
  ): Promise<Definition<StandardSchemaV1.InferInput<Schema>, Output>>
  register<Input = unknown, Output = unknown>(
    name: string,
    options: RegisterOptions<Input>,
    handler: StoredHandler<Input, Output>,
  ): Promise<Definition<Input, Output>>
  register<Input = unknown, Output = unknown>(
    name: string,
    handler: StoredHandler<Input, Output>,
  ): Promise<Definition<Input, Output>>
  /** The handler stands in the file that `thread` names. */
  register<Input = unknown, Output = unknown>(
    name: string,
    options: RegisterElsewhere<Input>,
  ): Promise<Definition<Input, Output>>
}

export type AnyHandler = WorkerHandler<never, unknown>

export interface Registration {
  readonly definition: AnyDefinition
  readonly replaces: boolean
}

/** The definition behind what `register` was given. Throws `definition_invalid`, `option_invalid`. */
export function registration(
  target: Definition | string,
  options: RegisterOptions | RegisterElsewhere | AnyHandler = {},
  handler?: AnyHandler,
): Registration {
  if (typeof options === 'function') return registration(target, {}, options)
  if (typeof target !== 'string') {
    checkOptions('register', options, ['replace'])
    return { definition: asDefinition(target), replaces: isReplacing(options) }
  }
  checkObject(`The options object of '${target}'`, options)
  const { replace: _, ...ofWorker } = options
  // A handler that is missing, or none, is refused there.
  const definition = worker(target, ofWorker as DefinitionOptions<unknown>, handler as WorkerHandler<unknown, unknown>)
  return { definition: asDefinition(definition), replaces: isReplacing(options) }
}

function isReplacing({ replace = false }: ReplaceOption): boolean {
  if (typeof replace !== 'boolean') throw optionInvalid('replace', replace, 'true or false')
  return replace
}
