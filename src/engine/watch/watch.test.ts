import { expect, it } from 'vitest'
import type { FinishedRun } from '../../store/store.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Changes } from './changes.ts'
import { Watch } from './watch.ts'

const ended: FinishedRun = { outcome: 'succeeded', value: 'j1' }

it('thousands of ends are asked for together, and only those are told who wait for one', async () => {
  const on = scene()
  const { watch, clock, asked, ends } = on
  const ears = Array.from({ length: 3_000 }, (_, n) => watch.listen(`run-${n}`, true))
  const heard: unknown[] = []
  for (const [n, ear] of ears.entries()) void ear.next().then((news) => heard.push([n, news]))
  await settled(on)
  ends.set('run-7', ended)
  ends.set('run-2999', 'gone')
  await clock.advance(500)
  for (let turn = 0; turn < 10; turn++) await clock.advance(0)
  expect(heard).toEqual([
    [7, { finished: ended }],
    [2_999, { isGone: true }],
  ])
  expect(asked.map((ids) => ids.length)).toEqual([500, 500, 500, 500, 500, 500])
})

it('what this process performs is not asked for, and who reads what a run says is told to look', async () => {
  const on = scene()
  const { watch, clock, asked, here } = on
  here.add('here')
  for (const id of ['here', 'elsewhere']) watch.listen(id, true)
  const reader = watch.listen('read', false)
  await settled(on)
  await reader.next()
  const news = reader.next()
  await clock.advance(500)
  expect(await news).toEqual({})
  expect(asked).toEqual([['elsewhere']])
})

it('a look that takes long is followed by a rest of ten times that', async () => {
  const on = scene()
  const { watch, clock, asked, slow } = on
  watch.listen('run', true)
  await settled(on)
  slow.ms = 100
  await clock.advance(500)
  expect(asked).toHaveLength(1)
  await clock.advance(850)
  expect(asked).toHaveLength(1)
  await clock.advance(100)
  expect(asked).toHaveLength(2)
})

it('a store that cannot be read is told to all who wait', async () => {
  const on = scene()
  const { watch, clock, slow } = on
  const news = watch.listen('run', true).next()
  await settled(on)
  slow.error = new Error('the disk is gone')
  await clock.advance(500)
  expect(await news).toEqual({ trouble: slow.error })
})

it('nobody looks any more when nobody waits', async () => {
  const { watch, clock, asked } = scene()
  watch.listen('run', true).close()
  await clock.advance(10_000)
  expect(asked).toEqual([])
})

it('those who want to know at once in one turn are answered by one question, which leaves out what this process performs', async () => {
  const { watch, clock, asked, ends, here } = scene()
  here.add('here')
  ends.set('ended', ended)
  const heard: unknown[] = []
  const answers: Promise<void>[] = []
  for (const id of ['here', 'ended', 'under way']) {
    watch.add(id, { awaitsEnd: true, hear: (news) => heard.push([id, news]) })
    answers.push(watch.see(id))
  }
  await clock.advance(0)
  await Promise.all(answers)
  expect(heard).toEqual([['ended', { finished: ended }]])
  expect(asked).toEqual([['ended', 'under way']])
})

/** Time passes while the store is asked. */
class SlowClock extends ManualClock {
  tookMs = 0

  override monotonic(): number {
    return super.monotonic() + this.tookMs
  }
}

/** The first look, at once, is behind it. */
async function settled({ clock, asked }: ReturnType<typeof scene>): Promise<void> {
  await clock.advance(50)
  for (let turn = 0; turn < 10; turn++) await clock.advance(0)
  asked.length = 0
}

function scene() {
  const clock = new SlowClock(1_000)
  const asked: string[][] = []
  const ends = new Map<string, FinishedRun | 'gone'>()
  const here = new Set<string>()
  const slow: { ms: number; error?: Error } = { ms: 0 }
  const store = {
    listEnds: async (ids: readonly string[]) => {
      asked.push([...ids])
      if (slow.error !== undefined) throw slow.error
      clock.tookMs += slow.ms
      return new Map([...ends].filter(([id]) => ids.includes(id)))
    },
  }
  const changes = new Changes({ changeCount: () => 1, whenWritten: () => undefined }, clock)
  const watch = new Watch({ changes, clock, store, isHere: (id) => here.has(id), awaited: () => {} })
  return { watch, clock, asked, ends, here, slow }
}
