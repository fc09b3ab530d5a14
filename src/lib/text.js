// Any value as text, and text as a store keeps it.
/** Writes any value as text. Never throws, not even for objects whose properties do. */
export function textOf(value) {
  if (typeof value === 'string') return value
  try {
    return (typeof value === 'object' ? JSON.stringify(value) : undefined) ?? String(value)
  } catch {
    return 'a value that cannot be written as text'
  }
}
/** Cuts a text and marks the cut. */
export function clip(text, length) {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}
/** Tells whether a store keeps a text as it is: some end it at a NUL, and half a surrogate pair has no UTF-8. */
export function isStorable(text) {
  return !unstorable.test(text)
}
/** Writes out the characters that a store would lose: NUL becomes `\u0000`. */
export function escapeUnstorable(text) {
  return isStorable(text) ? text : text.replace(everyUnstorable, escaped)
}
// Whole pairs are one character under `u`, and so are no surrogates.
const unstorable = /[\0\p{Surrogate}]/u
const everyUnstorable = /[\0\p{Surrogate}]/gu
function escaped(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
