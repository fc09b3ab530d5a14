// The lease of a node whose main loop is busy: it is renewed from a thread, as long as the loop may come back.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { Troupe, worker } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { LeaseOrder } from '../../src/store/lease.ts'
import type { Store } from '../../src/store/store.ts'
import { RecordedLog } from '../../src/testing/recorded-log.ts'
import { freshDatabase } from '../postgres.ts'

const leaseMs = 900
const identity = { name: 'busy', bootId: null, pidNamespace: null, pid: 1, pidStartedAt: null }
let path = ''

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-lease-'))
  path = join(folder, 'troupe.db')
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})

function waitFor(isSo: () => boolean, withinMs = 10_000): Promise<void> {
  const until = systemClock.monotonic() + withinMs
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (isSo()) resolve()
      else if (systemClock.monotonic() > until) reject(new Error(`Never happened: ${isSo.toString()}`))
      else systemClock.after(5, look)
    }
    look()
  })
}

/** Holds the main loop. */
function block(ms: number): void {
  const until = systemClock.monotonic() + ms
  while (systemClock.monotonic() < until);
}

/** Waits for the thread: only that can renew the lease while the main loop is held. */
async function isKept(store: Store, nodeId: number): Promise<void> {
  for (let look = 0; look < 50; look++) {
    const before = store.leaseLeftMs(nodeId)
    block(leaseMs / 2)
    if (store.leaseLeftMs(nodeId) > Math.max(0, before - leaseMs / 4)) return
    await new Promise<void>((resolve) => systemClock.soon(resolve))
  }
  throw new Error('The lease is not renewed')
}

/** On a file, and on a server. */
const databases = {
  SQLite: () => openSqlite({ path, synchronous: 'normal', clock: systemClock }),
  Postgres: async () => openPostgres({ url: await freshDatabase('18'), clock: systemClock }),
}

async function openStore(name: keyof typeof databases): Promise<{ store: Store; nodeId: number }> {
  const store = await databases[name]()
  onTestFinished(() => store.close())
  return { store, nodeId: await store.insertNode(identity, leaseMs) }
}

function orderFor(nodeId: number, values: Partial<LeaseOrder> = {}): LeaseOrder {
  const fail = (what: unknown): never => {
    throw new Error(`The thread failed or lost its lease: ${String(what)}`)
  }
  return { nodeId, leaseMs, stuckMs: 60_000, lost: fail, failed: fail, ...values }
}

describe.each(['SQLite', 'Postgres'] as const)('a lease that a thread keeps on %s', (name) => {
  it('is renewed while the main loop is held for longer than it lasts', async () => {
    const { store, nodeId } = await openStore(name)
    const keeper = store.keepLease(orderFor(nodeId))
    await isKept(store, nodeId)
    block(leaseMs * 2)
    expect(store.leaseLeftMs(nodeId)).toBeGreaterThan(leaseMs * 0.3)
    await keeper?.stop()
    block(leaseMs)
    expect(store.leaseLeftMs(nodeId)).toBe(0)
  })

  it('runs out when the main loop gives no sign of life for too long, and is renewed again after one', async () => {
    const { store, nodeId } = await openStore(name)
    const keeper = store.keepLease(orderFor(nodeId, { stuckMs: leaseMs }))
    await isKept(store, nodeId)
    await waitFor(() => store.leaseLeftMs(nodeId) === 0)
    keeper?.beat(nodeId)
    await waitFor(() => store.leaseLeftMs(nodeId) > 0)
    await keeper?.stop()
  })

  it('tells that the node was declared dead, and follows its new number', async () => {
    const { store, nodeId } = await openStore(name)
    const lost: number[] = []
    const keeper = store.keepLease(orderFor(nodeId, { lost: (id) => lost.push(id) }))
    await isKept(store, nodeId)
    await store.deleteNode(nodeId)
    await waitFor(() => lost.length > 0)
    const again = await store.insertNode(identity, 1)
    keeper?.beat(again)
    await waitFor(() => store.leaseLeftMs(again) > 0)
    expect(lost).toEqual([nodeId])
    await keeper?.stop()
  })
})

describe('a thread that keeps a lease', () => {
  it('tells that it failed', async () => {
    const { store, nodeId } = await openStore('SQLite')
    const failed: string[] = []
    store.keepLease(orderFor(nodeId, { failed: ({ message }) => failed.push(message) }))
    const broken = await openSqlite({ path, synchronous: 'normal', clock: systemClock })
    await isKept(broken, nodeId)
    const other = await openDriver(path)
    other.exec('drop table node')
    await waitFor(() => failed.length > 0)
    expect(failed[0]).toContain('node')
    other.close()
    await broken.close()
  })

  it('needs no thread in memory', async () => {
    const store = await openSqlite({ path: ':memory:', synchronous: 'normal', clock: systemClock })
    expect(store.keepLease(orderFor(await store.insertNode(identity, leaseMs)))).toBeUndefined()
    await store.close()
  })
})

describe('a handler that holds the main loop for longer than the lease', () => {
  it('keeps its run and those beside it', async () => {
    const calls: string[] = []
    const log = new RecordedLog()
    const busy = worker('busy', {}, async () => {
      calls.push('busy')
      await waitFor(() => calls.includes('beside'))
      block(leaseMs * 2)
      return 'done'
    })
    const beside = worker('beside', {}, async () => {
      calls.push('beside')
      await new Promise<void>((resolve) => systemClock.after(leaseMs, resolve))
      return 'also done'
    })
    const options = { store: `sqlite:${path}`, definitions: [busy, beside], global: false }
    const troupe = await Troupe.openIn(options, { leaseMs, log })
    onTestFinished(() => troupe.stop({ within: 0 }))
    await troupe.start()
    const other = await openSqlite({ path, synchronous: 'normal', clock: systemClock })
    onTestFinished(() => other.close())
    // Its thread has begun.
    await isKept(other, 1)
    const runs = [await troupe.call(busy), await troupe.call(beside)]
    expect(await Promise.all(runs.map((run) => run.result()))).toEqual(['done', 'also done'])
    expect(calls).toEqual(['busy', 'beside'])
    expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([])
  })
})
