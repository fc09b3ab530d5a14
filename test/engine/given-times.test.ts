// The times that errors tell are those that were given, however long it took until the call was stored.
import { expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { moving, noUnhandledRejections, onStage, rejection } from './stage.ts'

noUnhandledRejections()

/** Time passes whenever somebody looks at it. */
class HastyClock extends ManualClock {
  #looks = 0

  override now(): number {
    return super.now() + this.#looks++
  }
}

const hangs = worker('slow', {}, () => new Promise(() => {}))

it('tells the timeout of a call that runs', async () => {
  const { troupe, clock } = await onStage({ definitions: [hangs], clock: new HastyClock(1_000) })
  const error = await rejection(moving(clock, troupe.run(hangs, undefined, { timeout: '500ms' })))
  expect(error.message).toMatch(/^Worker 'slow' timed out after 500ms: /)
})

it('tells the timeout of a call that waits, and what it was given to begin', async () => {
  const pools = { task: { min: 1, max: 1 } }
  const { troupe, clock } = await onStage({ definitions: [hangs], clock: new HastyClock(1_000), pools })
  await troupe.call(hangs)
  const late = await troupe.call(hangs, undefined, { timeout: '500ms' })
  const unbegun = await troupe.call(hangs, undefined, { expires: '300ms' })
  const [one] = await troupe.callMany(hangs, [undefined], { expires: '200ms' })
  const errors = await Promise.all([late, unbegun, one!].map((handle) => rejection(moving(clock, handle.result()))))
  expect(errors.map(({ message }) => /\b(\d+ms)\b/.exec(message)?.[1])).toEqual(['500ms', '300ms', '200ms'])
})
