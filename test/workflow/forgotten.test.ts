// A workflow that returns before its steps have ended: they are lost, which is told.
import { expect, it } from 'vitest'
import { workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { moving, noUnhandledRejections, onStage } from '../engine/stage.ts'

noUnhandledRejections()

it('warns of a step that nobody awaited', async () => {
  const flow = workflow('flow', {}, async (ctx) => {
    await ctx.step('quick', () => 1)
    void ctx.step('slow', () => deferred<void>().promise)
    return 'done'
  })
  const { troupe, log } = await onStage({ definitions: [flow] })
  const handle = await troupe.call(flow)
  expect(await handle.result()).toBe('done')
  expect(log.lines).toEqual([
    {
      level: 'warn',
      fields: { run: handle.id, steps: ['slow'] },
      message: "Step 'slow' was still under way when the workflow returned: await it.",
    },
  ])
  expect((await troupe.steps(handle.id)).map(({ path }) => path)).toEqual(['quick'])
})

it('names the first of many, one that waits for its next attempt too', async () => {
  const flow = workflow('flow', {}, async (ctx) => {
    const fail = (): never => {
      throw new Error('no')
    }
    void ctx.step('again', fail, { retry: { base: '1h' } })
    for (const name of ['b', 'c', 'd', 'e', 'f', 'g']) void ctx.step(name, () => deferred<void>().promise)
    await ctx.sleep(10)
  })
  const { troupe, clock, log } = await onStage({ definitions: [flow] })
  await moving(clock, troupe.run(flow))
  expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
    "Steps 'again', 'b', 'c', 'd', 'e' and 2 more were still under way when the workflow returned: await them.",
  ])
})

it('says nothing of a workflow that awaits its steps, or that fails', async () => {
  const calm = workflow('calm', {}, async (ctx) => {
    await Promise.all([ctx.step('a', () => 1), ctx.map('m', [1, 2], (_, inner) => inner.step('b', () => 2))])
    void ctx.sleep('1h')
  })
  const failing = workflow('failing', {}, async (ctx) => {
    void ctx.step('slow', () => deferred<void>().promise)
    throw new Error('no')
  })
  const { troupe, log } = await onStage({ definitions: [calm, failing] })
  await troupe.run(calm)
  await expect(troupe.run(failing)).rejects.toThrow('no')
  expect(log.lines).toEqual([])
})
