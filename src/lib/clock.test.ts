import { expect, it } from 'vitest'
import { systemClock } from './clock.ts'

const turn = (): Promise<void> => new Promise((resolve) => systemClock.soon(resolve))

it('calls what is to come soon in order, and what that asks for a turn later', async () => {
  const called: string[] = []
  systemClock.soon(() => {
    called.push('first')
    systemClock.soon(() => called.push('of the first'))
  })
  systemClock.soon(() => called.push('second'))
  expect(called).toEqual([])
  await turn()
  expect(called).toEqual(['first', 'second'])
  await turn()
  expect(called).toEqual(['first', 'second', 'of the first'])
})

it('calls the others although one throws, whose error is not lost', async () => {
  const called: string[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const thrown = new Promise((resolve) => process.once('uncaughtException', resolve))
  try {
    systemClock.soon(() => called.push('before'))
    systemClock.soon(() => {
      throw new Error('mine')
    })
    systemClock.soon(() => called.push('after'))
    expect(await thrown).toMatchObject({ message: 'mine' })
  } finally {
    for (const listener of others) process.on('uncaughtException', listener)
  }
  await turn()
  expect(called).toEqual(['before', 'after'])
})
