import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import type { Deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { RestartPolicy } from './supervision.ts'
import { ActorSystem } from './system.ts'

/** Begins, and ends when the test says so; what it saw outlives a restart. */
class Desk extends Actor {
  static readonly concurrent = { fetch: 2 }
  static readonly shared = ['read', 'peek']
  readonly #seen: string[]
  readonly #gates: Map<string, Deferred<string>>
  constructor(seen: string[], gates: Map<string, Deferred<string>>) {
    super()
    this.#seen = seen
    this.#gates = gates
  }
  fetch(name: string): Promise<string> {
    return this.#pass(name)
  }
  read(name: string): Promise<string> {
    return this.#pass(name)
  }
  peek(): string {
    this.#seen.push('peek')
    return 'peeked'
  }
  write(name: string): Promise<string> {
    return this.#pass(name)
  }
  stashIn(): void {
    this.ctx.stash()
  }
  turnSoon(name: string): void {
    this.ctx.after(0, () => this.#seen.push(name))
  }
  override idle(): void {
    this.#seen.push('idle')
  }
  async #pass(name: string): Promise<string> {
    this.#seen.push(`${name} begins`)
    const gate = deferred<string>()
    this.#gates.set(name, gate)
    const result = await gate.promise
    this.#seen.push(`${name} ends`)
    return result
  }
}

function openDesk({ mailbox = 100, restart = 'temporary' as RestartPolicy } = {}) {
  const clock = new ManualClock()
  const system = new ActorSystem({ clock, log: new RecordedLog() })
  const seen: string[] = []
  const gates = new Map<string, Deferred<string>>()
  const [ref, handle] = system.spawn(() => new Desk(seen, gates), { mailbox, restart })
  const end = async (name: string, result = `${name}!`): Promise<void> => {
    gates.get(name)?.resolve(result)
    await turns()
  }
  const fail = async (name: string): Promise<void> => {
    gates.get(name)?.reject(new Error(`${name} broke`))
    await turns()
  }
  const since = (): string[] => seen.splice(0)
  const buried = () => system.deadLetters.recent.map(({ payload, reason }) => [payload, reason])
  return { clock, system, ref, handle, end, fail, since, buried }
}

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))

describe('a concurrent handler', () => {
  it('runs beside others of its kind up to its limit; the next one waits, and the mailbox with it', async () => {
    const { ref, end, since } = openDesk()
    for (const name of ['a', 'b', 'c']) ref.tell('fetch', name)
    ref.tell('write', 'd')
    await turns()
    expect(since()).toEqual(['a begins', 'b begins'])
    await end('b')
    expect(since()).toEqual(['b ends', 'c begins', 'd begins'])
  })

  it('holds up neither handlers that write nor turns of the actor', async () => {
    const { ref, since, clock } = openDesk()
    ref.tell('fetch', 'a')
    ref.tell('turnSoon', 'turn')
    ref.tell('write', 'b')
    await turns()
    expect(since()).toEqual(['a begins', 'b begins'])
    const { ref: other, since: seenByOther, clock: time } = openDesk()
    other.tell('fetch', 'a')
    other.tell('turnSoon', 'turn')
    await time.advance(0)
    expect(seenByOther()).toEqual(['a begins', 'turn'])
    await clock.advance(0)
    expect(since()).toEqual([])
  })

  it('waits for a handler under way that lets none beside it', async () => {
    const { ref, end, since } = openDesk()
    ref.tell('write', 'a')
    ref.tell('fetch', 'b')
    await turns()
    expect(since()).toEqual(['a begins'])
    await end('a')
    expect(since()).toEqual(['a ends', 'b begins'])
  })

  it('gives each asker its own reply, in whichever order they end', async () => {
    const { ref, end } = openDesk()
    const order: string[] = []
    const asked = ['a', 'b'].map((name) => ref.ask('fetch', name).then((reply) => order.push(reply)))
    await turns()
    await end('b')
    await end('a')
    await Promise.all(asked)
    expect(order).toEqual(['b!', 'a!'])
  })

  it('gives its error to its asker, and the others go on', async () => {
    const { ref, fail, end } = openDesk()
    const broken = expect(ref.ask('fetch', 'a')).rejects.toThrow(new Error('a broke'))
    const well = ref.ask('fetch', 'b')
    await turns()
    await fail('a')
    await broken
    await end('b')
    expect(await well).toBe('b!')
  })

  it('that fails with nobody asking ends the actor, and what runs beside it is cut off', async () => {
    const { system, ref, handle, fail, end, since, buried } = openDesk()
    ref.tell('fetch', 'a')
    const asked = expect(ref.ask('fetch', 'b')).rejects.toMatchObject({ code: 'actor_failed' })
    ref.tell('fetch', 'c')
    await turns()
    await fail('a')
    await asked
    expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'handle', error: new Error('a broke') })
    await end('b')
    expect(since()).toEqual(['a begins', 'b begins', 'b ends'])
    expect(buried()).toEqual([
      ['b', 'reply-dropped'],
      ['c', 'discarded'],
    ])
    expect(system.metrics()).toMatchObject({ processed: 0, failed: 1, deadLetters: 2 })
  })

  it('is cut off by a kill, and what comes of it later is ignored', async () => {
    const { system, ref, handle, fail, buried } = openDesk()
    ref.tell('fetch', 'a')
    ref.tell('fetch', 'b')
    await turns()
    expect((await handle.kill()).kind).toBe('killed')
    await fail('a')
    expect(buried()).toEqual([
      ['a', 'discarded'],
      ['b', 'discarded'],
    ])
    expect(system.metrics()).toMatchObject({ processed: 0, failed: 0, deadLetters: 2 })
  })

  it('takes none of the limit any more once a restart cut it off', async () => {
    const { ref, fail, end, since, buried } = openDesk({ restart: 'transient' })
    for (const name of ['a', 'b', 'c', 'd']) ref.tell('fetch', name)
    await turns()
    await fail('a')
    expect(since()).toEqual(['a begins', 'b begins', 'c begins', 'd begins'])
    await end('b')
    expect(since()).toEqual(['b ends'])
    ref.tell('fetch', 'e')
    await end('c')
    expect(since()).toEqual(['c ends', 'e begins'])
    expect(buried()).toEqual([['b', 'restart']])
  })

  it('that fails while its actor waits for the event loop to turn lets one message run at a time after the restart', async () => {
    // Each look at it costs more than a slice of work may take, so that every message waits for the event loop.
    class HurriedClock extends ManualClock {
      #looks = 0
      override monotonic(): number {
        return 3 * this.#looks++
      }
    }
    const system = new ActorSystem({ clock: new HurriedClock(), log: new RecordedLog() })
    const seen: string[] = []
    const gates = new Map<string, Deferred<string>>()
    const [ref] = system.spawn(() => new Desk(seen, gates), { restart: 'transient' })
    ref.tell('peek')
    ref.tell('fetch', 'a')
    for (const name of ['b', 'c', 'd']) ref.tell('write', name)
    await Promise.resolve()
    expect(seen.splice(0)).toEqual(['peek', 'a begins'])
    gates.get('a')?.reject(new Error('a broke'))
    for (let turn = 0; turn < 5; turn++) await turns()
    expect(seen).toEqual(['b begins'])
  })

  it('is waited for by a stop and by idle', async () => {
    const { ref, handle, end, since } = openDesk()
    ref.tell('fetch', 'a')
    ref.tell('fetch', 'b')
    const done = handle.stop()
    await turns()
    await end('a')
    expect(since()).toEqual(['a begins', 'b begins', 'a ends'])
    await end('b')
    expect((await done).kind).toBe('stopped')
    expect(since()).toEqual(['b ends', 'idle'])
  })

  it('has no message that could be stashed', async () => {
    class Stashing extends Actor {
      static readonly concurrent = { put: 2 }
      put(): void {
        this.ctx.stash()
      }
    }
    const [ref] = new ActorSystem({ log: new RecordedLog() }).spawn(Stashing)
    await expect(ref.ask('put')).rejects.toMatchObject({
      code: 'definition_invalid',
      details: { actor: 'Stashing(#1)' },
    })
  })
})

describe('a shared handler', () => {
  it('runs beside other shared ones, as many as there are', async () => {
    const { ref, since } = openDesk()
    for (const name of ['a', 'b', 'c']) ref.tell('read', name)
    expect(await ref.ask('peek')).toBe('peeked')
    expect(since()).toEqual(['a begins', 'b begins', 'c begins', 'peek'])
  })

  it('holds up a handler that may write, and those that came after that one wait behind it', async () => {
    const { ref, end, since } = openDesk()
    ref.tell('read', 'a')
    ref.tell('read', 'b')
    ref.tell('write', 'c')
    ref.tell('read', 'd')
    await turns()
    expect(since()).toEqual(['a begins', 'b begins'])
    await end('a')
    expect(since()).toEqual(['a ends'])
    await end('b')
    expect(since()).toEqual(['b ends', 'c begins'])
    await end('c')
    expect(since()).toEqual(['c ends', 'd begins'])
  })

  it('holds up turns of the actor, which then go ahead of the mailbox', async () => {
    const { ref, end, since, clock } = openDesk()
    ref.tell('turnSoon', 'turn')
    ref.tell('read', 'a')
    await clock.advance(0)
    ref.tell('read', 'b')
    await turns()
    expect(since()).toEqual(['a begins'])
    await end('a')
    expect(since()).toEqual(['a ends', 'turn', 'b begins'])
  })

  it('holds up nothing any more once a kill or a restart cut it off', async () => {
    const { ref, end, fail, since, buried } = openDesk({ restart: 'transient' })
    ref.tell('read', 'a')
    ref.tell('fetch', 'b')
    ref.tell('write', 'c')
    await turns()
    await fail('b')
    expect(since()).toEqual(['a begins', 'b begins', 'c begins'])
    await end('c')
    expect(since()).toEqual(['c ends', 'idle'])
    expect(buried()).toEqual([['a', 'restart']])
  })
})

describe('a declaration of handlers that overlap', () => {
  it.each([
    [
      'a limit of nothing',
      { concurrent: { work: 0 } },
      'Bad declares work as concurrent or shared, but 0 is not how many may run at once: give a whole number of 1 or more.',
    ],
    [
      'a limit that is no whole number',
      { concurrent: { work: 1.5 } },
      'Bad declares work as concurrent or shared, but 1.5 is not how many may run at once: give a whole number of 1 or more.',
    ],
    [
      'a method that is both',
      { concurrent: { work: 1 }, shared: ['work'] },
      'Bad declares work as concurrent or shared, but it cannot be both: shared ones only read.',
    ],
    [
      'a method that is not there',
      { shared: ['play'] },
      'Bad declares play as concurrent or shared, but there is no such method.',
    ],
    ['a hook', { shared: ['idle'] }, 'Bad declares idle as concurrent or shared, but there is no such method.'],
  ])('with %s fails the start', async (_, declared, message) => {
    class Bad extends Actor {
      work(): void {}
      override idle(): void {}
    }
    Object.assign(Bad, declared)
    const [, handle] = new ActorSystem({ log: new RecordedLog() }).spawn(Bad)
    expect(await handle.done).toMatchObject({
      kind: 'failed',
      phase: 'start',
      error: { code: 'definition_invalid', message },
    })
  })
})
