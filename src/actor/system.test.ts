import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { DeadLetter } from './dead-letters.ts'
import type { Ref } from './ref.ts'
import { stub } from './stub.ts'
import { ActorSystem } from './system.ts'

class Plain extends Actor {
  readonly gate = deferred<void>()
  hello(name: string): string {
    return `hello ${name}`
  }
  hold(): Promise<void> {
    return this.gate.promise
  }
  field = (n: number): number => n + 1
  get secret(): string {
    throw new Error('a getter is never read')
  }
  override started(): void {}
}

class Other extends Actor {}

function newSystem(clock = new ManualClock()) {
  const log = new RecordedLog()
  return { system: new ActorSystem({ log, clock, name: 'demo' }), log, clock }
}

describe('names', () => {
  it('are found while the actor lives and free again when it has ended', async () => {
    const { system } = newSystem()
    const [ref, handle] = system.spawn(Plain, { name: 'plain' })
    expect([
      system.lookup('plain'),
      system.lookup('plain', Plain),
      system.lookup('plain', Other),
      system.lookup('nobody'),
    ]).toEqual([ref, ref, undefined, undefined])
    expect(() => system.spawn(Plain, { name: 'plain' })).toThrow(
      expect.objectContaining({
        code: 'name_taken',
        message: 'The name "plain" belongs to Plain(#1), which is still alive: stop it first, or choose another name.',
      }),
    )
    await handle.stop()
    expect(system.lookup('plain')).toBe(undefined)
    const [again] = system.spawn(Plain, { name: 'plain' })
    expect(system.lookup('plain')).toBe(again)
  })
})

describe('dispatch', () => {
  it('never reaches the lifecycle, getters or what JavaScript brings, and leaves the actor alive', async () => {
    const { system } = newSystem()
    const [ref] = system.spawn(Plain)
    const loose = ref as unknown as { ask(name: string): Promise<unknown>; tell(name: string): boolean }
    const names = [
      'started',
      'stopped',
      'idle',
      'ctx',
      'constructor',
      'toString',
      'hasOwnProperty',
      '__proto__',
      'secret',
      'gate',
      'nothing',
      '',
    ]
    for (const name of names) {
      await expect(loose.ask(name)).rejects.toMatchObject({
        code: 'message_unknown',
        details: { actor: 'Plain(#1)', message: name },
      })
    }
    expect(loose.tell('constructor')).toBe(true)
    expect(await ref.ask('hello', 'Ann')).toBe('hello Ann')
    expect(system.deadLetters.recent.map(({ message, reason }) => [message, reason])).toEqual(
      [...names, 'constructor'].map((name) => [name, 'unknown']),
    )
  })

  it('never reaches a hook that is a field of the object', async () => {
    const { system } = newSystem()
    const [ref] = system.spawn(() => Object.assign(new Plain(), { idle: () => 'idle' }))
    const loose = ref as unknown as { ask(name: string): Promise<unknown> }
    await expect(loose.ask('idle')).rejects.toMatchObject({ code: 'message_unknown' })
  })

  it('reaches inherited methods and methods written as fields', async () => {
    class Derived extends Plain {
      own(): string {
        return 'own'
      }
    }
    const { system } = newSystem()
    const [ref] = system.spawn(Derived)
    expect([
      await ref.ask('own'),
      await ref.ask('hello', 'Bo'),
      await ref.ask('field', 1),
      await stub(ref).field(2),
      await stub(ref).own(),
    ]).toEqual(['own', 'hello Bo', 2, 3, 'own'])
  })
})

describe('dead letters', () => {
  it('are counted, the newest hundred kept, and shown to listeners until these leave', async () => {
    const { system, clock } = newSystem()
    const [ref, handle] = system.spawn(Plain)
    await handle.stop()
    await clock.advance(7)
    const heard: DeadLetter[] = []
    const leave = system.deadLetters.onDeadLetter((letter) => heard.push(letter))
    ref.tell('hello', '0')
    leave()
    for (let n = 1; n <= 120; n++) ref.tell('hello', String(n))
    expect(heard).toEqual([
      { actor: 'Plain(#1)', message: 'hello', payload: '0', operation: 'tell', reason: 'stopped', at: 7 },
    ])
    expect(system.deadLetters.count).toBe(121)
    expect(system.deadLetters.recent.map(({ payload }) => payload)).toEqual(
      Array.from({ length: 100 }, (_, n) => String(n + 21)),
    )
  })

  it('are logged at most once a second', async () => {
    const { system, clock, log } = newSystem()
    const [ref, handle] = system.spawn(Plain)
    await handle.stop()
    for (let n = 0; n < 1000; n++) ref.tell('hello', 'x')
    await clock.advance(1000)
    for (let n = 0; n < 3; n++) ref.tell('hello', 'x')
    await system.stop()
    await clock.advance(1000)
    expect(log.lines.map(({ message }) => message)).toEqual([
      'Dead letter: hello for Plain(#1) (stopped)',
      'Dead letters: 999 more',
      'Dead letter: hello for Plain(#1) (stopped)',
      'Dead letters: 2 more',
    ])
  })

  it('survive a listener that throws', async () => {
    const { system, log } = newSystem()
    const [ref, handle] = system.spawn(Plain)
    await handle.stop()
    system.deadLetters.onDeadLetter(() => {
      throw new Error('listener')
    })
    expect(ref.tell('hello', 'x')).toBe(false)
    expect(log.lines.at(-1)).toEqual({
      level: 'error',
      fields: { error: new Error('listener') },
      message: 'A listener for dead letters threw; it was ignored',
    })
  })
})

describe('a system', () => {
  it('goes on when its log throws', async () => {
    const broken = (): never => {
      throw new Error('the disk is full')
    }
    const system = new ActorSystem({ log: { debug: broken, info: broken, warn: broken, error: broken } })
    const [ref, handle] = system.spawn(Plain)
    ref.tell('nothing' as 'hello', 'x')
    expect(await ref.ask('hello', 'x')).toBe('hello x')
    expect((await handle.stop()).kind).toBe('stopped')
    expect(system.deadLetters.count).toBe(1)
  })

  it.each([
    ['options', (system: ActorSystem) => system.spawn(Plain, null as never)],
    ['mailbox', (system: ActorSystem) => system.spawn(Plain, { mailbox: '100' as never })],
    ['name', (system: ActorSystem) => system.spawn(Plain, { name: 5 as never })],
    [
      'backoff',
      (system: ActorSystem) => system.spawn(Plain, { restart: 'permanent', restarts: { backoff: null as never } }),
    ],
    ['restart policy', (system: ActorSystem) => system.spawn(Plain, { restart: Object.create(null) as never })],
    ['record of actors', (system: ActorSystem) => system.supervise({}, 7 as never)],
    ['options', (system: ActorSystem) => system.supervise(null as never, { a: Plain })],
    ['key of the pool', (system: ActorSystem) => system.pool(Plain, { size: 2, route: 'hash', key: 'user' as never })],
    ['listener of system.inspect', (system: ActorSystem) => system.inspect(null as never)],
    ['listener for dead letters', (system: ActorSystem) => system.deadLetters.onDeadLetter('x' as never)],
    ['message', (system: ActorSystem) => system.spawn(Plain)[0].tell(null as unknown as 'hello', 'x')],
  ])('refuses a wrong %s by its name', (name, use) => {
    const { system } = newSystem()
    expect(() => use(system)).toThrow(
      expect.objectContaining({ code: 'option_invalid', message: expect.stringMatching(`^The ${name} `) as string }),
    )
  })

  it('stops its actors last started first, then starts no more', async () => {
    const { system } = newSystem()
    const order: string[] = []
    class Ordered extends Actor {
      override stopped(): void {
        order.push(String(this.ctx.self))
      }
    }
    for (let n = 0; n < 3; n++) system.spawn(Ordered)
    await Promise.all([system.stop(), system.stop()])
    expect(order).toEqual(['Ordered(#3)', 'Ordered(#2)', 'Ordered(#1)'])
    expect(() => system.spawn(Ordered)).toThrow(expect.objectContaining({ code: 'system_stopped' }))
  })

  it('kills what has not stopped in time', async () => {
    const { system, clock } = newSystem()
    const [first, firstHandle] = system.spawn(Plain)
    const [second, secondHandle] = system.spawn(Plain)
    first.tell('hold')
    second.tell('hold')
    const stopped = system.stop({ within: '2s' })
    await clock.advance(2000)
    await stopped
    expect([(await firstHandle.done).kind, (await secondHandle.done).kind]).toEqual(['killed', 'killed'])
  })

  it('leaves no timer behind when it stops in time', async () => {
    const { system, clock } = newSystem()
    system.spawn(Plain)
    await system.stop({ within: '1h' })
    await Promise.resolve()
    expect(clock.armedTimers).toBe(0)
  })

  it('counts the messages that wait for children too', async () => {
    class Parent extends Actor {
      adopt(): Ref<Plain> {
        return this.ctx.spawn(Plain)[0]
      }
    }
    const { system } = newSystem()
    const [parent] = system.spawn(Parent)
    const child = await parent.ask('adopt')
    child.tell('hold')
    await parent.ask('adopt')
    child.tell('hello', 'waits')
    expect([system.metrics().actors, system.metrics().waiting]).toEqual([3, 1])
  })

  it('counts what it does', async () => {
    const { system } = newSystem()
    const [ref] = system.spawn(Plain)
    const [busy] = system.spawn(Plain)
    await ref.ask('hello', 'Ann')
    busy.tell('hold')
    await ref.ask('hello', 'Bo')
    busy.tell('hello', 'waits')
    busy.tell('hello', 'waits')
    await (ref as unknown as Ref<never> & { ask(name: string): Promise<unknown> }).ask('nothing').catch(() => undefined)
    expect(system.metrics()).toMatchObject({
      actors: 2,
      processed: 2,
      failed: 0,
      waiting: 2,
      highWater: 2,
      deadLetters: 1,
    })
  })

  it('drops refs and handles without harm', async () => {
    const { system } = newSystem()
    system.spawn(Plain, { name: 'kept' })[0].tell('hello', 'x')
    await new Promise<void>((resolve) => new ManualClock().soon(resolve))
    expect(await system.lookup('kept', Plain)?.ask('hello', 'y')).toBe('hello y')
  })

  it('is closed by await using', async () => {
    const { system } = newSystem()
    const [, handle] = system.spawn(Plain)
    await system[Symbol.asyncDispose]()
    expect((await handle.done).kind).toBe('stopped')
  })
})
