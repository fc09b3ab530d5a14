// The options that workers and workflows share, checked where they are written.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { DefinitionSettings } from '../engine/definition.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import { definitionInvalid, optionInvalid, optionUnknown } from '../model/errors.ts'
import { retryPolicy, type RetryOptions } from '../model/retry.ts'

export interface DefinitionOptions {
  /** Checks what a run is started with, before it is stored. Any Standard Schema. */
  readonly input?: StandardSchemaV1
  /** Checks what a run returns. */
  readonly output?: StandardSchemaV1
  /** A run stays on the version it was started with; `1` unless told. */
  readonly version?: string
  readonly queue?: string
  /** Higher first; 0 unless told. */
  readonly priority?: number
  /** How long one attempt may take. */
  readonly timeout?: Duration
  readonly retry?: RetryOptions
}

const known = ['input', 'output', 'version', 'queue', 'priority', 'timeout', 'retry']

export function definitionSettings(name: string, options: DefinitionOptions): DefinitionSettings {
  if (typeof name !== 'string' || name.trim() === '' || name.length > 200) {
    throw definitionInvalid(`A definition's name is ${JSON.stringify(name)}: expected 1 to 200 characters.`)
  }
  const unknown = Object.keys(options).find((option) => !known.includes(option))
  if (unknown !== undefined) throw optionUnknown(`Option '${unknown}' of '${name}'`, known)
  const { priority = 0, timeout } = options
  if (!Number.isSafeInteger(priority)) throw optionInvalid(`priority of '${name}'`, priority, 'a whole number')
  return {
    input: options.input,
    output: options.output,
    queue: options.queue,
    priority,
    timeoutMs: timeout === undefined ? undefined : toMs(timeout),
    retry: retryPolicy(options.retry, 1),
  }
}
