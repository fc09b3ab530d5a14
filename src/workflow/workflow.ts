// Workflows: workers whose code is made of durable steps.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Activation } from '../engine/activation/activation.ts'
import type { AnyDefinition, Definition } from '../engine/definition/definition.ts'
import { decode } from '../lib/codec.ts'
import { isTroupeError, toError } from '../lib/errors.ts'
import type { Storable } from '../lib/storable.ts'
import { definitionInvalid } from '../model/errors.ts'
import { WorkerContext } from '../worker/context.ts'
import { definitionSettings, type DefinitionOptions } from '../worker/options.ts'
import { validate } from '../worker/validate.ts'
import { BoundContext } from './bound-context.ts'
import type { WorkflowContext } from './context.ts'
import { splitMessages, type Declared, type MessagesOption } from './mail/messages.ts'
import { Steps } from './steps/steps.ts'
import { checkUpcasts, takeovers, type Upcast } from './upcast.ts'

export type WorkflowHandler<Input, Output, Messages = unknown> = (
  ctx: WorkflowContext<Input, Messages>,
  input: Input,
) => Output | Promise<Output>

/** The options of a worker, and what the runs of a workflow may be told. */
export interface WorkflowOptions<Input = never, Messages = unknown> extends Omit<DefinitionOptions<Input>, 'messages'> {
  /**
   * A Standard Schema for each message, by its name: what is told is checked where it is told, or else where it is received; other names are refused.
   * What is also asked may say what is answered, `{ payload, reply }`: answers are typed and checked as well. Any message may be told without. `keep` and `overflow` beside them are as in a worker, for what is sent with `ctx.emit`.
   */
  readonly messages?: Messages & MessagesOption
  /**
   * Takes over the runs of other versions, by those, where they are not registered themselves: such a run is one of this version from then on, with its input
   * and what it remembers changed once, and stored so. What cannot be changed is set aside.
   */
  readonly upcast?: Readonly<Record<string, Upcast>>
}

/**
 * Defines a workflow: ordinary code whose steps are remembered, so that it survives the death of its process.
 *
 * After a crash the handler is called again from the top; every step that finished before returns its remembered result.
 * So the code between steps should be quick and do nothing to the outside world.
 *
 * Saves: its input, one row a step, its output. Throws: `option_invalid`, `definition_invalid`.
 *
 * ```ts
 * import { Troupe, workflow } from 'troupe'
 * const order = workflow('order', {}, async (ctx, items: string[]) => {
 *   const total = await ctx.step('price', () => items.length * 10)
 *   await ctx.sleep('10ms')
 *   return ctx.step('charge', () => `charged ${total}`)
 * })
 * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [order] })
 * await troupe.start()
 * console.log(await troupe.run(order, ['book', 'pen'])) // charged 20
 * ```
 */
export function workflow<Schema extends StandardSchemaV1, Output, Messages = unknown>(
  name: string,
  options: WorkflowOptions<NoInfer<StandardSchemaV1.InferInput<Schema>>, Messages> & { readonly input: Schema },
  handler: WorkflowHandler<StandardSchemaV1.InferOutput<Schema>, Output, Declared<Messages>> &
    Storable<StandardSchemaV1.InferOutput<Schema>, 'input'> &
    Storable<Output, 'output'>,
): Definition<StandardSchemaV1.InferInput<Schema>, Output, Declared<Messages>>
export function workflow<Input = void, Output = unknown, Messages = unknown>(
  name: string,
  options: WorkflowOptions<Input, Messages>,
  handler: WorkflowHandler<Input, Output, Declared<Messages>> & Storable<Input, 'input'> & Storable<Output, 'output'>,
): Definition<Input, Output, Declared<Messages>>
export function workflow(
  name: string,
  options: WorkflowOptions<never, MessagesOption>,
  handler: WorkflowHandler<unknown, unknown>,
): Definition<unknown> {
  const { emitted, told } = splitMessages(name, options?.messages)
  const settings = definitionSettings(name, emitted === undefined ? options : { ...options, messages: emitted })
  if (!settings.isDurable)
    throw definitionInvalid(
      `Workflow '${name}' cannot be durable: false: its steps are kept so that it can go on. Use a worker.`,
    )
  if ('thread' in options)
    throw definitionInvalid(`Workflow '${name}' cannot have a thread: its code is quick. Use a worker for its work.`)
  if (typeof handler !== 'function')
    throw definitionInvalid(`The handler of workflow '${name}' is ${typeof handler}: expected a function.`)
  const { version = '1', upcast } = options
  if (upcast !== undefined) checkUpcasts(name, version, upcast)
  const definition: AnyDefinition = {
    name,
    version,
    settings,
    runsOn: 'workflow',
    ...(told && { told }),
    perform: async (activation) => {
      const output = await performSteps(activation, (steps, input) =>
        handler(new BoundContext(steps, new WorkerContext(activation, input)), input),
      )
      return output === undefined ? undefined : validate(settings.output, output.value, `The result of '${name}'`)
    },
  }
  const whole: AnyDefinition =
    upcast === undefined ? definition : { ...definition, takesOver: takeovers(definition, upcast) }
  return whole
}

/** Leads code through its steps, and undoes what they did where that is its end; undefined when it did not come to an end here. */
export async function performSteps(
  activation: Activation,
  code: (steps: Steps, input: unknown) => unknown,
  inTurns = true,
): Promise<{ readonly value: unknown } | undefined> {
  const input = decode(activation.claimed.input)
  const steps = new Steps(activation, inTurns)
  if (steps.undoing !== undefined) {
    await steps.undoing.run(() => code(steps, input))
    return undefined
  }
  let value: unknown
  try {
    value = await code(steps, input)
  } catch (error) {
    // A journal that cannot be read is no fault of the code.
    if (isTroupeError(error, 'store_corrupt')) throw error
    await steps.endScope('')
    if (steps.mayEnd(`threw ${String(toError(error))}`)) throw error
    return undefined
  }
  await steps.endScope('')
  if (!steps.mayEnd('returned')) return undefined
  steps.returned()
  return { value }
}
