// Workers: named functions that can be started in the background.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnyDefinition, Definition } from '../engine/definition.ts'
import { isThenable } from '../lib/thenable.ts'
import { definitionInvalid } from '../model/errors.ts'
import { WorkerContext } from './context.ts'
import { definitionSettings, type DefinitionOptions } from './options.ts'
import { validate } from './validate.ts'

export type WorkerHandler<Input, Output> = (ctx: WorkerContext<Input>, input: Input) => Output | Promise<Output>

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
  options: DefinitionOptions<NoInfer<StandardSchemaV1.InferInput<Schema>>> & { readonly input: Schema },
  handler: WorkerHandler<StandardSchemaV1.InferOutput<Schema>, Output>,
): Definition<StandardSchemaV1.InferInput<Schema>, Output>
export function worker<Input = void, Output = unknown>(
  name: string,
  options: DefinitionOptions<Input>,
  handler: WorkerHandler<Input, Output>,
): Definition<Input, Output>
export function worker(
  name: string,
  options: DefinitionOptions,
  handler: WorkerHandler<unknown, unknown>,
): Definition<unknown> {
  const settings = definitionSettings(name, options)
  if (typeof handler !== 'function')
    throw definitionInvalid(`The handler of worker '${name}' is ${typeof handler}: expected a function.`)
  const checked = (output: unknown): unknown =>
    settings.output === undefined ? output : validate(settings.output, output, `The result of '${name}'`)
  const definition: AnyDefinition = {
    name,
    version: options.version ?? '1',
    settings,
    runsOn: 'task',
    // Measured: a handler that is done at once saves a fifth of a run when nothing here waits for it.
    perform: (activation, input) => {
      const output = handler(new WorkerContext(activation, input), input)
      if (!isThenable(output)) return checked(output)
      // With a token the output comes from outside, and is checked then.
      return Promise.resolve(output).then((settled) => (activation.hasToken ? undefined : checked(settled)))
    },
    checked,
  }
  return definition
}
