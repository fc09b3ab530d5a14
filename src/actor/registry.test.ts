import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import type { Deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import { ActorSystem } from './system.ts'

/** Notes its life among that of others; its start can be made to wait, and by the gate to fail. */
class Part extends Actor {
  readonly #name: string
  readonly #seen: string[]
  readonly #gate: Promise<void> | undefined
  constructor(name: string, seen: string[], gate?: Deferred<void>) {
    super()
    this.#name = name
    this.#seen = seen
    this.#gate = gate?.promise
    seen.push(`${name} made`)
  }
  override async started(): Promise<void> {
    await this.#gate
    this.#seen.push(`${this.#name} started`)
  }
  whoami(): string {
    return this.#name
  }
  override async stopped(reason: string): Promise<void> {
    await undefined
    this.#seen.push(`${this.#name} ${reason}`)
  }
}

class Answer extends Actor {
  answer(): number {
    return 42
  }
}

function home() {
  const clock = new ManualClock()
  const log = new RecordedLog()
  const seen: string[] = []
  const part = (name: string, gate?: Deferred<void>) => () => new Part(name, seen, gate)
  return { system: new ActorSystem({ clock, log, name: 'home' }), clock, log, seen, part }
}

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))

describe('system.registry', () => {
  it('gives a frozen record of refs, typed by its entries: functions, classes, or these with options', async () => {
    const { system, part } = home()
    const registry = await system.registry({
      a: part('a'),
      b: Answer,
      c: { make: Answer, mailbox: 1 },
      d: { make: () => new Answer(), priority: true },
    })
    const name: string = await registry.a.ask('whoami')
    const answers: number[] = await Promise.all([registry.b, registry.c, registry.d].map((ref) => ref.ask('answer')))
    expect([name, answers]).toEqual(['a', [42, 42, 42]])
    expect([Object.keys(registry), Object.isFrozen(registry)]).toEqual([['a', 'b', 'c', 'd'], true])
    expect([registry.c.tell('answer'), registry.c.tell('answer')]).toEqual([true, false])
    expect(registry.d.tell('answer', undefined, { priority: true })).toBe(true)
    // @ts-expect-error a message the actor of this entry does not handle
    registry.b.tell('whoami')
  })

  it('starts each entry when the one before is ready', async () => {
    const { system, part, seen } = home()
    const gates = [deferred<void>(), deferred<void>()] as const
    const starting = system.registry({ a: part('a', gates[0]), b: part('b', gates[1]) })
    await turns()
    expect(seen).toEqual(['a made'])
    gates[0].resolve()
    await turns()
    expect(seen).toEqual(['a made', 'a started', 'b made'])
    gates[1].resolve()
    await starting
    expect(seen).toEqual(['a made', 'a started', 'b made', 'b started'])
  })

  it('makes its keys names that lookup finds', async () => {
    const { system, part } = home()
    const { a } = await system.registry({ a: part('a') })
    expect(system.lookup('a', Part)).toBe(a)
    expect(system.tree().map(({ name, actor }) => [name, actor])).toEqual([['a', 'Part(#1)']])
  })

  it('stops in reverse when it is disposed of, also twice, and leaves other actors alone', async () => {
    const { system, part, seen } = home()
    const [other] = system.spawn(Answer)
    const registry = await system.registry({ a: part('a'), b: part('b'), c: part('c') })
    seen.length = 0
    await Promise.all([registry[Symbol.asyncDispose](), registry[Symbol.asyncDispose]()])
    expect(seen).toEqual(['c stopped', 'b stopped', 'a stopped'])
    expect([system.lookup('a'), await other.ask('answer')]).toEqual([undefined, 42])
  })

  it('stops in reverse with the system', async () => {
    const { system, part, seen } = home()
    await system.registry({ a: part('a'), b: part('b') })
    seen.length = 0
    await system.stop()
    expect(seen).toEqual(['b stopped', 'a stopped'])
  })

  it('that has a start fail stops those started in reverse, and is rejected with the entry and the cause', async () => {
    const { system, part, seen } = home()
    const gate = deferred<void>()
    const starting = system.registry({ a: part('a'), b: part('b'), bad: part('bad', gate), never: part('never') })
    gate.reject(new Error('no database'))
    await expect(starting).rejects.toMatchObject({
      code: 'registry_failed',
      message:
        'The registry did not start, because its entry "bad" failed (no database); those started before it were stopped again. See the cause, then start it anew.',
      cause: new Error('no database'),
      details: { entry: 'bad' },
    })
    expect(seen).toEqual(['a made', 'a started', 'b made', 'b started', 'bad made', 'b stopped', 'a stopped'])
    expect([system.metrics().actors, system.lookup('a'), system.lookup('bad')]).toEqual([0, undefined, undefined])
  })

  it('that has a constructor fail does the same', async () => {
    const { system, part, seen } = home()
    const bad = (): Part => {
      throw new Error('no luck')
    }
    await expect(system.registry({ a: part('a'), bad })).rejects.toMatchObject({
      code: 'registry_failed',
      cause: new Error('no luck'),
    })
    expect(seen).toEqual(['a made', 'a started', 'a stopped'])
    expect(system.metrics().actors).toBe(0)
  })

  it('gives an entry that would be restarted no second try at its first start', async () => {
    for (const failing of ['constructor', 'started']) {
      const { system, clock } = home()
      let made = 0
      class Bad extends Actor {
        constructor() {
          super()
          made++
          if (failing === 'constructor') throw new Error('constructor')
        }
        override started(): Promise<void> {
          return Promise.reject(new Error('started'))
        }
      }
      const starting = system.registry({ bad: { make: Bad, restart: 'permanent', restarts: { backoff: '1s' } } })
      await expect(starting).rejects.toMatchObject({ code: 'registry_failed', cause: new Error(failing) })
      await clock.advance(10_000)
      expect([made, system.metrics().actors, clock.armedTimers]).toEqual([1, 0, 0])
    }
  })

  it('restarts an entry that fails later, behind the same ref', async () => {
    class Fragile extends Actor {
      broken = false
      use(): string {
        return this.broken ? 'broken' : 'fine'
      }
      crash(): void {
        this.broken = true
        throw new Error('crash')
      }
    }
    const { system, clock } = home()
    const { fragile } = await system.registry({ fragile: { make: Fragile, restart: 'transient' } })
    fragile.tell('crash')
    await clock.advance(0)
    expect([await fragile.ask('use'), system.lookup('fragile') === fragile]).toEqual(['fine', true])
  })

  it('is rejected and leaves nothing behind when a name is taken', async () => {
    const { system, part, seen } = home()
    system.spawn(Answer, { name: 'b' })
    await expect(system.registry({ a: part('a'), b: part('b') })).rejects.toMatchObject({
      code: 'registry_failed',
      cause: { code: 'name_taken' },
      details: { entry: 'b' },
    })
    expect([seen, system.metrics().actors]).toEqual([['a made', 'a started', 'a stopped'], 1])
  })

  it('is rejected when the system stops meanwhile', async () => {
    const { system, part, seen } = home()
    const gate = deferred<void>()
    const starting = expect(system.registry({ a: part('a', gate), b: part('b') })).rejects.toMatchObject({
      code: 'registry_failed',
      cause: { code: 'system_stopped' },
      details: { entry: 'b' },
    })
    await turns()
    const stopped = system.stop()
    gate.resolve()
    await Promise.all([starting, stopped])
    expect(seen).toEqual(['a made', 'a started', 'a stopped'])
  })

  it('is rejected when an entry is killed before it is ready', async () => {
    const { system, part, clock, seen } = home()
    const starting = expect(system.registry({ a: part('a'), b: part('b', deferred()) })).rejects.toMatchObject({
      code: 'registry_failed',
      cause: { code: 'actor_killed' },
      details: { entry: 'b' },
    })
    await turns()
    const stopped = system.stop({ within: '1s' })
    await clock.advance(1000)
    await Promise.all([starting, stopped])
    expect([system.metrics().actors, seen]).toEqual([0, ['a made', 'a started', 'b made', 'a killed']])
  })

  it('refuses an entry that makes nothing before anything is started', async () => {
    const { system, part, seen } = home()
    const bad = [{ make: 'Part' }, 42, null]
    for (const entry of bad) {
      await expect(system.registry({ a: part('a'), wrong: entry as unknown as () => Part })).rejects.toMatchObject({
        code: 'option_invalid',
        message: expect.stringMatching(/^The entry "wrong" is .+: give a function that makes the actor/) as string,
      })
    }
    expect(seen).toEqual([])
  })

  it('may be empty', async () => {
    const registry = await home().system.registry({})
    await registry[Symbol.asyncDispose]()
    expect(registry).toEqual({})
  })
})
