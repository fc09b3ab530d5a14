// More templates in the store than a node serves without need.
import { expect, it } from 'vitest'
import { loadTemplate, PermanentError, template, worker } from '../../src/index.ts'
import { eventually, onStage } from '../engine/stage.ts'

it('I3: of a thousand templates that were posted those are served that have runs to go on with', async () => {
  let isBroken = true
  const work = worker('work', {}, (_ctx, n: number) => {
    if (isBroken) throw new PermanentError('broken')
    return n
  })
  const posted = (n: number) =>
    template(
      loadTemplate(`name: t${n}\nsteps:\n  - { name: a, uses: work, with: ${n} }\noutput: \${{ steps.a }}\n`).template,
    )
  const { troupe, clock } = await onStage({ definitions: [work] })
  const first = await troupe.call(posted(0))
  for (let n = 1; n <= 1_000; n++) await troupe.call(posted(n))
  await eventually(async () => (await troupe.runs({ state: 'failed', limit: 1_001 })).length === 1_001)
  isBroken = false
  // Nobody goes on with them, so they are left out of what is asked for.
  await clock.advance(400_000)
  await troupe.retry(first.id)
  await clock.advance(1_000)
  expect((await troupe.get(first.id))?.state).toBe('ready')
  // The next look finds that one of them has a run.
  await clock.advance(65_000)
  expect(await (await troupe.handle(first.id)).result()).toBe(0)
  // What is posted is served at once, also anew.
  const later = await troupe.call(posted(5), undefined, { delay: '1s' })
  await clock.advance(2_000)
  await eventually(async () => (await later.status()).state === 'succeeded')
  expect(await troupe.run(posted(1_001))).toBe(1_001)
})
