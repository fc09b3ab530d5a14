// A process that was given no codec, beside others that have one: what it cannot read is left to them.
import { expect, it } from 'vitest'
import { aesGcm, worker, workflow, type RunHandle } from '../../src/index.ts'
import { eventually, moving, noUnhandledRejections, onStage, storeFile, type Stage } from './stage.ts'

noUnhandledRejections()

const codec = aesGcm({ keys: { a: 'aa'.repeat(32) }, current: 'a' })

const echo = worker('echo', {}, (_ctx, text: string) => text)
const refuse = worker('refuse', {}, (_ctx, text: string): string => {
  throw new RangeError(`refused ${text}`)
})
const parent = workflow('parent', {}, (ctx) => ctx.run('echo', 'x'))
const catching = workflow('catching', {}, (ctx) => ctx.run('refuse', 'x').catch((error: Error) => error.message))
const told = workflow('told', {}, (ctx) => ctx.receive('tell'))
const asked = workflow('asked', {}, async (ctx) => {
  ctx.answer('what', (payload) => payload)
  return ctx.receive('done')
})
const step = workflow('step', {}, (ctx) => ctx.step('token', (own) => own.later()))
const waits = worker('waits', {}, async (ctx) => void (await ctx.later()))

const definitions = [parent, catching, told, asked, step, waits]

/** One without a codec that was there first, and one with it that performs `echo` and `refuse` alone. */
async function rolling(store: string): Promise<{ readonly old: Stage; readonly next: Stage }> {
  const old = await onStage({ store, definitions, node: 'old' })
  const { clock } = old
  const next = await onStage({ store, codec, definitions: [echo, refuse], clock, node: 'next', global: false })
  return { old, next }
}

async function isAside({ old, next }: { readonly old: Stage; readonly next: Stage }, id: string): Promise<void> {
  await eventually(async () => {
    const status = await next.troupe.get(id)
    expect(status?.state).not.toBe('failed')
    return status?.reason?.kind === 'diverged' || (await old.clock.advance(100), false)
  })
  expect((await next.troupe.get(id))?.reason).toMatchObject({
    divergence: { unread: expect.stringContaining("was written with the codec 'aes-gcm' under key 'a'") },
  })
}

async function endOf(store: string, { old, next }: { readonly old: Stage; readonly next: Stage }, id: string) {
  await old.stop()
  const fresh = await onStage({ store, codec, definitions, clock: old.clock, node: 'fresh', global: false })
  const handle: RunHandle = await fresh.troupe.handle(id)
  const output = await moving(old.clock, handle.result())
  await next.stop()
  return output
}

it('sets aside the runs that others start', async () => {
  const store = storeFile()
  const old = await onStage({ store, definitions: [echo], node: 'old' })
  const next = await onStage({ store, codec, clock: old.clock, node: 'next', starts: false })
  const { id } = await next.troupe.call('echo', 'x')
  await isAside({ old, next }, id)
  await old.stop()
  const fresh = await onStage({ store, codec, definitions: [echo], clock: old.clock, node: 'fresh', global: false })
  expect(await moving(old.clock, (await fresh.troupe.handle(id)).result())).toBe('x')
})

it.each([
  ['the result of a child', parent, 'x'],
  ['the error of a child', catching, 'refused x'],
])('sets aside the runs that get %s', async (_what, definition, output) => {
  const store = storeFile()
  const stages = await rolling(store)
  const { id } = await stages.old.troupe.call(definition)
  await isAside(stages, id)
  expect(await endOf(store, stages, id)).toBe(output)
})

it('sets aside the runs that are told something', async () => {
  const store = storeFile()
  const stages = await rolling(store)
  const { id } = await stages.old.troupe.call(told)
  await eventually(async () => (await stages.old.troupe.get(id))?.reason?.kind === 'message')
  await stages.next.troupe.tell(id, 'tell', 'x')
  await isAside(stages, id)
  expect(await endOf(store, stages, id)).toBe('x')
})

it('sets aside the runs that are asked something', async () => {
  const store = storeFile()
  const stages = await rolling(store)
  const { id } = await stages.old.troupe.call(asked)
  await eventually(async () => (await stages.old.troupe.get(id))?.reason?.kind === 'message')
  const answer = stages.next.troupe.ask(id, 'what', 'y', { timeout: '1h' })
  await isAside(stages, id)
  await stages.old.stop()
  const fresh = await onStage({ store, codec, definitions, clock: stages.old.clock, node: 'fresh', global: false })
  expect(await moving(stages.old.clock, answer)).toBe('y')
  await fresh.troupe.tell(id, 'done', 'z')
  expect(await moving(stages.old.clock, (await fresh.troupe.handle(id)).result())).toBe('z')
})
