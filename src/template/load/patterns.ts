// The patterns of JSON Schemas: matched in time proportional to the text, so that none of them holds the main loop.
import { createRequire } from 'node:module'
import type { RegExpEngine } from 'ajv/dist/types/index.js'
import { textOf } from '../../lib/text.ts'

type Re2 = typeof import('re2js')

// Loaded with the first pattern.
let loaded: Re2 | undefined
const re2 = (): Re2 => (loaded ??= createRequire(import.meta.url)('re2js') as Re2)

// Invariant: I15. The time for each character rises with it; a name of up to a thousand letters takes 2,000.
const mostInstructions = 10_000

/** Compiles a pattern as ECMAScript reads it, without what takes an unknown time. Throws `PatternFault`. */
function linear(source: string, flags: string): { test(text: string): boolean; toString(): string } {
  try {
    new RegExp(source, flags)
    const { RE2JS } = re2()
    const made = RE2JS.compile(RE2JS.translateRegExp(source))
    if (made.programSize() > mostInstructions) throw new Error('it counts too far')
    // ajv takes those of one text for the same.
    return { test: (text) => made.test(text), toString: () => source }
  } catch (cause) {
    throw new PatternFault(source, cause)
  }
}

// ajv names it in code that it writes out, which it does not do here.
export const linearPatterns: RegExpEngine = Object.assign(linear, { code: 'linear' })

export class PatternFault extends Error {
  constructor(source: string, cause: unknown) {
    super(
      `the pattern ${textOf(source)} is none that takes a time in proportion to the text: it may not look ahead or behind, name what a group matched, or count above 1,000`,
      { cause },
    )
  }
}
