// What crosses between an attempt in a thread and the one that stands for it outside. Values and errors cross as they are stored.
import type { MessageRules } from '../engine/definition/definition.ts'
import type { RunLogLevel } from '../engine/activation/speech.ts'
import type { HeldRecord } from '../engine/writes.ts'
import type { LogFields } from '../lib/log.ts'
import type { RememberedState } from '../store/store.ts'

/** What every thread is given. */
export interface ThreadData {
  readonly config: Readonly<Record<string, unknown>>
  readonly environment: string
  readonly maxValueBytes: number
  readonly shared: Int32Array
}

/** Where the code of a worker is. */
export interface Place {
  /** The URL of a file. */
  readonly module: string
  readonly name: string
  readonly version: string
  /** The name of the function that the definition was given; absent when it was given none. */
  readonly handler?: string
  readonly messages: MessageRules
}

export interface RunMessage {
  readonly type: 'run'
  readonly id: number
  /** The number of the definition in this process. */
  readonly definition: number
  /** Told to each thread once. */
  readonly place: Place | undefined
  readonly runId: string
  readonly correlationId: string | null
  readonly attempt: number
  readonly scheduledAt: number | null
  readonly states: readonly RememberedState[]
  readonly input: string
}

export type ToThread =
  | RunMessage
  | { readonly type: 'cut'; readonly id: number; readonly reason: string }
  | { readonly type: 'clean'; readonly id: number; readonly n: number }
  | { readonly type: 'token'; readonly id: number; readonly token: string | undefined; readonly error?: string }

export type News =
  | { readonly type: 'write'; readonly records: readonly HeldRecord[] }
  | { readonly type: 'emit'; readonly value: string }
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'log'; readonly level: RunLogLevel; readonly text: string; readonly fields: LogFields | undefined }
  | { readonly type: 'beat' }
  | { readonly type: 'snooze'; readonly delayMs: number }
  | { readonly type: 'defer'; readonly n: number }
  | { readonly type: 'later' }
  /** It knows that it was cut short. */
  | { readonly type: 'told' }
  | { readonly type: 'cleaned'; readonly n: number; readonly error?: string }
  | { readonly type: 'returned'; readonly value: string }
  | { readonly type: 'threw'; readonly error: string }
  /** It did its work, and what it returned cannot be stored. */
  | { readonly type: 'unstorable'; readonly error: string }

export type FromThread = News & { readonly id: number }
