// A workflow that failed and is tried again as a whole.
import { expect, it } from 'vitest'
import { Troupe, workflow } from 'troupe'

it('executes the step that failed again and remembers the ones that succeeded', async () => {
  const executed: string[] = []
  let failures = 2
  const order = workflow('order', { retry: { attempts: 3, backoff: 'none' } }, async (ctx) => {
    const reserved = await ctx.step('reserve', () => executed.push('reserve'))
    const charged = await ctx.step(
      'charge',
      () => {
        executed.push('charge')
        if (failures-- > 0) throw new Error('declined')
        return 'paid'
      },
      { retry: { attempts: 1 } },
    )
    return { reserved, charged, attempt: ctx.attempt }
  })
  await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [order] })
  await troupe.start()

  const handle = await troupe.call(order)

  expect(await handle.result()).toEqual({ reserved: 1, charged: 'paid', attempt: 3 })
  expect(executed).toEqual(['reserve', 'charge', 'charge', 'charge'])
  expect((await troupe.steps(handle.id)).map(({ path, error }) => [path, error])).toEqual([
    ['reserve', undefined],
    ['charge', undefined],
  ])
})
