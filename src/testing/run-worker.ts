// Runs one worker or workflow once, for a test of what it gives and says.

import { asDefinition, type Definition } from '../engine/definition/definition.ts'
import type { RunLine } from './observations.ts'
import { testTroupe, type TestTroupeOptions } from './test-troupe.ts'

export interface RunWorkerOptions extends Omit<TestTroupeOptions, 'environment'> {
  /** `development`, `production`, `test` or your own word, as the option `environment` of `Troupe.open`. */
  readonly env?: string
  /** What it is told when it waits for messages of these names, each time. */
  readonly messages?: Readonly<Record<string, unknown>>
}

export interface WorkerRun<Output> {
  readonly output: Output
  /** What it said by `ctx.emit`, in order. */
  readonly messages: readonly unknown[]
  /** What it said by `ctx.info` and the like, and what the runs said that it started. */
  readonly logs: readonly RunLine[]
}

/**
 * Runs a worker or a workflow once in an engine of its own on virtual time, with all its attempts and pauses.
 *
 * Other definitions that it starts go into `definitions` or `mocks`. Throws: what it failed with; what `testTroupe` throws.
 *
 * ```ts
 * import { worker } from 'troupe'
 * import { runWorker } from 'troupe/testing'
 * const greet = worker('greet', {}, async (ctx, name: string) => {
 *   ctx.emit({ status: 'sent' })
 *   ctx.info('greeted', { name })
 *   return `${ctx.config.get('greeting', 'hello')} ${name}`
 * })
 * const { output, messages, logs } = await runWorker(greet, 'ann', { config: { greeting: 'hi' } })
 * console.log(output, messages, logs[0]?.text) // hi ann [ { status: 'sent' } ] greeted
 * ```
 */
export async function runWorker<Input, Output>(
  definition: Definition<Input, Output>,
  ...[input, options = {}]: undefined extends Input
    ? [input?: Input, options?: RunWorkerOptions]
    : [input: Input, options?: RunWorkerOptions]
): Promise<WorkerRun<Output>> {
  const { env, messages: told = {}, definitions = [], ...rest } = options
  const { name, version } = asDefinition(definition)
  const others = definitions.filter(
    (other) => !('version' in other) || other.name !== name || other.version !== version,
  )
  const environment = env === undefined ? {} : { environment: env }
  await using kit = await testTroupe({ ...rest, ...environment, definitions: [definition, ...others] })
  for (const [message, payload] of Object.entries(told)) kit.onWaiting(message, payload)
  const handle = await kit.troupe.call(name, input)
  const output = (await handle.result()) as Output
  const messages: unknown[] = []
  for await (const message of handle) messages.push(message)
  return { output, messages, logs: kit.logs }
}
