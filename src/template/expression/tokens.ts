// The words of an expression, each with its place.
import { expressionInvalid } from './errors.ts'

export interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'sign' | 'end'
  /** Of a text what it stands for, without its quotes. */
  readonly text: string
  readonly at: number
}

// Invariant: I15. What is parsed is small, so whoever walks over it may recurse.
const mostCharacters = 10_000
const mostTokens = 1_000

const space = /[\s\uFEFF]*/y
const name = /[\p{L}_$][\p{L}\p{M}\p{N}_$]*/uy
const number = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// Those of other languages are left out, so that a hint is given.
const sign = /\?\?|\|\||&&|[=!]=(?!=)|[<>]=?|!(?!==)|[+\-*/%?:.,()[\]{}]/y

const hints: readonly (readonly [string, string])[] = [
  ['===', "Write '==': nothing is converted when it compares."],
  ['!==', "Write '!=': nothing is converted when it compares."],
  ['=>', 'There are no functions of your own in an expression: let a script do it.'],
  ['=', "Write '==' to compare."],
  ['&', "Write '&&' for and."],
  ['|', "Write '||' for or."],
  ['`', 'Write texts in single or double quotes.'],
]

/** The last one is the end. Throws `expression_invalid`. */
export function tokensOf(text: string): readonly Token[] {
  if (text.length > mostCharacters)
    throw expressionInvalid(
      { text: text.slice(0, 100), at: 0 },
      `An expression of ${text.length} characters: at most ${mostCharacters} are allowed. Let a script do it.`,
    )
  const tokens: Token[] = []
  let at = endOf(space, text, 0) ?? 0
  while (at < text.length) {
    const [token, end] = tokenAt(text, at)
    tokens.push(token)
    if (tokens.length > mostTokens)
      throw expressionInvalid({ text, at }, `More than ${mostTokens} words. Let a script do it.`)
    at = endOf(space, text, end) ?? end
  }
  tokens.push({ kind: 'end', text: '', at: text.length })
  return tokens
}

function tokenAt(text: string, at: number): readonly [Token, number] {
  const quote = text[at]
  if (quote === "'" || quote === '"') return textAt(text, at)
  const numberEnd = endOf(number, text, at)
  if (numberEnd !== undefined) {
    if (endOf(name, text, numberEnd) !== undefined)
      throw expressionInvalid({ text, at }, "A name cannot begin with a digit: write ['…'] for such a key.")
    return [{ kind: 'number', text: text.slice(at, numberEnd), at }, numberEnd]
  }
  const nameEnd = endOf(name, text, at)
  if (nameEnd !== undefined) return [{ kind: 'name', text: text.slice(at, nameEnd), at }, nameEnd]
  const signEnd = endOf(sign, text, at)
  if (signEnd !== undefined) return [{ kind: 'sign', text: text.slice(at, signEnd), at }, signEnd]
  const hint = hints.find(([wrong]) => text.startsWith(wrong, at))?.[1]
  throw expressionInvalid({ text, at }, hint ?? `${JSON.stringify(characterAt(text, at))} means nothing here.`)
}

function characterAt(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0)
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['b', '\b'],
  ['f', '\f'],
  ['\\', '\\'],
  ['/', '/'],
  ["'", "'"],
  ['"', '"'],
])
const unicode = /u([0-9a-fA-F]{4})/y

function textAt(text: string, start: number): readonly [Token, number] {
  const quote = text[start] as string
  const end = text.indexOf(quote, start + 1)
  const plain = text.slice(start + 1, end)
  if (end !== -1 && !plain.includes('\\')) return [{ kind: 'text', text: plain, at: start }, end + 1]
  let value = ''
  let at = start + 1
  while (text[at] !== quote) {
    const letter = text[at]
    if (letter === undefined) throw expressionInvalid({ text, at: start }, 'This text has no closing quote.')
    if (letter === '\\') {
      const [meant, end] = escapeAt(text, at + 1)
      value += meant
      at = end
    } else {
      value += letter
      at += 1
    }
  }
  return [{ kind: 'text', text: value, at: start }, at + 1]
}

function escapeAt(text: string, at: number): readonly [string, number] {
  unicode.lastIndex = at
  const code = unicode.exec(text)?.[1]
  if (code !== undefined) return [String.fromCharCode(Number.parseInt(code, 16)), at + 5]
  const meant = escapes.get(text[at] ?? '')
  if (meant === undefined)
    throw expressionInvalid({ text, at: at - 1 }, `After '\\' comes one of n t r b f \\ / ' " or u and four digits.`)
  return [meant, at + 1]
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : undefined
}
