import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import type { Deferred } from '../lib/deferred.ts'
import { testSystem } from '../testing/test-system.ts'
import { Actor } from './actor.ts'
import type { InspectionEvent } from './inspection.ts'

class Counter extends Actor {
  #n = 0
  readonly #gate: Deferred<number> | undefined
  constructor(gate?: Deferred<number>) {
    super()
    this.#gate = gate
  }
  add(by: number): number {
    if (Number.isNaN(by)) throw new RangeError('not a number')
    return (this.#n += by)
  }
  later(): Promise<number> {
    return this.#gate?.promise ?? Promise.resolve(0)
  }
  put(): void {
    this.ctx.stash()
  }
  back(): void {
    this.ctx.unstash()
  }
  child(): void {
    this.ctx.spawn(Counter, { name: 'child' })
  }
}

function inspected() {
  const kit = testSystem()
  const events: InspectionEvent[] = []
  const leave = kit.system.inspect((event) => events.push(event))
  return { ...kit, events, leave, seen: () => events.splice(0) }
}

describe('system.inspect', () => {
  it('shows an actor from its birth to its end, at its times', async () => {
    const { system, advance, seen } = inspected()
    await advance(5)
    const [ref, handle] = system.spawn(Counter, { name: 'counter' })
    expect(seen()).toEqual([
      { type: 'spawned', actor: 'Counter(#1)', name: 'counter', parent: undefined, at: 5 },
      { type: 'started', actor: 'Counter(#1)', at: 5 },
    ])
    await ref.ask('add', 2)
    await advance(5)
    await handle.stop()
    expect(seen()).toEqual([
      { type: 'handled', actor: 'Counter(#1)', message: 'add', operation: 'ask', waitedMs: 0, tookMs: 0, at: 5 },
      { type: 'ended', actor: 'Counter(#1)', kind: 'stopped', at: 10 },
    ])
  })

  it('tells how long a message waited, for room too, and how long it took', async () => {
    const { system, advance, seen } = inspected()
    const gate = deferred<number>()
    const [ref] = system.spawn(() => new Counter(gate), { mailbox: 1 })
    ref.tell('later')
    await advance(0)
    ref.tell('add', 1)
    void ref.send('add', 2)
    seen()
    await advance(30)
    gate.resolve(1)
    await advance(0)
    expect(
      seen().map((event) => event.type === 'handled' && [event.message, event.operation, event.waitedMs, event.tookMs]),
    ).toEqual([
      ['later', 'tell', 0, 30],
      ['add', 'tell', 30, 0],
      ['add', 'send', 30, 0],
    ])
  })

  it('shows errors: those an asker got, and those that failed the actor', async () => {
    const { system, settle, seen } = inspected()
    const [ref] = system.spawn(Counter)
    await ref.ask('add', Number.NaN).catch(() => undefined)
    ref.tell('add', Number.NaN)
    await settle()
    const error = new RangeError('not a number')
    const handled = { type: 'handled', actor: 'Counter(#1)', message: 'add', waitedMs: 0, tookMs: 0, error, at: 0 }
    expect(seen().slice(2)).toEqual([
      { ...handled, operation: 'ask' },
      { ...handled, operation: 'tell' },
      { type: 'failed', actor: 'Counter(#1)', phase: 'handle', error, at: 0 },
      { type: 'ended', actor: 'Counter(#1)', kind: 'failed', error, at: 0 },
    ])
  })

  it('shows restarts, and no second birth', async () => {
    const { system, advance, seen } = inspected()
    const [ref] = system.spawn(Counter, { restart: 'transient' })
    ref.tell('add', Number.NaN)
    await advance('1m')
    expect(seen().map(({ type }) => type)).toEqual(['spawned', 'started', 'handled', 'failed', 'restarted', 'started'])
  })

  it('shows failures of a constructor, of started and of stopped', async () => {
    class Broken extends Actor {
      constructor(phase: string) {
        super()
        if (phase === 'constructor') throw new Error(phase)
        if (phase === 'started') this.started = () => Promise.reject(new Error(phase))
        if (phase === 'stopped') this.stopped = () => Promise.reject(new Error(phase))
      }
      override started?(): unknown
      override stopped?(): unknown
    }
    const { system, settle, seen } = inspected()
    for (const phase of ['constructor', 'started', 'stopped']) {
      const [, handle] = system.spawn(() => new Broken(phase))
      await settle()
      await handle.stop()
    }
    expect(seen().map(({ type, actor }) => `${type} ${actor}`)).toEqual([
      'failed Actor(#1)',
      'ended Actor(#1)',
      'spawned Broken(#2)',
      'failed Broken(#2)',
      'ended Broken(#2)',
      'spawned Broken(#3)',
      'started Broken(#3)',
      'failed Broken(#3)',
      'ended Broken(#3)',
    ])
  })

  it('shows whose child an actor is', async () => {
    const { system, events } = inspected()
    const [ref] = system.spawn(Counter)
    await ref.ask('child')
    expect(events.find(({ actor }) => actor === 'Counter(#2)')).toEqual({
      type: 'spawned',
      actor: 'Counter(#2)',
      name: 'child',
      parent: 'Counter(#1)',
      at: 0,
    })
  })

  it('shows a message that is cut off as a dead letter, and never as handled', async () => {
    const { system, settle, seen } = inspected()
    const gate = deferred<number>()
    const [ref, handle] = system.spawn(() => new Counter(gate))
    ref.tell('later')
    await settle()
    seen()
    await handle.kill()
    gate.resolve(1)
    await settle()
    expect(seen()).toEqual([
      {
        type: 'dead-letter',
        actor: 'Counter(#1)',
        message: 'later',
        payload: undefined,
        operation: 'tell',
        reason: 'discarded',
        at: 0,
      },
      { type: 'ended', actor: 'Counter(#1)', kind: 'killed', at: 0 },
    ])
  })

  it('shows each call of a handler that stashes its message', async () => {
    let isOpen = false
    class Door extends Actor {
      enter(): void {
        if (!isOpen) this.ctx.stash()
      }
      open(): void {
        isOpen = true
        this.ctx.unstash()
      }
    }
    const { system, settle, seen } = inspected()
    const [ref] = system.spawn(Door)
    ref.tell('enter')
    ref.tell('open')
    await settle()
    expect(seen().flatMap((event) => (event.type === 'handled' ? [event.message] : []))).toEqual([
      'enter',
      'open',
      'enter',
    ])
  })

  it('goes on for the others when one leaves, and is over when all have left', async () => {
    const { system, seen, leave } = inspected()
    const heard: string[] = []
    const listener = ({ type }: InspectionEvent): void => void heard.push(type)
    const leaves = [system.inspect(listener), system.inspect(listener)]
    const [ref] = system.spawn(Counter)
    const [gone, handle] = system.spawn(Counter)
    leaves[0]?.()
    leaves[0]?.()
    heard.length = 0
    await ref.ask('add', 1)
    await handle.kill()
    gone.tell('add', 1)
    leaves[1]?.()
    leave()
    seen()
    await ref.ask('add', 1)
    gone.tell('add', 1)
    expect(heard).toEqual(['handled', 'ended', 'dead-letter'])
    expect(seen()).toEqual([])
  })

  it('survives a listener that throws, and logs it', async () => {
    const { system, log, events } = inspected()
    const leave = system.inspect(() => {
      throw new Error('listener')
    })
    const [ref] = system.spawn(Counter)
    expect(await ref.ask('add', 1)).toBe(1)
    leave()
    expect(events.map(({ type }) => type)).toEqual(['spawned', 'started', 'handled'])
    expect(log.lines).toEqual(
      Array.from({ length: 3 }, () => ({
        level: 'error',
        fields: { error: new Error('listener') },
        message: 'A listener of system.inspect threw; it was ignored',
      })),
    )
  })
})
