import { expect, it } from 'vitest'
import { Actor } from '../../actor/actor.ts'
import { ActorSystem } from '../../actor/system.ts'
import { deferred } from '../../lib/deferred.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { RecordedLog } from '../../testing/recorded-log.ts'
import type { Changes } from '../watch/changes.ts'
import type { TakingIn } from './taking-in.ts'
import { Timekeeping, type TimekeepingOptions } from './timekeeping.ts'

/** Its store is away when something becomes due. */
class Held extends Actor {
  readonly heard: string[] = []
  readonly store = deferred<void>()

  wake(): void {
    this.heard.push('wake')
  }

  async dueAt(): Promise<void> {
    await this.store.promise
  }

  othersWrote(): void {
    this.heard.push('othersWrote')
  }
}

async function begun() {
  const clock = new ManualClock()
  const log = new RecordedLog()
  const system = new ActorSystem({ clock, log })
  const keeper = new Held()
  const [ref, handle] = system.spawn(() => keeper)
  let listener: { changed(): void } | undefined
  const timekeeping = new Timekeeping({
    changes: { listen: (given: { changed(): void }) => void (listener = given) } as unknown as Changes,
    takingIn: { serve: () => {}, soon: () => {} } as unknown as TakingIn,
    employ: () => ({ ref, handle }) as unknown as ReturnType<TimekeepingOptions['employ']>,
  })
  await timekeeping.begin()
  return { clock, log, system, keeper, timekeeping, changed: () => listener?.changed() }
}

it('says once that others wrote until that was heard, however long the store is away', async () => {
  const { clock, log, system, keeper, timekeeping, changed } = await begun()
  timekeeping.dueAt(0)
  for (let minute = 0; minute < 10; minute++) {
    for (let n = 0; n < 100; n++) changed()
    await clock.advance(60_000)
  }
  keeper.store.resolve()
  await clock.advance(0)
  expect(keeper.heard).toEqual(['wake', 'othersWrote'])
  changed()
  changed()
  await clock.advance(0)
  expect(keeper.heard).toEqual(['wake', 'othersWrote', 'othersWrote'])
  expect(log.lines).toEqual([])
  await system.stop()
})
