// Durations as people write them, turned into milliseconds and back.

import { TroupeError } from './errors.ts'

/** Milliseconds, or text: `'250ms'`, `'30s'`, `'5m'`, `'1h30m'`, `'3d'`, `'1w'`, `'PT1H30M'`. */
export type Duration = number | string

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

const part = /(\d+(?:\.\d+)?)\s*(ms|[smhdw])\s*/gy
const isoDuration =
  /^P(?=[\dT])(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?=\d)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/
const isoUnits = [unitMs.w, unitMs.d, unitMs.h, unitMs.m, unitMs.s]

/**
 * Turns a duration into milliseconds.
 *
 * Months and years are refused because their length depends on the date.
 *
 * Throws: `option_invalid` for anything that is not a finite duration of zero or more.
 */
export function toMs(duration: Duration): number {
  const ms = typeof duration === 'string' ? parse(duration) : duration
  if (!Number.isFinite(ms) || ms < 0) throw durationInvalid(duration)
  return ms
}

/** Writes milliseconds for people, in at most two units: `250ms`, `2.4s`, `1m 30s`, `3d 4h`. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms)
  if (ms < 0) return `-${formatMs(-ms)}`
  if (Math.round(ms) < unitMs.s) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)}ms`
  const tenths = Math.round(ms / 100) / 10
  if (tenths < 60) return `${tenths}s`
  const seconds = Math.round(ms / unitMs.s)
  if (seconds < 3600) return twoUnits(seconds, 60, 'ms')
  const minutes = Math.round(ms / unitMs.m)
  if (minutes < 1440) return twoUnits(minutes, 60, 'hm')
  return twoUnits(Math.round(ms / unitMs.h), 24, 'dh')
}

function parse(text: string): number {
  const trimmed = text.trim()
  return trimmed.startsWith('P') ? parseIso(trimmed) : parseParts(trimmed)
}

function parseParts(text: string): number {
  let total = 0
  let end = 0
  for (const [matched, amount, unit] of text.matchAll(part)) {
    total += Number(amount) * unitMs[unit as keyof typeof unitMs]
    end += matched.length
  }
  return end > 0 && end === text.length ? tidy(total) : Number.NaN
}

function parseIso(text: string): number {
  const amounts = isoDuration.exec(text)?.slice(1)
  if (amounts === undefined) return Number.NaN
  return tidy(isoUnits.reduce((total, unit, index) => total + unit * Number(amounts[index] ?? 0), 0))
}

// Rounds the noise of binary fractions away: 1.1s is 1100ms, not 1100.0000000000002ms.
function tidy(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

function twoUnits(amount: number, size: number, units: 'ms' | 'hm' | 'dh'): string {
  const big = `${Math.floor(amount / size)}${units[0]}`
  const rest = amount % size
  return rest === 0 ? big : `${big} ${rest}${units[1]}`
}

function durationInvalid(received: unknown): TroupeError {
  const quoted = typeof received === 'string' ? JSON.stringify(received) : String(received)
  return new TroupeError(
    'option_invalid',
    `${quoted} is not a duration: give milliseconds (250), or text such as '250ms', '30s', '5m', '1h30m', '3d', '1w' or 'PT1H30M'.`,
    { details: { received: quoted } },
  )
}
