// Tells to an actor in another thread; it runs compiled only.
import { ActorSystem } from 'troupe/actor'
import { check } from './row.ts'
import type { Row } from './row.ts'
import { FarCounter } from './thread-counter.ts'

async function tellsToThread(count: number): Promise<void> {
  const system = new ActorSystem()
  const [counter, handle] = system.spawn(FarCounter, {
    thread: new URL('./thread-counter.js', import.meta.url),
    mailbox: 10_000,
  })
  for (let index = 0; index < count; index++) {
    const full = counter.send('add', 1)
    if (full !== undefined) await full
  }
  check(await counter.ask('get'), count)
  await handle.stop()
}

export const thread: Row = { what: 'tell to another thread', who: 'troupe', count: 1_000_000, run: tellsToThread }
