// How long runs are kept: by how they ended and by their definition, and then they are gone.
import { expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { eventually, noUnhandledRejections, onStage, rejection } from './stage.ts'

noUnhandledRejections()

const minute = 60_000
const quick = worker('quick', {}, () => 1)
const bad = worker('bad', {}, () => {
  throw new Error('no')
})

it('keeps what succeeded and what failed for as long as it is told, and then it is gone', async () => {
  const { troupe, clock } = await onStage({ definitions: [quick, bad], retention: { succeeded: '3m', failed: '30m' } })
  const good = await troupe.call(quick, undefined, { idempotencyKey: 'k' })
  await good.result()
  const failed = await troupe.call(bad)
  await rejection(failed.result())
  await clock.advance(2.5 * minute)
  expect((await troupe.runs()).map(({ id }) => id)).toEqual([failed.id, good.id])
  await clock.advance(2 * minute)
  await eventually(async () => (await troupe.get(good.id)) === undefined)
  expect(await rejection(good.result())).toMatchObject({ code: 'run_not_found' })
  expect((await troupe.call(quick, undefined, { idempotencyKey: 'k' })).id).not.toBe(good.id)
  expect((await troupe.runs({ name: 'bad' })).map(({ id }) => id)).toEqual([failed.id])
  expect(await troupe.stats('bad')).toMatchObject({ runs: 1, failed: 1 })
})

it('does as a definition says, else as the engine does', async () => {
  const brief = worker('brief', { retention: { succeeded: '1m' } }, () => 1)
  const kept = worker('kept', { retention: 'forever' }, () => 1)
  const { troupe, clock } = await onStage({
    definitions: [quick, brief, kept],
    retention: { succeeded: '6m' },
  })
  for (const name of ['quick', 'brief', 'kept']) await troupe.run(name)
  const left = async () => (await troupe.runs()).map(({ name }) => name)
  await clock.advance(3 * minute)
  await eventually(async () => (await left()).length === 2)
  expect(await left()).toEqual(['kept', 'quick'])
  await clock.advance(5 * minute)
  await eventually(async () => (await left()).length === 1)
  expect(await left()).toEqual(['kept'])
})

it('refuses what is no time, and quotes it', async () => {
  const refused = async (retention: unknown) => (await rejection(onStage({ retention: retention as '1h' }))).message
  expect(await refused('soon')).toBe(
    `retention is "soon": expected a time such as '7d', 'forever', or times for succeeded, failed, cancelled, logs, audit, events.`,
  )
  expect(await refused({ failed: -1 })).toContain('retention is {"failed":-1}')
  expect(await refused({ errors: '1d' })).toContain("Option 'errors' of retention is not known")
  expect(await refused(null)).toContain('retention is null')
  expect(() => worker('w', { retention: { audit: '1d' } as object }, () => 1)).toThrow('audit')
  expect(() => worker('w', { retention: 'later' }, () => 1)).toThrow('retention of \'w\' is "later"')
  expect(() => worker('w', { retention: '1d', durable: false }, () => 1)).toThrow('its runs are not stored')
})
