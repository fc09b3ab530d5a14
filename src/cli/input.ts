// The input of a run, from the command line or from a pipe.
import { TroupeError } from '../lib/errors.ts'
import { findJsonFault, type JsonFault } from '../lib/json-fault.ts'
import { usage } from './usage.ts'

// Enough of the input to see what is around the fault.
const excerptWidth = 60

/** Reads the JSON argument: undefined without one. Throws `usage`, quoting where it breaks. */
export function parseInput(text: string | undefined, example: string): unknown {
  if (text === undefined) return undefined
  if (text.trim() === '') throw usage('The input is empty: give JSON, or leave the argument out.')
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw inputNotJson(text, example, cause)
  }
}

/** The error for text that is not JSON: what was expected where, and how shells change quotes. */
function inputNotJson(text: string, example: string, cause: unknown): TroupeError {
  const fault = findJsonFault(text) ?? { offset: 0, expected: 'JSON' }
  const message = `${headline(text, fault)}\n\n${pointAt(text, fault.offset)}\n\n${hint(text, example)}`
  return new TroupeError('usage', message, { cause, details: { offset: fault.offset } })
}

function headline(text: string, { offset, expected }: JsonFault): string {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const column = offset - before.lastIndexOf('\n')
  const place =
    offset >= text.length
      ? 'it ends too early'
      : text.includes('\n')
        ? `line ${line}, character ${column}`
        : `character ${column}`
  return `The input is not JSON: ${place}, expected ${expected}.`
}

/** The line of the fault with a caret under it. */
export function pointAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', start)
  const line = text.slice(start, end === -1 ? text.length : end).replace(/\t/g, ' ')
  const column = offset - start
  const from = Math.max(0, Math.min(column - excerptWidth / 2, line.length - excerptWidth))
  const lead = from > 0 ? '…' : ''
  const tail = from + excerptWidth < line.length ? '…' : ''
  return `  ${lead}${line.slice(from, from + excerptWidth)}${tail}\n  ${' '.repeat(lead.length + column - from)}^`
}

function hint(text: string, example: string): string {
  const trimmed = text.trim()
  if (/^['‘“]/.test(trimmed))
    return `JSON has double quotes inside, and single quotes around all of it for the shell:\n  ${example}`
  if (/^[{[]/.test(trimmed) && !trimmed.includes('"')) {
    return `The shell has eaten the double quotes: put single quotes around the JSON.\n  ${example}`
  }
  if (/^[\p{L}_]/u.test(trimmed)) return `A text needs double quotes inside single ones: '"${trimmed.split(/\s/)[0]}"'`
  return `Put single quotes around the JSON, or pipe it in with - :\n  ${example}`
}
