// Durations as people write them, turned into milliseconds and back.

import { TroupeError } from './errors.ts'

/** Milliseconds, or text: `'250ms'`, `'30s'`, `'5m'`, `'1h30m'`, `'3d'`, `'1w'`, `'PT1H30M'`. */
export type Duration = number | string

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

const part = /(\d+(?:\.\d+)?)\s*(ms|[smhdw])\s*/gy
const isoDuration = /^P(?=.)((?:[\d.]+[WD])*)(?:T((?:[\d.]+[HMS])+))?$/

/**
 * Turns a duration into milliseconds.
 *
 * Months and years are refused because their length depends on the date.
 *
 * Throws: `option_invalid` for anything that is not a finite duration of zero or more; `what` names it in the error.
 */
export function toMs(duration: Duration, what?: string): number {
  const ms = typeof duration === 'string' ? remembered(duration) : duration
  if (!Number.isFinite(ms) || ms < 0) throw durationInvalid(duration, what)
  return ms
}

/** Writes milliseconds for people, in at most two units: `250ms`, `2.4s`, `1m 30s`, `3d 4h`. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms)
  if (ms < 0) return `-${formatMs(-ms)}`
  if (Math.round(ms) < unitMs.s) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)}ms`
  const tenths = Math.round(ms / 100)
  if (tenths < 600) return `${tenths / 10}s`
  const [size, big, small] = scales.find(([size, , small]) => Math.round(ms / unitMs[small]) >= size) ?? scales[2]
  const amount = Math.round(ms / unitMs[small])
  const rest = amount % size
  return `${Math.floor(amount / size)}${big}${rest === 0 ? '' : ` ${rest}${small}`}`
}

// How long texts in two units begin: with a day of 24 hours, an hour of 60 minutes, a minute of 60 seconds.
const scales = [
  [24, 'd', 'h'],
  [60, 'h', 'm'],
  [60, 'm', 's'],
] as const

// Measured: the same few stand in large templates thousands of times, and reading one takes a microsecond.
const known = new Map<string, number>()
const mostKnown = 1_000
// Longer ones would hold on to the text they were cut from.
const longestKnown = 12

function remembered(text: string): number {
  const found = known.get(text)
  if (found !== undefined) return found
  const ms = parse(text)
  if (known.size < mostKnown && text.length <= longestKnown && !Number.isNaN(ms)) known.set(text, ms)
  return ms
}

function parse(text: string): number {
  const trimmed = text.trim()
  const [, days, time = ''] = isoDuration.exec(trimmed) ?? []
  const parts = days === undefined ? trimmed : (days + time).toLowerCase()
  let total = 0
  let end = 0
  for (const [matched, amount, unit] of parts.matchAll(part)) {
    total += Number(amount) * unitMs[unit as keyof typeof unitMs]
    end += matched.length
  }
  // Rounds the noise of binary fractions away: 1.1s is 1100ms, not 1100.0000000000002ms.
  return end > 0 && end === parts.length ? Math.round(total * 1000) / 1000 : Number.NaN
}

function durationInvalid(received: unknown, what: string | undefined): TroupeError {
  const text = Array.isArray(received) ? 'a list' : String(received)
  const quoted = typeof received === 'string' ? JSON.stringify(received) : text
  const place = what === undefined ? '' : `${what}: `
  const number = typeof received === 'string' && /^\d+$/.test(received) ? `the number ${received}` : '250'
  return new TroupeError(
    'option_invalid',
    `${place}${quoted} is not a duration: give milliseconds (${number}), or text such as '250ms', '30s', '5m', '1h30m', '3d', '1w' or 'PT1H30M'.`,
    { details: { received: quoted } },
  )
}
