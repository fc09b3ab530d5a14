// Lets `${{ … }}` stand in YAML without quotes: to YAML its braces, colons and hashes mean something else.
import { closingAfter, opening } from '../expression/placeholders.ts'

interface Masked {
  readonly start: number
  readonly text: string
}

const fillers = { first: 0xe000, last: 0xf8ff }

/** A text in which each placeholder is a word as long as it, so that all else keeps its place. */
export class Mask {
  readonly text: string
  readonly #masked: readonly Masked[]
  readonly #filler: string

  constructor(text: string) {
    this.#filler = unusedIn(text)
    this.#masked = text.includes(opening) ? placeholdersIn(text) : []
    this.text = this.#masked.length === 0 ? text : this.#filled(text)
  }

  #filled(text: string): string {
    const pieces: string[] = []
    let at = 0
    for (const { start, text: covered } of this.#masked) {
      pieces.push(text.slice(at, start), this.#filler.repeat(covered.length))
      at = start + covered.length
    }
    return pieces.join('') + text.slice(at)
  }

  /** What was read of the masked text between two places, with the placeholders that stand there; `unquoted` turns the text of one into what it stands for. */
  restore(read: string, [start, end]: readonly [number, number], unquoted: (text: string) => string): string {
    if (this.#masked.length === 0 || !read.includes(this.#filler)) return read
    const pieces: string[] = []
    let at = 0
    for (let index = this.#firstFrom(start); (this.#masked[index]?.start ?? Infinity) < end; index += 1) {
      const { text } = this.#masked[index] as Masked
      const found = read.indexOf(this.#filler, at)
      if (found === -1) break
      pieces.push(read.slice(at, found), unquoted(text))
      at = found + text.length
    }
    return pieces.join('') + read.slice(at)
  }

  #firstFrom(offset: number): number {
    let [low, high] = [0, this.#masked.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#masked[middle]?.start ?? 0) < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** One character for private use that the text has not. */
function unusedIn(text: string): string {
  for (let code = fillers.first; code < fillers.last; code += 1) {
    const filler = String.fromCharCode(code)
    if (!text.includes(filler)) return filler
  }
  return String.fromCharCode(fillers.last)
}

/** Those that stand on one line; one that goes over lines is left to YAML, which joins them. */
function placeholdersIn(text: string): readonly Masked[] {
  const found: Masked[] = []
  let start = text.indexOf(opening)
  while (start !== -1) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    found.push(...placeholdersOfLine(text.slice(start, end), start))
    start = text.indexOf(opening, end)
  }
  return found
}

/** One without an end hides those after it: this looks at each character once. */
function placeholdersOfLine(line: string, offset: number): readonly Masked[] {
  const found: Masked[] = []
  let start = 0
  while (start !== -1) {
    const closing = closingAfter(line, start + opening.length)
    if (closing === undefined) return found
    const end = closing + 2
    found.push({ start: offset + start, text: line.slice(start, end) })
    start = line.indexOf(opening, end)
  }
  return found
}
