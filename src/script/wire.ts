// What crosses between a script's thread and the one that waits for it outside.
import type { RunLogLevel } from '../engine/activation/speech.ts'

/** What every thread of scripts is given. */
export interface ThreadData {
  readonly shared: Int32Array
}

/** A script and what it is run with. */
export interface ScriptOrder {
  readonly script: string
  readonly names: readonly string[]
  /** The values of those globals, as a list in JSON. */
  readonly values: string
  readonly seed: number
  readonly now: number
  readonly timeoutMs: number
  readonly memoryBytes: number
  readonly outputBytes: number
}

export interface OrderMessage extends ScriptOrder {
  readonly id: number
}

/** A line that a script said. */
export interface ScriptLine {
  readonly level: RunLogLevel
  readonly text: string
}

/** Counted from 1, in the script. */
export interface ScriptPoint {
  readonly line: number
  readonly column: number
}

/** What a script threw, or what is wrong with it. */
export interface ScriptFault {
  /** Empty for what is no Error. */
  readonly name: string
  readonly message: string
  readonly at: ScriptPoint | undefined
  /** False where types are not taken out of texts. */
  readonly isTyped?: boolean
}

export type Ending =
  /** As JSON. */
  | { readonly type: 'returned'; readonly value: string }
  | { readonly type: 'threw'; readonly fault: ScriptFault }
  | { readonly type: 'invalid'; readonly fault: ScriptFault }
  | { readonly type: 'too_large'; readonly bytes: number }
  | { readonly type: 'out_of_time' }
  | { readonly type: 'out_of_memory' }
  /** It awaits what nothing settles. */
  | { readonly type: 'stuck' }
  /** It was told to stop. */
  | { readonly type: 'stopped' }

export interface Answer {
  readonly id: number
  readonly ending: Ending
  readonly lines: readonly ScriptLine[]
  /** Its thread is of no more use. */
  readonly isSpent: boolean
}
