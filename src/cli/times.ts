// Times and ages as people read them.
import { formatMs } from '../lib/duration.ts'
import type { RunStatus } from '../engine/verbs/run-status.ts'

const units = [
  { ms: 86_400_000, name: 'd' },
  { ms: 3_600_000, name: 'h' },
  { ms: 60_000, name: 'm' },
  { ms: 1_000, name: 's' },
] as const

// Swedish writes dates as ISO 8601 does, in the time zone of this machine.
const timestamps = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' })

/** `2025-11-21 04:07:12`, local time. */
export function timestamp(at: number): string {
  return timestamps.format(at)
}

/** How long ago, in one unit: `now`, `42s`, `3m`, `5d`. */
export function age(at: number, now: number): string {
  const ms = now - at
  const unit = units.find((each) => ms >= each.ms)
  return unit === undefined ? 'now' : `${Math.floor(ms / unit.ms)}${unit.name}`
}

/** A time beside now, in words: `3m ago`, `in 20s`, `now`. */
export function relative(at: number, now: number): string {
  if (at > now) return `in ${formatMs(at - now)}`
  const since = age(at, now)
  return since === 'now' ? since : `${since} ago`
}

/** How long a run took, or has taken so far; undefined before it began. */
export function tookMs(
  run: Pick<RunStatus, 'state' | 'createdAt' | 'startedAt' | 'finishedAt'>,
  now: number,
): number | undefined {
  const { state, createdAt, startedAt = createdAt, finishedAt } = run
  if (finishedAt !== undefined) return Math.max(0, finishedAt - startedAt)
  return state === 'running' || state === 'parked' ? Math.max(0, now - startedAt) : undefined
}
