// What the engine knows of a definition: its name, its rules, and that it can be performed. It knows no kind.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { clip, textOf } from '../../lib/text.ts'
import type { DivergencePolicy } from '../../model/divergence.ts'
import { definitionInvalid } from '../../model/errors.ts'
import type { LifecycleRules } from '../../model/lifecycle.ts'
import type { RetryPolicy } from '../../model/retry.ts'
import type { Activation } from '../activation/activation.ts'
import type { LimiterRule } from '../limits/limits.ts'

/** What `worker` and `workflow` return: a name to start runs by, and in its type what they take and give. */
export interface Definition<Input = never, Output = unknown, Messages = unknown> {
  readonly name: string
  readonly version: string
  /** Only in the types: what it takes and gives. */
  types?(input: Input): Output
  /** Only in the types: the schemas of what its runs are told, by name; unknown where any message may be. */
  readonly messageTypes?: Messages
}

/** A definition as the engine sees it. */
export interface AnyDefinition extends Definition {
  readonly settings: DefinitionSettings
  /** Only its name is known here: its runs are started here and performed by others. */
  readonly isElsewhere?: boolean
  /** Elsewhere it has a schema for its input. */
  readonly hasUnseenSchema?: boolean
  /** `task`: one attempt is one piece of work. `workflow`: it is made of durable steps. */
  readonly runsOn: PoolKind
  /** What people call one of its kind; by what it runs on unless told. */
  readonly noun?: string
  /** Its attempts are made in threads. */
  readonly isThreaded?: boolean
  /** What a thread looks for in the module of the definition. */
  readonly handler?: (ctx: never, input: never) => unknown
  /** Returns the output of the run, or a promise of it; throws or rejects with why it failed. */
  perform(activation: Activation): unknown
  /** The versions whose runs it takes over where they are not registered, each with what performs those; it is given the number of this definition. */
  readonly takesOver?: ReadonlyMap<string, (ownId: number) => AnyDefinition>
  /** An output that came from outside as its schema gives it back, or a promise of it. */
  checked?(output: unknown): unknown
  /** How long its runs may be in which state. */
  readonly lifecycle?: LifecycleRules | undefined
  /** The publishers that events of its steps go through, each with such a step. */
  readonly publishers?: ReadonlyMap<string, string>
  /** There where its messages are declared. */
  readonly told?: ToldCheck
}

/** What a definition says of the messages to its runs. */
export interface ToldCheck {
  /** Throws `message_unknown` for a name that is not declared. */
  checkName(name: string): void
  /** A payload as its schema gives it back. Throws `validation_failed`, naming the run, the message and each place that is wrong. */
  check(message: { readonly runId: string; readonly name: string }, payload: unknown): Promise<unknown>
  /** What answers are checked by, where that is declared for a name: gives one as its schema gives it back, and throws as `check` does. */
  replyCheck(name: string): ((runId: string, reply: unknown) => Promise<unknown>) | undefined
}

export type PoolKind = 'task' | 'workflow'

export interface DefinitionSettings {
  readonly input: StandardSchemaV1 | undefined
  readonly output: StandardSchemaV1 | undefined
  readonly queue: string | undefined
  readonly priority: number
  readonly tags: readonly string[]
  /** The key of a run that was given none. */
  readonly keyOf: ((input: never) => string) | undefined
  /** How long an output answers for its key; the input itself is the key where none is made of it. */
  readonly cache: { readonly ttlMs: number; readonly keyOf: ((input: never) => string) | undefined } | undefined
  /** What its runs have to pass. */
  readonly limits: readonly LimiterRule[]
  /** For each attempt. */
  readonly timeoutMs: number | undefined
  /** False for runs that live in this process only. */
  readonly isDurable: boolean
  /** The longest silence of an attempt. */
  readonly heartbeatMs: number | undefined
  readonly messages: MessageRules
  readonly retry: RetryPolicy
  /** What it says of retries itself. */
  readonly toldRetry: RetryPolicy | undefined
  /** How long its runs are kept: JSON of what it says about that; null when it says nothing. */
  readonly retention: string | null
  readonly onFailure: ((failure: RunFailure) => unknown) | undefined
  /** What becomes of a run whose code does not fit its journal; as the engine says, unless told. */
  readonly divergence: DivergencePolicy | undefined
}

/** What is kept of the messages of an activation, or of a run that is not stored. */
export interface MessageRules {
  readonly keep: number
  readonly overflow: 'drop-newest' | 'drop-oldest'
}

/** A run that is not tried again. */
export interface RunFailure {
  readonly error: Error
  readonly input: unknown
  readonly runId: string
  /** The last one. */
  readonly attempt: number
}

/** The definition behind what a program passes. Throws `definition_invalid` for anything else. */
export function asDefinition(value: unknown): AnyDefinition {
  if (isDefinition(value)) return value
  const received = typeof value === 'function' ? 'a function' : clip(textOf(value), 200)
  throw definitionInvalid(`${received} is not a definition: expected what worker(), workflow() or template() returned.`)
}

/** Tells whether an exported value is a definition; also one made by another copy of this package. */
export function isDefinition(value: unknown): value is AnyDefinition {
  if (typeof value !== 'object' || value === null) return false
  const { name, runsOn, perform } = value as Partial<AnyDefinition>
  return typeof name === 'string' && typeof perform === 'function' && (runsOn === 'task' || runsOn === 'workflow')
}
