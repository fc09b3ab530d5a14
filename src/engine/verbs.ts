// What a program asks of an engine about its runs, whichever way it holds the engine.
import type { CallOptions } from './call.ts'
import type { Definition } from './definition.ts'
import type { RunHandle } from './run-handle.ts'
import type { RunStats } from './run-stats.ts'

/** What a call of a definition takes: nothing, when the definition takes nothing. */
export type CallArguments<Input> = undefined extends Input
  ? [input?: Input, options?: CallOptions]
  : [Input] extends [void]
    ? [input?: undefined, options?: CallOptions]
    : [input: Input, options?: CallOptions]

/** The output of a run of a definition. */
export type OutputOf<D> = D extends Definition<never, infer Output> ? Output : unknown

export interface ReplaceOption {
  /** Takes the place of the definition of the same name and version; without it that is an error. */
  readonly replace?: boolean
}

export interface EngineVerbs {
  register(definition: Definition, options?: ReplaceOption): Promise<void>
  call<Input, Output>(definition: Definition<Input, Output>, ...args: CallArguments<Input>): Promise<RunHandle<Output>>
  call(name: string, input?: unknown, options?: CallOptions): Promise<RunHandle>
  run<Input, Output>(definition: Definition<Input, Output>, ...args: CallArguments<Input>): Promise<Output>
  run(name: string, input?: unknown, options?: CallOptions): Promise<unknown>
  cancel(runId: string, reason?: string): Promise<boolean>
  definitions(): string[]
  running(): Promise<string[]>
  runningFor(name: string): Promise<string[]>
  stats(name: string): Promise<RunStats | undefined>
  shutdown(): Promise<void>
}
