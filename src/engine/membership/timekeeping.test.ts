import { expect, it } from 'vitest'
import type { Changes } from '../watch/changes.ts'
import type { TakingIn } from './taking-in.ts'
import { Timekeeping, type TimekeepingOptions } from './timekeeping.ts'

interface Heard {
  readonly changed: () => void
  readonly asked: string[]
  answer(): Promise<void>
}

/** A Timekeeper that answers when it is told to, and changes that it hears of. */
async function begun(): Promise<Heard> {
  const asked: string[] = []
  const waiting: (() => void)[] = []
  let listener: { changed(): void } | undefined
  const ask = (message: string): Promise<void> => {
    if (message === 'wake') return Promise.resolve()
    asked.push(message)
    return new Promise((resolve) => waiting.push(resolve))
  }
  const timekeeping = new Timekeeping({
    changes: { listen: (given: { changed(): void }) => void (listener = given) } as unknown as Changes,
    takingIn: { serve: () => {}, soon: () => {} } as unknown as TakingIn,
    employ: () => ({ ref: { ask }, handle: {} }) as unknown as ReturnType<TimekeepingOptions['employ']>,
  })
  await timekeeping.begin()
  return {
    asked,
    changed: () => listener?.changed(),
    answer: async () => {
      waiting.shift()?.()
      await Promise.resolve()
    },
  }
}

it('says once that others wrote until that was heard, however often they did', async () => {
  const { changed, asked, answer } = await begun()
  for (let n = 0; n < 100; n++) changed()
  expect(asked).toEqual(['othersWrote'])
  await answer()
  changed()
  changed()
  expect(asked).toEqual(['othersWrote', 'othersWrote'])
})
