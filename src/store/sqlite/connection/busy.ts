// A file that another process has locked is tried again, for a time.
import type { Clock } from '../../../lib/clock.ts'
import { isTroupeError } from '../../../lib/errors.ts'
import type { ConnectionOptions } from './connection.ts'

export interface SqliteOptions extends ConnectionOptions {
  readonly clock: Clock
  /** How long a file that another process has locked is tried again. */
  readonly busyTimeoutMs?: number
}

/** Tries again while another process holds a lock, and lets the event loop run in between. */
export async function untilFree<T>(
  { clock, busyTimeoutMs = 30_000 }: SqliteOptions,
  work: () => T | Promise<T>,
): Promise<T> {
  const startedAt = clock.monotonic()
  for (let delayMs = 1; ; delayMs = Math.min(delayMs * 2, 25)) {
    try {
      return await work()
    } catch (error) {
      if (!isStoreBusy(error) || clock.monotonic() - startedAt > busyTimeoutMs) throw error
    }
    await new Promise<void>((resolve) => clock.after(delayMs, resolve))
  }
}

function isStoreBusy(error: unknown): boolean {
  return isTroupeError(error, 'store_busy')
}
