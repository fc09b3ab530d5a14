// The hash of what a template says.
import { createHash } from 'node:crypto'

/** SHA-256 of the canonical JSON of a value: keys in the order of their characters, no spaces. */
export function hashOf(value: unknown): string {
  const hash = createHash('sha256')
  let waiting = ''
  write(value, (text) => {
    waiting += text
    if (waiting.length < 65_536) return
    hash.update(waiting)
    waiting = ''
  })
  return hash.update(waiting).digest('hex')
}

// Measured: most texts need no escape, and asking is 3 times as fast as JSON.stringify.
// oxlint-disable-next-line no-control-regex -- JSON escapes them
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/

function textOf(value: unknown): string {
  return typeof value === 'string' && !escaped.test(value) ? `"${value}"` : JSON.stringify(value ?? null)
}

function write(value: unknown, put: (text: string) => void): void {
  if (typeof value !== 'object' || value === null) return put(textOf(value))
  const isList = Array.isArray(value)
  const keys = isList ? value.keys() : Object.keys(value).sort()
  let separator = isList ? '[' : '{'
  for (const key of keys) {
    const item = (value as Record<string | number, unknown>)[key]
    if (item === undefined && !isList) continue
    put(isList ? separator : `${separator}${textOf(key)}:`)
    write(item, put)
    separator = ','
  }
  if (separator !== ',') put(separator)
  put(isList ? ']' : '}')
}
