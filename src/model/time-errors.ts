// The errors for what takes too long, or is not begun in time: each is written here once.
import { formatMs } from '../lib/duration.ts'
import { TroupeError } from '../lib/errors.ts'
import { TimeoutError } from './error-classes.ts'
import type { Staleness } from './lifecycle.ts'
import { reasonText, type WaitReason } from './reason.ts'

export function workerTimedOut(name: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `Worker '${name}' timed out after ${formatMs(timeoutMs)}: give it a longer { timeout }, or let it end when its signal aborts.`,
    { details: { name, timeoutMs } },
  )
}

/** The whole run had `timeoutMs`, told by its call. */
export function runDeadlinePassed(name: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `Worker '${name}' timed out after ${formatMs(timeoutMs)}: its call gave it no more time, waiting and further attempts included. Call it with a longer { timeout }, or find what it waited for.`,
    { retryable: false, details: { name, timeoutMs } },
  )
}

/** Its call gave it `waitMs` to begin, from the call on. */
export function runExpired(name: string, waitMs: number): TroupeError {
  return new TroupeError(
    'expired',
    `Worker '${name}' expired: its run was not begun within ${formatMs(Math.max(0, waitMs))} of its call. Let more of its queue run at once, or call it with a longer { expires }.`,
    { retryable: false, details: { name, waitMs } },
  )
}

/** It has been in one state for longer than its definition allows. */
export function runStale(name: string, { limit, maxMs }: Pick<Staleness, 'limit' | 'maxMs'>): TroupeError {
  return new TroupeError(
    'stale',
    `A run of '${name}' is stale: ${formatMs(maxMs)} have passed, which is its ${limit}. See what it waits for with troupe show, or allow more in its lifecycle.`,
    { retryable: false, details: { name, limit, maxMs } },
  )
}

export function workerSilent(name: string, heartbeatMs: number): TimeoutError {
  return new TimeoutError(
    `Worker '${name}' timed out: it gave no sign of life for ${formatMs(heartbeatMs)}. Call ctx.heartbeat() more often, or allow a longer silence with { heartbeat }.`,
    { details: { name, heartbeatMs } },
  )
}

export function cleanupTooLong(withinMs: number): TimeoutError {
  return new TimeoutError(
    `A clean-up did not end within the ${formatMs(withinMs)} that all of an attempt have: let it do less, or make it a step.`,
    { details: { withinMs }, retryable: false },
  )
}

export function stepTimedOut(path: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `Step '${path}' timed out after ${formatMs(timeoutMs)}: give it a longer { timeout }, or let it end when its signal aborts.`,
    { details: { path, timeoutMs } },
  )
}

/** With the reason why the run waits, where it does. */
export function resultTimeout(runId: string, timeoutMs: number, reason?: WaitReason): TroupeError {
  const why =
    reason === undefined
      ? 'it goes on, ask for its result again'
      : `it waits for ${reasonText(reason)}. It is kept, ask for its result again`
  return new TroupeError('result_timeout', `Run ${runId} did not finish within ${formatMs(timeoutMs)}; ${why}.`, {
    details: {
      runId,
      timeoutMs,
      ...(reason !== undefined && { reason: reason.kind }),
      ...(reason?.kind === 'not_served' && { missing: reason.missing, queue: reason.queue }),
    },
  })
}
