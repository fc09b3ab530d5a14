// What stands in for steps and definitions in a test.

import type { StepPlace } from '../engine/deps.ts'
import { asDefinition, type AnyDefinition, type Definition } from '../engine/definition/definition.ts'
import { decode } from '../lib/codec.ts'
import { validate } from '../worker/validate.ts'
import { worker } from '../worker/worker.ts'
import type { StepContext } from '../workflow/steps/step.ts'

/** What the mock of a step is called with: what its function would be, and where it stands. */
export interface MockedStep extends Pick<StepContext, 'signal' | 'idempotencyKey' | 'attempt'> {
  /** As in `ship[sku-17]/pack`. */
  readonly path: string
  /** The name of the workflow. */
  readonly definition: string
  readonly runId: string
  /** Calls the function of the step itself. */
  original(): unknown
}

export type StepMock = (step: MockedStep) => unknown

/** By path; `*` in one stands for any part of a name or key. The second use of a name, `charge#2`, is what the first is unless it has a mock of its own. */
export type StepMocks = Readonly<Record<string, StepMock>>

/** By the name of a definition: what a run of it does with its input. */
export type WorkerMocks = Readonly<Record<string, (input: never) => unknown>>

/**
 * A definition of the same name and types with other code, to give to `testTroupe` in the place of that.
 *
 * ```ts
 * import { worker, workflow } from 'troupe'
 * import { mock, testTroupe } from 'troupe/testing'
 * const charge = worker('charge', {}, async (ctx, amount: number) => ({ id: `paid ${amount}` }))
 * const order = workflow('order', {}, (ctx, amount: number) => ctx.run(charge, amount))
 * await using kit = await testTroupe({ definitions: [order, mock(charge, (amount) => ({ id: `mock of ${amount}` }))] })
 * console.log(await kit.troupe.run(order, 5)) // { id: 'mock of 5' }
 * ```
 */
export function mock<Input, Output>(
  definition: Definition<Input, Output>,
  code: (input: Input) => NoInfer<Output> | Promise<NoInfer<Output>>,
): Definition<Input, Output> {
  return mocked(asDefinition(definition), code as (input: unknown) => unknown) as Definition<Input, Output>
}

/** The definitions with mocks in the place of those that have one, and those that there is nothing but a mock of. */
export function withMocks(definitions: readonly AnyDefinition[], mocks: WorkerMocks): AnyDefinition[] {
  const names = new Set(definitions.map(({ name }) => name))
  const codeOf = (name: string): ((input: unknown) => unknown) | undefined =>
    Object.hasOwn(mocks, name) ? (mocks[name] as (input: unknown) => unknown) : undefined
  const added = Object.keys(mocks).filter((name) => !names.has(name))
  return [
    ...definitions.map((definition) => {
      const code = codeOf(definition.name)
      return code === undefined ? definition : mocked(definition, code)
    }),
    ...added.map((name) => asDefinition(worker(name, {}, (_ctx, input: unknown) => codeOf(name)?.(input)))),
  ]
}

function mocked(definition: AnyDefinition, code: (input: unknown) => unknown): AnyDefinition {
  const { name, settings } = definition
  return {
    ...definition,
    runsOn: 'task',
    perform: async (activation) => {
      const output = await code(decode(activation.claimed.input))
      return validate(settings.output, output, `The result of the mock of '${name}'`)
    },
  }
}

/** Finds the mock of a step, and knows in the end which were of no use. */
export class FoundMocks {
  readonly #mocks: StepMocks
  readonly #patterns: readonly { readonly path: string; readonly matches: RegExp }[]
  readonly #used = new Set<string>()
  readonly #ran = new Set<string>()

  constructor(mocks: StepMocks) {
    this.#mocks = mocks
    const paths = Object.keys(mocks).filter((path) => path.includes('*'))
    this.#patterns = paths.map((path) => ({ path, matches: patternOf(path) }))
  }

  /** What a step does: its mock, or its own function. */
  perform({ path, definition, runId, context }: StepPlace, original: () => unknown): unknown {
    this.#ran.add(path)
    const found = this.#find(path) ?? this.#find(path.replace(/#\d+(?=\/|$)/g, ''))
    if (found === undefined) return original()
    this.#used.add(found)
    const step = context as StepContext
    const { idempotencyKey, attempt } = step
    return this.#mocks[found]?.({
      path,
      definition,
      runId,
      idempotencyKey,
      attempt,
      get signal() {
        return step.signal
      },
      original,
    })
  }

  /** Throws when a mock stood in for nothing: its path is wrong, or its step is gone. */
  checkUsed(): void {
    const unused = Object.keys(this.#mocks).filter((path) => !this.#used.has(path))
    if (unused.length === 0) return
    const ran = [...this.#ran].sort()
    const steps = ran.length === 0 ? 'no step was performed' : `these steps were performed: ${ran.join(', ')}`
    throw new Error(`No step was performed that has the mock '${unused.join("', '")}': ${steps}.`)
  }

  #find(path: string): string | undefined {
    if (Object.hasOwn(this.#mocks, path)) return path
    return this.#patterns.find(({ matches }) => matches.test(path))?.path
  }
}

function patternOf(path: string): RegExp {
  const parts = path.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\/]/g, '\\$&'))
  // A part of a name or key: what has a meaning in paths is escaped there.
  return new RegExp(`^${parts.join('(?:[^/[\\]\\\\]|\\\\.)*')}$`, 'u')
}
