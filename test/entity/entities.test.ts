// Entities: one for each key, one message at a time, and nothing of a handler that failed.
import { expect, it } from 'vitest'
import { entity, worker, workflow, type EntityContext, type Troupe } from '../../src/index.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

const counter = entity(
  'counter',
  { state: () => ({ n: 0 }), idle: '5s' },
  {
    add(ctx, by: number) {
      return (ctx.state.n += by)
    },
    get(ctx) {
      return ctx.state.n
    },
    fail(ctx, by: number): number {
      ctx.state.n += by
      throw new TypeError(`no ${by}`)
    },
    async replace(ctx, n: number) {
      await Promise.resolve()
      ctx.state = { n }
    },
    hold(ctx, n: unknown) {
      ctx.state.n = n as number
    },
    reply(ctx) {
      ctx.state.n = 7
      return () => 7
    },
    destroy(ctx) {
      ctx.state.n = 99
      ctx.destroy()
    },
  },
)

const list = entity(
  'list',
  { state: (key) => [key] },
  {
    push(ctx, item: string) {
      ctx.state.push(item)
    },
    all: (ctx) => ctx.state,
    tellSelf(ctx, items: readonly string[]) {
      for (const item of items) void ctx.self.tell('push', item)
      ctx.state.push('told')
    },
    later(ctx, to: string, item: string, isFailing: boolean) {
      ctx.state.push('sent')
      void ctx.entity('list', to).tell('push', item)
      ctx.publish('list.sent', { to })
      if (isFailing) throw new Error('not after all')
    },
    async start(ctx, n: number): Promise<string> {
      return ctx.call(double, n)
    },
  },
)

const double = worker('double', {}, (_ctx, n: number) => n * 2)

it('keeps a state for each key, and replies', async () => {
  const { troupe } = await onStage({ definitions: [counter] })
  const ann = troupe.entity(counter, 'ann')
  expect(await ann.ask('add', 2)).toBe(2)
  expect(await ann.ask('add', 3)).toBe(5)
  await ann.tell('add', 10)
  expect(await ann.ask('get')).toBe(15)
  await ann.ask('replace', 7)
  expect(await ann.ask('get')).toBe(7)
  expect(await troupe.entity(counter, 'bob').ask('get')).toBe(0)
})

it('handles what one sender sends in its order, in far fewer commits than messages', async () => {
  const { troupe } = await onStage({ definitions: [list] })
  const all = troupe.entity(list, 'k')
  const items = Array.from({ length: 1_200 }, (_, n) => `${n}`)
  const sent = items.map((item) => all.tell('push', item))
  expect(await all.ask('all')).toEqual(['k', ...items])
  await Promise.all(sent)
  const [run] = await troupe.runs({ name: 'list' })
  expect(await troupe.unread(run?.id ?? '')).toEqual([])
  expect(await troupe.steps(run?.id ?? '')).toEqual([])
  expect((await troupe.runs()).length).toBe(1)
})

it('changes nothing where a handler throws, and gives the error to who asked', async () => {
  const { troupe } = await onStage({ definitions: [counter] })
  const ann = troupe.entity(counter, 'ann')
  await ann.ask('add', 1)
  const error = await rejection(ann.ask('fail', 5))
  expect([error.name, error.message]).toEqual(['TypeError', 'no 5'])
  expect(await ann.ask('add', 1)).toBe(2)
})

it('keeps what it was told and could not handle as a dead letter, and lives on', async () => {
  const { troupe, log } = await onStage({ definitions: [counter] })
  const ann = troupe.entity(counter, 'ann')
  await ann.tell('fail', 5)
  expect(await ann.ask('add', 1)).toBe(1)
  const [run] = await troupe.runs({ name: 'counter' })
  expect(await troupe.unread(run?.id ?? '')).toMatchObject([
    { name: 'fail', payload: [5], refused: 'the entity could not handle it: no 5' },
  ])
  expect(log.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
    "entity 'counter' could not handle 'fail', which is a dead letter now: no 5",
  ])
})

it('refuses a state and a reply that cannot be stored, and goes on with what was before', async () => {
  const { troupe } = await onStage({ definitions: [counter], maxValueBytes: 100_000 })
  const ann = troupe.entity(counter, 'ann')
  await ann.ask('add', 1)
  expect(await rejection(ann.ask('hold', 'x'.repeat(200_000)))).toMatchObject({ code: 'value_too_large' })
  expect(await rejection(ann.ask('reply'))).toMatchObject({ code: 'value_not_storable' })
  expect(await ann.ask('get')).toBe(1)
})

it('tries what it was told again before all that waits behind it, as its retry says', async () => {
  const seen: string[] = []
  const shaky = entity(
    'shaky',
    { state: () => 0, retry: { attempts: 3, base: '1s', jitter: 0 } },
    {
      go(ctx, what: string) {
        seen.push(`${what}${ctx.attempt}`)
        ctx.state += 1
        if (what === 'a' && ctx.attempt < 3) throw new Error('not yet')
        return ctx.state
      },
    },
  )
  const { troupe, clock } = await onStage({ definitions: [shaky] })
  const one = troupe.entity(shaky, '1')
  await one.tell('go', 'a')
  const last = one.ask('go', 'b')
  await eventually(() => seen.length === 1)
  await clock.advance(900)
  expect(seen).toEqual(['a1'])
  expect(await moving(clock, last)).toBe(2)
  expect(seen).toEqual(['a1', 'a2', 'a3', 'b1'])
})

it('is put aside when nobody tells it anything, and goes on where it was', async () => {
  const { troupe, clock } = await onStage({ definitions: [counter] })
  const ann = troupe.entity(counter, 'ann')
  await ann.ask('add', 2)
  const [run] = await troupe.runs({ name: 'counter' })
  await clock.advance(4_000)
  expect((await troupe.get(run?.id ?? ''))?.state).toBe('running')
  await clock.advance(2_000)
  await eventually(async () => (await troupe.get(run?.id ?? ''))?.state === 'parked')
  expect(troupe.runningHere()).toEqual([])
  expect((await troupe.get(run?.id ?? ''))?.reason).toEqual({ kind: 'mail', until: undefined })
  expect(await ann.ask('add', 3)).toBe(5)
})

it('tells others and itself, publishes and starts runs with its commit, or not at all', async () => {
  const { troupe } = await onStage({ definitions: [list, double] })
  const seen: unknown[] = []
  await troupe.subscribe('list.sent', (payload) => void seen.push(payload))
  const [a, b] = [troupe.entity(list, 'a'), troupe.entity(list, 'b')]
  await a.ask('later', 'b', 'x', false)
  expect((await rejection(a.ask('later', 'b', 'y', true))).message).toBe('not after all')
  expect(await a.ask('all')).toEqual(['a', 'sent'])
  expect(await b.ask('all')).toEqual(['b', 'x'])
  await eventually(() => seen.length > 0)
  await turns()
  expect(seen).toEqual([{ to: 'b' }])
  await a.ask('tellSelf', ['1', '2'])
  expect(await a.ask('all')).toEqual(['a', 'sent', 'told', '1', '2'])
  const id = await a.ask('start', 21)
  expect(await (await troupe.handle(id)).result()).toBe(42)
})

it('forgets all where it is destroyed, and begins anew with the next message', async () => {
  const { troupe, clock } = await onStage({ definitions: [counter] })
  const ann = troupe.entity(counter, 'ann')
  await ann.ask('add', 2)
  await ann.ask('destroy')
  expect(await ann.ask('get')).toBe(0)
  await ann.tell('add', 5)
  await ann.destroy()
  const [run] = await troupe.runs({ name: 'counter' })
  await clock.advance(6_000)
  await eventually(async () => (await troupe.get(run?.id ?? ''))?.state === 'succeeded')
  expect(await ann.ask('add', 1)).toBe(1)
  expect((await troupe.runs({ name: 'counter' })).length).toBe(2)
})

it('says what is wrong with a message before it is sent', async () => {
  const { troupe } = await onStage({ definitions: [counter] })
  const ann = troupe.entity('counter', 'ann')
  const typed = troupe.entity(counter, 'ann') as ReturnType<typeof troupe.entity>
  expect(await rejection(typed.tell('ad', 1))).toMatchObject({
    code: 'message_unknown',
    message: expect.stringContaining(
      "no handler 'ad': there are add, get, fail, replace, hold, reply, destroy. Did you mean",
    ),
  })
  expect(await rejection(ann.ask('ad', 1))).toMatchObject({ code: 'message_unknown' })
  expect(await rejection(ann.tell('add', () => 1))).toMatchObject({ code: 'value_not_storable' })
  expect(await rejection(ann.tell('add', 'x'.repeat(300_000)))).toMatchObject({ code: 'value_too_large' })
  expect(() => troupe.entity(counter, '')).toThrow('The key of an entity')
  expect(() => troupe.entity(counter, 'x'.repeat(1_025))).toThrow('The key of an entity')
  expect(() => troupe.entity(double as never, 'x')).toThrow('what entity() returned')
  expect(await rejection(troupe.entity('nobody', 'x').tell('go'))).toMatchObject({ code: 'worker_not_registered' })
  expect(await rejection(troupe.call('counter', 5))).toMatchObject({ code: 'definition_invalid' })
})

it('takes no more than its mailbox holds; who sends waits for room', async () => {
  let free = (): void => {}
  const gate = new Promise<void>((resolve) => (free = resolve))
  const slow = entity(
    'slow',
    { state: () => 0, mailbox: 2 },
    { go: async (ctx: EntityContext<number>) => (await gate, (ctx.state += 1)) },
  )
  const { troupe, clock } = await onStage({ definitions: [slow] })
  const one = troupe.entity(slow, '1')
  await one.tell('go')
  await one.tell('go')
  expect(await rejection(one.tell('go'))).toMatchObject({ code: 'mailbox_full', details: { entity: 'slow', key: '1' } })
  const sent = one.send('go')
  await turns()
  free()
  expect(await moving(clock, sent)).toBe(true)
  expect(await moving(clock, one.ask('go'))).toBe(4)
})

it('ends a handler that takes too long, with nothing of what it did', async () => {
  const late: unknown[] = []
  const slow = entity(
    'slow',
    { state: () => 0, timeout: '1s' },
    {
      async go(ctx) {
        ctx.state = 5
        await new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()))
        late.push(ctx.signal.reason instanceof Error && ctx.signal.reason.message)
        void ctx.self.tell('get')
        ctx.state = 6
      },
      get: (ctx) => ctx.state,
    },
  )
  const { troupe, clock } = await onStage({ definitions: [slow] })
  const one = troupe.entity(slow, '1')
  expect(await rejection(moving(clock, one.ask('go')))).toMatchObject({ code: 'timed_out', name: 'TimeoutError' })
  expect(await one.ask('get')).toBe(0)
  expect(late).toEqual([expect.stringContaining("Handler 'go' of entity 'slow' timed out after 1s")])
})

it('tells who asked that nobody answered in time, and that it may be handled all the same', async () => {
  const { troupe, clock } = await onStage({ definitions: [counter], starts: false })
  const ann = troupe.entity(counter, 'ann', { timeout: '2s' })
  expect(await rejection(moving(clock, ann.ask('add', 1)))).toMatchObject({
    code: 'ask_timeout',
    message: expect.stringContaining("Entity 'counter' of key 'ann' did not answer 'add' within 2s: it may have"),
  })
  await ann.tell('add', 10)
  await troupe.start()
  expect(await moving(clock, troupe.entity(counter, 'ann').ask('get'))).toBe(10)
})

it('refuses to ask itself', async () => {
  const self = entity('self', { state: () => 0 }, { go: (ctx) => ctx.self.ask('go') })
  const { troupe } = await onStage({ definitions: [self] })
  expect(await rejection(troupe.entity(self, '1').ask('go'))).toMatchObject({ code: 'deadlock' })
})

it('asks another entity within a handler', async () => {
  const asker = entity(
    'asker',
    { state: () => 0 },
    {
      async go(ctx, key: string) {
        ctx.state = await ctx.entity(counter, key).ask('add', 3)
        return ctx.state
      },
    },
  )
  const { troupe } = await onStage({ definitions: [asker, counter] })
  await troupe.entity(counter, 'x').tell('add', 1)
  expect(await troupe.entity(asker, '1').ask('go', 'x')).toBe(4)
})

it('is cancelled and taken up again as any run, with its state', async () => {
  const { troupe } = await onStage({ definitions: [counter] })
  const ann = troupe.entity(counter, 'ann')
  await ann.ask('add', 2)
  const [run] = await troupe.runs({ name: 'counter' })
  const id = run?.id ?? ''
  await troupe.cancel(id)
  await eventually(async () => (await troupe.get(id))?.state === 'cancelled')
  expect(await rejection(ann.tell('add', 1))).toMatchObject({ code: 'run_ended' })
  expect(await rejection(ann.ask('add', 1))).toMatchObject({ code: 'run_ended' })
  await troupe.retry(id)
  expect(await ann.ask('add', 1)).toBe(3)
})

it('makes the state of now from the one before, and checks it', async () => {
  const store = storeFile()
  const before = await onStage({ definitions: [counter], store })
  await before.troupe.entity(counter, 'ann').ask('add', 2)
  await before.stop()
  const next = entity(
    'counter',
    {
      state: () => ({ total: 0 }),
      migrate: (stored) => {
        const { n, total = n } = stored as { n: number; total?: number }
        return { total }
      },
    },
    { get: (ctx) => ctx.state },
  )
  const after = await onStage({ definitions: [next], store })
  expect(await moving(after.clock, after.troupe.entity(next, 'ann').ask('get'))).toEqual({ total: 2 })
  expect(await moving(after.clock, after.troupe.entity(next, 'bob').ask('get'))).toEqual({ total: 0 })
})

it('waits for code that reads its state, and loses nothing meanwhile', async () => {
  let isBroken = true
  const picky = entity(
    'picky',
    {
      state: () => 0,
      idle: '1s',
      migrate: (stored) => {
        if (isBroken) throw new Error('not yet')
        return stored as number
      },
    },
    { add: (ctx, by: number) => (ctx.state += by) },
  )
  const { troupe, clock } = await onStage({ definitions: [picky] })
  const one = troupe.entity(picky, '1')
  await one.ask('add', 1)
  await clock.advance(2_000)
  await one.tell('add', 10)
  const [run] = await troupe.runs({ name: 'picky' })
  await eventually(async () => (await troupe.get(run?.id ?? ''))?.state === 'scheduled')
  isBroken = false
  expect(await moving(clock, one.ask('add', 100))).toBe(111)
})

it('answers across processes of one store, also one that knows its name alone', async () => {
  const store = storeFile()
  const server = await onStage({ definitions: [counter], store, node: 'server', global: false })
  const client = await onStage({ store, node: 'client', starts: false, global: false, clock: server.clock })
  const ann = client.troupe.entity('counter', 'ann')
  expect(await moving(server.clock, ann.ask('add', 2))).toBe(2)
  await ann.tell('add', 1)
  expect(await moving(server.clock, ann.ask('get'))).toBe(3)
})

it('tells a run with its commit', async () => {
  const waiting = workflow('waiting', {}, (ctx) => ctx.receive<number>('go'))
  const teller = entity(
    'teller',
    { state: () => 0 },
    {
      go(ctx, runId: string, isFailing: boolean) {
        void ctx.tell(runId, 'go', isFailing ? 1 : 2)
        if (isFailing) throw new Error('not after all')
      },
    },
  )
  const { troupe } = await onStage({ definitions: [waiting, teller] })
  const handle = await troupe.call(waiting)
  await rejection(troupe.entity(teller, '1').ask('go', handle.id, true))
  await troupe.entity(teller, '1').ask('go', handle.id, false)
  expect(await handle.result()).toBe(2)
})

it('finishes the message under way when its node stops, and goes on elsewhere with the next', async () => {
  const store = storeFile()
  let free = (): void => {}
  const gate = new Promise<void>((resolve) => (free = resolve))
  const seen: string[] = []
  const slow = entity(
    'slow',
    { state: () => 0 },
    {
      async go(ctx, what: string) {
        seen.push(what)
        if (what === 'a') await gate
        return (ctx.state += 1)
      },
    },
  )
  const first = await onStage({ definitions: [slow], store, node: 'first', global: false })
  const { clock } = first
  const client = await onStage({ definitions: [slow], store, node: 'client', starts: false, global: false, clock })
  const one = client.troupe.entity(slow, '1', { timeout: '10m' })
  const asked = [one.ask('go', 'a'), one.ask('go', 'b')]
  await moving(
    clock,
    eventually(() => seen.length === 1),
  )
  const stopped = first.stop(60_000)
  await turns()
  free()
  await stopped
  const second = await onStage({ definitions: [slow], store, node: 'second', global: false, clock })
  expect(await moving(clock, Promise.all(asked))).toEqual([1, 2])
  expect(seen).toEqual(['a', 'b'])
  await second.stop()
})

it('lists those that are there, of all names, of one, and one alone', async () => {
  const { troupe, clock } = await onStage({ definitions: [counter, list] })
  for (const key of ['b', 'a', 'c']) await troupe.entity(counter, key).ask('add', 1)
  await troupe.entity(list, 'z').tell('push', 'x')
  await clock.advance(60_000)
  const keys = async (...which: Parameters<Troupe['entities']>): Promise<string[]> =>
    (await troupe.entities(...which)).map(({ name, key }) => `${name} ${key}`)
  expect(await keys()).toEqual(['counter a', 'counter b', 'counter c', 'list z'])
  expect(await keys(counter, { after: 'a' })).toEqual(['counter b', 'counter c'])
  expect(await keys('counter', { limit: 1 })).toEqual(['counter a'])
  expect([await keys(list, { key: 'y' }), await keys('other')]).toEqual([[], []])
  const [one] = await troupe.entities('list', { key: 'z' })
  expect(one).toEqual({
    name: 'list',
    key: 'z',
    runId: expect.any(String) as string,
    state: 'parked',
    node: undefined,
    dueAt: undefined,
    stateBytes: 'j["z","x"]'.length,
    waiting: 0,
  })
  expect((await troupe.get(one?.runId ?? ''))?.input).toEqual({ entity: 'list', key: 'z' })
})

it('refuses to list by a key without a name, and what is no entity', async () => {
  const { troupe } = await onStage({ definitions: [counter] })
  const refused: [Parameters<Troupe['entities']>, string][] = [
    [[undefined, { key: 'a' }], 'key of entities() is "a"'],
    [[undefined, { after: 'a' }], 'after of entities() is "a"'],
    [[counter, { limit: 0 }], 'limit is 0'],
    [[double as never], 'The first argument of entities()'],
  ]
  for (const [which, said] of refused)
    expect(await rejection(troupe.entities(...which))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining(said) as string,
    })
})
