// One action on many runs: what a filter finds, in slices, told as it goes on.
import { expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import type { BulkProgress } from '../../src/engine/verbs/bulk.ts'
import { eventually, noUnhandledRejections, onStage, rejection, turns, type Stage } from './stage.ts'

noUnhandledRejections()

const bank = { isOpen: false }
const charge = worker('charge', {}, (_ctx, card: number) => {
  if (card < 0) throw new TypeError('no card')
  if (!bank.isOpen) throw new Error(`card ${card} was not charged`)
  return card
})
const slow = worker('slow', {}, () => deferred<void>().promise)

/** Runs that failed for one reason, and one that failed for another. */
async function failures(count: number): Promise<Stage & { readonly fingerprint: string }> {
  bank.isOpen = false
  const stage = await onStage({ definitions: [charge, slow] })
  const handles = await stage.troupe.callMany(charge, [...Array.from({ length: count }, (_, n) => n), -1])
  await Promise.all(handles.map((handle) => rejection(handle.result())))
  const kinds = await stage.troupe.dead()
  return { ...stage, fingerprint: kinds.find(({ runs }) => runs === count)?.fingerprint ?? '' }
}

it('tries again all that failed for one reason, in slices, and leaves the others', async () => {
  const { troupe, fingerprint } = await failures(450)
  bank.isOpen = true
  const told: BulkProgress[] = []
  const progress = await troupe.bulk('retry', { fingerprint }, { by: 'ann', onProgress: (one) => told.push(one) })
  expect(progress).toEqual({ matched: 450, done: 450, skipped: 0 })
  expect(told.map(({ done }) => done)).toEqual([200, 400, 450])
  await eventually(async () => (await troupe.stats('charge'))?.succeeded === 450)
  expect(await troupe.stats('charge')).toMatchObject({ runs: 451, failed: 1, succeeded: 450 })
  expect(await troupe.dead()).toMatchObject([{ runs: 1, newest: { input: -1 } }])
  expect(await troupe.audit()).toMatchObject([
    { by: 'ann', action: 'bulk retry', target: '', details: { fingerprint, matched: 450 } },
  ])
})

it('tries each again once, although they fail again at once', async () => {
  const { troupe, fingerprint } = await failures(210)
  expect(await troupe.bulk('retry', { fingerprint })).toEqual({ matched: 210, done: 210, skipped: 0 })
  await eventually(async () => (await troupe.dead({ fingerprint }))[0]?.runs === 210)
  const generations = (await troupe.runs({ fingerprint, limit: 500 })).map(({ generation }) => generation)
  expect(new Set(generations)).toEqual(new Set([2]))
})

it('only counts when told so, and writes nothing', async () => {
  const { troupe, fingerprint } = await failures(3)
  expect(await troupe.bulk('retry', { fingerprint }, { dryRun: true })).toMatchObject({
    matched: 3,
    done: 0,
    skipped: 0,
  })
  expect((await troupe.dead({ fingerprint }))[0]?.runs).toBe(3)
  expect(await troupe.audit()).toEqual([])
})

it('means what failed, and cancelled runs only when they are asked for', async () => {
  const { troupe } = await failures(2)
  const waiting = await troupe.callMany(slow, [undefined, undefined], { queue: 'elsewhere', tags: ['late'] })
  expect(await troupe.bulk('cancel', { tags: ['late'] }, { reason: 'too late' })).toMatchObject({ done: 2 })
  expect((await rejection(waiting[0]?.result() ?? Promise.resolve())).message).toContain('too late')
  const matched = async (where: object) => (await troupe.bulk('retry', where, { dryRun: true })).matched
  expect(await matched({ tags: ['late'] })).toBe(0)
  expect(await matched({ tags: ['late'], state: 'cancelled' })).toBe(2)
  expect(await matched({ state: ['failed', 'cancelled', 'running'] })).toBe(5)
  expect(await matched({ state: 'running' })).toBe(0)
})

it('cancels what waits at once and asks what runs to end', async () => {
  const { troupe } = await failures(1)
  const running = await troupe.callMany(slow, [undefined, undefined])
  const waiting = await troupe.call(slow, undefined, { delay: '1h' })
  await turns()
  expect(await troupe.bulk('cancel', { name: 'slow' })).toEqual({ matched: 3, done: 3, skipped: 0 })
  for (const handle of [...running, waiting])
    expect(await rejection(handle.result())).toMatchObject({ code: 'run_cancelled' })
  expect(await troupe.stats('slow')).toMatchObject({ runs: 3, cancelled: 3 })
})

it('deletes what has ended with all that belongs to it, and leaves what has not', async () => {
  const { troupe, fingerprint } = await failures(250)
  const [running] = await troupe.callMany(slow, [undefined])
  await turns()
  expect(await troupe.bulk('delete', { fingerprint }, { dryRun: true })).toMatchObject({
    matched: 250,
    done: 0,
    skipped: 0,
  })
  expect(await troupe.bulk('delete', { fingerprint }, { by: 'ann' })).toEqual({ matched: 250, done: 250, skipped: 0 })
  expect(await troupe.bulk('delete', { name: 'slow' })).toEqual({ matched: 0, done: 0, skipped: 0 })
  expect((await troupe.runs({ limit: 500 })).map(({ name, state }) => `${name} ${state}`)).toEqual([
    'slow running',
    'charge failed',
  ])
  expect(await troupe.dead({ fingerprint })).toEqual([])
  expect(await troupe.stats('charge')).toMatchObject({ runs: 251, failed: 251 })
  expect(await troupe.audit()).toMatchObject([{ by: 'ann', action: 'bulk delete', details: { matched: 250 } }])
  for (const state of ['running', ['failed', 'parked']] as const)
    expect((await rejection(troupe.bulk('delete', { state }))).message).toContain('only what has ended is deleted')
  await running?.cancel()
})

it('deletes one run by its id, frees its key, and refuses by name what has not ended', async () => {
  bank.isOpen = true
  const local = worker('local', { durable: false }, () => deferred<void>().promise)
  const { troupe } = await onStage({ definitions: [charge, slow, local] })
  const handle = await troupe.call(charge, 1, { idempotencyKey: 'one' })
  await handle.result()
  await troupe.delete(handle.id, { by: 'ann' })
  expect(await troupe.get(handle.id)).toBeUndefined()
  expect((await troupe.call(charge, 1, { idempotencyKey: 'one' })).id).not.toBe(handle.id)
  expect(await troupe.audit()).toMatchObject([{ by: 'ann', action: 'delete', target: handle.id }])
  expect(await rejection(troupe.delete(handle.id))).toMatchObject({ code: 'run_not_found' })
  const later = await troupe.call(slow, undefined, { delay: '1h' })
  expect(await rejection(troupe.delete(later.id))).toMatchObject({
    code: 'delete_refused',
    message: `Run ${later.id} starts by itself later: only a run that has ended is deleted. Cancel it first.`,
  })
  expect(await rejection(troupe.delete((await troupe.call(local)).id))).toMatchObject({ code: 'delete_refused' })
  expect(await troupe.audit()).toHaveLength(1)
})

it('refuses what could be a slip: no filter, an unknown one, an unknown action', async () => {
  const { troupe } = await onStage({ definitions: [slow] })
  const refused = async (...args: Parameters<typeof troupe.bulk>) => (await rejection(troupe.bulk(...args))).message
  expect(await refused('retry', {})).toBe(
    'The filter of troupe.bulk is {}: expected at least one of name, state, code, tags, fingerprint, parent.',
  )
  expect(await refused('retry', { fingerprint: undefined as unknown as string })).toContain('expected at least one of')
  expect(await refused('retry', { names: 'slow' } as object)).toContain("Option 'names' of the filter of troupe.bulk")
  expect(await refused('drop' as 'retry', { name: 'slow' })).toContain('expected one of')
  expect(await refused('retry', { name: 'slow' }, { by: '' })).toContain('by is ""')
  expect(await refused('retry', { name: 'slow' }, { dryrun: true } as object)).toContain("Option 'dryrun'")
  expect(await refused('cancel', { state: [] })).toContain('at least one state')
})

it('previews what it would be done to, and what it would leave and why', async () => {
  const { troupe } = await failures(12)
  const waiting = await troupe.call(charge, 99, { delay: '1h' })
  await troupe.cancel((await troupe.call(charge, 98, { delay: '1h' })).id)
  const { matched, done, preview } = await troupe.bulk('retry', { name: 'charge' }, { dryRun: true })
  const newest = (await troupe.runs({ state: 'failed', limit: 10 })).map(({ id }) => id)
  expect([matched, done, preview?.sample]).toEqual([13, 0, newest])
  expect(preview?.left).toEqual([
    { state: 'scheduled', runs: 1, why: 'only what failed or was cancelled is tried again' },
    { state: 'cancelled', runs: 1, why: "meant only when state says 'cancelled'" },
  ])
  const toEnd = await troupe.bulk('cancel', { name: 'charge' }, { dryRun: true })
  expect([toEnd.matched, toEnd.preview?.sample]).toEqual([1, [waiting.id]])
  expect(toEnd.preview?.left.map(({ state, runs }) => [state, runs])).toEqual([
    ['failed', 13],
    ['cancelled', 1],
  ])
})

it('forks what failed, from a step, and skips what has no such step', async () => {
  const done: string[] = []
  const world = { hasVan: false }
  const order = workflow('order', {}, async (ctx, item: string) => {
    if (item !== 'nothing') await ctx.step('charge', () => void done.push(`charge ${item}`))
    await ctx.step(
      'ship',
      () => {
        if (!world.hasVan) throw new Error('no van')
        done.push(`ship ${item}`)
      },
      { retry: { attempts: 1 } },
    )
  })
  const { troupe } = await onStage({ definitions: [order] })
  const handles = await troupe.callMany(order, ['book', 'pen', 'nothing'])
  await Promise.all(handles.map((handle) => rejection(handle.result())))
  world.hasVan = true
  done.length = 0
  const [book, pen] = handles.map(({ id }) => id)
  expect(await troupe.bulk('fork', { name: 'order' }, { from: 'charge', dryRun: true })).toEqual({
    matched: 3,
    done: 0,
    skipped: 1,
    preview: { sample: [pen, book], left: [{ state: 'failed', runs: 1, why: "it has no step 'charge'" }] },
  })
  const told = await troupe.bulk('fork', { name: 'order' }, { from: 'charge', by: 'ann' })
  expect(told).toEqual({ matched: 3, done: 2, skipped: 1 })
  await eventually(async () => (await troupe.stats('order'))?.succeeded === 2)
  expect(done.toSorted()).toEqual(['charge book', 'charge pen', 'ship book', 'ship pen'])
  expect((await troupe.runs()).map(({ forkedFrom }) => forkedFrom).filter(Boolean)).toHaveLength(2)
  expect(await troupe.audit()).toMatchObject([
    { action: 'bulk fork', by: 'ann', details: { from: 'charge', matched: 3 } },
  ])
  const slip = await troupe.bulk('fork', { name: 'order', state: ['failed', 'succeeded'] }, { from: 'x', dryRun: true })
  expect([slip.matched, slip.skipped, slip.preview?.sample]).toEqual([5, 5, []])
  expect(slip.preview?.left.map(({ state, runs }) => [state, runs])).toEqual([
    ['failed', 3],
    ['succeeded', 2],
  ])
  expect(await rejection(troupe.bulk('retry', { name: 'order' }, { from: 'charge' }))).toMatchObject({
    code: 'option_invalid',
  })
})

it('forks each run once under a key: what was cut short is repeated, by two at a time, and leaves its own forks alone', async () => {
  const { troupe, fingerprint } = await failures(250)
  const cut = new Error('the process died')
  const options = { idempotencyKey: 'bank is open', by: 'ann' }
  const onProgress = (): never => {
    throw cut
  }
  expect(await rejection(troupe.bulk('fork', { fingerprint }, { ...options, onProgress }))).toBe(cut)
  await eventually(async () => (await troupe.dead({ fingerprint }))[0]?.runs === 450)
  const told = await Promise.all([1, 2].map(() => troupe.bulk('fork', { fingerprint }, options)))
  expect(told.map(({ matched }) => matched)).toEqual([450, 450])
  expect(told.reduce((sum, { done }) => sum + done, 0)).toBe(50)
  expect(told.reduce((sum, { skipped }) => sum + skipped, 0)).toBe(850)
  await eventually(async () => (await troupe.dead({ fingerprint }))[0]?.runs === 500)
  expect(await troupe.bulk('fork', { fingerprint }, options)).toEqual({ matched: 500, done: 0, skipped: 500 })
  const from = (await troupe.runs({ fingerprint, limit: 500 })).flatMap(({ forkedFrom }) => forkedFrom ?? [])
  expect([from.length, new Set(from).size]).toEqual([250, 250])
  expect((await troupe.audit())[0]?.details).toMatchObject({ fingerprint, idempotencyKey: 'bank is open' })
  for (const bad of [{ idempotencyKey: '' }, { idempotencyKey: 7 }])
    expect(await rejection(troupe.bulk('fork', { fingerprint }, bad as object))).toMatchObject({
      code: 'option_invalid',
    })
  expect(await rejection(troupe.bulk('retry', { fingerprint }, { idempotencyKey: 'x' }))).toMatchObject({
    code: 'option_invalid',
  })
})
