// Reads JSON with the place of each value; a name that stands twice in an object is a problem.
import { findJsonFault } from '../../lib/json-fault.ts'
import { deepest, keyRefused, type Read } from './read.ts'
import type { Places } from './places.ts'
import type { Problems } from './problems.ts'

const space = /[ \t\n\r]*/y
// oxlint-disable-next-line no-control-regex -- JSON forbids them in a text
const plainText = /"[^"\\\u0000-\u001f]*"/y
// oxlint-disable-next-line no-control-regex -- as above
const text = /"(?:[^"\\\u0000-\u001f]|\\.)*"/y
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const words = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
])

/** Where reading ended: what is wrong there is found by a second look. */
class Broken extends Error {}

/** Undefined when it is no JSON, of which `problems` tells. */
export function readJson(places: Places, problems: Problems): Read | undefined {
  const reader = new JsonReader(places, problems)
  try {
    return { value: reader.whole() }
  } catch (error) {
    if (!(error instanceof Broken)) throw error
  }
  if (reader.isTooDeep) return undefined
  const start = places.text.startsWith('\uFEFF') ? 1 : 0
  const fault = findJsonFault(places.text.slice(start))
  problems.errorAt(
    `This is not JSON: expected ${fault?.expected ?? 'something else'} here.`,
    start + (fault?.offset ?? 0),
  )
  return undefined
}

class JsonReader {
  readonly #places: Places
  readonly #problems: Problems
  readonly #text: string
  #at = 0
  #depth = 0
  isTooDeep = false

  constructor(places: Places, problems: Problems) {
    this.#places = places
    this.#problems = problems
    this.#text = places.text
    if (this.#text.startsWith('\uFEFF')) this.#at = 1
  }

  whole(): unknown {
    this.#skipSpace()
    const value = this.#value()
    this.#skipSpace()
    if (this.#at < this.#text.length) throw new Broken()
    return value
  }

  #value(): unknown {
    const letter = this.#text[this.#at]
    if (letter === '"') return this.#textValue()
    if (letter === '{' || letter === '[') return this.#container(letter)
    return this.#plain()
  }

  #container(opening: '{' | '['): unknown {
    this.#depth += 1
    if (this.#depth > deepest) {
      this.isTooDeep = true
      this.#problems.errorAt(`Values are at most ${deepest} levels deep.`, this.#at)
      throw new Broken()
    }
    const value = opening === '{' ? this.#object() : this.#list()
    this.#depth -= 1
    return value
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    const marks = this.#places.begin(object, this.#at)
    this.#at += 1
    if (this.#takes('}')) return object
    do {
      this.#skipSpace()
      const keyAt = this.#at
      const key = this.#textValue()
      if (!this.#takes(':')) throw new Broken()
      this.#skipSpace()
      const valueAt = this.#at
      const value = this.#value()
      const refused = keyRefused(object, key)
      if (refused === undefined) {
        object[key] = value
        marks.push(key, keyAt, valueAt)
      } else this.#problems.errorAt(refused, keyAt)
    } while (this.#takes(','))
    if (!this.#takes('}')) throw new Broken()
    return object
  }

  #list(): unknown[] {
    const list: unknown[] = []
    const marks = this.#places.begin(list, this.#at)
    this.#at += 1
    if (this.#takes(']')) return list
    do {
      this.#skipSpace()
      marks.push(this.#at)
      list.push(this.#value())
    } while (this.#takes(','))
    if (!this.#takes(']')) throw new Broken()
    return list
  }

  #textValue(): string {
    const simple = this.#match(plainText)
    if (simple !== undefined) return simple.slice(1, -1)
    const escaped = this.#match(text)
    if (escaped === undefined) throw new Broken()
    try {
      return JSON.parse(escaped) as string
    } catch {
      throw new Broken()
    }
  }

  #plain(): unknown {
    const digits = this.#match(number)
    if (digits !== undefined) return Number(digits)
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return value
    }
    throw new Broken()
  }

  #takes(sign: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== sign) return false
    this.#at += 1
    return true
  }

  #skipSpace(): void {
    space.lastIndex = this.#at
    space.test(this.#text)
    this.#at = space.lastIndex
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    if (!pattern.test(this.#text)) return undefined
    const matched = this.#text.slice(this.#at, pattern.lastIndex)
    this.#at = pattern.lastIndex
    return matched
  }
}
