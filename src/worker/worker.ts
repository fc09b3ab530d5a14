// Workers: named functions that can be started in the background.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnyDefinition, Definition } from '../engine/definition/definition.ts'
import { Encoded } from '../engine/activation/encoded.ts'
import { decode } from '../lib/codec.ts'
import type { Storable } from '../lib/storable.ts'
import { isThenable } from '../lib/thenable.ts'
import { definitionInvalid } from '../model/errors.ts'
import { WorkerContext } from './context.ts'
import { definitionSettings, type DefinitionOptions } from './options.ts'
import { performInThread } from './thread.ts'
import { checkHandler, threadPlace, type ThreadOption, type ThreadSettings } from './thread-place.ts'
import { validate } from './validate.ts'

/** A worker whose handler stands in the file that defines it. */
export interface InThisFile {
  /**
   * Runs each attempt in a worker thread, for code that keeps the processor busy: the process stays awake, and the thread is ended 1 s after the attempt's signal.
   *
   * `import.meta.url`: the thread loads this file too and finds the definition among its exports.
   */
  readonly thread?: string | (ThreadSettings & { readonly url: string })
}

/** A worker whose handler stands in a file that only its threads load. */
export interface InAnotherFile {
  /** The file, `new URL('./work.ts', import.meta.url)` or its path; it exports the function `handler`. */
  readonly thread: ThreadOption
}

export type WorkerHandler<Input, Output> = (ctx: WorkerContext<Input>, input: Input) => Output | Promise<Output>

/** One whose input and output can be stored, as far as types can tell. */
export type StoredHandler<Input, Output> = WorkerHandler<Input, Output> &
  Storable<Input, 'input'> &
  Storable<Output, 'output'>

/**
 * Defines a worker: a function that is started by name, runs in the background and is tried again as `retry` says.
 *
 * Saves: nothing by itself; each run saves its input when it is started and its output when it ends.
 * Throws: `option_invalid`, `definition_invalid` for options that cannot work.
 *
 * ```ts
 * import { Troupe, worker } from 'troupe'
 * const greet = worker('greet', {}, (ctx, name: string) => `hello ${name}`)
 * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [greet] })
 * await troupe.start()
 * console.log(await troupe.run(greet, 'ann')) // hello ann
 * ```
 */
export function worker<Schema extends StandardSchemaV1, Output>(
  name: string,
  options: DefinitionOptions<NoInfer<StandardSchemaV1.InferInput<Schema>>> & InThisFile & { readonly input: Schema },
  handler: StoredHandler<StandardSchemaV1.InferOutput<Schema>, Output>,
): Definition<StandardSchemaV1.InferInput<Schema>, Output>
export function worker<Input = void, Output = unknown>(
  name: string,
  options: DefinitionOptions<Input> & InThisFile,
  handler: StoredHandler<Input, Output>,
): Definition<Input, Output>
/** Defines a worker whose code is in another file, which only its threads load: `worker<Photo, Size>('resize', { thread: new URL('./resize.ts', import.meta.url) })`. */
export function worker<Input = unknown, Output = unknown>(
  name: string,
  options: DefinitionOptions<Input> & InAnotherFile,
): Definition<Input, Output>
export function worker(
  name: string,
  options: DefinitionOptions & Partial<InAnotherFile>,
  handler?: WorkerHandler<unknown, unknown>,
): Definition<unknown> {
  const settings = definitionSettings(name, options)
  const { thread, version = '1' } = options
  if ('upcast' in options)
    throw definitionInvalid(`Worker '${name}' cannot have an upcast: it has no journal. Leave that to workflows.`)
  if (options.divergence !== undefined)
    throw definitionInvalid(`Worker '${name}' cannot have a divergence: it has no journal. Leave that to workflows.`)
  if (typeof handler !== 'function' && (thread === undefined || handler !== undefined))
    throw definitionInvalid(`The handler of worker '${name}' is ${typeof handler}: expected a function.`)
  const checked = (output: unknown): unknown =>
    settings.output === undefined ? output : validate(settings.output, decoded(output), `The result of '${name}'`)
  const definition: AnyDefinition = {
    name,
    version,
    settings,
    runsOn: 'task',
    ...(handler !== undefined && { handler }),
    ...(thread !== undefined && { isThreaded: true }),
    // Measured: a handler that is done at once saves a fifth of a run when nothing here waits for it.
    perform: (activation) => {
      const output = perform(activation)
      if (!isThenable(output)) return checked(output)
      // With a token the output comes from outside, and is checked then.
      return Promise.resolve(output).then((settled) => (activation.hasToken ? undefined : checked(settled)))
    },
    checked,
  }
  const perform = thread === undefined ? performHere(handler as AnyHandler) : performThere(definition, thread)
  return definition
}

type AnyHandler = WorkerHandler<unknown, unknown>

function performHere(handler: AnyHandler): AnyDefinition['perform'] {
  return (activation) => {
    const input = decode(activation.claimed.input)
    return handler(new WorkerContext(activation, input), input)
  }
}

function performThere(
  { name, version, settings, handler }: AnyDefinition,
  thread: ThreadOption,
): AnyDefinition['perform'] {
  const place = threadPlace(name, thread)
  checkHandler({ module: place.module, name, handler: handler?.name })
  return performInThread(place, {
    module: place.module,
    name,
    version,
    messages: settings.messages,
    ...(handler && { handler: handler.name }),
  })
}

function decoded(output: unknown): unknown {
  return output instanceof Encoded ? decode(output.text) : output
}
