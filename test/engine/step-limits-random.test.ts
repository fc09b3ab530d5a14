// Limiters on steps as a property: random nodes, cancels, timeouts, retries, stops and deaths; never more are at work than may be, and all ends.
import { expect, it } from 'vitest'
import { limiter, worker, workflow } from '../../src/index.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, storeFile, turns, type Stage } from './stage.ts'

noUnhandledRejections()

const most = 3

/** What is at work on one node and was not told to end: what has its slot. */
class Gauge {
  now = 0

  async work(signal: AbortSignal, random: () => number, seen: { most: number; all: () => number }): Promise<void> {
    this.now += 1
    seen.most = Math.max(seen.most, seen.all())
    let isCounted = true
    const leave = (): void => {
      if (isCounted) this.now -= 1
      isCounted = false
    }
    signal.addEventListener('abort', leave)
    await turns(1 + Math.floor(random() * 3))
    leave()
    if (random() < 0.2) throw new Error('by chance')
  }
}

it.each([1, 2, 3])(
  'are never one over, whatever happens (seed %i)',
  async (seed) => {
    const random = seededRandom(seed)
    const below = (count: number): number => Math.floor(random() * count)
    const store = storeFile()
    const gauges: Gauge[] = []
    const all = (): number => gauges.reduce((sum, { now }) => sum + now, 0)
    const seen = { most: 0, all }
    const open = async (
      clock: ManualClock,
    ): Promise<{ stage: Stage; gauge: Gauge; shared: ReturnType<typeof limiter> }> => {
      const gauge = new Gauge()
      gauges.push(gauge)
      const shared = limiter('shared', { concurrency: most, total: most, key: (key: string) => key })
      const work = ({ signal }: { signal: AbortSignal }): Promise<void> => gauge.work(signal, random, seen)
      const retry = { attempts: 3, backoff: 'linear', base: '100ms' } as const
      const flow = workflow('flow', {}, async (ctx, _key: string) => {
        await Promise.allSettled([
          ctx.step('a', work, { limits: [shared], retry }),
          ctx.step('b', work, { limits: [{ limiter: shared, key: 'k1' }], retry, timeout: '1s' }),
        ])
        await ctx.map('each', [1, 2], (_item, ctx) => ctx.step('one', work, { limits: [shared], retry }), {
          onError: 'collect',
        })
      })
      const job = worker('job', { limits: [shared], retry }, work)
      const stage = await onStage({
        store,
        durability: 'normal',
        definitions: [flow, job],
        node: `node-${gauges.length}`,
        clock,
      })
      return { stage, gauge, shared: shared as ReturnType<typeof limiter> }
    }
    const clock = new ManualClock(1_000)
    const first = await open(clock)
    let second = await open(clock)
    const ids: string[] = []
    for (let round = 0; round < 16; round++) {
      const kind = below(8)
      const { troupe } = (below(2) === 0 ? first : second).stage
      const handle = await troupe.call(
        below(3) === 0 ? 'job' : 'flow',
        `k${below(2)}`,
        kind === 0 ? { timeout: '2s' } : {},
      )
      ids.push(handle.id)
      if (kind === 1) await moving(clock, troupe.cancel(ids[below(ids.length)] as string, 'by chance'))
      if (kind === 2) {
        await second.stage.stop(below(2) * 1_000)
        second = await open(clock)
      }
      if (kind === 3)
        void first.shared.run((signal) => first.gauge.work(signal, random, seen), { key: 'k0' }).catch(() => undefined)
      await clock.advance(below(3) * 100)
      await turns(below(5))
      expect(seen.most, `seed ${seed}, round ${round}`).toBeLessThanOrEqual(most)
    }
    await eventually(async () => {
      await clock.advance(500)
      const runs = await first.stage.troupe.runs({ limit: 100 })
      return runs.length === ids.length && runs.every(({ finishedAt }) => finishedAt !== undefined)
    })
    await eventually(async () =>
      (await first.stage.troupe.limiters()).every(({ slots, waiting }) => slots + waiting === 0),
    )
    expect(seen.most).toBeLessThanOrEqual(most)
    // How many come together is chance; were it never two, nothing would have been tried.
    expect(seen.most).toBeGreaterThan(1)
    expect(all()).toBe(0)
  },
  60_000,
)
