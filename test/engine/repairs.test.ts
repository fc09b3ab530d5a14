// A store that has lost all that tells who is to be woken: everything goes on and ends, and without the sweep it does not.
import { expect, it } from 'vitest'
import { limiter, worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, intruder, moving, noUnhandledRejections, onStage, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const lost = [
  // Times, of sleeps, of receives, of delays and of retries.
  `update live set due_at = null where state in ('parked', 'scheduled')`,
  // Who waits before limiters, and which lines there are.
  'delete from waiter',
  'delete from line',
  // That somebody waits for the end of a run.
  'update live set is_followed = 0',
  // Messages whose run was not told.
  `insert into message (run_id, seq, name, value, at) select run_id, 1000, 'go', 'j"told"', 0 from wait where kind = 'message'`,
]

/** Brings runs of all kinds so far that they wait, takes away all that would wake them, and tells which have ended after a minute. */
async function endedWith(repairs: boolean) {
  const store = storeFile()
  const gate = deferred<string>()
  const one = limiter('one', { concurrency: 1 })
  const sleeper = workflow('sleeper', {}, async (ctx) => (await ctx.sleep('20s'), 'slept'))
  const listener = workflow('listener', {}, (ctx) => ctx.receive('go'))
  const hasty = workflow('hasty', {}, async (ctx) => (await ctx.receive('never', { timeout: '20s' })) ?? 'in vain')
  const late = worker('late', {}, () => 'late')
  const flaky = worker('flaky', { retry: { attempts: 2, base: '20s', jitter: 0 } }, ({ attempt }) => {
    if (attempt === 1) throw new Error('once')
    return 'at last'
  })
  const limited = worker('limited', { limits: [one] }, () => gate.promise)
  const kept = worker('kept', {}, (_ctx, n: number) => (n === 1 ? gate.promise : 'second'))
  const definitions = [sleeper, listener, hasty, late, flaky, limited, kept]
  const { troupe, clock, log } = await onStage({ store, definitions, world: { repairs } })
  const handles = [
    await troupe.call(sleeper),
    await troupe.call(listener),
    await troupe.call(hasty),
    await troupe.call(late, undefined, { delay: '20s' }),
    await troupe.call(flaky),
    await troupe.call(limited),
    await troupe.call(limited),
    await troupe.call(kept, 1, { keepLast: { key: 'k' } }),
    await troupe.call(kept, 2, { keepLast: { key: 'k' } }),
  ]
  const states = async () => (await Promise.all(handles.map((handle) => handle.status()))).map(({ state }) => state)
  const waiting = ['parked', 'parked', 'parked', 'scheduled', 'scheduled', 'running', 'ready', 'running', 'parked']
  await eventually(async () => String(await states()) === String(waiting))
  const other = await intruder(store)
  other.exec('begin immediate')
  for (const sql of lost) other.exec(sql)
  other.exec('commit')
  gate.resolve('let go')
  await turns()
  await clock.advance(60_000)
  await eventually(async () => !(await states()).includes('running'))
  const metrics = await troupe.metrics()
  const warnings = log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
  return { states: await states(), mended: metrics['troupe.repair.count']?.points[0]?.value, handles, clock, warnings }
}

it('goes on with runs of all kinds, counts them and says so', async () => {
  const { states, handles, clock, mended, warnings } = await endedWith(true)
  expect(states).toEqual(handles.map(() => 'succeeded'))
  const outputs = await moving(clock, Promise.all(handles.map((handle) => handle.result())))
  expect(outputs).toEqual(['slept', 'told', 'in vain', 'late', 'at last', 'let go', 'let go', 'let go', 'second'])
  expect(mended).toBe(7)
  expect(warnings).toEqual(['mended 7 things that nobody would have come back to'])
})

it('without the sweep all that was to be woken waits for ever', async () => {
  const { states, mended } = await endedWith(false)
  const left = ['parked', 'parked', 'parked', 'scheduled', 'scheduled', 'succeeded', 'ready', 'succeeded', 'parked']
  expect([states, mended]).toEqual([left, 0])
})

it('does nothing, and writes nothing, while all is well', async () => {
  const store = storeFile()
  const sleeper = workflow('sleeper', {}, (ctx) => ctx.sleep('1h'))
  const { troupe, clock, log } = await onStage({ store, definitions: [sleeper] })
  const { id } = await troupe.call(sleeper)
  await eventually(async () => (await troupe.get(id))?.state === 'parked')
  await clock.advance(60_000)
  expect((await troupe.metrics())['troupe.repair.count']?.points[0]?.value).toBe(0)
  expect(log.lines.filter(({ level }) => level !== 'debug')).toEqual([])
})

it('gives back what the store says this node runs and it does not, once three beats have shown it', async () => {
  const store = storeFile()
  let calls = 0
  const job = worker('job', {}, () => ++calls)
  const { troupe, clock, log } = await onStage({ store, definitions: [job] })
  const { id } = await troupe.call(job, undefined, { delay: '1h' })
  const other = await intruder(store)
  other.exec(`update live set state = 'running', node = (select id from node), epoch = 99, due_at = null`)
  await clock.advance(14_000)
  expect([(await troupe.get(id))?.state, calls]).toEqual(['running', 0])
  await clock.advance(2_000)
  await eventually(async () => (await troupe.get(id))?.state === 'succeeded')
  expect(calls).toBe(1)
  expect(log.lines.find(({ level }) => level === 'warn')?.fields).toEqual({ runs: 0, slots: 0, unheld: 1 })
})
