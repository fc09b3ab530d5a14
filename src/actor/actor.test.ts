import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import { Message } from './message.ts'
import type { Handler } from './message.ts'
import type { Recipient, Ref } from './ref.ts'
import { stub } from './stub.ts'
import { ActorSystem } from './system.ts'

class Counter extends Actor {
  #n = 0
  add(by: number): number {
    return (this.#n += by)
  }
  get(): number {
    return this.#n
  }
}

/** Notes what happens, and holds a message until told to go on. */
class Slow extends Actor {
  readonly seen: string[] = []
  readonly gates = new Map<string, ReturnType<typeof deferred<string>>>()
  async work(name: string): Promise<string> {
    this.seen.push(`${name} begins`)
    const gate = deferred<string>()
    this.gates.set(name, gate)
    const result = await gate.promise
    this.seen.push(`${name} ends`)
    return result
  }
  note(name: string): void {
    this.seen.push(name)
  }
}

class ExecuteStep extends Message('ExecuteStep')<{ step: string; queue: string }, boolean>() {}
class WorkDone extends Message('WorkDone')<{ id: number }>() {}
class DoWork extends Message('DoWork')<{ id: number; callback: Recipient<WorkDone> }>() {}
class AddAll extends Message('AddAll')<number[], number>() {}
class Due extends Message('Due')<Date, number>() {}
class Ping extends Message('Ping')<void, string>() {}

class StepExecutor extends Actor implements Handler<typeof ExecuteStep>, Handler<typeof AddAll>, Handler<typeof Ping> {
  async ExecuteStep(message: ExecuteStep): Promise<boolean> {
    return message.queue.length > 0
  }
  AddAll(message: AddAll): number {
    return message.payload.reduce((sum, item) => sum + item, 0)
  }
  Ping(message: Ping): string {
    return message.tag
  }
}

class Worker extends Actor {
  DoWork(message: DoWork): void {
    message.callback.tell(new WorkDone({ id: message.id }))
  }
}

class Requester extends Actor {
  readonly done: number[] = []
  request(worker: Ref<Worker>): void {
    for (const id of [1, 2, 3]) worker.tell(new DoWork({ id, callback: this.ctx.self }))
  }
  WorkDone(message: WorkDone): void {
    this.done.push(message.id)
  }
  finished(): number[] {
    return this.done
  }
}

function newSystem(): ActorSystem {
  return new ActorSystem({ log: new RecordedLog(), clock: new ManualClock() })
}

describe('an actor', () => {
  it('is reached by tell, send and ask', async () => {
    const [counter] = newSystem().spawn(() => new Counter(), { name: 'counter', mailbox: 100 })
    expect(counter.tell('add', 2)).toBe(true)
    expect(counter.send('add', 2)).toBe(undefined)
    expect(await counter.ask('get')).toBe(4)
    expect(await counter.ask('get', undefined, { timeout: '1s' })).toBe(4)
    expect(await counter.ask('add', 3, { timeout: 1000 })).toBe(7)
  })

  it('is asked by method calls through a stub', async () => {
    const [counter] = newSystem().spawn(Counter)
    expect(await stub(counter).add(2)).toBe(2)
    expect(await stub(counter).get()).toBe(2)
  })

  it('may be spawned from its class', async () => {
    const [counter, handle] = newSystem().spawn(Counter)
    expect(await counter.ask('add', 1)).toBe(1)
    expect((await handle.stop()).actor).toBeInstanceOf(Counter)
  })

  it('handles message objects by the method named like their tag', async () => {
    const [executor] = newSystem().spawn(StepExecutor)
    expect(await executor.ask(new ExecuteStep({ step: 'a', queue: 'q' }))).toBe(true)
    expect(await executor.ask(new ExecuteStep({ step: 'a', queue: '' }), { timeout: '1s' })).toBe(false)
    expect(await executor.ask(new AddAll([1, 2, 3]))).toBe(6)
    expect(new Due(new Date(5)).payload.getTime()).toBe(5)
    expect(await executor.ask(new Ping())).toBe('Ping')
  })

  it('passes its own ref on as the recipient of an answer', async () => {
    const system = newSystem()
    const [worker] = system.spawn(Worker)
    const [requester] = system.spawn(Requester)
    requester.tell('request', worker)
    await requester.ask('finished')
    expect(await requester.ask('finished')).toEqual([1, 2, 3])
  })

  it('prints as its class and number', () => {
    const system = newSystem()
    const [first] = system.spawn(Counter)
    const [second] = system.spawn(() => new Slow())
    expect([`${first}`, String(second), inspect(first), second.id]).toEqual([
      'Counter(#1)',
      'Slow(#2)',
      'Counter(#1)',
      2,
    ])
  })

  it('handles one message at a time, in the order sent, also while a handler waits', async () => {
    const slow = new Slow()
    const [ref] = newSystem().spawn(() => slow)
    const reply = ref.ask('work', 'first')
    ref.tell('note', 'second')
    ref.tell('note', 'third')
    await Promise.resolve()
    await Promise.resolve()
    expect(slow.seen).toEqual(['first begins'])
    slow.gates.get('first')?.resolve('answer')
    expect(await reply).toBe('answer')
    await ref.ask('note', 'fourth')
    expect(slow.seen).toEqual(['first begins', 'first ends', 'second', 'third', 'fourth'])
  })

  it('keeps the order of tells and sends of one sender, also through a full mailbox', async () => {
    const slow = new Slow()
    const [ref] = newSystem().spawn(() => slow, { mailbox: 2 })
    const sent = ['a', 'b', 'c', 'd'].map((name) => ref.send('note', name))
    expect(sent.map((promise) => promise === undefined)).toEqual([true, true, false, false])
    await Promise.all(sent)
    ref.tell('note', 'e')
    await ref.ask('note', 'f')
    expect(slow.seen).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })
})

describe('an error in a handler', () => {
  class Faulty extends Actor {
    handled = 0
    boom(): void {
      throw new TypeError('boom')
    }
    async boomLater(): Promise<void> {
      throw new RangeError('boom later')
    }
    ok(): number {
      return ++this.handled
    }
  }

  it('goes to the asker, and the actor lives', async () => {
    const [ref] = newSystem().spawn(Faulty)
    await expect(ref.ask('boom')).rejects.toThrow(new TypeError('boom'))
    await expect(ref.ask('boomLater')).rejects.toThrow(new RangeError('boom later'))
    expect(await ref.ask('ok')).toBe(1)
  })

  it('ends the actor when nobody asked: mail becomes dead letters and asks are rejected', async () => {
    const system = newSystem()
    const [ref, handle] = system.spawn(Faulty)
    ref.tell('boom')
    ref.tell('ok')
    const asked = ref.ask('ok')
    await expect(asked).rejects.toMatchObject({
      code: 'actor_failed',
      details: { actor: 'Faulty(#1)' },
      cause: new TypeError('boom'),
    })
    const result = await handle.done
    expect(result).toEqual({
      kind: 'failed',
      phase: 'handle',
      error: new TypeError('boom'),
      actor: expect.any(Faulty) as Faulty,
    })
    expect(result.actor?.handled).toBe(0)
    expect(system.deadLetters.recent.map(({ message, operation, reason }) => [message, operation, reason])).toEqual([
      ['ok', 'tell', 'discarded'],
      ['ok', 'ask', 'discarded'],
    ])
  })

  it('ends the actor also when it comes from a promise', async () => {
    const [ref, handle] = newSystem().spawn(Faulty)
    ref.tell('boomLater')
    expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'handle', error: new RangeError('boom later') })
  })

  it('is logged once, with the actor and the error', async () => {
    const log = new RecordedLog()
    const [ref, handle] = new ActorSystem({ log }).spawn(Faulty)
    ref.tell('boom')
    await handle.done
    expect(log.lines).toEqual([
      {
        level: 'error',
        fields: { actor: 'Faulty(#1)', phase: 'handle', message: 'boom', restarts: 0, error: new TypeError('boom') },
        message: 'Faulty(#1) failed (handle boom): boom',
      },
    ])
  })

  it('harms nothing when its asker has given up', async () => {
    const clock = new ManualClock()
    const gate = deferred<void>()
    class Late extends Actor {
      async fail(): Promise<void> {
        await gate.promise
        throw new Error('too late')
      }
      ok(): string {
        return 'alive'
      }
    }
    const [ref] = new ActorSystem({ clock, log: new RecordedLog() }).spawn(Late)
    const asked = ref.ask('fail', undefined, { timeout: 10 })
    const rejected = expect(asked).rejects.toMatchObject({ code: 'ask_timeout' })
    await clock.advance(10)
    await rejected
    gate.resolve()
    expect(await ref.ask('ok')).toBe('alive')
  })
})
