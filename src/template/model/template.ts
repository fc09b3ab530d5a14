// What a template is, whoever wrote it: YAML, JSON, Tasker's form or TypeScript.
import type { LimitBounds } from '../../engine/limits/limits.ts'
import type { eventModes } from '../../model/event.ts'
import type { RetryOptions } from '../../model/retry.ts'
import type { HandlerNeed } from '../../store/templates.ts'
import type { batchFailures, conditions, failureModes, identities, roles, stalenessActions, whens } from './model.ts'

/** What expressions and functions of a template may see when a step starts. */
export interface Scope {
  readonly input: unknown
  /** The outputs of steps by name; null of those that were skipped, or failed. */
  readonly steps: Readonly<Record<string, unknown>>
  /** How steps failed after whose failure the template goes on, by name. */
  readonly errors: Readonly<Record<string, StepFailure>>
  /** Of `forEach`. */
  readonly item?: unknown
  readonly index?: number
  /** Of `undo`: what the step gave. */
  readonly output?: unknown
  /** What the step itself says in `config`. */
  readonly config: Readonly<Record<string, unknown>>
  readonly run: { readonly id: string; readonly attempt: number; readonly correlationId: string | null }
}

export interface StepFailure {
  readonly name: string
  readonly message: string
  readonly code: string | null
}

/** A value that is made when it is needed. */
export interface Made {
  /** The steps whose outputs it takes. */
  readonly steps: readonly string[]
  make(scope: Scope): unknown
}

/** What has to be true of the steps that a step needs, once all of them are settled. */
export type When = (typeof whens)[number]

/** What a step is for the steps after it. */
export type Role = (typeof roles)[number]

export type JsonSchema = Readonly<Record<string, unknown>> | boolean

export interface ScriptLimits {
  readonly timeoutMs: number | undefined
  readonly memoryBytes: number | undefined
}

/** Where the first line of a script stands in its file. */
export interface ScriptPlace {
  readonly file: string
  readonly line: number
}

/** Where something stands in the file of a template. */
export interface TemplatePlace extends ScriptPlace {
  readonly column: number
}

export type Work =
  | {
      readonly kind: 'worker'
      readonly uses: string
      readonly method: string | undefined
      /** Who finds the worker by its name, where it is not found in the usual way. */
      readonly resolver?: string | undefined
      readonly place?: TemplatePlace | undefined
    }
  | {
      readonly kind: 'script'
      readonly script: string
      readonly limits: ScriptLimits
      readonly place?: ScriptPlace | undefined
    }
  | {
      readonly kind: 'message'
      readonly message: string
      readonly key: Made | undefined
      readonly timeoutMs: number | undefined
    }
  | { readonly kind: 'time'; readonly forMs: Made | number | undefined; readonly until: Made | undefined }
  | { readonly kind: 'completion'; readonly timeoutMs: number | undefined }

export interface UndoOfStep {
  readonly uses: string
  readonly with: Made | undefined
  readonly retry: RetryOptions | undefined
  readonly timeoutMs: number | undefined
}

export interface BatchRules {
  readonly size: number
  /** How many workers are under way at once. */
  readonly parallelism: number
  readonly failureStrategy: (typeof batchFailures)[number]
  readonly cursorField: string
  readonly checkpointInterval: number | undefined
  /** Of the steps that need a `batchable` one the step that does its batches, where its output names none. */
  readonly worker?: string | undefined
}

export interface Publication {
  readonly event: string
  readonly condition: (typeof conditions)[number]
  readonly mode: (typeof eventModes)[number]
  readonly payload: Made | undefined
  readonly publisher: string | undefined
  /** A JSON Schema. */
  readonly schema: unknown
}

export interface TemplateStep {
  readonly name: string
  readonly description: string | undefined
  readonly work: Work
  readonly role: Role
  /** Without doubles, in the order in which they are given. */
  readonly needs: readonly string[]
  readonly when: When
  readonly if: Made | undefined
  /** What its worker is given; unless told `{ input, steps, config }`, with the outputs of the steps it needs. */
  readonly with: Made | undefined
  readonly config: Readonly<Record<string, unknown>>
  readonly forEach: { readonly items: Made; readonly key: Made | undefined; readonly concurrency: number } | undefined
  /** Unless told that of its worker, else that of steps. */
  readonly retry: RetryOptions | undefined
  readonly timeout: {
    readonly attemptMs: number | undefined
    readonly queueMs: number | undefined
    readonly totalMs: number | undefined
  }
  readonly onError: 'fail' | 'continue' | { readonly fallback: string }
  readonly undo: UndoOfStep | undefined
  readonly limits: readonly { readonly name: string; readonly key: Made | undefined }[]
  readonly cache: { readonly ttlMs: number; readonly key: Made | undefined } | undefined
  readonly priority: number | undefined
  readonly queue: string | undefined
  readonly batch: BatchRules | undefined
  readonly publishes: readonly Publication[]
  /** A JSON Schema of its output: what is taken of it is checked when the template is loaded. */
  readonly result?: JsonSchema | undefined
}

/** How long a run may be in which state; what is left out is not bounded. */
export interface Lifecycle {
  readonly maxDurationMs: number | undefined
  readonly maxWaitingForDependenciesMs: number | undefined
  readonly maxWaitingForRetryMs: number | undefined
  readonly maxStepsInProcessMs: number | undefined
  readonly stalenessAction: (typeof stalenessActions)[number]
  readonly autoFailOnTimeout: boolean
  readonly autoDlqOnTimeout: boolean
}

export interface Template {
  readonly namespace: string
  readonly name: string
  readonly version: string
  /** SHA-256 of the canonical JSON of its native form. */
  readonly hash: string
  readonly description: string | undefined
  readonly input: JsonSchema | undefined
  readonly failure: (typeof failureModes)[number]
  /** The limiters it declares, by name. */
  readonly limiters: Readonly<Record<string, LimitBounds>>
  readonly steps: readonly TemplateStep[]
  readonly output: Made | undefined
  /** What makes two starts the same run; unless told every start is another. */
  readonly identity?: (typeof identities)[number] | undefined
  readonly lifecycle?: Lifecycle | undefined
  /** Those it says something about, by name. */
  readonly environments?: readonly string[]
  /** What it says of itself and nothing depends on: author, tags, notes. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  /** Its native form, as it holds in the environment it was loaded for: loading that again gives the same template. */
  readonly form?: Readonly<Record<string, unknown>>
}

/** What stands for the worker of a step among all there are: a method of a handler is a worker of its own, and so is what a resolver is asked for by name. */
export function handlerName({ uses, method, resolver }: HandlerNeed): string {
  const from = resolver === undefined ? uses : `${resolver}: ${uses}`
  return method === undefined || method === 'call' ? from : `${from}.${method}`
}
