import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import type { Deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { Context, TaskOptions } from './context.ts'
import type { RestartPolicy } from './supervision.ts'
import { ActorSystem } from './system.ts'

interface Job extends TaskOptions {
  readonly name: string
}

/** Starts work that ends when the test says so. */
class Office extends Actor {
  readonly #desk: Desk
  constructor(desk: Desk) {
    super()
    this.#desk = desk
  }
  take({ name, ...options }: Job): void {
    this.ctx.task(
      (signal) => this.#desk.begin(name, signal),
      (result) => this.#desk.seen.push(result),
      options,
    )
  }
  takeKeeping({ name, limit = Infinity }: Job): void {
    this.take({ name, limit, onError: (error) => this.#desk.seen.push((error as Error).message) })
  }
  run<T>(fn: (ctx: Context<this>) => T): T {
    return fn(this.ctx)
  }
  note(what: string): void {
    this.#desk.seen.push(what)
  }
  active(): number {
    return this.ctx.active
  }
}

class Desk {
  readonly seen: string[] = []
  readonly signals = new Map<string, AbortSignal>()
  readonly #gates = new Map<string, Deferred<string>>()

  begin(name: string, signal: AbortSignal): Promise<string> {
    this.seen.push(`${name} begins`)
    this.signals.set(name, signal)
    const gate = deferred<string>()
    this.#gates.set(name, gate)
    return gate.promise
  }

  end(name: string): Promise<void> {
    this.#gates.get(name)?.resolve(`${name} done`)
    return turns()
  }

  fail(name: string): Promise<void> {
    this.#gates.get(name)?.reject(new Error(`${name} broke`))
    return turns()
  }

  since(): string[] {
    return this.seen.splice(0)
  }
}

function openOffice({ mailbox = 100, restart = 'temporary' as RestartPolicy } = {}) {
  const clock = new ManualClock()
  const log = new RecordedLog()
  const system = new ActorSystem({ clock, log })
  const desk = new Desk()
  const [ref, handle] = system.spawn(() => new Office(desk), { mailbox, restart })
  const run = (fn: (ctx: Context<Office>) => unknown) => ref.ask('run', fn as never)
  return { clock, log, system, desk, ref, handle, run }
}

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))

describe('a task', () => {
  it('runs beside the mailbox and brings its result back as a turn', async () => {
    const { ref, desk } = openOffice()
    ref.tell('take', { name: 'a' })
    await ref.ask('note', 'meanwhile')
    expect(desk.since()).toEqual(['a begins', 'meanwhile'])
    await desk.end('a')
    expect(desk.since()).toEqual(['a done'])
  })

  it('brings its result ahead of the messages that wait, but never beside a handler', async () => {
    const { ref, desk, run } = openOffice({ mailbox: 1 })
    const gate = deferred<void>()
    await ref.ask('take', { name: 'a' })
    const held = run(() => gate.promise)
    await turns()
    ref.tell('note', 'message')
    await desk.end('a')
    expect(desk.since()).toEqual(['a begins'])
    gate.resolve()
    await held
    await turns()
    expect(desk.since()).toEqual(['a done', 'message'])
  })

  it('brings its error to onError, and the actor lives', async () => {
    const { ref, desk } = openOffice()
    ref.tell('takeKeeping', { name: 'a' })
    await turns()
    await desk.fail('a')
    expect(desk.since()).toEqual(['a begins', 'a broke'])
    expect(await ref.ask('active')).toBe(0)
  })

  it('without onError fails the actor', async () => {
    const { ref, desk, handle } = openOffice()
    ref.tell('take', { name: 'a' })
    await turns()
    await desk.fail('a')
    expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'handle', error: new Error('a broke') })
  })

  it('may be no promise at all, and needs nobody who hears of its result', async () => {
    const { run, desk, ref } = openOffice()
    await run((ctx) => {
      ctx.task(
        () => 'at once',
        (value) => desk.seen.push(value),
      )
      ctx.task(() => 'unheard')
    })
    await turns()
    expect(desk.since()).toEqual(['at once'])
    expect(await ref.ask('active')).toBe(0)
  })

  it('that throws at once is a task that failed, not a handler that threw', async () => {
    const { run, desk } = openOffice()
    const work = (): never => {
      throw new Error('no luck')
    }
    const asked = run((ctx) => {
      ctx.task(work, undefined, { onError: (error) => desk.seen.push((error as Error).message) })
      return 'started'
    })
    expect(await asked).toBe('started')
    await turns()
    expect(desk.since()).toEqual(['no luck'])
  })

  it('counts in active from its start until it has settled, also while it waits', async () => {
    const { ref, desk } = openOffice()
    for (const name of ['a', 'b', 'c']) await ref.ask('takeKeeping', { name })
    expect(await ref.ask('active')).toBe(3)
    await desk.end('b')
    await desk.fail('a')
    expect(await ref.ask('active')).toBe(1)
    await desk.end('c')
    expect(await ref.ask('active')).toBe(0)
  })

  it('has the signal of its actor, which a kill aborts', async () => {
    const { ref, desk, handle } = openOffice()
    await ref.ask('take', { name: 'a' })
    expect(desk.signals.get('a')?.aborted).toBe(false)
    await handle.kill()
    expect(desk.signals.get('a')?.reason).toMatchObject({ code: 'actor_killed' })
    await desk.end('a')
    expect(desk.since()).toEqual(['a begins'])
  })

  it('is waited for by a stop, its result included', async () => {
    const { ref, desk, handle } = openOffice()
    ref.tell('take', { name: 'a' })
    const done = handle.stop()
    await turns()
    expect(desk.signals.get('a')?.aborted).toBe(false)
    await desk.end('a')
    expect((await done).kind).toBe('stopped')
    expect(desk.since()).toEqual(['a begins', 'a done'])
  })

  it('of an actor that was restarted is aborted, counts no more, and its result is ignored', async () => {
    const { ref, desk, run } = openOffice({ restart: 'permanent' })
    await ref.ask('take', { name: 'a' })
    await run((ctx) => ctx.stop())
    await turns()
    expect(desk.signals.get('a')?.reason).toMatchObject({ code: 'actor_restarted' })
    expect(await ref.ask('active')).toBe(0)
    await desk.end('a')
    expect(await ref.ask('active')).toBe(0)
    expect(desk.since()).toEqual(['a begins'])
  })

  it('started by code that outlived its actor never runs', async () => {
    const { run, desk, handle } = openOffice()
    const ctx = (await run((own) => own)) as Context<Office>
    await handle.kill()
    ctx.task((signal) => desk.begin('late', signal))
    ctx.pipe(Promise.resolve('late'), (value) => desk.seen.push(value))
    await turns()
    expect([desk.since(), ctx.active]).toEqual([[], 0])
  })

  it('may start another in its result', async () => {
    const { run, desk, handle } = openOffice()
    await run((ctx) =>
      ctx.task(
        (signal) => desk.begin('a', signal),
        () =>
          ctx.task(
            (signal) => desk.begin('b', signal),
            (value) => desk.seen.push(value),
          ),
      ),
    )
    const done = handle.stop()
    await desk.end('a')
    await desk.end('b')
    await done
    expect(desk.since()).toEqual(['a begins', 'b begins', 'b done'])
  })
})

describe('a limit', () => {
  it('lets work beyond it wait, and the mailbox with it', async () => {
    const { ref, desk } = openOffice()
    for (const name of ['a', 'b', 'c', 'd']) ref.tell('take', { name, limit: 2 })
    await turns()
    expect(desk.since()).toEqual(['a begins', 'b begins'])
    await desk.end('b')
    expect(desk.since()).toEqual(['c begins', 'b done'])
    await desk.end('a')
    expect(desk.since()).toEqual(['d begins', 'a done'])
    await ref.ask('note', 'free')
    expect(desk.since()).toEqual(['free'])
  })

  it('is felt by senders: a send waits until work has ended', async () => {
    const { ref, desk } = openOffice({ mailbox: 1 })
    const sent: string[] = []
    const send = async (name: string): Promise<void> => {
      await ref.send('take', { name, limit: 1 })
      sent.push(name)
    }
    const all = Promise.all(['a', 'b', 'c', 'd'].map(send))
    await turns()
    expect([sent, desk.since()]).toEqual([['a', 'b', 'c'], ['a begins']])
    await desk.end('a')
    expect(desk.since()).toEqual(['b begins', 'a done'])
    expect(sent).toEqual(['a', 'b', 'c', 'd'])
    await all
  })

  it('lets work begin in the order it was started', async () => {
    const { run, desk } = openOffice()
    await run((ctx) => {
      for (const name of ['a', 'b', 'c']) ctx.task((signal) => desk.begin(name, signal), undefined, { limit: 1 })
      ctx.task((signal) => desk.begin('unlimited', signal))
    })
    expect(desk.since()).toEqual(['a begins'])
    await desk.end('a')
    await desk.end('b')
    expect(desk.since()).toEqual(['b begins', 'c begins', 'unlimited begins'])
  })

  it('holds up neither timers nor what is piped', async () => {
    const { run, clock, desk, ref } = openOffice()
    const piped = deferred<string>()
    await run((ctx) => {
      ctx.after(10, () => desk.seen.push('timer'))
      ctx.pipe(piped.promise, (value) => desk.seen.push(value))
    })
    for (const name of ['a', 'b']) ref.tell('take', { name, limit: 1 })
    await clock.advance(10)
    piped.resolve('piped')
    await turns()
    expect(desk.since()).toEqual(['a begins', 'timer', 'piped'])
  })

  it('gives its place free also when work fails', async () => {
    const { ref, desk } = openOffice()
    for (const name of ['a', 'b']) ref.tell('takeKeeping', { name, limit: 1 })
    await turns()
    await desk.fail('a')
    expect(desk.since()).toEqual(['a begins', 'b begins', 'a broke'])
  })

  it('that is over lets a stop go on until all work has run', async () => {
    const { ref, desk, handle } = openOffice()
    for (const name of ['a', 'b', 'c']) ref.tell('take', { name, limit: 1 })
    const done = handle.stop()
    for (const name of ['a', 'b', 'c']) {
      await turns()
      await desk.end(name)
    }
    expect((await done).kind).toBe('stopped')
    expect(desk.since()).toEqual(['a begins', 'b begins', 'a done', 'c begins', 'b done', 'c done'])
  })

  it('keeps work from ever beginning when the actor ends or is restarted first', async () => {
    for (const end of ['kill', 'restart']) {
      const { ref, desk, handle, run } = openOffice({ restart: 'permanent' })
      await run((ctx) => {
        for (const name of ['a', 'b']) ctx.task((signal) => desk.begin(name, signal), undefined, { limit: 1 })
        if (end === 'restart') ctx.stop()
      })
      if (end === 'kill') await handle.kill()
      await turns()
      await desk.end('a')
      expect(desk.since()).toEqual(['a begins'])
      ref.tell('take', { name: 'anew', limit: 1 })
      await turns()
      expect(desk.since()).toEqual(end === 'kill' ? [] : ['anew begins'])
    }
  })

  it('refuses what is no whole number of 1 or more', async () => {
    const { run } = openOffice()
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      await expect(run((ctx) => ctx.task(() => 1, undefined, { limit }))).rejects.toMatchObject({
        code: 'option_invalid',
        message: `The limit of a task is ${limit}: give a whole number of 1 or more.`,
      })
    }
  })
})

describe('a promise that is piped', () => {
  it('and rejected after the end of the actor is no unhandled rejection', async () => {
    const { run, handle } = openOffice()
    const before = deferred<string>()
    const ctx = (await run((own) => {
      own.pipe(before.promise, () => undefined)
      return own
    })) as Context<Office>
    await handle.kill()
    const unhandled: unknown[] = []
    const hear = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', hear)
    before.reject(new Error('piped before'))
    ctx.pipe(Promise.reject(new Error('piped after')), () => undefined)
    await turns()
    process.off('unhandledRejection', hear)
    expect(unhandled).toEqual([])
  })
})
