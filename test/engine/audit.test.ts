// Who did what: what is done by hand leaves an entry, which is kept for a time.
import { expect, it } from 'vitest'
import { limiter, worker } from '../../src/index.ts'
import { eventually, noUnhandledRejections, onStage, rejection } from './stage.ts'

noUnhandledRejections()

const minute = 60_000
const tidy = worker('tidy', {}, () => 'tidied')
const charge = worker('charge', { limits: [limiter('stripe', { concurrency: null })] }, () => 'charged')

it('tells who paused, resumed, bounded, triggered and filled in, with what it was done to', async () => {
  const { troupe } = await onStage({ definitions: [tidy, charge], starts: false })
  const by = { by: 'ann' }
  await troupe.schedule('nightly', { every: '100ms' }, tidy)
  await troupe.pause('default', by)
  await troupe.pause('default', { by: 'bob' })
  await troupe.resume('default')
  await troupe.limit('stripe', { concurrency: 2 }, by)
  await troupe.pauseSchedule('nightly', by)
  await troupe.resumeSchedule('nightly', by)
  const { id } = await troupe.trigger('nightly', by)
  await troupe.backfill('nightly', { from: 700, to: 1_000 }, by)
  await troupe.unschedule('nightly', by)
  const entries = await troupe.audit()
  expect(entries.toReversed().map(({ by: who, action, target, details }) => [who, action, target, details])).toEqual([
    ['ann', 'pause queue', 'default', {}],
    [undefined, 'resume queue', 'default', {}],
    ['ann', 'limit', 'stripe', { bounds: { concurrency: 2 } }],
    ['ann', 'pause schedule', 'nightly', {}],
    ['ann', 'resume schedule', 'nightly', {}],
    ['ann', 'trigger schedule', 'nightly', { run: id }],
    ['ann', 'backfill schedule', 'nightly', { from: 700, to: 1_000, ticks: 4 }],
    ['ann', 'end schedule', 'nightly', {}],
  ])
  expect(entries[0]?.at).toBeGreaterThanOrEqual(1_000)
})

it('refuses a name of nobody, and does nothing', async () => {
  const { troupe } = await onStage({ definitions: [tidy], starts: false })
  await troupe.schedule('nightly', { every: '1h' }, tidy)
  const by = { by: '' }
  const refused = [troupe.pause('default', by), troupe.limit('stripe', null, by), troupe.trigger('nightly', by)]
  for (const one of refused) expect(await rejection(one)).toMatchObject({ code: 'option_invalid' })
  expect([(await troupe.audit()).length, (await troupe.runs()).length, (await troupe.limiters()).length]).toEqual([
    0, 0, 0,
  ])
})

it('is kept for as long as the option says, and the metrics count what is deleted', async () => {
  const { troupe, clock } = await onStage({
    definitions: [tidy],
    retention: { audit: '10m', events: '1h' },
    queues: ['default', 'mail'],
  })
  await troupe.pause('mail', { by: 'ann' })
  await troupe.run(tidy)
  const deleted = async (what: string) => {
    const points = (await troupe.metrics())['troupe.retention.deleted']?.points ?? []
    return points.find(({ attributes }) => attributes['what'] === what)?.value
  }
  await clock.advance(8 * minute)
  expect([(await troupe.audit()).length, await deleted('audit')]).toEqual([1, 0])
  await clock.advance(5 * minute)
  await eventually(async () => (await troupe.audit()).length === 0)
  expect(await deleted('audit')).toBe(1)
  expect((await troupe.metrics())['troupe.retention.passes']?.points[0]?.value).toBeGreaterThan(0)
})
