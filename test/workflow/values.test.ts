// ctx.now, ctx.random and ctx.uuid: asked for once, and the same on every resume.
import { expect, expectTypeOf, it } from 'vitest'
import { workflow } from '../../src/index.ts'
import { eventually, moving, noUnhandledRejections, onStage, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

it('times, random numbers and UUIDs are those of the first time on every resume', async () => {
  const seen: unknown[][] = []
  const flow = workflow('flow', {}, async (ctx) => {
    const values = [await ctx.now(), await ctx.random(), await ctx.uuid(), await ctx.uuid(), await ctx.now()] as const
    expectTypeOf(values).toEqualTypeOf<readonly [number, number, string, string, number]>()
    seen.push([...values])
    await ctx.sleep('1m')
    return values
  })
  const store = storeFile()
  const first = await onStage({ definitions: [flow], store })
  const begunAt = first.clock.now()
  const handle = await first.troupe.call(flow)
  await eventually(async () => (await handle.status()).state === 'parked')
  await first.stop()
  const second = await onStage({ definitions: [flow], store })
  await second.clock.advance(60_000)
  const output = (await moving(second.clock, (await second.troupe.handle(handle.id)).result())) as unknown[]
  expect(seen).toEqual([output, output])
  const [now, random, uuid, another, later] = output
  expect(now).toBeGreaterThanOrEqual(begunAt)
  expect(now).toBeLessThan(begunAt + 60_000)
  expect(later).toBeGreaterThanOrEqual(now as number)
  expect(random).toBeGreaterThanOrEqual(0)
  expect(random).toBeLessThan(1)
  expect([uuid, another]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), expect.stringMatching(/^[0-9a-f-]{36}$/)])
  expect(uuid).not.toBe(another)
  const steps = await second.troupe.steps(handle.id)
  expect(steps.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    'value now',
    'value random',
    'value uuid',
    'value uuid#2',
    'value now#2',
    'sleep sleep',
  ])
})

it('they are told apart by the scope of each item', async () => {
  const flow = workflow('flow', {}, (ctx) => ctx.map('each', [1, 2, 3], (_n, ctx) => ctx.uuid()))
  const { troupe } = await onStage({ definitions: [flow] })
  expect(new Set(await troupe.run(flow)).size).toBe(3)
})
