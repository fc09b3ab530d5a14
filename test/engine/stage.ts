// Engines for tests: on a manual clock, on one file or in memory, stopped and removed when the test ends.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, onTestFinished } from 'vitest'
import type { TroupeOptions } from '../../src/engine/options/options.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { openDriver, type SqlDriver } from '../../src/store/sqlite/connection/driver.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordedLog } from '../../src/testing/recorded-log.ts'
import { Troupe, type World } from '../../src/troupe.ts'

export interface StageOptions extends TroupeOptions {
  readonly clock?: ManualClock
  readonly world?: World
  /** False for a client that performs nothing. */
  readonly starts?: boolean
}

export interface Stage {
  readonly troupe: Troupe
  readonly clock: ManualClock
  readonly log: RecordedLog
  /** Stops the engine, moving its clock as far as that needs. */
  stop(within?: number): Promise<void>
}

/** Its wall time can jump; timers do not see that. */
export class JumpingClock extends ManualClock {
  aheadMs = 0

  override now(): number {
    return super.now() + this.aheadMs
  }
}

/** Opens an engine; in memory unless `store` says otherwise. */
export async function onStage(options: StageOptions = {}): Promise<Stage> {
  const { clock = new ManualClock(1_000), world = {}, starts = true, ...rest } = options
  const log = new RecordedLog()
  const troupe = await Troupe.openIn(
    { store: 'sqlite::memory:', node: 'test', logLevel: 'debug', ...rest },
    { clock, log, ...world },
  )
  if (starts) await troupe.start()
  const stop = (within = 0): Promise<void> => moving(clock, troupe.stop({ within }))
  onTestFinished(() => stop())
  return { troupe, clock, log, stop }
}

/** The URL of a store file that is removed when the test ends. */
export function storeFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return `sqlite:${join(folder, 'troupe.db')}`
}

/** Another program on the same file, which may lock it or forbid a write. */
export async function intruder(store: string): Promise<SqlDriver> {
  const driver = await openDriver(store.slice('sqlite:'.length))
  onTestFinished(() => {
    try {
      driver.exec('rollback')
    } catch {
      // It held no lock any more.
    }
    driver.close()
  })
  return driver
}

/** Lets the event loop turn `count` times. */
export async function turns(count = 30): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => systemClock.soon(resolve))
}

/** Lets the event loop turn until there is something to see. */
export async function eventually<T>(see: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (let turn = 0; turn < 3_000; turn++) {
    const seen = await see()
    if (seen !== undefined && seen !== null && seen !== false) return seen as NonNullable<T>
    await turns(1)
  }
  throw new Error(`Never happened: ${see.toString()}`)
}

/** Awaits a promise while time moves on in steps of 100 ms. */
export async function moving<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false
  const settle = (): void => void (isSettled = true)
  promise.then(settle, settle)
  for (let step = 0; !isSettled && step < 5_000; step++) await clock.advance(100)
  return promise
}

/** What a promise was rejected with; an error when it was not. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const [result] = await Promise.allSettled([promise])
  if (result.status === 'fulfilled') throw new Error(`Was not rejected, gave ${JSON.stringify(result.value)}`)
  return result.reason as Error & Record<string, unknown>
}

/** Fails the tests of a file when a rejection is left unhandled. */
export function noUnhandledRejections(): void {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  beforeAll(() => void process.on('unhandledRejection', note))
  afterAll(() => void process.off('unhandledRejection', note))
  afterEach(async () => {
    await turns(2)
    expect(unhandled.splice(0)).toEqual([])
  })
}
