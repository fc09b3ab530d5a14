import { expect, it } from 'vitest'
import { RecordedLog } from '../testing/recorded-log.ts'
import { testSystem } from '../testing/test-system.ts'
import { Actor } from './actor.ts'
import type { Handle } from './handle.ts'
import { ActorSystem } from './system.ts'

class Link extends Actor {
  #next: Handle | undefined
  grow(left: number): void {
    if (left === 0) return
    const [next, handle] = this.ctx.spawn(Link)
    this.#next = handle
    next.tell('grow', left - 1)
  }
  child(): Handle | undefined {
    return this.#next
  }
  hold(): Promise<never> {
    return new Promise(() => undefined)
  }
}

async function chainOf(length: number) {
  const { system, settle } = testSystem()
  const [first, handle] = system.spawn(Link)
  first.tell('grow', length - 1)
  await settle()
  return { system, handle, first }
}

it('a chain of 20,000 actors is shown, and killed to its end', async () => {
  const { system, handle } = await chainOf(20_000)
  let depth = 0
  for (let [node] = system.tree(); node !== undefined; node = node.children[0]) depth++
  expect(depth).toBe(20_000)
  await handle.kill()
  expect(system.metrics().actors).toBe(0)
})

it('a parent that is killed by what its child causes at its end has ended with it', async () => {
  const system = new ActorSystem({ log: new RecordedLog() })
  const [parent, handle] = system.spawn(Link)
  await parent.ask('grow', 1)
  const child = (await parent.ask('child')) as Handle
  system.inspect((event) => {
    if (event.type === 'ended' || event.type === 'dead-letter') void handle.kill()
  })
  await child.kill()
  expect((await handle.done).kind).toBe('killed')
  expect(system.tree()).toEqual([])
})
