import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { Context } from './context.ts'
import type { SpawnOptions } from './spawn.ts'
import { ActorSystem } from './system.ts'

/** Puts work aside until it is open. */
class Door extends Actor {
  readonly #seen: string[]
  #isOpen = false
  constructor(seen: string[]) {
    super()
    this.#seen = seen
  }
  enter(name: string): string {
    if (!this.#isOpen) {
      this.ctx.stash()
      return 'unheard'
    }
    this.#seen.push(name)
    return `${name} is in`
  }
  async enterSlowly(name: string): Promise<string> {
    await undefined
    return this.enter(name)
  }
  open(): void {
    this.#isOpen = true
    this.ctx.unstash()
  }
  note(name: string): void {
    this.#seen.push(name)
  }
  async hold(gate: Promise<void>): Promise<void> {
    await gate
  }
  run(fn: (ctx: Context<this>) => void): void {
    fn(this.ctx)
  }
  crash(): void {
    throw new Error('crashed')
  }
}

function newDoor(options: SpawnOptions = {}) {
  const clock = new ManualClock()
  const system = new ActorSystem({ clock, log: new RecordedLog() })
  const seen: string[] = []
  const [ref, handle] = system.spawn(() => new Door(seen), options)
  const buried = () => system.deadLetters.recent.map(({ payload, reason }) => [payload, reason])
  return { clock, system, ref, handle, seen, buried }
}

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))

describe('a message that is stashed', () => {
  it('comes back with unstash, ahead of the mailbox and in the order it came', async () => {
    const { ref, seen } = newDoor()
    for (const name of ['a', 'b', 'c']) ref.tell('enter', name)
    ref.tell('note', 'passes')
    ref.tell('open')
    ref.tell('enter', 'd')
    await turns()
    expect(seen).toEqual(['passes', 'a', 'b', 'c', 'd'])
  })

  it('keeps its asker waiting for the answer', async () => {
    const { ref } = newDoor()
    const asked = [ref.ask('enter', 'a'), ref.ask('enterSlowly', 'b')]
    await turns()
    ref.tell('open')
    expect(await Promise.all(asked)).toEqual(['a is in', 'b is in'])
  })

  it('counts once, when it is handled to the end', async () => {
    const { ref, system } = newDoor()
    ref.tell('enter', 'a')
    await turns()
    expect(system.metrics()).toMatchObject({ processed: 0, failed: 0, deadLetters: 0 })
    ref.tell('open')
    await turns()
    expect(system.metrics()).toMatchObject({ processed: 2, failed: 0, deadLetters: 0 })
  })

  it('may be stashed again, and then stands behind none that came after it', async () => {
    const { ref, seen } = newDoor()
    for (const name of ['a', 'b']) ref.tell('enter', name)
    ref.tell('run', (ctx: Context<Door>) => ctx.unstash())
    ref.tell('enter', 'c')
    ref.tell('open')
    await turns()
    expect(seen).toEqual(['a', 'b', 'c'])
  })

  it('is a dead letter when its asker gave up meanwhile', async () => {
    const { ref, clock, seen, buried } = newDoor()
    const asked = expect(ref.ask('enter', 'a', { timeout: 10 })).rejects.toMatchObject({ code: 'ask_timeout' })
    await clock.advance(10)
    await asked
    ref.tell('open')
    await turns()
    expect([seen, buried()]).toEqual([[], [['a', 'timeout']]])
  })

  it('is a dead letter when the actor ends first, and its asker learns why', async () => {
    for (const [end, code] of [
      ['stop', 'actor_stopped'],
      ['kill', 'actor_killed'],
    ] as const) {
      const { ref, handle, buried, system } = newDoor()
      ref.tell('enter', 'a')
      const asked = expect(ref.ask('enter', 'b')).rejects.toMatchObject({ code })
      await turns()
      await handle[end]()
      await asked
      expect(buried()).toEqual([
        ['a', 'discarded'],
        ['b', 'discarded'],
      ])
      expect(system.metrics()).toMatchObject({ actors: 0, processed: 0, failed: 0, waiting: 0 })
    }
  })

  it('is handled by a stop when a message that was let in brings it back', async () => {
    const { ref, handle, seen, buried } = newDoor()
    ref.tell('enter', 'a')
    ref.tell('open')
    await handle.stop()
    expect([seen, buried()]).toEqual([['a'], []])
  })

  it('survives a restart, ahead of the mailbox', async () => {
    const { ref, seen, buried } = newDoor({ restart: 'transient' })
    const asked = ref.ask('enter', 'a')
    ref.tell('enter', 'b')
    ref.tell('crash')
    ref.tell('open')
    ref.tell('enter', 'c')
    expect(await asked).toBe('a is in')
    await turns()
    expect([seen, buried()]).toEqual([['a', 'b', 'c'], []])
  })

  it('is not lost when its handler throws after it, and fails the actor as nobody hears the error', async () => {
    const { ref, seen, buried } = newDoor({ restart: 'transient' })
    let isFirst = true
    const asked = ref.ask('run', ((ctx: Context<Door>) => {
      if (!isFirst) return
      isFirst = false
      ctx.stash()
      throw new Error('after the stash')
    }) as never)
    await asked
    ref.tell('note', 'alive')
    await turns()
    expect([isFirst, seen, buried()]).toEqual([false, ['alive'], []])
  })
})

describe('an urgent message that is stashed', () => {
  it('comes back to the lane it came from, ahead of later urgent ones', async () => {
    const { ref, handle, seen } = newDoor({ priority: true })
    ref.tell('enter', 'urgent 1', { priority: true })
    ref.tell('enter', 'ordinary')
    await turns()
    ref.tell('open', undefined, { priority: true })
    ref.tell('enter', 'urgent 2', { priority: true })
    await handle.stop()
    expect(seen).toEqual(['urgent 1', 'urgent 2', 'ordinary'])
  })
})

describe('a stash', () => {
  it('takes as many as the mailbox; one more is an error of that message', async () => {
    const { ref, seen } = newDoor({ mailbox: 2 })
    for (const name of ['a', 'b']) ref.tell('enter', name)
    await turns()
    await expect(ref.ask('enter', 'c')).rejects.toMatchObject({
      code: 'mailbox_full',
      message: 'The stash of Door(#1) is full (2, as its mailbox): unstash earlier, or give it a larger mailbox.',
    })
    await ref.ask('open')
    await turns()
    expect(seen).toEqual(['a', 'b'])
  })

  it('that comes back to a full mailbox makes senders wait until there is room again', async () => {
    const { ref, seen } = newDoor({ mailbox: 2 })
    const gate = deferred<void>()
    for (const name of ['a', 'b']) ref.tell('enter', name)
    await turns()
    ref.tell('open')
    const held = ref.ask('hold', gate.promise)
    const sent = ['c', 'd', 'e'].map((name) => ref.send('enter', name))
    expect(sent.map((promise) => promise === undefined)).toEqual([false, false, false])
    await turns()
    gate.resolve()
    await Promise.all([held, ...sent])
    await turns()
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('is for messages: not in started, not in a turn, not twice for one message', async () => {
    const invalid = expect.objectContaining({ code: 'definition_invalid' }) as Error
    const { ref, clock } = newDoor()
    const thrown: unknown[] = []
    const tryIt = (ctx: Context<Door>): void => {
      try {
        ctx.stash()
      } catch (error) {
        thrown.push(error)
      }
    }
    let runs = 0
    await ref.ask('run', ((ctx: Context<Door>) => void ctx.after(0, () => tryIt(ctx))) as never)
    await clock.advance(0)
    expect(thrown).toEqual([invalid])
    ref.tell('run', (ctx: Context<Door>) => {
      if (++runs > 1) return
      ctx.stash()
      tryIt(ctx)
      ctx.unstash()
    })
    await turns()
    expect([runs, thrown]).toEqual([2, [invalid, invalid]])

    class Early extends Actor {
      override started(): void {
        this.ctx.stash()
      }
    }
    const [, handle] = new ActorSystem({ log: new RecordedLog() }).spawn(Early)
    expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'start', error: invalid })
  })

  it('takes nothing from code that outlived its actor', async () => {
    const { ref, handle } = newDoor()
    let late: Context<Door> | undefined
    await ref.ask('run', ((ctx: Context<Door>) => void (late = ctx)) as never)
    await handle.kill()
    expect(() => late?.stash()).toThrow(expect.objectContaining({ code: 'definition_invalid' }))
    expect(late?.unstash()).toBe(undefined)
  })
})
