// What callers want started is bounded: who comes too fast is told so, and nothing that was accepted is lost.
import { expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { Intake } from '../../src/engine/intake.ts'
import { onStage } from './stage.ts'

const capacity = 100_000
const noop = worker('noop', {}, () => undefined)

it('I15: refuses the call for which there is no room, with the time to come again, and starts all others', async () => {
  const { troupe } = await onStage({ definitions: [noop], starts: false })
  await troupe.call(noop)
  const calls = Array.from({ length: capacity + 2 }, () => troupe.call(noop))
  expect(await troupe.status()).toMatchObject({ intake: { waiting: capacity, capacity } })
  const ends = await Promise.allSettled(calls)
  const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as object] : []))
  expect(refused).toEqual([
    expect.objectContaining({
      code: 'intake_full',
      retryable: true,
      details: { waiting: capacity, retryAfterMs: 1_000 },
    }),
    expect.objectContaining({ code: 'intake_full' }),
  ])
  const [queue] = await troupe.queues()
  expect(queue).toMatchObject({ ready: capacity + 1 })
  expect((await troupe.status()).intake).toMatchObject({ waiting: 0, chars: 0 })
  await expect(troupe.call(noop)).resolves.toBeDefined()
})

it('tells of it in health before it is full', async () => {
  const { troupe } = await onStage({ definitions: [noop], starts: false })
  await troupe.call(noop)
  const calls = Array.from({ length: capacity * 0.9 }, () => troupe.call(noop))
  const { status, reasons } = await troupe.health()
  await Promise.all(calls)
  expect(status).toBe('degraded')
  expect(reasons[0]).toMatch(/runs wait to be stored, \d\d % of what may/)
  expect((await troupe.health()).status).toBe('ok')
})

it('is bounded by the size of inputs too, but for one alone', () => {
  const intake = new Intake()
  const { capacityChars } = intake.view()
  intake.enter(capacityChars + 1)
  expect(() => intake.enter(1)).toThrow('no more may')
  intake.leave(capacityChars + 1)
  intake.enter(capacityChars)
  expect(() => intake.enter(1)).toThrow('no more may')
})
