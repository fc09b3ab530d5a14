import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { EndReason } from './handle.ts'
import type { Ref } from './ref.ts'
import { ActorSystem } from './system.ts'

/** Notes its whole life; each part can be made to wait or to fail. */
class Noted extends Actor {
  readonly seen: string[] = []
  readonly opened = deferred<void>()
  readonly gate = deferred<void>()
  readonly closed = deferred<void>()
  waitAtStart = false
  waitAtStop = false
  override async started(): Promise<void> {
    this.seen.push('started begins')
    if (this.waitAtStart) await this.opened.promise
    this.seen.push('started')
  }
  note(name: string): void {
    this.seen.push(name)
  }
  async hold(): Promise<string> {
    this.seen.push('hold begins')
    await this.gate.promise
    this.seen.push('hold ends')
    return 'held'
  }
  signal(): AbortSignal {
    return this.ctx.signal
  }
  leave(): void {
    this.ctx.stop()
  }
  override async stopped(reason: EndReason): Promise<void> {
    this.seen.push(`stopped(${reason})`)
    if (this.waitAtStop) await this.closed.promise
  }
}

function notedActor(change: Partial<Pick<Noted, 'waitAtStart' | 'waitAtStop'>> = {}) {
  const clock = new ManualClock()
  const log = new RecordedLog()
  const system = new ActorSystem({ log, clock })
  const actor = Object.assign(new Noted(), change)
  const [ref, handle] = system.spawn(() => actor, { name: 'noted' })
  const buried = () => system.deadLetters.recent.map(({ message, payload, reason }) => [message, payload, reason])
  return { system, actor, ref, handle, clock, log, buried }
}

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))

describe('starting', () => {
  it('lets messages be sent before started has ended, and handles them after it', async () => {
    const { ref, actor } = notedActor({ waitAtStart: true })
    expect(ref.tell('note', 'early')).toBe(true)
    await turns()
    expect(actor.seen).toEqual(['started begins'])
    actor.opened.resolve()
    await ref.ask('note', 'later')
    expect(actor.seen).toEqual(['started begins', 'started', 'early', 'later'])
  })

  it('that fails ends the actor: its mail becomes dead letters, asks are rejected, stopped is not called', async () => {
    const { ref, handle, actor, buried } = notedActor({ waitAtStart: true })
    ref.tell('note', 'early')
    const asked = expect(ref.ask('note', 'asked')).rejects.toMatchObject({
      code: 'actor_failed',
      cause: new Error('no database'),
    })
    actor.opened.reject(new Error('no database'))
    expect(await handle.done).toEqual({ kind: 'failed', phase: 'start', error: new Error('no database'), actor })
    await asked
    expect(actor.seen).toEqual(['started begins'])
    expect(buried()).toEqual([
      ['note', 'early', 'discarded'],
      ['note', 'asked', 'discarded'],
    ])
    expect(ref.tell('note', 'after')).toBe(false)
  })

  it('that fails in the constructor is a failed start, not an exception', async () => {
    class Broken extends Actor {
      constructor() {
        super()
        throw new Error('broken')
      }
      hello(): void {}
    }
    const system = new ActorSystem({ log: new RecordedLog() })
    const [ref, handle] = system.spawn(Broken)
    expect(await handle.done).toEqual({ kind: 'failed', phase: 'start', error: new Error('broken') })
    await expect(ref.ask('hello')).rejects.toMatchObject({ code: 'actor_failed', details: { actor: 'Broken(#1)' } })
    expect(system.metrics().actors).toBe(0)
  })

  it('refuses an object that already lives, and takes it again once it has ended', async () => {
    const { system, actor, handle } = notedActor()
    const [, second] = system.spawn(() => actor)
    expect(await second.done).toMatchObject({ kind: 'failed', phase: 'start', error: { code: 'definition_invalid' } })
    await handle.stop()
    const [third, thirdHandle] = system.spawn(() => actor)
    third.tell('note', 'again')
    expect((await thirdHandle.stop()).actor?.seen.slice(-2)).toEqual(['again', 'stopped(stopped)'])
  })

  it.each([
    ['what makes none', () => () => undefined],
    ['what makes a promise', () => async () => new Noted()],
  ])('refuses %s', async (_what, make) => {
    const { system } = notedActor()
    const [, handle] = system.spawn(make() as unknown as () => Actor)
    expect(await handle.done).toMatchObject({
      kind: 'failed',
      phase: 'start',
      error: {
        code: 'option_invalid',
        message: expect.stringContaining('give a function that returns an actor') as string,
      },
    })
  })

  it.each([new Noted(), null, undefined])(
    'refuses %s in place of a function or a class, and leaves nothing behind',
    (made) => {
      const { system, handle } = notedActor()
      void handle.kill()
      expect(() => system.spawn(made as unknown as () => Actor, { name: 'made' })).toThrow(
        'give a function that returns an actor, or a class',
      )
      expect([system.tree(), system.lookup('made')]).toEqual([[], undefined])
    },
  )

  it('lets a constructor ask the one that spawns it', async () => {
    class Child extends Actor {
      readonly name: Promise<string>
      constructor(parent: Ref<Parent>) {
        super()
        this.name = parent.ask('name')
      }
      async told(): Promise<string> {
        return this.name
      }
    }
    class Parent extends Actor {
      child: Ref<Child> | undefined
      bear(): void {
        const self: Ref<Parent> = this.ctx.self
        this.child = this.ctx.spawn(() => new Child(self))[0]
      }
      name(): string {
        return 'Ann'
      }
    }
    const parent = new Parent()
    const [ref] = new ActorSystem({ log: new RecordedLog() }).spawn(() => parent)
    await ref.ask('bear')
    expect(await parent.child?.ask('told')).toBe('Ann')
  })

  it('gives no ctx to a constructor', async () => {
    class Eager extends Actor {
      readonly me = String(this.ctx.self)
    }
    const [, handle] = new ActorSystem({ log: new RecordedLog() }).spawn(Eager)
    expect(await handle.done).toMatchObject({ kind: 'failed', error: { code: 'definition_invalid' } })
  })
})

describe('idle', () => {
  class Batching extends Actor {
    batch: number[] = []
    readonly batches: number[][] = []
    readonly flushed = deferred<void>()
    wait = false
    add(n: number): void {
      this.batch.push(n)
    }
    override async idle(): Promise<void> {
      this.batches.push(this.batch)
      this.batch = []
      if (this.wait) await this.flushed.promise
    }
  }

  it('runs once each time the mailbox has become empty, and not before a message came', async () => {
    const actor = new Batching()
    const [ref] = new ActorSystem().spawn(() => actor)
    await turns()
    expect(actor.batches).toEqual([])
    for (const n of [1, 2, 3]) ref.tell('add', n)
    await turns()
    expect(actor.batches).toEqual([[1, 2, 3]])
    ref.tell('add', 4)
    await turns()
    await turns()
    expect(actor.batches).toEqual([[1, 2, 3], [4]])
  })

  it('holds the mailbox while its promise is pending, so that the next batch gathers', async () => {
    const actor = Object.assign(new Batching(), { wait: true })
    const [ref, handle] = new ActorSystem().spawn(() => actor)
    ref.tell('add', 1)
    await turns()
    for (const n of [2, 3]) ref.tell('add', n)
    await turns()
    expect([actor.batches, actor.batch]).toEqual([[[1]], []])
    actor.flushed.resolve()
    await handle.stop()
    expect(actor.batches).toEqual([[1], [2, 3]])
  })

  it('runs after the last message of a stop, before stopped', async () => {
    const actor = new Batching()
    const order: string[] = []
    actor.stopped = () => void order.push(`stopped after ${actor.batches.length}`)
    const [ref, handle] = new ActorSystem().spawn(() => actor)
    ref.tell('add', 1)
    await handle.stop()
    expect(order).toEqual(['stopped after 1'])
  })

  it('that throws fails the actor', async () => {
    const actor = new Batching()
    actor.idle = () => Promise.reject(new Error('disk full'))
    const [ref, handle] = new ActorSystem({ log: new RecordedLog() }).spawn(() => actor)
    ref.tell('add', 1)
    expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'handle', error: new Error('disk full') })
  })
})

describe('stop', () => {
  it('closes the door, handles what was let in, calls stopped, and resolves when that is over', async () => {
    const { ref, handle, actor, buried } = notedActor()
    const held = ref.ask('hold')
    ref.tell('note', 'accepted')
    const done = handle.stop()
    expect(ref.tell('note', 'refused')).toBe(false)
    actor.gate.resolve()
    expect(await done).toEqual({ kind: 'stopped', actor })
    expect(await held).toBe('held')
    expect(actor.seen).toEqual([
      'started begins',
      'started',
      'hold begins',
      'hold ends',
      'accepted',
      'stopped(stopped)',
    ])
    expect(buried()).toEqual([['note', 'refused', 'stopped']])
  })

  it('may be repeated, also after the end', async () => {
    const { handle, actor } = notedActor()
    const results = await Promise.all([handle.stop(), handle.stop(), handle.done])
    expect(results.map(({ kind }) => kind)).toEqual(['stopped', 'stopped', 'stopped'])
    expect((await handle.kill()).kind).toBe('stopped')
    expect(actor.seen.filter((line) => line.startsWith('stopped'))).toEqual(['stopped(stopped)'])
  })

  it('turns into a kill when its time is up', async () => {
    const { ref, handle, actor, clock, buried } = notedActor()
    const held = expect(ref.ask('hold')).rejects.toMatchObject({ code: 'actor_killed' })
    ref.tell('note', 'unheard')
    const done = handle.stop({ within: '5s' })
    await clock.advance(4999)
    expect(actor.seen).toEqual(['started begins', 'started', 'hold begins'])
    await clock.advance(1)
    expect(await done).toEqual({ kind: 'killed', actor })
    await held
    expect(buried()).toEqual([
      ['hold', undefined, 'reply-dropped'],
      ['note', 'unheard', 'discarded'],
    ])
  })

  it('turns into a kill also while stopped hangs', async () => {
    const { handle, clock, actor } = notedActor({ waitAtStop: true })
    const done = handle.stop({ within: 100 })
    await clock.advance(100)
    expect((await done).kind).toBe('killed')
    expect(actor.seen.filter((line) => line.startsWith('stopped'))).toEqual(['stopped(stopped)'])
  })

  it('that became a kill ends once, also when the hanging stopped goes on later', async () => {
    const { handle, clock, actor, system } = notedActor({ waitAtStop: true })
    const [other] = system.spawn(Noted)
    const done = handle.stop({ within: 100 })
    await clock.advance(100)
    await done
    actor.closed.resolve()
    await turns()
    expect(system.metrics().actors).toBe(1)
    await system.stop()
    expect(other.tell('note', 'x')).toBe(false)
  })

  it('leaves no timer behind when it is over in time', async () => {
    const { handle, clock } = notedActor()
    await Promise.all([handle.stop({ within: '1h' }), handle.stop({ within: '2h' })])
    expect(clock.armedTimers).toBe(0)
  })

  it('from inside closes the door after the message at hand', async () => {
    const { ref, handle, actor } = notedActor()
    ref.tell('leave')
    ref.tell('note', 'accepted')
    expect(await handle.done).toEqual({ kind: 'stopped', actor })
    expect(actor.seen.slice(2)).toEqual(['accepted', 'stopped(stopped)'])
  })

  it('reports a stopped that throws', async () => {
    const { handle, actor } = notedActor()
    actor.stopped = () => Promise.reject(new Error('cannot close'))
    expect(await handle.stop()).toEqual({ kind: 'failed', phase: 'stop', error: new Error('cannot close'), actor })
  })

  it('keeps the first error when stopped throws after a failure', async () => {
    class Twice extends Actor {
      boom(): void {
        throw new Error('first')
      }
      override stopped(): void {
        throw new Error('second')
      }
    }
    const log = new RecordedLog()
    const [ref, handle] = new ActorSystem({ log }).spawn(Twice)
    ref.tell('boom')
    expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'handle', error: new Error('first') })
    expect(log.lines.map(({ message }) => message)).toEqual([
      'Twice(#1) failed (handle boom): first',
      'Twice(#1) failed (stop): second',
    ])
  })
})

describe('kill', () => {
  it('ends the actor at once: signal, mailbox, pending ask, late result', async () => {
    const { ref, handle, actor, buried } = notedActor()
    const signal = await ref.ask('signal')
    const held = expect(ref.ask('hold')).rejects.toMatchObject({
      code: 'actor_killed',
      details: { actor: 'Noted(#1)' },
    })
    const queued = expect(ref.ask('note', 'asked')).rejects.toMatchObject({ code: 'actor_killed' })
    ref.tell('note', 'told')
    await turns()
    expect(signal.aborted).toBe(false)
    expect(await handle.kill()).toEqual({ kind: 'killed', actor })
    expect([signal.aborted, (signal.reason as { code: string }).code]).toEqual([true, 'actor_killed'])
    await Promise.all([held, queued])
    actor.gate.resolve()
    await turns()
    expect(actor.seen).toEqual(['started begins', 'started', 'hold begins', 'stopped(killed)', 'hold ends'])
    expect(buried()).toEqual([
      ['hold', undefined, 'reply-dropped'],
      ['note', 'asked', 'discarded'],
      ['note', 'told', 'discarded'],
    ])
  })

  it('ignores and does not count what a handler returns or throws later', async () => {
    for (const end of ['resolve', 'reject'] as const) {
      const { ref, handle, actor, system, log } = notedActor()
      ref.tell('hold')
      await turns()
      await handle.kill()
      if (end === 'resolve') actor.gate.resolve()
      else actor.gate.reject(new Error('aborted'))
      await turns()
      expect(system.metrics()).toMatchObject({ actors: 0, processed: 0, failed: 0, waiting: 0, deadLetters: 1 })
      expect(log.lines.map(({ message }) => message)).toEqual([`Dead letter: hold for ${ref} (discarded)`])
    }
  })

  it('after a stop wins over it; a stop after a kill changes nothing', async () => {
    const { ref, handle } = notedActor()
    ref.tell('hold')
    await turns()
    const stopping = handle.stop()
    const killed = handle.kill()
    expect([(await stopping).kind, (await killed).kind, (await handle.stop()).kind]).toEqual([
      'killed',
      'killed',
      'killed',
    ])
  })

  it('does not wait for stopped', async () => {
    const { handle } = notedActor({ waitAtStop: true })
    await turns()
    expect((await handle.kill()).kind).toBe('killed')
  })

  it('before started has ended leaves stopped out', async () => {
    const { handle, actor } = notedActor({ waitAtStart: true })
    await turns()
    expect((await handle.kill()).kind).toBe('killed')
    actor.opened.resolve()
    await turns()
    expect(actor.seen).toEqual(['started begins', 'started'])
  })

  it('aborts a signal that is first read after it', async () => {
    const { handle, actor } = notedActor()
    await handle.kill()
    expect(actor.signal().aborted).toBe(true)
  })

  it('from within a handler ends the actor after no further message', async () => {
    class Suicidal extends Actor {
      readonly seen: string[] = []
      die(end: () => void): string {
        end()
        return 'unheard'
      }
      note(name: string): void {
        this.seen.push(name)
      }
    }
    const [ref, handle] = new ActorSystem({ log: new RecordedLog() }).spawn(Suicidal)
    const asked = expect(ref.ask('die', () => void handle.kill())).rejects.toMatchObject({ code: 'actor_killed' })
    ref.tell('note', 'after')
    await asked
    expect((await handle.done).actor?.seen).toEqual([])
  })
})
