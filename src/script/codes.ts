// Runs in a thread: makes what QuickJS performs of the text of a script, without its types, and remembers it.
import * as nodeModule from 'node:module'
import { createRequire } from 'node:module'
import type { ScriptFault, ScriptPoint } from './wire.ts'

/** What is performed, or what is wrong with the text; `isBroken`: what reads texts is of no more use after that. */
export type Code = { readonly text: string } | { readonly fault: ScriptFault; readonly isBroken: boolean }

/** The name that code goes by in stacks. */
export const scriptFile = 'script'

/** Lines that stand before those of the script. */
export const linesBefore = 1

// Threads stay for long, and a program may make up scripts.
const mostCodes = 256
const mostCharacters = 4_194_304

export class Codes {
  // Those used last stand last.
  readonly #codes = new Map<string, Code>()
  #characters = 0

  of(script: string): Code {
    const known = this.#codes.get(script)
    this.#codes.delete(script)
    const code = known ?? read(script)
    this.#codes.set(script, code)
    if (known === undefined) this.#forget(script.length)
    return code
  }

  /** Forgets what has not been used for longest, until there is room. */
  #forget(added: number): void {
    this.#characters += added
    for (const script of this.#codes.keys()) {
      if (this.#characters <= mostCharacters && this.#codes.size <= mostCodes) return
      this.#codes.delete(script)
      this.#characters -= script.length
    }
  }
}

// Read as a declaration first, and performed as an expression: what closes its function can be valid as one of them, not as both.
const declared = 'async function script() {\n'

function read(script: string): Code {
  try {
    return { text: `(async function () {\n${strip(`${declared}${script}\n}`).slice(declared.length)})` }
  } catch (error) {
    return refused(error as Refusal)
  }
}

/** What is thrown for a text: by the package with the place, by Node with a stack that begins with it. */
interface Refusal {
  readonly message: string
  readonly code?: string
  readonly stack?: string
  readonly startLine?: number
  /** Counted from 0. */
  readonly startColumn?: number
}

function refused(refusal: Refusal): Code {
  const { message, code = '' } = refusal
  // A text that is nested too deeply for its stack.
  if (!/syntax/i.test(code))
    return { fault: { name: 'SyntaxError', message: 'it is nested too deeply', at: undefined }, isBroken: true }
  return { fault: { name: 'SyntaxError', message, at: pointOf(refusal) }, isBroken: false }
}

function pointOf({ stack = '', startLine, startColumn = 0 }: Refusal): ScriptPoint | undefined {
  const line = startLine ?? Number(/^[^\n]*:(\d+)\n/.exec(stack)?.[1])
  const column = startLine === undefined ? (/^( *)\^+$/m.exec(stack)?.[1] ?? '').length : startColumn
  return Number.isNaN(line) ? undefined : { line: line - linesBefore, column: column + 1 }
}

type Strip = (text: string) => string

interface Stripper {
  transformSync(text: string, options: { readonly mode: 'strip-only' }): { readonly code: string }
}

let found: Strip | undefined

/** Whether scripts may be TypeScript. */
export function takesTypes(): boolean {
  return found !== asItIs
}

/** Leaves every other character in its place. What has no types stays as it is. */
function strip(text: string): string {
  found ??= findStrip()
  return found(text)
}

function asItIs(text: string): string {
  return text
}

/** Node's own where it has one; else the package that Node's is made of; where that is not installed, scripts are JavaScript. */
function findStrip(): Strip {
  const { stripTypeScriptTypes } = nodeModule as { readonly stripTypeScriptTypes?: Strip }
  if (stripTypeScriptTypes !== undefined) return (text) => stripTypeScriptTypes(text)
  try {
    const { transformSync } = createRequire(import.meta.url)('@swc/wasm-typescript') as Stripper
    return (text) => transformSync(text, { mode: 'strip-only' }).code
  } catch {
    return asItIs
  }
}
