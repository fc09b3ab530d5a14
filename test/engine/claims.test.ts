// What a node claims: as much as its actors can begin, a little ahead when they are quick, and suspects one at a time.
import { describe, expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import type { SqlDriver } from '../../src/store/sqlite/driver.ts'
import { eventually, intruder, noUnhandledRejections, onStage, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const one = { task: { min: 1, max: 1 } }

function heldIn(file: SqlDriver): number {
  return (file.prepare(`select count(*) as held from live where state = 'running'`).get() as { held: number }).held
}

describe('a node', () => {
  it('claims as many runs as it has free actors, and adds a few actors with each claim', async () => {
    const store = storeFile()
    const job = worker('job', {}, () => gate.promise)
    const gate = deferred<void>()
    const client = await onStage({ store, definitions: [job], starts: false })
    for (let n = 0; n < 60; n++) await client.troupe.call(job)
    const file = await intruder(store)
    file.exec(`create table claims (epoch, held)`)
    file.exec(`create trigger claimed after update on live when new.epoch <> old.epoch begin
      insert into claims values (new.epoch, new.run_id); end`)
    await onStage({ store, definitions: [job], pools: { task: { min: 10, max: 50 } } })
    await eventually(() => heldIn(file) === 50)
    const claims = file.prepare('select count(*) as runs from claims group by epoch order by epoch').all()
    expect(claims.map((row) => (row as { runs: number }).runs)).toEqual([18, 8, 8, 8, 8])
    await turns(50)
    expect(heldIn(file)).toBe(50)
    gate.resolve()
    await eventually(() => heldIn(file) === 0)
  })

  it('claims up to eight runs ahead while its runs are short, and all are performed', async () => {
    const store = storeFile()
    const held: number[] = []
    const job = worker('job', {}, async () => {
      held.push(heldIn(file))
      await turns(1)
    })
    const client = await onStage({ store, definitions: [job], starts: false })
    for (let n = 0; n < 200; n++) await client.troupe.call(job)
    const file = await intruder(store)
    await onStage({ store, definitions: [job], pools: one })
    await eventually(() => held.length === 200)
    expect(Math.max(...held)).toBeGreaterThan(1)
    expect(Math.max(...held)).toBeLessThanOrEqual(9)
  })

  it('claims for all actors that are free when the claim is written, not for those that were when it was asked for', async () => {
    const store = storeFile()
    const job = worker('job', {}, () => undefined)
    const client = await onStage({ store, definitions: [job], starts: false })
    await client.troupe.callMany(
      job,
      Array.from({ length: 100 }, () => undefined),
    )
    const file = await intruder(store)
    file.exec(`create table claims (epoch, held)`)
    file.exec(`create trigger claimed after update on live when new.epoch <> old.epoch begin
      insert into claims values (new.epoch, new.run_id); end`)
    await onStage({ store, definitions: [job], pools: { task: { min: 20, max: 40 } } })
    const left = (): unknown => file.prepare('select count(*) as runs from live').get()
    await eventually(() => (left() as { runs: number }).runs === 0)
    const claims = file.prepare('select count(*) as runs from claims group by epoch order by epoch').all()
    expect(claims.map((row) => (row as { runs: number }).runs)).toEqual([28, 36, 36])
  })

  it('claims nothing ahead while its runs are long', async () => {
    const store = storeFile()
    const gates = Array.from({ length: 5 }, () => deferred<void>())
    let begun = 0
    const job = worker('job', {}, () => gates[begun++]?.promise)
    const client = await onStage({ store, definitions: [job], starts: false })
    for (let n = 0; n < 5; n++) await client.troupe.call(job)
    const file = await intruder(store)
    const { clock } = await onStage({ store, definitions: [job], pools: one })
    for (const [n, gate] of gates.entries()) {
      await eventually(() => begun === n + 1)
      await clock.advance(2_000)
      expect([n, heldIn(file)]).toEqual([n, 1])
      gate.resolve()
    }
  })

  it('gives back what it claimed ahead and cannot begin within a second', async () => {
    const { file, clock, gate, handles, begun } = await slowAmongQuick()
    expect(heldIn(file)).toBeGreaterThan(1)
    await clock.advance(1_000)
    await eventually(() => heldIn(file) === 1)
    gate.resolve()
    await Promise.all(handles.map((handle) => handle.result()))
    expect(begun.toSorted((left, right) => left - right)).toEqual(handles.map((_handle, n) => n))
    expect(new Set(await Promise.all(handles.map(async (handle) => (await handle.status()).deliveries)))).toEqual(
      new Set([0]),
    )
  })

  it('gives back at once, when it stops, what has not begun', async () => {
    const { file, gate, stop } = await slowAmongQuick()
    expect(heldIn(file)).toBeGreaterThan(1)
    const stopped = stop(60_000)
    await eventually(() => heldIn(file) === 1)
    gate.resolve()
    await stopped
    const left = file.prepare('select state, deliveries, count(*) as runs from live group by state, deliveries').all()
    expect(left).toEqual([expect.objectContaining({ state: 'ready', deliveries: 0 })])
  })

  it('performs one run at a time of those that were on two nodes that died', async () => {
    const store = storeFile()
    const gates = Array.from({ length: 6 }, () => deferred<void>())
    const begun: number[] = []
    const job = worker('job', {}, (_ctx, n: number) => {
      begun.push(n)
      return gates[n]?.promise
    })
    const client = await onStage({ store, definitions: [job], starts: false })
    for (let n = 0; n < 6; n++) await client.troupe.call(job, n)
    const file = await intruder(store)
    file.exec('update live set deliveries = case when run_id <= 3 then 2 when run_id = 4 then 1 else 0 end')
    await onStage({ store, definitions: [job] })
    // The others do not wait for them, and one delivery may be anybody's.
    await eventually(() => begun.length === 4)
    await turns()
    expect(begun).toEqual([0, 3, 4, 5])
    for (const n of [0, 1, 2]) {
      expect(begun.slice(4)).toEqual([1, 2].slice(0, n))
      gates[n]?.resolve()
      if (n < 2) await eventually(() => begun.length === 5 + n)
      await turns()
    }
    for (const gate of gates) gate.resolve()
    await eventually(() => heldIn(file) === 0)
  })
})

/** An engine of one actor that performs a slow run and holds others that it claimed ahead. */
async function slowAmongQuick() {
  const store = storeFile()
  const gate = deferred<void>()
  const begun: number[] = []
  let slow = -1
  const job = worker('job', {}, async (_ctx, n: number) => {
    begun.push(n)
    await turns(1)
    // As soon as there are some ahead.
    if (slow === -1 && heldIn(file) > 5) slow = n
    if (slow === n) await gate.promise
  })
  const client = await onStage({ store, definitions: [job], starts: false })
  const handles = await Promise.all(Array.from({ length: 100 }, (_, n) => client.troupe.call(job, n)))
  const file = await intruder(store)
  const { clock, stop, troupe } = await onStage({ store, definitions: [job], pools: one })
  await eventually(() => slow !== -1)
  await turns()
  return { file, clock, gate, stop, begun, handles: await Promise.all(handles.map(({ id }) => troupe.handle(id))) }
}
