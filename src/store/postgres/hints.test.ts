// Connections that listen for hints: one at a time, however the one before ended.
import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Client } from './client.ts'
import { Hints } from './hints.ts'
import { placeOf } from './place.ts'

/** Listens, and is lost while it begins when told so: what was asked fails, and the connection says that it ended. */
class Connection extends EventEmitter {
  isOpen = false
  readonly #isLost: boolean

  constructor(isLost: boolean) {
    super()
    this.#isLost = isLost
  }

  connect(): Promise<void> {
    this.isOpen = true
    return Promise.resolve()
  }

  query(): Promise<void> {
    if (!this.#isLost) return Promise.resolve()
    this.isOpen = false
    this.emit('error', new Error('the connection ended'))
    return Promise.reject(new Error('the connection ended'))
  }

  end(): Promise<void> {
    this.isOpen = false
    return Promise.resolve()
  }
}

test('listens once after a connection was lost while it began, and leaves none open', async () => {
  const clock = new ManualClock()
  const connections: Connection[] = []
  const connect = (): Client => {
    const connection = new Connection(connections.length < 2)
    connections.push(connection)
    return connection as unknown as Client
  }
  const hints = new Hints({ place: placeOf('postgres://host/base'), clock, connect })
  await hints.open()
  await clock.advance(60_000)
  expect(connections.map(({ isOpen }) => isOpen)).toEqual([false, false, true])
  expect(hints.hearing).toBe('listening')
  await hints.close()
  expect(connections.filter(({ isOpen }) => isOpen)).toEqual([])
})
