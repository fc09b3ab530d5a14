// What a script is run with, checked.
import { createHash } from 'node:crypto'
import { checkText } from '../engine/checks.ts'
import { defaultValueBytes } from '../engine/value-size.ts'
import { toError } from '../lib/errors.ts'
import { optionInvalid } from '../model/errors.ts'
import { globalUnfit } from './errors.ts'
import { fitting } from './fit.ts'
import { leastMemoryBytes } from './memory.ts'
import type { ScriptFrom } from './place.ts'
import type { ScriptLine, ScriptOrder } from './wire.ts'

export interface ScriptOptions {
  /** What the script finds under these names: values that JSON has a form for; dates become texts, and undefined becomes null. */
  readonly globals?: Readonly<Record<string, unknown>>
  /** The time in the script, in milliseconds since 1970: it stands still. */
  readonly now: number
  /** Any text: under the same one `Math.random()` gives the same numbers. */
  readonly seed: string
  /** How long it may take, without the wait for a thread; 5 s unless given. */
  readonly timeoutMs?: number | undefined
  /** How much memory it may take, with all that JavaScript itself takes; 64 MiB unless given, 16 MiB at least. */
  readonly memoryBytes?: number | undefined
  /** How much its result may take as JSON; 1 MiB unless given. */
  readonly outputBytes?: number | undefined
  /** Ends it at once, with the reason of the signal. */
  readonly signal?: AbortSignal | undefined
  /** Where it stands in a file, for errors that name the place. */
  readonly from?: ScriptFrom | undefined
  /** Called for each line that it said with `console`, once it has ended, however it did. */
  readonly onLine?: ((line: ScriptLine) => void) | undefined
}

// How long a script may be: it is read in a thread, but shown to people.
const mostScript = 1_048_576

const bounds = {
  timeoutMs: { usual: 5_000, least: 1, most: 86_400_000 },
  memoryBytes: { usual: 67_108_864, least: leastMemoryBytes, most: 1_073_741_824 },
  outputBytes: { usual: defaultValueBytes, least: 1, most: 67_108_864 },
} as const

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

/** Throws `option_invalid`, and `value_not_storable` for a global that JSON has no form for. */
export function orderOf(script: string, options: ScriptOptions): ScriptOrder {
  checkText('script', script)
  if (script.length > mostScript)
    throw optionInvalid('The length of the script', script.length, `at most ${mostScript} characters`)
  const { globals = {}, now, seed } = options
  if (!Number.isFinite(now)) throw optionInvalid('now of a script', now, 'milliseconds since 1970')
  for (const name of Object.keys(globals))
    if (!identifier.test(name)) throw optionInvalid('The name of a global', name, 'a name as variables have it')
  return {
    script,
    names: Object.keys(globals),
    values: `[${Object.entries(globals)
      .map(([name, value]) => jsonOf(name, value))
      .join()}]`,
    now,
    seed: numberOf(seed),
    timeoutMs: bounded('timeoutMs', options),
    memoryBytes: bounded('memoryBytes', options),
    outputBytes: bounded('outputBytes', options),
  }
}

function jsonOf(name: string, value: unknown): string {
  try {
    return JSON.stringify(value, fitting(name)) ?? 'null'
  } catch (error) {
    throw globalUnfit(name, toError(error))
  }
}

function bounded(name: keyof typeof bounds, options: ScriptOptions): number {
  const { usual, least, most } = bounds[name]
  const value = options[name] ?? usual
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw optionInvalid(`${name} of a script`, value, `a whole number from ${least} to ${most}`)
}

function numberOf(seed: string): number {
  return createHash('sha256').update(seed).digest().readInt32LE()
}
