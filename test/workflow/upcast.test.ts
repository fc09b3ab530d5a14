// Upcasts: code of one version takes over the runs of another.
import { describe, expect, it } from 'vitest'
import { workflow, type Definition, type Upcast } from '../../src/index.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, storeFile, type Stage } from '../engine/stage.ts'

noUnhandledRejections()

const before = workflow('order', { version: '1' }, async (ctx, amount: number) => {
  await ctx.step('charge', () => `receipt ${amount}`)
  await ctx.map('ship', ['a', 'b'], (sku, ctx) => ctx.step('pack', () => sku), { key: (sku) => sku })
  await ctx.loop('poll', 1, async (turn) => (turn < 3 ? { again: turn + 1 } : { done: turn }))
  await ctx.sleep('1h')
  return 'old'
})

interface Order {
  readonly amount: number
  readonly currency: string
}

const toOrder: Upcast = {
  input: (amount: number): Order => ({ amount, currency: 'EUR' }),
  steps: {
    charge: (receipt: string) => ({ receipt }),
    'ship[]/pack': (sku: string) => ({ sku }),
    poll: (turn: number) => ({ turn }),
  },
}

const executed: string[] = []

function after(upcast: Readonly<Record<string, Upcast>>, version = '2'): Definition<Order> {
  return workflow('order', { version, upcast }, async (ctx, order: Order) => {
    const charge = await ctx.step('charge', () => (executed.push('charge'), { receipt: 'new' }))
    const parcels = await ctx.map('ship', ['a', 'b'], (sku, ctx) => ctx.step('pack', () => ({ sku })), {
      key: (sku) => sku,
    })
    const turn = await ctx.loop('poll', { turn: 1 }, async (state) => ({ done: state.turn }))
    await ctx.sleep('1h')
    await ctx.sleep('2m')
    return { order, charge, parcels, turn, version }
  })
}

/** A run of version 1 that waits, on a file that is nobody's then. */
async function waiting(): Promise<{ store: string; id: string }> {
  const store = storeFile()
  const { troupe, stop } = await onStage({ store, definitions: [before] })
  const { id } = await troupe.call(before, 5)
  await eventually(async () => (await troupe.get(id))?.state === 'parked')
  await stop()
  executed.length = 0
  return { store, id }
}

function deploy(store: string, ...definitions: Definition<never>[]): Promise<Stage> {
  return onStage({ store, definitions, clock: new ManualClock(3_701_000) })
}

describe('a version that takes over the runs of another', () => {
  it('goes on with their input and what they remember, changed once and stored so', async () => {
    const { store, id } = await waiting()
    const { troupe, clock } = await deploy(store, after({ '1': toOrder }))
    expect(await moving(clock, (await troupe.handle(id)).result())).toEqual({
      order: { amount: 5, currency: 'EUR' },
      charge: { receipt: 'receipt 5' },
      parcels: [{ sku: 'a' }, { sku: 'b' }],
      turn: 3,
      version: '2',
    })
    expect(executed).toEqual([])
    expect(await troupe.get(id)).toMatchObject({ version: '2', input: { amount: 5, currency: 'EUR' } })
    const values = Object.fromEntries((await troupe.steps(id)).map(({ path, value }) => [path, value]))
    expect(values).toMatchObject({ charge: { receipt: 'receipt 5' }, 'ship[a]/pack': { sku: 'a' } })
  })

  it('leaves them to their own version where that is there, in whatever order they are registered', async () => {
    for (const inOrder of [true, false]) {
      const { store, id } = await waiting()
      const both = [before, after({ '1': toOrder })]
      const { troupe, clock } = await deploy(store, ...(inOrder ? both : [...both].reverse()))
      expect(await moving(clock, (await troupe.handle(id)).result())).toBe('old')
    }
  })

  it('changes nothing a second time, and a further version takes over from there', async () => {
    for (const [version, receipt] of [
      ['2', 'receipt 5'],
      ['3', 'receipt 5!'],
    ] as const) {
      const { store, id } = await waiting()
      const two = await deploy(store, after({ '1': toOrder }))
      await eventually(async () => {
        await two.clock.advance(10)
        const run = await two.troupe.get(id)
        return run?.version === '2' && run.state === 'parked'
      })
      await two.stop()
      const add = (old: { receipt: string }): object => ({ receipt: `${old.receipt}!` })
      const upcasts = version === '2' ? { '1': toOrder } : { '1': toOrder, '2': { steps: { charge: add } } }
      const clock = new ManualClock(8_000_000)
      const { troupe } = await onStage({ store, definitions: [after(upcasts, version)], clock })
      const output = await moving(clock, (await troupe.handle(id)).result())
      expect(output).toMatchObject({
        version,
        charge: { receipt },
        order: { amount: 5 },
        parcels: [{ sku: 'a' }, { sku: 'b' }],
      })
      expect((await troupe.get(id))?.version).toBe(version)
    }
  })

  it('sets aside what it cannot change, and nothing of it is lost', async () => {
    const { store, id } = await waiting()
    const bad: Upcast = {
      steps: {
        charge: () => {
          throw new TypeError('no receipt')
        },
      },
    }
    const { troupe, clock } = await deploy(store, after({ '1': bad }))
    await eventually(async () => (await clock.advance(100), (await troupe.get(id))?.reason?.kind === 'diverged'))
    const run = await troupe.get(id)
    expect(run?.version).toBe('1')
    expect(run?.reason?.kind === 'diverged' && run.reason.divergence).toMatchObject({
      holds: { path: 'charge', kind: 'step' },
      end: 'cannot take it over from version 1: TypeError: no receipt',
    })
    await troupe.register(before)
    expect(await moving(clock, (await troupe.handle(id)).result())).toBe('old')
  })

  it('refuses what is no upcast', () => {
    expect(() => after({ '2': toOrder })).toThrow('A version in upcast of \'order\' is "2"')
    expect(() => after({ '1': { step: {} } as never })).toThrow(
      "Option 'step' of upcast of 'order' from 1 is not known",
    )
    expect(() => after({ '1': { steps: { charge: 1 as never } } })).toThrow("'charge' of upcast of 'order' from 1")
  })
})
