// Where each value of a text stands, by the object or list it is in.
import type { Spot } from '../expression/placeholders.ts'

export interface Position {
  /** From 1. */
  readonly line: number
  readonly column: number
}

/** Of the key, or of what stands under it. */
export type Part = 'key' | 'value'

/** Its own place, then those of what is in it. */
export type Marks = [start: number, ...rest: (string | number)[]]

export class Places {
  readonly file: string
  readonly text: string
  // Measured: one array for each container, its own place first, then those of what is in it; a map for each took three times as long.
  readonly #marks = new Map<object, Marks>()
  #lines: readonly number[] | undefined

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
  }

  /** An object or list begins here. What is in it is added to what this returns: `key, place of the key, place of the value` of an object, the place of each item of a list. */
  begin(owner: object, offset: number): Marks {
    const marks: Marks = [offset]
    this.#marks.set(owner, marks)
    return marks
  }

  mark({ owner, key }: Spot, keyAt: number, valueAt: number): void {
    const marks = this.#marks.get(owner)
    if (typeof key === 'number') marks?.push(valueAt)
    else marks?.push(key, keyAt, valueAt)
  }

  /** What is made of another value stands where that does. */
  copy(made: Spot, source: Spot): void {
    if (!this.#marks.has(made.owner)) this.begin(made.owner, this.startOf(source.owner) ?? 0)
    this.mark(made, this.offsetOf(source, 'key'), this.offsetOf(source, 'value'))
  }

  startOf(owner: object): number | undefined {
    return this.#marks.get(owner)?.[0]
  }

  /** Of a key that is not there: where its object begins. */
  offsetOf({ owner, key }: Spot, part: Part): number {
    const marks = this.#marks.get(owner) ?? [0]
    if (typeof key === 'number') return (marks[key + 1] as number | undefined) ?? marks[0]
    // What was put there last.
    for (let at = marks.length - 3; at > 0; at -= 3) {
      if (marks[at] === key) return marks[part === 'key' ? at + 1 : at + 2] as number
    }
    return marks[0]
  }

  positionOf(offset: number): Position {
    this.#lines ??= lineStarts(this.text)
    let [low, high] = [0, this.#lines.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#lines[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (this.#lines[low] ?? 0) + 1 }
  }

  lineText(line: number): string {
    this.#lines ??= lineStarts(this.text)
    return this.text.slice(this.#lines[line - 1], this.#lines[line]).replace(/[\r\n]+$/, '')
  }
}

/** Where something within a value stands, as far as keys lead. */
export function spotWithin(whole: Spot, path: readonly (string | number)[]): Spot {
  let spot = whole
  for (const key of path) {
    const next: unknown = (spot.owner as Record<string | number, unknown>)[spot.key]
    if (typeof next !== 'object' || next === null) return spot
    spot = { owner: next, key: Array.isArray(next) ? Number(key) : String(key) }
  }
  return spot
}

function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
