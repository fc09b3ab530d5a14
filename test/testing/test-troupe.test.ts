import { describe, expect, it } from 'vitest'
import { template, worker, workflow, type TemplateBuilder } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { mock } from '../../src/testing/mocks.ts'
import { testTroupe } from '../../src/testing/test-troupe.ts'

const dayMs = 86_400_000

const trial = workflow('trial', {}, async (ctx, email: string) => {
  const from = await ctx.now()
  await ctx.sleep('30d')
  const until = await ctx.now()
  return ctx.step('remind', () => `reminded ${email} after ${(until - from) / dayMs} days`)
})

const order = workflow('order', {}, async (ctx, sum: number) => {
  const paid = await ctx.step('charge', () => `paid ${sum}`)
  ctx.info('paid', { sum })
  const approval = await ctx.receive<{ by: string }>('approve', { timeout: '3d' })
  return `${paid}, ${approval === null ? 'nobody approved' : `approved by ${approval.by}`}`
})

/** What is waited for outside of the engine. */
const realMs = (ms: number): Promise<void> => new Promise((resolve) => void systemClock.after(ms, resolve))

describe('testTroupe', () => {
  it('gives the result of a workflow that sleeps a month at once', async () => {
    await using kit = await testTroupe({ definitions: [trial] })
    const startedAt = kit.clock.now()
    const realAt = systemClock.monotonic()
    expect(await kit.troupe.run(trial, 'ann')).toBe('reminded ann after 30 days')
    expect(kit.clock.now() - startedAt).toBe(30 * dayMs)
    expect(systemClock.monotonic() - realAt).toBeLessThan(2_000)
  })

  it('lets time stand still while nobody awaits anything, and moves it when told to', async () => {
    await using kit = await testTroupe({ definitions: [trial], startsAt: 1_000 })
    const handle = await kit.troupe.call(trial, 'ann')
    await kit.settle()
    expect(kit.clock.now()).toBe(1_000)
    await kit.clock.advance('29d')
    expect(kit.clock.now()).toBe(1_000 + 29 * dayMs)
    expect((await handle.status()).state).toBe('parked')
    await kit.clock.advance('1d')
    expect((await handle.status()).state).toBe('succeeded')
  })

  it('lets the time of a wait run out', async () => {
    await using kit = await testTroupe({ definitions: [order] })
    expect(await kit.troupe.run(order, 5)).toBe('paid 5, nobody approved')
  })

  it('tells what runs publish, workflows and steps of templates', async () => {
    const greet = worker('greet', {}, () => 'hello')
    const says = workflow('says', {}, (ctx) => ctx.publish('said', 1))
    const order = template('order', {}, (t: TemplateBuilder<void>) => {
      t.step('greet', greet, { with: () => undefined, publishes: [{ event: 'greeted' }] })
    })
    await using kit = await testTroupe({ definitions: [greet, says, order] })
    await kit.troupe.run(says)
    await kit.troupe.run(order)
    expect(kit.published).toEqual([
      { name: 'said', payload: 1 },
      { name: 'greeted', payload: 'hello' },
    ])
  })

  it('tells when a run waits for a message, and what was told, published and logged', async () => {
    const ship = workflow('ship', {}, async (ctx, sum: number) => {
      await ctx.sleep('2d')
      return ctx.run(order, sum)
    })
    await using kit = await testTroupe({ definitions: [order, ship] })
    const handle = await kit.troupe.call(ship, 5)
    const result = handle.result()
    await expect(kit.whenWaiting(handle, 'approve')).rejects.toThrow('does not wait')
    expect(await result).toBe('paid 5, nobody approved')
    const other = await kit.troupe.call(order, 6)
    await kit.whenWaiting(other, 'approve')
    await kit.troupe.publish('approved', { sum: 6 })
    expect(await other.tell('approve', { by: 'bob' })).toBe(true)
    expect(await other.result()).toBe('paid 6, approved by bob')
    expect(kit.told).toEqual([{ runId: other.id, name: 'approve', payload: { by: 'bob' } }])
    expect(kit.published).toEqual([{ name: 'approved', payload: { sum: 6 } }])
    expect(kit.logs.map(({ name, level, text, fields }) => [name, level, text, fields])).toEqual([
      ['order', 'info', 'paid', { sum: 5 }],
      ['order', 'info', 'paid', { sum: 6 }],
    ])
  })

  it('lets whoever was told that a run waits act before time goes on', async () => {
    await using kit = await testTroupe({ definitions: [order] })
    const handle = await kit.troupe.call(order, 6)
    const result = handle.result()
    await kit.whenWaiting(handle, 'approve')
    await new Promise<void>((resolve) => systemClock.soon(resolve))
    expect((await handle.status()).createdAt).toBe(kit.clock.now())
    await handle.tell('approve', { by: 'bob' })
    expect(await result).toBe('paid 6, approved by bob')
  })

  it('answers whoever waits', async () => {
    await using kit = await testTroupe({ definitions: [order] })
    kit.onWaiting('approve', (run: string) => ({ by: run.length }))
    expect(await kit.troupe.run(order, 5)).toBe('paid 5, approved by 36')
    expect(await kit.troupe.run(order, 6)).toBe('paid 6, approved by 36')
  })

  it('finds a run waiting at once that remembers much', async () => {
    const long = workflow('long', {}, async (ctx) => {
      await ctx.map('all', [...new Array(300).keys()], (n, ctx) => ctx.step('one', () => n), { key: String })
      return ctx.receive('go', { timeout: '2s' })
    })
    await using kit = await testTroupe({ definitions: [long] })
    const startedAt = kit.clock.now()
    const handle = await kit.troupe.call(long)
    await kit.whenWaiting(handle, 'go')
    expect(kit.clock.now()).toBe(startedAt)
    kit.onWaiting('go', 'now')
    expect(await handle.result()).toBe('now')
    expect(kit.clock.now()).toBe(startedAt)
  })

  it('answers with the key that is waited for, and tells whoever waits what went wrong with an answer', async () => {
    const keyed = workflow('keyed', {}, async (ctx) => [
      await ctx.receive('paid', { key: 'a', timeout: '1d' }),
      await ctx.receive('paid', { key: 'b', timeout: '1d' }),
    ])
    await using kit = await testTroupe({ definitions: [keyed, order] })
    let count = 0
    kit.onWaiting('paid', () => (count += 1))
    expect(await kit.troupe.run(keyed)).toEqual([1, 2])
    kit.onWaiting('approve', () => {
      throw new Error('no answer is known')
    })
    await expect(kit.troupe.run(order, 5)).rejects.toThrow('no answer is known')
  })

  it('lets runs answer what they are asked, with the time that takes', async () => {
    const asked = workflow('asked', {}, async (ctx) => {
      const think = ({ attempt }: { attempt: number }): string => {
        if (attempt < 2) throw new Error('not yet')
        return 'fine'
      }
      ctx.answer('how', () => ctx.step('think', think, { retry: { attempts: 2, base: '10s' } }))
      return ctx.receive('go')
    })
    await using kit = await testTroupe({ definitions: [asked] })
    const handle = await kit.troupe.call(asked)
    await kit.whenWaiting(handle, 'go')
    expect(await handle.ask('how')).toBe('fine')
    expect(kit.told).toEqual([])
  })

  it('is not misled by a run that was ended while it waited', async () => {
    await using kit = await testTroupe({ definitions: [order] })
    const handle = await kit.troupe.call(order, 5)
    await kit.whenWaiting(handle, 'approve')
    expect(await handle.cancel('too late')).toBe(true)
    kit.onWaiting('approve', { by: 'ann' })
    await expect(kit.whenWaiting(handle, 'approve')).rejects.toThrow(
      "does not wait for message 'approve': it is cancelled",
    )
    expect(await kit.troupe.run(order, 6)).toBe('paid 6, approved by ann')
    expect(kit.told.length).toBe(1)
  })

  it('names what a run waits for that will never come', async () => {
    const patient = workflow('patient', {}, (ctx) => ctx.receive('go'))
    const parent = workflow('parent', {}, (ctx) => ctx.run(patient))
    const outside = workflow('outside', {}, (ctx) => ctx.step('ask', ({ later }) => later()))
    const hangs = workflow('hangs', {}, (ctx) => ctx.step('hang', () => new Promise(() => {})))
    await using kit = await testTroupe({ definitions: [patient, parent, outside, hangs], patience: 20 })
    await expect(kit.troupe.run(parent)).rejects.toThrow(
      /'parent' \(.*\) waits for the end of run .*; 'patient' \(.*\) waits for message 'go', which nobody tells it: use handle\.tell/,
    )
    await expect(kit.troupe.run(outside)).rejects.toThrow('waits for somebody to finish it from outside')
    await expect(kit.troupe.run(hangs)).rejects.toThrow("waits for the function of step 'hang', which has not returned")
    const handle = await kit.troupe.call(patient)
    await expect(kit.whenWaiting(handle, 'stop')).rejects.toThrow("never waits for message 'stop'")
    await handle.tell('go')
    expect(await handle.result()).toBe(undefined)
  })

  it('lets time stand still for what goes on outside, and move on for what waits for time', async () => {
    const slow = worker('slow', { timeout: '10s' }, async (ctx) => {
      await realMs(50)
      await ctx.sleep('5s')
      return 'done'
    })
    const late = workflow('late', {}, (ctx) =>
      ctx.step('hang', () => new Promise(() => {}), { timeout: '1h', retry: { attempts: 2, base: '1d' } }),
    )
    await using kit = await testTroupe({ definitions: [slow, late], patience: 200 })
    expect(await kit.troupe.run(slow)).toBe('done')
    await expect(kit.troupe.run(late)).rejects.toMatchObject({ code: 'timed_out' })
  })

  it('retries with pauses of days', async () => {
    let attempts = 0
    const flaky = workflow('flaky', {}, (ctx) =>
      ctx.step(
        'try',
        () => {
          attempts += 1
          if (attempts < 4) throw new Error('not yet')
          return attempts
        },
        { retry: { attempts: 5, base: '1d', backoff: 'exponential' } },
      ),
    )
    await using kit = await testTroupe({ definitions: [flaky] })
    expect(await kit.troupe.run(flaky)).toBe(4)
  })
})

describe('mocks', () => {
  const pack = worker('pack', {}, (_ctx, sku: string) => ({ sku, weight: 1 }))
  const ship = workflow('ship', {}, async (ctx, skus: string[]) => {
    const parcels = await ctx.map(
      'ship',
      skus,
      async (sku, ctx) => {
        await ctx.step('label', () => `label of ${sku}`)
        return [await ctx.step('print', () => `print of ${sku}`), (await ctx.run(pack, sku)).weight] as const
      },
      { key: (sku) => sku },
    )
    const first = await ctx.step('charge', () => 'charged')
    return { parcels, charges: [first, await ctx.step('charge', () => 'again')] }
  })

  it('stand in for steps by path and for runs by name', async () => {
    await using kit = await testTroupe({
      definitions: [ship, pack],
      steps: {
        'ship[b]/print': ({ path }) => `mock of ${path}`,
        'ship[*]/label': ({ original }) => original(),
        charge: ({ attempt, idempotencyKey }) => `mocked ${attempt} ${idempotencyKey.split('/')[1]}`,
      },
      mocks: { pack: (sku: string) => ({ sku, weight: 7 }) },
    })
    expect(await kit.troupe.run(ship, ['a', 'b/c', 'b'])).toEqual({
      parcels: [
        ['print of a', 7],
        ['print of b/c', 7],
        ['mock of ship[b]/print', 7],
      ],
      charges: ['mocked 1 charge', 'mocked 1 charge#2'],
    })
  })

  it('stand in for definitions with their types', async () => {
    await using kit = await testTroupe({ definitions: [ship, mock(pack, (sku) => ({ sku, weight: sku.length }))] })
    expect((await kit.troupe.run(ship, ['abc'])).parcels).toEqual([['print of abc', 3]])
  })

  it('are errors when no step was performed that has them', async () => {
    const kit = await testTroupe({
      definitions: [ship, pack],
      steps: { chrage: () => 'x', 'ship[*]/label': () => 'y' },
    })
    await kit.troupe.run(ship, ['a'])
    await expect(kit.stop()).rejects.toThrow(
      "No step was performed that has the mock 'chrage': these steps were performed: charge, charge#2, ship[a]/label, ship[a]/print.",
    )
  })
})
