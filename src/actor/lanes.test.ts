import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import { Message } from './message.ts'
import type { SpawnOptions } from './spawn.ts'
import { ActorSystem } from './system.ts'

class Urgent extends Message('Urgent')<{ name: string }, string>() {}

class Clerk extends Actor {
  readonly seen: string[] = []
  async hold(gate: Promise<void>): Promise<void> {
    await gate
  }
  note(name: string): string {
    this.seen.push(name)
    return `noted ${name}`
  }
  Urgent({ name }: Urgent): string {
    return this.note(name)
  }
}

/** An actor that is busy until `go`, so that both its lanes fill. */
async function busyClerk(options: SpawnOptions = {}) {
  const clock = new ManualClock()
  const system = new ActorSystem({ clock, log: new RecordedLog() })
  const actor = new Clerk()
  const [ref, handle] = system.spawn(() => actor, { priority: true, ...options })
  const gate = deferred<void>()
  ref.tell('hold', gate.promise)
  await turns()
  const go = (): Promise<void> => {
    gate.resolve()
    return turns()
  }
  const urgently = (...names: string[]): boolean[] => names.map((name) => ref.tell('note', name, { priority: true }))
  const buried = () => system.deadLetters.recent.map(({ payload, reason }) => [payload, reason])
  return { clock, system, actor, ref, handle, go, urgently, buried }
}

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))
const numbered = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`)

describe('the priority lane', () => {
  it('goes ahead of the mailbox, each in its own order', async () => {
    const { ref, actor, go, urgently } = await busyClerk()
    for (const name of ['a', 'b']) ref.tell('note', name)
    urgently('x', 'y')
    await go()
    expect(actor.seen).toEqual(['x', 'y', 'a', 'b'])
  })

  it('lets one ordinary message through after every eight, so that neither starves', async () => {
    const { ref, actor, go, urgently } = await busyClerk()
    for (const name of numbered('a', 3)) ref.tell('note', name)
    const urgent = numbered('x', 18)
    urgently(...urgent)
    await go()
    expect(actor.seen).toEqual([...urgent.slice(0, 8), 'a1', ...urgent.slice(8, 16), 'a2', 'x17', 'x18', 'a3'])
  })

  it('counts eight anew once an ordinary message went through', async () => {
    const { ref, actor, go, urgently } = await busyClerk()
    urgently(...numbered('x', 5))
    await go()
    ref.tell('note', 'a')
    await turns()
    const gate = deferred<void>()
    ref.tell('hold', gate.promise)
    await turns()
    ref.tell('note', 'b')
    urgently(...numbered('y', 8))
    gate.resolve()
    await turns()
    expect(actor.seen).toEqual([...numbered('x', 5), 'a', ...numbered('y', 8), 'b'])
  })

  it('never keeps an ordinary message waiting for a flood that fills it again and again', async () => {
    class Flooding extends Actor {
      urgent = 0
      atOrdinary = -1
      flood(): void {
        this.urgent++
        this.ctx.self.tell('flood', undefined, { priority: true })
      }
      ordinary(): void {
        this.atOrdinary = this.urgent
      }
    }
    const actor = new Flooding()
    const [ref, handle] = new ActorSystem({ log: new RecordedLog() }).spawn(() => actor, { priority: true })
    ref.tell('flood', undefined, { priority: true })
    await ref.ask('ordinary')
    expect(actor.atOrdinary).toBeLessThanOrEqual(8)
    await handle.kill()
  })

  it('has a capacity of its own, of the same size', async () => {
    const { ref, actor, go, urgently, buried } = await busyClerk({ mailbox: 2 })
    expect(['a', 'b', 'c'].map((name) => ref.tell('note', name))).toEqual([true, true, false])
    expect(urgently('x', 'y', 'z')).toEqual([true, true, false])
    const sent = ref.send('note', 'w', { priority: true })
    await go()
    await sent
    expect(actor.seen).toEqual(['x', 'y', 'w', 'a', 'b'])
    expect(buried()).toEqual([
      ['c', 'overflow'],
      ['z', 'overflow'],
    ])
  })

  it('overflows as the mailbox does', async () => {
    const { actor, go, urgently, buried } = await busyClerk({ mailbox: { capacity: 1, overflow: 'drop-oldest' } })
    expect(urgently('x', 'y')).toEqual([true, true])
    await go()
    expect([actor.seen, buried()]).toEqual([['y'], [['x', 'overflow']]])
  })

  it('takes asks and message objects too', async () => {
    const { ref, actor, go } = await busyClerk()
    ref.tell('note', 'a')
    const asked = [
      ref.ask('note', 'x', { priority: true }),
      ref.ask(new Urgent({ name: 'y' }), { priority: true, timeout: '1s' }),
    ]
    await go()
    expect(await Promise.all(asked)).toEqual(['noted x', 'noted y'])
    expect(actor.seen).toEqual(['x', 'y', 'a'])
  })

  it('is emptied by a stop, ahead of the mailbox, and by a kill into dead letters', async () => {
    const { ref, actor, handle, go, urgently } = await busyClerk()
    ref.tell('note', 'a')
    urgently('x')
    const done = handle.stop()
    expect(urgently('late')).toEqual([false])
    await go()
    await done
    expect(actor.seen).toEqual(['x', 'a'])

    const killed = await busyClerk()
    killed.ref.tell('note', 'a')
    killed.urgently('x')
    await killed.handle.kill()
    expect(killed.buried().slice(1)).toEqual([
      ['x', 'discarded'],
      ['a', 'discarded'],
    ])
  })

  it('keeps its mail over a restart', async () => {
    const seen: string[] = []
    class Fragile extends Actor {
      crash(): void {
        throw new Error('crashed')
      }
      note(name: string): void {
        seen.push(name)
      }
    }
    const [ref] = new ActorSystem({ log: new RecordedLog() }).spawn(Fragile, { priority: true, restart: 'transient' })
    ref.tell('crash', undefined, { priority: true })
    ref.tell('note', 'a')
    for (const name of ['x', 'y']) ref.tell('note', name, { priority: true })
    await ref.ask('note', 'b')
    expect(seen).toEqual(['x', 'y', 'a', 'b'])
  })

  it('counts in what waits and in the high-water mark', async () => {
    const { system, ref, go, urgently } = await busyClerk()
    ref.tell('note', 'a')
    urgently('x', 'y')
    expect(system.metrics()).toMatchObject({ waiting: 3, highWater: 2 })
    await go()
    expect(system.metrics()).toMatchObject({ waiting: 0, processed: 4 })
  })

  it('is fair also when the ordinary message whose turn it is has to wait for readers', async () => {
    const seen: string[] = []
    const gate = deferred<void>()
    class Library extends Actor {
      static readonly shared = ['read']
      async read(name: string): Promise<void> {
        seen.push(name)
        if (name === 'x8') await gate.promise
      }
      write(name: string): void {
        seen.push(name)
      }
    }
    const [ref] = new ActorSystem({ log: new RecordedLog() }).spawn(Library, { priority: true })
    ref.tell('write', 'a')
    for (const name of numbered('x', 12)) ref.tell('read', name, { priority: true })
    await turns()
    expect(seen).toEqual(numbered('x', 8))
    gate.resolve()
    await turns()
    expect(seen).toEqual([...numbered('x', 8), 'a', 'x9', 'x10', 'x11', 'x12'])
  })

  it('goes on while a message of the other waits for others of its own kind', async () => {
    class Library extends Actor {
      static readonly concurrent = { fetch: 1 }
      readonly #gate = deferred<string>()
      fetch(): Promise<string> {
        return this.#gate.promise
      }
      release(): void {
        this.#gate.resolve('released')
      }
    }
    for (const priority of [true, false]) {
      const [library] = new ActorSystem().spawn(Library, { priority: true })
      const fetched = [library.ask('fetch')]
      await Promise.resolve()
      fetched.push(library.ask('fetch', undefined, { priority }))
      await library.ask('release', undefined, { priority: !priority })
      expect(await Promise.all(fetched)).toEqual(['released', 'released'])
    }
  })

  it('is an error where there is none: with tell, send and ask, and nothing is sent', async () => {
    const { ref, actor, go, system } = await busyClerk({ priority: false })
    const off = expect.objectContaining({
      code: 'option_invalid',
      message: 'Clerk(#1) has no priority lane for note: spawn it with { priority: true }.',
    })
    expect(() => ref.tell('note', 'x', { priority: true })).toThrow(off)
    expect(() => ref.send('note', 'x', { priority: true })).toThrow(off)
    expect(() => ref.ask('note', 'x', { priority: true })).toThrow(off)
    expect(ref.tell('note', 'a', { priority: false })).toBe(true)
    await go()
    expect([actor.seen, system.deadLetters.count]).toEqual([['a'], 0])
  })
})
