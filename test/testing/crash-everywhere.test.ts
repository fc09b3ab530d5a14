import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { crashEverywhere } from '../../src/testing/crash-everywhere.ts'
import { recordEffects } from '../../src/testing/effects.ts'

const effects = recordEffects()
// All points take a minute on a busy machine.
const points = process.env.TROUPE_CRASH === 'full' ? Number.MAX_SAFE_INTEGER : 24

describe('crashEverywhere', () => {
  it(
    'finds nothing in a workflow of steps, sleeps, messages, children, map, race, loop',
    { timeout: 60_000 },
    async () => {
      const pack = worker('pack', {}, (_ctx, sku: string) => {
        effects.note('pack', sku)
        return `${sku} packed`
      })
      const sub = workflow('sub', {}, async (ctx, n: number) => {
        await ctx.step('first', () => effects.note('sub', n))
        await ctx.sleep('1h')
        return ctx.step('second', () => n * 2)
      })
      let failures = 0
      const all = workflow('all', {}, async (ctx, skus: string[]) => {
        await ctx.step('charge', () => effects.note('charge'))
        const packed = await ctx.map('ship', skus, (sku, ctx) => ctx.run(pack, sku), {
          key: (sku) => sku,
          concurrency: 2,
        })
        const [answer, first] = await Promise.all([
          ctx.receive('approve', { timeout: '3d' }),
          Promise.race([ctx.step('a', () => effects.note('a')), ctx.sleep('2h')]),
        ])
        const flaky = await ctx.step(
          'flaky',
          ({ attempt }) => {
            effects.note('flaky', attempt)
            if (attempt < 3) throw new Error(`no ${(failures += 1)}`)
            return attempt
          },
          { retry: { attempts: 3, base: '1m' } },
        )
        const looped = await ctx.loop('turn', 0, async (n, ctx) => {
          await ctx.step('look', () => effects.note('look', n))
          return n === 2 ? { done: n } : { again: n + 1 }
        })
        return { packed, answer, first: first === undefined, flaky, looped, sub: await ctx.run(sub, 4) }
      })
      const report = await crashEverywhere(all, ['a', 'b', 'c'], {
        effects,
        definitions: [pack, sub],
        messages: { approve: ['yes'] },
        points,
      })
      expect(report.outcome).toEqual({
        kind: 'succeeded',
        value: {
          packed: ['a packed', 'b packed', 'c packed'],
          answer: 'yes',
          first: true,
          flaky: 3,
          looped: 2,
          sub: 8,
        },
      })
      expect(report.text).toBe(`'all' ends the same after a crash at each of ${report.points.length} points.`)
      expect(report.points.length).toBeGreaterThanOrEqual(24)
    },
  )

  it(
    'goes on through continueAsNew, failures and runs that outlive the one that started them',
    { timeout: 60_000 },
    async () => {
      const late = workflow('late', {}, async (ctx, n: number) => {
        await ctx.sleep('2d')
        await ctx.step('note', () => effects.note('late', n))
      })
      const months = workflow('months', {}, async (ctx, month: number) => {
        await ctx.step('bill', () => effects.note('bill', month))
        await ctx.call(late, month, { detached: true })
        await ctx.sleep('30d')
        if (month === 2) throw new Error(`broke in month ${month}, ${ctx.runId}`)
        return ctx.continueAsNew(month + 1)
      })
      const report = await crashEverywhere(months, 1, { effects, definitions: [late], points })
      expect(report.outcome).toEqual({ kind: 'failed', error: 'Error: broke in month 2, months' })
    },
  )

  it('tells of a side effect outside of steps', async () => {
    const leaky = workflow('leaky', {}, async (ctx, id: string) => {
      await ctx.step('charge', () => effects.note('charge', id))
      effects.note('mail', id)
      await ctx.step('ship', () => effects.note('ship', id))
    })
    const failed = await crashEverywhere(leaky, 'a1', { effects }).catch((error: unknown) => error as Error)
    expect((failed as Error).message).toBe(
      [
        `'leaky' is not the same after a crash at 3 of 8 points.`,
        "before commit 3 (step 'ship'):",
        "  'mail' of a1, outside of the steps of leaky: done 2 times, without the crash once; put it into a step",
        "after commit 3 (step 'ship'):",
        "  'mail' of a1, outside of the steps of leaky: done 2 times, without the crash once; put it into a step",
        'before commit 4 (end of a run):',
        "  'mail' of a1, outside of the steps of leaky: done 2 times, without the crash once; put it into a step",
      ].join('\n'),
    )
  })

  it('tells of code that is another each time it is performed', async () => {
    let performed = 0
    const fickle = workflow('fickle', {}, async (ctx) => {
      performed += 1
      await ctx.step('first', () => 1)
      return ctx.step('second', () => performed)
    })
    await expect(crashEverywhere(fickle, undefined)).rejects.toThrow(
      "'fickle' is another each time, also without a crash: what differs must be remembered",
    )
    let lives = 0
    const counting = workflow('counting', {}, async (ctx) => {
      lives += 1
      const life = lives
      await ctx.step('first', () => 1)
      const second = await ctx.step('second', () => 2)
      if (second === 2) lives = 0
      return life
    })
    await expect(crashEverywhere(counting, undefined)).rejects.toThrow('it gave 2; without the crash it gave 1')
  })

  it('tells what a run waits for that never ends after a crash', async () => {
    let lives = 0
    const stuck = workflow('stuck', {}, async (ctx) => {
      lives += 1
      const isFirst = lives === 1
      await ctx.step('first', () => 1)
      if (!isFirst) await ctx.receive('never')
      lives = 0
      return 'done'
    })
    await expect(crashEverywhere(stuck, undefined, { patience: 20 })).rejects.toThrow(
      "it never ended: Nothing goes on any more: 'stuck' (stuck) waits for message 'never'",
    )
  })
})
