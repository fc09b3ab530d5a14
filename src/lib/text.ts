// Any value as text, and text as a store keeps it.

/** Writes any value as text. Never throws, not even for objects whose properties do. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return (typeof value === 'object' ? JSON.stringify(value) : undefined) ?? String(value)
  } catch {
    return 'a value that cannot be written as text'
  }
}

/** Cuts a text and marks the cut. */
export function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

/** So many of something: `1 run`, `2,000 runs`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

/** Tells whether a store keeps a text as it is: some end it at a NUL, and half a surrogate pair has no UTF-8. */
export function isStorable(text: string): boolean {
  return !unstorable.test(text)
}

/** Writes out the characters that a store would lose: NUL becomes `\u0000`. */
export function escapeUnstorable(text: string): string {
  return isStorable(text) ? text : text.replace(everyUnstorable, escaped)
}

// Whole pairs are one character under `u`, and so are no surrogates.
const unstorable = /[\0\p{Surrogate}]/u
const everyUnstorable = /[\0\p{Surrogate}]/gu

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
