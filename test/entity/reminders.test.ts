// Reminders: they outlast processes, come late rather than never, and are consumed in the commit of their handler.
import { expect, it } from 'vitest'
import { entity } from '../../src/index.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

const alarm = entity(
  'alarm',
  { state: () => [] as string[], idle: '1s' },
  {
    after(ctx, name: string, ms: number, what: string) {
      ctx.remind(name, ms, ['ring', what])
    },
    at(ctx, name: string, at: number, what: string) {
      ctx.remind(name, new Date(at), ['ring', what])
    },
    every(ctx, name: string, ms: number) {
      ctx.remind(name, { every: ms }, ['ring', name])
    },
    forget(ctx, name: string) {
      ctx.forget(name)
    },
    fail(ctx) {
      ctx.remind('never', 1, ['ring', 'never'])
      throw new Error('no')
    },
    many(ctx, from: number, to: number) {
      for (let n = from; n < to; n++) ctx.remind(`r${n}`, '1h', 'rung')
      return to - from
    },
    wrong(ctx) {
      ctx.remind('x', 1, 'rang')
    },
    ring(ctx, what: string) {
      ctx.state.push(what)
    },
    rung: (ctx) => ctx.state,
    destroy(ctx) {
      ctx.destroy()
    },
  },
)

it('comes once, at its time, also to an entity that is put aside meanwhile', async () => {
  const { troupe, clock } = await onStage({ definitions: [alarm] })
  const one = troupe.entity(alarm, '1')
  await one.ask('after', 'a', 500, 'soon')
  await one.ask('at', 'b', 61_000, 'a minute')
  await clock.advance(400)
  expect(await one.ask('rung')).toEqual([])
  await clock.advance(200)
  await eventually(async () => (await one.ask('rung')).length === 1)
  await clock.advance(30_000)
  const [run] = await troupe.runs({ name: 'alarm' })
  expect(run).toMatchObject({ state: 'parked', reason: { kind: 'mail', until: 61_000 } })
  expect((await troupe.waits(run?.id ?? '')).map(({ path, kind, dueAt }) => [path, kind, dueAt])).toEqual([
    ['remind', 'sleep', 61_000],
    ['mail', 'mail', undefined],
  ])
  await clock.advance(30_000)
  await eventually(async () => (await one.ask('rung')).length === 2)
  await clock.advance(60_000)
  expect(await moving(clock, one.ask('rung'))).toEqual(['soon', 'a minute'])
})

it('comes again and again until it is forgotten, and has one of each name', async () => {
  const { troupe, clock } = await onStage({ definitions: [alarm] })
  const one = troupe.entity(alarm, '1')
  await one.ask('every', 'tick', 10_000)
  await one.ask('after', 'once', 5_000, 'first')
  await one.ask('after', 'once', 25_000, 'second')
  await clock.advance(31_000)
  await eventually(async () => (await one.ask('rung')).length === 4)
  expect(await one.ask('rung')).toEqual(['tick', 'tick', 'second', 'tick'])
  await one.ask('forget', 'tick')
  await clock.advance(60_000)
  expect((await moving(clock, one.ask('rung'))).length).toBe(4)
})

it('comes late where no process was there, and what was missed comes once', async () => {
  const store = storeFile()
  const before = await onStage({ definitions: [alarm], store })
  await before.troupe.entity(alarm, '1').ask('every', 'tick', 10_000)
  await before.troupe.entity(alarm, '1').ask('after', 'late', 5_000, 'late')
  await before.stop()
  await before.clock.advance(95_000)
  const after = await onStage({ definitions: [alarm], store, clock: before.clock })
  const one = after.troupe.entity(alarm, '1')
  await eventually(async () => (await moving(after.clock, one.ask('rung'))).length === 2)
  expect(await one.ask('rung')).toEqual(['late', 'tick'])
  await after.clock.advance(10_000)
  await eventually(async () => (await one.ask('rung')).length === 3)
})

it('is none of a handler that failed, of an entity that is destroyed, or of a message that nobody handles', async () => {
  const { troupe, clock } = await onStage({ definitions: [alarm] })
  const one = troupe.entity(alarm, '1')
  await rejection(one.ask('fail'))
  expect(await rejection(one.ask('wrong'))).toMatchObject({ code: 'message_unknown' })
  await one.ask('after', 'gone', 2_000, 'gone')
  await one.ask('destroy')
  await clock.advance(10_000)
  expect(await moving(clock, one.ask('rung'))).toEqual([])
})

it('has room for a thousand', async () => {
  const { troupe } = await onStage({ definitions: [alarm] })
  const one = troupe.entity(alarm, '1')
  expect(await one.ask('many', 0, 600)).toBe(600)
  expect(await one.ask('many', 100, 1_000)).toBe(900)
  expect(await rejection(one.ask('many', 999, 1_001))).toMatchObject({ code: 'option_invalid' })
  await one.ask('forget', 'r7')
  expect(await one.ask('many', 1_000, 1_001)).toBe(1)
})
