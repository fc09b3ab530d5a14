// A journal that cannot be read: the step says so, the run ends, and the node goes on.
import { expect, it } from 'vitest'
import { workflow } from '../../src/index.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { eventually, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

it.each([
  ['a value', "update step set value = 'd[[1' where path = 'fine'"],
  ['an error', "update step set value = 'no json' where path = 'failed'"],
])('rejects the step of %s that is damaged with store_corrupt', async (_what, damage) => {
  const store = storeFile()
  const flow = workflow('flow', {}, async (ctx) => {
    const fine = await ctx.step('fine', () => 'fine')
    const failed = await ctx
      .step('failed', () => Promise.reject(new Error('oops')), { retry: { attempts: 1 } })
      .catch((error: Error & { code?: string }) => {
        if (error.code !== undefined) throw error
        return error.message
      })
    await ctx.sleep('1h')
    return [fine, failed]
  })
  const one = await onStage({ store, definitions: [flow] })
  const { id } = await one.troupe.call(flow)
  await eventually(async () => (await one.troupe.get(id))?.state === 'parked')
  await one.stop()

  const driver = await openDriver(store.slice('sqlite:'.length))
  driver.exec(damage)
  driver.close()

  const two = await onStage({ store, definitions: [flow] })
  await two.clock.advance(3_600_000)
  const handle = await two.troupe.handle(id)
  expect(await rejection(handle.result())).toMatchObject({ code: 'store_corrupt' })
  expect((await handle.status()).state).toBe('failed')
})
