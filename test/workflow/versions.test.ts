// Versions: several side by side, a run stays on its own, and one whose version is gone waits for it.
import { describe, expect, it } from 'vitest'
import { workflow, type Definition } from '../../src/index.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

function order(version: string): Definition<void> {
  return workflow('order', { version }, async (ctx) => {
    const first = await ctx.step('first', () => version)
    await ctx.sleep('1h')
    return `${first} to ${await ctx.step(`last of ${version}`, () => version)}`
  })
}

describe('several versions side by side', () => {
  it.each([
    ['1', '2'],
    ['2', '1'],
    ['9', '10'],
    ['10', '9'],
    ['2.0.0', '2.0.0-beta'],
  ])(
    'a name starts the highest of %s and %s, whichever was registered last, and a definition starts itself',
    async (one, other) => {
      const [first, second] = [order(one), order(other)]
      const { troupe } = await onStage({ definitions: [first, second] })
      const highest = ['10', '2.0.0', '2'].find((version) => version === one || version === other)
      expect((await (await troupe.call('order')).status()).version).toBe(highest)
      expect((await (await troupe.call(first)).status()).version).toBe(one)
      expect((await (await troupe.call(second)).status()).version).toBe(other)
      const parent = workflow('parent', {}, async (ctx) => (await ctx.call('order')).id)
      await troupe.register(parent)
      const child = await troupe.run(parent)
      expect((await troupe.get(child))?.version).toBe(highest)
    },
  )

  it('a run stays on its version when a higher one comes, and begins anew on it', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const one = await onStage({ store, clock, definitions: [order('1')] })
    const { id } = await one.troupe.call('order')
    await eventually(async () => (await one.troupe.get(id))?.state === 'parked')
    await one.stop()
    const two = await onStage({ store, clock, definitions: [order('1'), order('2')] })
    const newer = await two.troupe.call('order')
    await clock.advance(3_600_000)
    expect(await moving(clock, (await two.troupe.handle(id)).result())).toBe('1 to 1')
    expect(await moving(clock, newer.result())).toBe('2 to 2')

    const again = workflow('again', { version: '1' }, (ctx, turn: number) =>
      turn === 2 ? 'one' : ctx.continueAsNew(turn + 1),
    )
    await two.troupe.register(again)
    await two.troupe.register(workflow('again', { version: '2' }, () => 'two'))
    expect(await two.troupe.run(again, 0)).toBe('one')
  })
})

describe('a run whose version is not there', () => {
  it('says so, is not touched, and goes on when the version is there', async () => {
    const store = storeFile()
    const one = await onStage({ store, definitions: [order('1')] })
    const { id } = await one.troupe.call('order')
    await eventually(async () => (await one.troupe.get(id))?.state === 'parked')
    await one.stop()
    const clock = new ManualClock(3_700_000)
    const two = await onStage({ store, clock, definitions: [order('2')] })
    const missing = { kind: 'not_served', missing: 'definition', queue: 'default', name: 'order', version: '1' }
    await eventually(async () => (await clock.advance(100), (await two.troupe.get(id))?.state === 'ready'))
    await clock.advance(5_000)
    expect((await two.troupe.get(id))?.reason).toEqual(missing)
    expect((await two.troupe.steps(id)).map(({ path }) => path)).toEqual(['first'])
    await two.troupe.register(order('1'))
    expect(await moving(clock, (await two.troupe.handle(id)).result())).toBe('1 to 1')
  })
})
