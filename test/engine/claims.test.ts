// What a node claims: as much as its actors can begin, a little ahead when they are quick, and suspects one at a time.
import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { reasonText } from '../../src/model/reason.ts'
import type { SqlDriver } from '../../src/store/sqlite/connection/driver.ts'
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

  it('lets the next of them begin once one has run for 30 s, or for two minutes when its next death ends it', async () => {
    const { begun, clock, gate } = await suspects([2, 3, 2, 2])
    const secondsUntil = async (runs: number): Promise<number> => {
      for (let seconds = 0; ; seconds++) {
        await turns()
        if (begun.length >= runs) return seconds
        await clock.advance(1_000)
      }
    }
    expect([await secondsUntil(1), await secondsUntil(2), await secondsUntil(3), await secondsUntil(4)]).toEqual([
      0, 30, 120, 30,
    ])
    expect(begun).toEqual([0, 1, 2, 3])
    gate.resolve()
  })

  it('performs one at a time also of a worker and a workflow', async () => {
    const gate = deferred<void>()
    const { begun, handles, stage } = await suspects([2], { gate, withFlow: true })
    await eventually(() => begun.length === 1)
    await turns()
    expect(begun.length).toBe(1)
    gate.resolve()
    await Promise.all(handles.map(async ({ id }) => (await stage.troupe.handle(id)).result()))
    expect(begun.toSorted()).toEqual([0, 7])
  })

  it('says once that it performs them one at a time, and each that waits says why', async () => {
    const { begun, handles, stage, gate } = await suspects([2, 3, 2])
    await eventually(() => begun.length === 1)
    const reasons = async () => Promise.all(handles.map(async (handle) => (await handle.status()).reason))
    const [first] = handles
    expect(await reasons()).toEqual([
      undefined,
      { kind: 'suspect', deliveries: 3, runId: first?.id },
      { kind: 'suspect', deliveries: 2, runId: first?.id },
    ])
    const reason = (await reasons())[1]
    expect(reason && reasonText(reason)).toBe(
      `its turn: 3 processes died while they ran it, so it is begun beside no other such run; now ${first?.id}`,
    )
    gate.resolve()
    await Promise.all(handles.map(async ({ id }) => (await stage.troupe.handle(id)).result()))
    expect(stage.log.lines.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        fields: { run: first?.id, worker: 'job', deliveries: 2 },
        message:
          "2 processes died while they ran a run of 'job': such runs are begun one at a time here, each once the one before has ended or run for 30s",
      },
    ])
  })
})

/** An engine on a store with runs that so many processes died under; a workflow beside them was there twice. */
async function suspects(deliveries: readonly number[], { gate = deferred<void>(), withFlow = false } = {}) {
  const store = storeFile()
  const begun: number[] = []
  const perform = (_ctx: unknown, n: number) => {
    begun.push(n)
    return gate.promise
  }
  const [job, flow] = [worker('job', {}, perform), workflow('flow', {}, perform)]
  const definitions = [job, flow]
  const client = await onStage({ store, definitions, starts: false })
  const file = await intruder(store)
  const handles = []
  for (const [n, times] of deliveries.entries()) {
    handles.push(await client.troupe.call(job, n))
    file.exec(`update live set deliveries = ${times} where run_id = (select max(run_id) from live)`)
  }
  if (withFlow) handles.push(await client.troupe.call(flow, 7))
  if (withFlow) file.exec('update live set deliveries = 2')
  const stage = await onStage({ store, definitions })
  return { begun, handles, stage, clock: stage.clock, gate }
}

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
