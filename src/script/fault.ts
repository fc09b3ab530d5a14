// Runs in a thread: what a script threw, as its world described it.
import { clip } from '../lib/text.ts'
import { linesBefore, scriptFile, takesTypes } from './codes.ts'
import type { ScriptFault, ScriptPoint } from './wire.ts'

interface Described {
  /** The name of its class. */
  readonly kind?: string
  /** Absent for what is no Error. */
  readonly name?: string
  readonly message: string
  readonly stack?: string
  readonly isNull?: boolean
}

// The other one is said of texts of a billion characters.
const noRoom: ReadonlySet<string> = new Set(['out of memory', 'string too long'])
const mostText = 4_096
const frame = new RegExp(`\\b${scriptFile}:(\\d+)(?::(\\d+))?`)

export function faultOf(json: string): ScriptFault {
  const { name = '', message, stack = '', kind } = JSON.parse(json) as Described
  return {
    name: clip(name, 200),
    message: clip(message, mostText),
    at: pointIn(stack, `at ${kind} (`),
    isTyped: takesTypes(),
  }
}

/** Whether it tells that memory ran out. Where that was full there is none left even for an error, and null is thrown. */
export function isOutOfMemory(json: string, wasFull: boolean): boolean {
  const { name, message, isNull } = JSON.parse(json) as Described
  return isNull === true ? wasFull : name === 'InternalError' && noRoom.has(message)
}

/** The innermost point of the script; where the error itself is made is none. */
function pointIn(stack: string, making: string): ScriptPoint | undefined {
  const made = stack.split('\n').filter((each) => !each.includes(making))
  const [, line, column = '1'] = frame.exec(made.join('\n')) ?? []
  return line === undefined ? undefined : { line: Math.max(1, Number(line) - linesBefore), column: Number(column) }
}
