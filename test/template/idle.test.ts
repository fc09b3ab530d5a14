// What templates said that nobody has any more: it goes, and never before its last run.
import { expect, it } from 'vitest'
import { loadTemplate, template, worker } from '../../src/index.ts'
import { eventually, intruder, JumpingClock, onStage, storeFile } from '../engine/stage.ts'

const minute = 60_000
const hour = 60 * minute
const echo = worker('echo', {}, (_ctx, input: unknown) => input as string)
const saying = (word: string) =>
  template(
    loadTemplate(`name: greet\nsteps: [{ name: say, uses: echo, with: ${word} }]\noutput: \${{ steps.say }}\n`)
      .template,
  )

/** The rows of the store, by what they say; and a way to make all of them old. */
async function textsOf(store: string) {
  const other = await intruder(store)
  return {
    age: () => other.exec(`update template set used_at = used_at - ${8 * 24 * hour}`),
    usedAt: () => (other.prepare('select used_at as at from template').all() as { at: number }[]).map(({ at }) => at),
  }
}

it('is deleted a week after somebody had it, once no run of it is kept and no name means it', async () => {
  const store = storeFile()
  const retention = { succeeded: '2m' } as const
  const first = await onStage({ definitions: [echo, saying('former')], store, retention, node: 'first' })
  await first.stop()
  const { troupe, clock } = await onStage({ definitions: [echo, saying('meant')], store, retention, node: 'second' })
  expect(await troupe.run(saying('posted'))).toBe('posted')
  await troupe.run('greet')
  // The last that came stays, whatever it is.
  await troupe.run(saying('last'))
  expect((await troupe.templates()).length).toBe(4)
  const { age } = await textsOf(store)
  age()
  await clock.advance(minute + 1)
  // The run of one is kept yet.
  expect((await troupe.templates()).map(({ isNamed }) => isNamed).toSorted()).toEqual([false, false, true])
  await clock.advance(5 * minute)
  expect(await troupe.runs()).toEqual([])
  age()
  await clock.advance(2 * minute)
  await eventually(async () => (await troupe.templates()).length === 2)
  expect(await troupe.run('greet')).toBe('meant')
  expect(await troupe.run(saying('posted'))).toBe('posted')
})

it('is kept while a process has it that posted it', async () => {
  const store = storeFile()
  const clock = new JumpingClock(1_000)
  await onStage({ definitions: [echo], store, starts: false, node: 'node', clock })
  const client = await onStage({ store, starts: false, node: 'client', clock })
  const posted = saying('posted')
  await client.troupe.call(posted)
  const { usedAt } = await textsOf(store)
  const [at] = usedAt()
  clock.aheadMs = 25 * hour
  await clock.advance(1)
  await client.troupe.call(posted)
  await eventually(() => usedAt()[0] === (at ?? 0) + 25 * hour + 1)
  // So long that the store may have forgotten it: it is posted before the run is started.
  clock.aheadMs += 7 * 24 * hour
  await clock.advance(1)
  const other = await intruder(store)
  other.exec('delete from template')
  await client.troupe.call(posted)
  expect(usedAt()).toEqual([clock.now()])
})

it('is kept while a process has it registered', async () => {
  const store = storeFile()
  const clock = new JumpingClock(1_000)
  await onStage({ definitions: [echo, saying('own')], store, starts: false, clock })
  const { age, usedAt } = await textsOf(store)
  age()
  clock.aheadMs = 13 * hour
  await clock.advance(5_000)
  await eventually(() => clock.now() - (usedAt()[0] ?? 0) < minute)
})
