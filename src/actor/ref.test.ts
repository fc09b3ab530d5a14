import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { Watched } from './context.ts'
import { ActorSystem } from './system.ts'
import type { Terminated } from './watch.ts'

class Plain extends Actor {
  readonly bytes = new Uint8Array(1000)
  size(): number {
    return this.bytes.length
  }
  crash(): void {
    throw new Error('crashed')
  }
}

/** Has friends, and holds their refs. */
class Friendly extends Plain {
  readonly friends: object[] = []
  befriend(friend: object): void {
    this.friends.push(friend)
  }
  spawnChild(): void {
    const [child] = this.ctx.spawn(Friendly)
    this.friends.push(child)
    child.tell('befriend', this.ctx.self)
  }
}

class Watcher extends Actor {
  readonly #heard: string[]
  constructor(heard: string[]) {
    super()
    this.#heard = heard
  }
  watch(ref: Watched): void {
    this.ctx.watch(ref)
  }
  Terminated({ result }: Terminated): void {
    this.#heard.push(result.kind)
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))

async function collected(weak: WeakRef<object>): Promise<boolean> {
  for (let round = 0; round < 5 && weak.deref() !== undefined; round++) {
    await turns()
    collectGarbage()
  }
  return weak.deref() === undefined
}

const newSystem = () => new ActorSystem({ clock: new ManualClock(), log: new RecordedLog() })

describe('a weak ref', () => {
  it('gives the ref while the actor lives, also when nobody else holds one', async () => {
    const system = newSystem()
    const weak = system.spawn(Plain)[0].weak()
    await turns()
    collectGarbage()
    expect([weak.id, await weak.deref()?.ask('size')]).toEqual([1, 1000])
    const [ref] = system.spawn(Plain)
    expect(ref.weak().deref()).toBe(ref)
  })

  it('gives nothing once the actor has ended, however it ended', async () => {
    const system = newSystem()
    const spawned = Array.from({ length: 3 }, () => system.spawn(Plain))
    const weak = spawned.map(([ref]) => ref.weak())
    await spawned[0]?.[1].stop()
    await spawned[1]?.[1].kill()
    spawned[2]?.[0].tell('crash')
    await spawned[2]?.[1].done
    expect(weak.map((one) => one.deref())).toEqual([undefined, undefined, undefined])
  })

  it('still gives the ref of an actor that was restarted', async () => {
    const [ref] = newSystem().spawn(Plain, { restart: 'transient' })
    const weak = ref.weak()
    ref.tell('crash')
    await ref.ask('size')
    expect(weak.deref()).toBe(ref)
  })

  it('prints as what it is', () => {
    const weak = newSystem().spawn(Plain)[0].weak()
    expect([`${weak}`, inspect(weak)]).toEqual(['weak Plain(#1)', 'weak Plain(#1)'])
  })
})

describe('an actor that has ended', () => {
  it.each(['stop', 'kill'] as const)('by a %s is collected though its system and a weak ref live on', async (end) => {
    const system = newSystem()
    const leave = async () => {
      const actor = new Plain()
      const [ref, handle] = system.spawn(() => actor, { name: 'short', mailbox: 3 })
      await ref.ask('size', undefined, { timeout: '1h' })
      ref.tell('size')
      await handle[end]()
      ref.tell('size')
      return { weak: ref.weak(), object: new WeakRef(actor) }
    }
    const { weak, object } = await leave()
    expect(await collected(object)).toBe(true)
    expect([weak.deref(), system.deadLetters.count > 0]).toEqual([undefined, true])
  })

  it('is collected though living actors watched it, asked it and were its siblings and parent', async () => {
    const system = newSystem()
    const [first] = system.spawn(Friendly)
    const heard: string[] = []
    const [watcher] = system.spawn(() => new Watcher(heard))
    const leave = async () => {
      const actor = new Friendly()
      const [ref, handle] = system.spawn(() => actor)
      await watcher.ask('watch', ref)
      ref.tell('befriend', first)
      await handle.stop()
      await turns()
      return new WeakRef(actor)
    }
    const object = await leave()
    system.spawn(Friendly)
    expect([await collected(object), heard]).toEqual([true, ['stopped']])
  })

  it('is collected though refs lead around in a circle', async () => {
    const system = newSystem()
    const leave = async () => {
      const actors = [new Friendly(), new Friendly()]
      const spawned = actors.map((actor) => system.spawn(() => actor))
      spawned[0]?.[0].tell('befriend', spawned[1]?.[0] as object)
      spawned[1]?.[0].tell('befriend', spawned[0]?.[0] as object)
      for (const [ref] of spawned) {
        ref.tell('befriend', ref)
        ref.tell('spawnChild')
      }
      await Promise.all(spawned.map(([, handle]) => handle.stop()))
      return actors.map((actor) => new WeakRef(actor))
    }
    for (const object of await leave()) expect(await collected(object)).toBe(true)
    expect(system.metrics().actors).toBe(0)
  })

  it('is collected after a restart: the object that failed, while the one made anew lives', async () => {
    // An error holds on to the objects on its stack.
    const nothing = (): void => undefined
    const system = new ActorSystem({ log: { debug: nothing, info: nothing, warn: nothing, error: nothing } })
    const made: WeakRef<Plain>[] = []
    const [ref] = system.spawn(
      () => {
        const actor = new Plain()
        made.push(new WeakRef(actor))
        return actor
      },
      { restart: 'transient' },
    )
    ref.tell('crash')
    expect(await ref.ask('size')).toBe(1000)
    expect(made.length).toBe(2)
    expect(await collected(made[0] as WeakRef<Plain>)).toBe(true)
    expect(await collected(made[1] as WeakRef<Plain>)).toBe(false)
  })
})
