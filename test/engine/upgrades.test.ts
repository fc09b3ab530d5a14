// Rolling upgrades: nodes of two versions of the definitions, and of the library, on one store at once.
import { describe, expect, it } from 'vitest'
import { limiter, worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { migrations } from '../../src/store/sqlite/migrations/migrations.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, intruder, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

describe('two versions of the definitions at once', () => {
  it('each run stays on the version it was started on, wherever that is, and names mean the newest', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const order = (version: string) =>
      workflow('order', { version }, async (ctx) => {
        await ctx.receive('paid')
        return ctx.step('ship', () => `shipped by ${version}`)
      })
    const old = await onStage({ store, clock, definitions: [order('1')], node: 'old' })
    const before = await old.troupe.call('order')
    await moving(
      clock,
      eventually(async () => (await before.status()).state === 'parked'),
    )
    const recent = await onStage({ store, clock, definitions: [order('1'), order('2')], node: 'recent' })
    const after = await recent.troupe.call('order')
    await old.troupe.drain('old')
    await moving(clock, old.troupe.drained)
    for (const { id } of [before, after]) await recent.troupe.tell(id, 'paid', true)
    const results = [before, after].map(async ({ id }) => (await recent.troupe.handle(id)).result())
    expect(await moving(clock, Promise.all(results))).toEqual(['shipped by 1', 'shipped by 2'])
  })

  it('an old node claims no run of a version that it does not know, and a new one no run of one that it left out', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const performed: string[] = []
    const job = (version: string, node: string) =>
      worker('job', { version }, () => void performed.push(`${version} on ${node}`))
    const definitions = [job('1', 'none'), job('2', 'none')]
    const client = await onStage({ store, clock, definitions, starts: false })
    const runs = await Promise.all([...definitions, ...definitions].map((version) => client.troupe.call(version)))
    await onStage({ store, clock, definitions: [job('1', 'old')], node: 'old' })
    await onStage({ store, clock, definitions: [job('2', 'recent')], node: 'recent' })
    await moving(clock, Promise.all(runs.map((run) => run.result())))
    expect(performed.toSorted()).toEqual(['1 on old', '1 on old', '2 on recent', '2 on recent'])
  })
})

/** As a newer version of the library would bring the schema on, and `undo` as if it had not. */
async function newerSchema(store: string): Promise<{ undo(): void }> {
  const other = await intruder(store)
  other.exec(`pragma user_version = ${migrations.length + 1}`)
  return { undo: () => other.exec(`pragma user_version = ${migrations.length}`) }
}

const newer = `has schema ${migrations.length + 1} and this version knows up to ${migrations.length}: update the troupe package.`

describe('a node whose store a newer version of the library has brought on', () => {
  const double = worker('double', {}, (_ctx, n: number) => n * 2)

  async function performing(store: string) {
    const gate = deferred<string>()
    const flow = workflow('flow', {}, async (ctx) => {
      const first = await ctx.step('first', () => 'first')
      return `${first} and ${await ctx.step('second', () => gate.promise)}`
    })
    const stage = await onStage({ store, definitions: [flow], node: 'old' })
    const { id } = await stage.troupe.call(flow)
    await eventually(async () => (await stage.troupe.steps(id)).length === 1)
    await turns()
    return { stage, id, flow, gate }
  }

  it('writes nothing more, tells whoever waits or asks, and its runs go on with the newer ones', async () => {
    const store = storeFile()
    const { stage, id, flow, gate } = await performing(store)
    const { troupe, clock, log } = stage
    const waiting = rejection((await troupe.handle(id)).result())
    const { undo } = await newerSchema(store)
    gate.resolve('second')
    expect(await waiting).toMatchObject({ code: 'store_newer', message: expect.stringContaining(newer) })
    expect(await rejection(troupe.call(flow))).toMatchObject({ code: 'store_newer' })
    expect(await rejection(troupe.run(flow))).toMatchObject({ code: 'store_newer' })
    const { status, reasons, isServing } = await troupe.health()
    expect([status, isServing]).toEqual(['failing', false])
    expect(reasons[0]).toContain(newer)
    const ends = log.lines.filter(({ message }) => message === 'this node takes no more work')
    expect(ends.map(({ level }) => level)).toEqual(['error'])

    // What it cannot write it does not ask for again and again.
    const before = log.lines.length
    await clock.advance(60_000)
    expect(log.lines.slice(before).filter(({ level }) => level === 'error')).toEqual([])

    undo()
    const two = await onStage({ store, definitions: [flow], clock: new ManualClock(clock.now() + 100), node: 'newer' })
    expect(await moving(two.clock, (await two.troupe.handle(id)).result())).toBe('first and second')
    expect((await two.troupe.steps(id)).map(({ path, attempt }) => [path, attempt])).toEqual([
      ['first', 1],
      ['second', 1],
    ])
    expect((await two.troupe.runs()).map((run) => run.id)).toEqual([id])
  })

  it('finds it out when it has nothing to do, and lets its lease end', async () => {
    const store = storeFile()
    const { troupe, clock } = await onStage({ store, definitions: [double], node: 'old' })
    await clock.advance(1_000)
    const { undo } = await newerSchema(store)
    await clock.advance(6_000)
    await turns()
    expect((await troupe.health()).status).toBe('failing')
    undo()
    await clock.advance(20_000)
    expect((await troupe.nodes()).map(({ state }) => state)).toEqual(['expired'])
  })

  it('gives up what it performs and takes nothing more, also once its schema is back', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const performed: string[] = []
    const by = (node: string) =>
      worker('job', {}, async ({ signal }, n: number) => {
        performed.push(`${n} on ${node}`)
        if (n === 0) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      })
    const pools = { task: { min: 1, max: 1 } }
    const old = await onStage({ store, clock, definitions: [by('old')], node: 'old', pools })
    const client = await onStage({ store, clock, definitions: [by('client')], starts: false })
    const first = await client.troupe.call('job', 0)
    const later = await client.troupe.call('job', 1, { delay: '1h' })
    await moving(
      clock,
      eventually(() => performed.length === 1),
    )
    const waiting = [first, later].map(async ({ id }) => rejection((await old.troupe.handle(id)).result()))
    const { undo } = await newerSchema(store)
    for (let step = 0; step < 60; step++) await clock.advance(100)
    expect(await Promise.all(waiting)).toMatchObject([{ code: 'store_newer' }, { code: 'store_newer' }])
    expect(old.troupe.runningHere()).toEqual([])
    const errors = () => old.log.lines.filter(({ level }) => level === 'error').map(({ message }) => message)
    const toldBy = errors()
    expect(toldBy.filter((message) => message === 'this node takes no more work')).toHaveLength(1)
    // What was given up has ended there meanwhile, which makes room for others.
    for (let step = 0; step < 60; step++) await clock.advance(100)
    expect(errors()).toEqual(toldBy)

    undo()
    await client.troupe.call('job', 2)
    await Promise.allSettled([moving(clock, old.troupe.call('job', 3))])
    for (let step = 0; step < 60; step++) await clock.advance(100)
    expect(performed).toEqual(['0 on old'])
  })

  it('finds it out where it serves nothing and only holds a place of a limiter', async () => {
    const store = storeFile()
    const { troupe, clock, log } = await onStage({ store, starts: false })
    const gate = deferred<string>()
    const held = limiter('one', { concurrency: 1 }).run(() => gate.promise)
    await eventually(async () => (await troupe.limiters()).some(({ slots }) => slots === 1))
    await newerSchema(store)
    for (let step = 0; step < 120; step++) await clock.advance(100)
    expect((await troupe.health()).reasons[0]).toContain(newer)
    expect(log.lines.filter(({ message }) => message === 'this node takes no more work')).toHaveLength(1)
    gate.resolve('held')
    expect(await held).toBe('held')
  })

  it('stops in time all the same', async () => {
    const store = storeFile()
    const { stage } = await performing(store)
    await newerSchema(store)
    const before = stage.clock.monotonic()
    await stage.stop()
    expect(stage.clock.monotonic() - before).toBeLessThanOrEqual(5_500)
  })

  it('refuses also what a program wants written in its own transaction', async () => {
    const store = storeFile()
    const { troupe } = await onStage({ store, definitions: [double], starts: false })
    await newerSchema(store)
    const tx = await intruder(store)
    tx.exec('begin immediate')
    expect(await rejection(troupe.call(double, 1, { tx }))).toMatchObject({ code: 'store_newer' })
    tx.exec('rollback')
  })

  it('leaves nothing of the transaction of a step on its file', async () => {
    const store = storeFile()
    const bank = Object.assign(await intruder(store), { path: store.slice('sqlite:'.length) })
    const pay = workflow('pay', {}, (ctx) =>
      ctx.tx(
        'pay',
        bank,
        (db) => {
          db.exec('create table paid (n integer)')
          // As if it had been brought on just before.
          db.exec(`pragma user_version = ${migrations.length + 1}`)
        },
        { retry: { attempts: 1 } },
      ),
    )
    const { troupe } = await onStage({ store, definitions: [pay] })
    expect(await rejection(troupe.run(pay))).toMatchObject({ code: 'store_newer' })
    expect(bank.prepare("select count(*) as n from sqlite_schema where name = 'paid'").get()).toMatchObject({ n: 0 })
  })
})
