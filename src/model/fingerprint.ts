// By what failures are known to be the same: what stays when a run fails again for the same reason.
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { ErrorRecord } from '../lib/error-record.ts'
import { projectFrame } from '../lib/stack-places.ts'

// Enough to tell apart more kinds of failures than anybody has.
const fingerprintLength = 16
// What follows is data more often than reason.
const mostRead = 2_000
const mostReason = 300

/**
 * The same for two errors of runs of one definition, of one code and name, whose messages differ in data alone and which come from one place of the program.
 *
 * Lines and columns do not count, so it outlives most edits of the file.
 */
export function fingerprintOf(definition: string, record: Partial<ErrorRecord>): string {
  const { name = '', code = '', message = '', stack = '' } = record
  const frame = projectFrame(stack)
  const place = frame === undefined ? '' : `${frame.called}@${basename(frame.file)}`
  const text = [definition, code, name, reasonOf(message), place].join('\n')
  return createHash('sha256').update(text).digest('hex').slice(0, fingerprintLength)
}

/** A message without what differs from run to run: quoted parts, addresses, paths, ids and numbers. */
export function reasonOf(message: string): string {
  let reason = message.slice(0, mostRead)
  for (const [part, name] of variable) reason = reason.replace(part, name)
  return reason.replace(/\s+/g, ' ').trim().slice(0, mostReason)
}

// In this order: an address has slashes, an id has digits.
const variable: readonly (readonly [RegExp, string])[] = [
  // An apostrophe within a word quotes nothing.
  [/"[^"\n]*"|`[^`\n]*`|(?<!\w)'[^'\n]*'(?!\w)|[“„][^”“\n]*[”“]|‘[^’\n]*’/g, '<text>'],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s,;)]+/gi, '<address>'],
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, '<address>'],
  [/(?<![\w<])(?:[A-Za-z]:)?(?:\.{0,2}[\\/][\w.@~-]+)+[\\/]?/g, '<path>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  // A word with a digit in it is data: a number, an id, a hash.
  [/(?:(?<=\w-)|\b)\w*\d[\w-]*(?:[.,:]\d\w*)*/g, '<n>'],
]
