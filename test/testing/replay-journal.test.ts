import { describe, expect, it } from 'vitest'
import { PermanentError, worker, workflow, type WorkflowContext } from '../../src/index.ts'
import { journalOf, type JournalFixture } from '../../src/testing/journal-fixture.ts'
import { replayJournal } from '../../src/testing/replay-journal.ts'
import { testTroupe } from '../../src/testing/test-troupe.ts'

const done: string[] = []
const pack = worker('pack', {}, (_ctx, sku: string) => {
  done.push(`pack ${sku}`)
  return { sku, at: new Map([['shelf', 7n]]) }
})
const order = workflow('order', {}, async (ctx, skus: string[]) => {
  const at = await ctx.step('charge', () => new Date(5))
  const packed = await ctx.map('pack', skus, (sku, ctx) => ctx.run(pack, sku), { key: String })
  const approval = await ctx.receive('approve', { timeout: '3d' })
  return ctx.step('ship', () => [at.getTime(), packed.length, approval])
})

/** The journal of an order that waits to be approved, as a file would give it back. */
async function waitingOrder(): Promise<JournalFixture> {
  await using kit = await testTroupe({ definitions: [order, pack] })
  const handle = await kit.troupe.call(order, ['a', 'b'])
  await kit.whenWaiting(handle, 'approve')
  done.length = 0
  return JSON.parse(JSON.stringify(await journalOf(kit.troupe, handle.id))) as JournalFixture
}

/** The same with other code. */
const changed = (code: (ctx: WorkflowContext<string[]>, skus: string[]) => Promise<unknown>) =>
  workflow<string[]>('order', {}, code)

describe('the journal of a run', () => {
  it('holds what is remembered, in order', async () => {
    const { name, version, steps, failedAttempts } = await waitingOrder()
    expect([name, version, failedAttempts]).toEqual(['order', '1', []])
    expect(steps.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'step charge',
      'child pack[a]/pack',
      'child pack[b]/pack',
      'result pack[a]/pack/result',
      'result pack[b]/pack/result',
    ])
  })

  it('continues with the code that made it, up to what is new, and does nothing', async () => {
    const journal = await waitingOrder()
    expect(await replayJournal(order, journal, { definitions: [pack] })).toEqual({
      verdict: 'continues',
      next: ["waits for message 'approve'"],
      text: '',
    })
    expect(done).toEqual([])
  })

  it('tells what code does next that goes on in another way behind what is remembered', async () => {
    const journal = await waitingOrder()
    const next = changed(async (ctx, skus) => {
      const at = await ctx.step('charge', () => new Date(9))
      const packed = await ctx.map('pack', skus, (sku, ctx) => ctx.run(pack, sku), { key: String })
      const shelf = packed[0]?.at.get('shelf')
      await ctx.step(`book ${at.getTime()} at ${shelf}`, () => done.push('booked'))
    })
    const replay = await replayJournal(next, journal, { definitions: [pack] })
    expect([replay.verdict, replay.next, done]).toEqual(['continues', ["step 'book 5 at 7'"], []])
    const ending = changed(async (ctx, skus) => {
      await ctx.step('charge', () => 1)
      await ctx.map('pack', skus, (sku, ctx) => ctx.run(pack, sku), { key: String })
      throw new RangeError('no more')
    })
    const ended = await replayJournal(ending, journal, { definitions: [pack] })
    expect([ended.verdict, ended.next]).toEqual(['fails', ['fails with RangeError: no more']])
    const starting = changed(async (ctx, skus) => {
      await ctx.step('charge', () => 1)
      await ctx.map('pack', skus, (sku, ctx) => ctx.run(pack, sku), { key: String })
      await ctx.run(pack, 'c')
    })
    expect((await replayJournal(starting, journal, { definitions: [pack] })).next).toEqual(["child 'pack#2'"])
    expect(done).toEqual([])
  })

  it('diverges from code that asks for something else, and is repeated by code that may', async () => {
    const journal = await waitingOrder()
    const renamed = async (ctx: WorkflowContext<string[]>): Promise<unknown> =>
      ctx.step('charge card', () => done.push('charged'))
    const strict = await replayJournal(changed(renamed), journal)
    expect([strict.verdict, strict.next, done]).toEqual(['diverges', [], []])
    expect(strict.text).toBe("the journal holds step 'charge' where the code asks for step 'charge card'")
    expect(strict.difference).toEqual({
      holds: { path: 'charge', kind: 'step' },
      more: 4,
      asked: [{ path: 'charge card', kind: 'step' }],
    })
    const lenient = workflow<string[]>('order', { divergence: 'warn' }, renamed)
    expect((await replayJournal(lenient, journal)).verdict).toBe('repeats')
    expect((await replayJournal(changed(renamed), journal, { divergence: 'off' })).verdict).toBe('repeats')
  })

  it('goes on with the attempts of a step that has failed', async () => {
    const attempts: number[] = []
    const flaky = workflow('flaky', {}, (ctx) =>
      ctx.step(
        'try',
        ({ attempt }) => {
          attempts.push(attempt)
          throw new Error('no')
        },
        { retry: { attempts: 3, base: '1h', max: '1d', backoff: 'linear', jitter: 0 } },
      ),
    )
    await using kit = await testTroupe({ definitions: [flaky] })
    const handle = await kit.troupe.call(flaky)
    await kit.clock.advance('90m')
    const journal = await journalOf(kit.troupe, handle.id)
    expect(journal.failedAttempts.map(({ path, attempt }) => [path, attempt])).toEqual([
      ['try', 1],
      ['try', 2],
    ])
    const replay = await replayJournal(flaky, journal)
    expect([replay.verdict, replay.next, attempts]).toEqual(['repeats', ["step 'try'"], [1, 2]])
  })

  it('continues to the failure that a step remembers', async () => {
    const refused = workflow('refused', {}, (ctx) =>
      ctx.step('pay', () => Promise.reject(new PermanentError('no funds'))),
    )
    await using kit = await testTroupe({ definitions: [refused] })
    const handle = await kit.troupe.call(refused)
    await handle.result().catch(() => undefined)
    const replay = await replayJournal(refused, await journalOf(kit.troupe, handle.id))
    expect([replay.verdict, replay.next]).toEqual(['continues', ['fails with PermanentError: no funds']])
    const other = workflow('refused', {}, async (ctx) => {
      await ctx.step('pay', () => undefined).catch(() => undefined)
      throw new RangeError('no funds')
    })
    const changed = await replayJournal(other, await journalOf(kit.troupe, handle.id))
    expect([changed.verdict, changed.next]).toEqual(['fails', ['fails with RangeError: no funds']])
  })

  it('is taken over by a version that says how', async () => {
    const journal = await waitingOrder()
    const now = workflow(
      'order',
      { version: '2', upcast: { '1': { steps: { charge: (at: Date) => ({ at }) } } } },
      async (ctx: WorkflowContext<string[]>, skus) => {
        const { at } = await ctx.step('charge', () => ({ at: new Date() }))
        await ctx.map('pack', skus, (sku, ctx) => ctx.run(pack, sku), { key: String })
        return ctx.step(`book ${at.getTime()}`, () => 1)
      },
    )
    const replay = await replayJournal(now, journal, { definitions: [pack] })
    expect([replay.verdict, replay.next]).toEqual(['continues', ["step 'book 5'"]])
  })

  it('is refused for another workflow, for a worker, and when it is none', async () => {
    const journal = await waitingOrder()
    const other = workflow('other', {}, () => 1)
    await expect(replayJournal(other, journal)).rejects.toMatchObject({ code: 'option_invalid' })
    await expect(replayJournal(pack, { ...journal, name: 'pack' })).rejects.toThrow('a worker has no journal')
    await expect(replayJournal(order, {} as JournalFixture)).rejects.toThrow('what journalOf() gives')
    await using kit = await testTroupe()
    await expect(journalOf(kit.troupe, 'none')).rejects.toThrow('There is no run none')
  })
})
