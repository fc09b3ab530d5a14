// A store with unfinished work of every kind is moved from a file to a Postgres, and all of it comes to its end there.
import { expect, it, onTestFinished } from 'vitest'
import { randomBytes } from 'node:crypto'
import {
  aesGcm,
  entity,
  limiter,
  loadTemplate,
  PermanentError,
  template,
  Troupe,
  worker,
  workflow,
  type TroupeOptions,
} from '../../src/index.ts'
import { systemClock, type Clock } from '../../src/lib/clock.ts'
import { moveWithin } from '../../src/store/moving/moving.ts'
import { freshDatabase, postgresVersions } from '../postgres.ts'
import { eventually, intruder, noUnhandledRejections, storeFile } from './stage.ts'

noUnhandledRejections()

const hour = 3_600_000
/** By it all that waits for half an hour is due. */
const later: Clock = { ...systemClock, now: () => systemClock.now() + hour }

let isMended = false
let charged = 0
const tokens: string[] = []

const double = worker('double', {}, async (_ctx, n: number) => n * 2)
const nightly = worker('nightly', {}, async () => 'swept')
const slow = worker('slow', { queue: 'slow' }, async (_ctx, n: number) => n + 1)
const hourly = limiter('hourly', { rate: { limit: 1, per: '30m' } })
const limited = worker('limited', { limits: [hourly] }, async (_ctx, n: number) => n)
const approve = worker('approve', {}, async (ctx) => void tokens.push(await ctx.later()))
const broken = worker('broken', {}, async (_ctx, n: number) => {
  if (!isMended) throw new PermanentError('no such thing')
  return n
})
const order = workflow('order', {}, async (ctx, id: string) => {
  const receipt = await ctx.step('charge', () => `${id} ${++charged}`)
  const paid = await ctx.receive<string>('paid')
  const note = await ctx.receive<string>('note')
  return [receipt, paid, note]
})
const shop = workflow('shop', {}, async (ctx, id: string) => {
  const [receipt] = await ctx.run(order, id)
  return `sold ${receipt}`
})
const nap = workflow('nap', {}, async (ctx) => {
  const begun = await ctx.step('begin', () => 'begun')
  await ctx.sleep('30m')
  return `${begun} and awake`
})
const bell = entity(
  'bell',
  { state: () => [] as string[] },
  {
    set(ctx, what: string) {
      ctx.remind('ring', '30m', ['ring', what])
      ctx.state.push(`set ${what}`)
    },
    ring(ctx, what: string) {
      ctx.state.push(`rang ${what}`)
    },
    heard: (ctx) => ctx.state,
  },
)
const greet = template(
  loadTemplate(`name: greet\nsteps: [{ name: say, uses: double, with: 21 }]\noutput: \${{ steps.say }}\n`).template,
)
const definitions = [double, nightly, slow, limited, approve, broken, order, shop, nap, bell, greet]

it.each(postgresVersions)(
  'goes on with every kind of unfinished work, on Postgres %s',
  { timeout: 60_000 },
  async (version) => {
    isMended = false
    charged = 0
    tokens.length = 0
    const from = storeFile()
    const to = await freshDatabase(version)
    const before = await engine(from)
    const sold = await before.call(shop, 'book')
    const child = await eventually(async () => (await before.runs({ name: 'order', state: 'parked' }))[0])
    await before.tell(child.id, 'note', 'gift')
    const napping = await before.call(nap)
    const asked = await before.call(approve)
    const delayed = await before.call(double, 5, { delay: '30m' })
    const drawn = await before.call(greet, undefined, { delay: '30m' })
    const keyed = await before.call(double, 7, { idempotencyKey: 'seven' })
    const queued = [await before.call(slow, 1), await before.call(slow, 2)]
    await before.run(limited, 1)
    const held = await before.call(limited, 2)
    const failed = await before.call(broken, 3)
    await before.schedule('tonight', { at: systemClock.now() + hour / 2 }, nightly)
    await before.entity(bell, 'door').ask('set', 'noon')
    const leave = await before.subscribe('sold.*', () => {}, { group: 'mail' })
    await leave()
    await before.publish('sold.book', { id: 1 })
    expect(await keyed.result()).toBe(14)
    await expect(failed.result()).rejects.toThrow('no such thing')
    await eventually(async () => (await before.get(napping.id))?.state === 'parked')
    await eventually(async () => (await before.get(asked.id))?.state === 'parked')
    expect(await before.get(held.id)).toMatchObject({ state: 'ready', reason: { kind: 'limiter' } })
    await before.stop()
    await dieWith(from, queued[0]?.id ?? '')

    await moveWithin(later, { from, to })
    isMended = true
    const after = await engine(to, { queues: ['default', 'slow'] }, later)
    const result = async (run: { readonly id: string } | undefined): Promise<unknown> =>
      (await after.handle(run?.id ?? '')).result({ timeout: '20s' })
    await after.tell(child.id, 'paid', 'cash')
    expect(await result(child)).toEqual(['book 1', 'cash', 'gift'])
    expect(await result(sold)).toBe('sold book 1')
    expect(await result(napping)).toBe('begun and awake')
    expect(await after.complete(tokens[0] ?? '', 'yes')).toBe('accepted')
    expect(await result(asked)).toBe('yes')
    expect(await result(delayed)).toBe(10)
    expect(await result(drawn)).toBe(42)
    expect(await result(held)).toBe(2)
    expect(await Promise.all(queued.map(result))).toEqual([2, 3])
    expect((await after.call(double, 7, { idempotencyKey: 'seven' })).id).toBe(keyed.id)
    expect((await after.dead()).map(({ runs }) => runs)).toEqual([1])
    await after.retry(failed.id)
    expect(await result(failed)).toBe(3)
    await eventually(async () => (await after.runs({ name: 'nightly', state: 'succeeded' })).length === 1)
    await eventually(async () => (await after.entity(bell, 'door').ask('heard')).length === 2)
    expect(await after.entity(bell, 'door').ask('heard')).toEqual(['set noon', 'rang noon'])
    const told = new Promise((resolve) => void after.subscribe('sold.*', resolve, { group: 'mail' }))
    expect(await told).toEqual({ id: 1 })
    await expect(engine(from)).rejects.toMatchObject({ code: 'store_moved' })
    // What was remembered was not done again.
    expect(charged).toBe(1)
    expect((await after.call(double, 1)).id > keyed.id).toBe(true)
  },
)

it('goes on with what is tried again or undone, encrypted as it was', { timeout: 60_000 }, async () => {
  const retry = { attempts: 2, base: '30m', jitter: 0 } as const
  const attempts: string[] = []
  const flaky = worker('flaky', { retry }, async (ctx, name: string) => {
    attempts.push(`mail ${ctx.attempt}`)
    if (ctx.attempt === 1) throw new Error(`no answer for ${name}`)
    return `mailed ${name}`
  })
  const giveBack = (room: string, { attempt }: { readonly attempt: number }): void => {
    attempts.push(`give back ${room} ${attempt}`)
    if (attempt === 1) throw new Error('no answer')
  }
  const trip = workflow('trip', {}, async (ctx, room: string) => {
    await ctx.step('book', () => room, { undo: { run: giveBack, retry } })
    throw new PermanentError(`no flight for ${room}`)
  })
  const codec = aesGcm({ keys: { a: randomBytes(32) }, current: 'a' })
  const secret: TroupeOptions = { codec, definitions: [flaky, trip] }
  const from = storeFile()
  const to = await freshDatabase()
  const before = await engine(from, secret)
  const mailed = await before.call(flaky, 'ann')
  const booked = await before.call(trip, 'room 7')
  await eventually(async () => (await before.get(mailed.id))?.state === 'scheduled')
  await eventually(async () => (await before.get(booked.id))?.undoing !== undefined && attempts.length === 2)
  await eventually(async () => (await before.get(booked.id))?.state === 'parked')
  await before.stop()

  await moveWithin(systemClock, { from, to })
  await expect(engine(to, {}, later)).rejects.toMatchObject({ code: 'value_unreadable' })
  const after = await engine(to, secret, later)
  expect(await (await after.handle(mailed.id)).result({ timeout: '20s' })).toBe('mailed ann')
  await expect((await after.handle(booked.id)).result({ timeout: '20s' })).rejects.toThrow('no flight for room 7')
  expect(attempts.toSorted()).toEqual(['give back room 7 1', 'give back room 7 2', 'mail 1', 'mail 2'])
  expect(await after.attempts(mailed.id)).toMatchObject([{ attempt: 1, error: { message: 'no answer for ann' } }])
})

async function engine(store: string, options: TroupeOptions = {}, clock: Clock = systemClock): Promise<Troupe> {
  const own = { definitions, ...options, store, logLevel: 'silent', global: false } as const
  const troupe = await Troupe.openIn(own, { clock })
  onTestFinished(() => troupe.stop())
  return troupe.start()
}

/** A run is on a node whose process is gone, and whose lease is over. */
async function dieWith(store: string, runId: string): Promise<void> {
  const file = await intruder(store)
  file.exec(`
    insert into node (id, name, lease_until, started_at, pid) values (77, 'gone', 1, 1, 1);
    update counter set value = value + 1 where name = 'epoch';
    update live set state = 'running', node = 77, epoch = (select value from counter where name = 'epoch')
      where run_id = (select id from run where public_id = '${runId}')`)
}
