import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { Context } from './context.ts'
import type { Ref } from './ref.ts'
import { ActorSystem } from './system.ts'

/** Runs what it is given with its context. */
class Host extends Actor {
  readonly seen: unknown[] = []
  run<T>(fn: (ctx: Context<this>, host: this) => T): T {
    return fn(this.ctx, this)
  }
  note(what: unknown): void {
    this.seen.push(what)
  }
  override stopped(reason: string): void {
    this.seen.push(reason)
  }
}

function hostActor(mailbox = 100) {
  const clock = new ManualClock()
  const log = new RecordedLog()
  const system = new ActorSystem({ clock, log })
  const actor = new Host()
  const [ref, handle] = system.spawn(() => actor, { mailbox })
  const run = (fn: (ctx: Context<Host>, host: Host) => unknown) => ref.ask('run', fn as never)
  return { clock, log, system, actor, ref, handle, run }
}

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))

describe('ctx.after', () => {
  it('runs once, at its time, as a turn', async () => {
    const { run, clock, actor } = hostActor()
    await run((ctx, host) => ctx.after('1s', () => host.note(`at ${clock.now()}`)))
    await clock.advance(999)
    expect(actor.seen).toEqual([])
    await clock.advance(5000)
    expect(actor.seen).toEqual(['at 1000'])
  })

  it('waits for the handler at hand, goes ahead of the mailbox and needs no room in it', async () => {
    const { run, clock, actor, ref } = hostActor(1)
    const gate = deferred<void>()
    await run((ctx, host) => ctx.after(10, () => host.note('timer')))
    const held = run(async () => gate.promise)
    await turns()
    ref.tell('note', 'message')
    await clock.advance(10)
    expect(actor.seen).toEqual([])
    gate.resolve()
    await held
    await turns()
    expect(actor.seen).toEqual(['timer', 'message'])
  })

  it('can be cancelled, also between firing and its turn', async () => {
    const { run, clock, actor } = hostActor()
    const gate = deferred<void>()
    const timers = await run((ctx, host) => [10, 20].map((time) => ctx.after(time, () => host.note(time))))
    const held = run(async () => gate.promise)
    await clock.advance(10)
    for (const timer of timers as { cancel(): void }[]) timer.cancel()
    gate.resolve()
    await held
    await clock.advance(20)
    expect(actor.seen).toEqual([])
  })

  it('that throws fails the actor', async () => {
    const { run, clock, handle } = hostActor()
    await run((ctx) =>
      ctx.after(10, () => {
        throw new Error('timer broke')
      }),
    )
    await clock.advance(10)
    expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'handle', error: new Error('timer broke') })
  })
})

describe('ctx.every', () => {
  it('runs again and again until it is cancelled', async () => {
    const { run, clock, actor } = hostActor()
    const timer = (await run((ctx, host) => ctx.every(10, () => host.note(clock.now())))) as { cancel(): void }
    await clock.advance(35)
    timer.cancel()
    await clock.advance(100)
    expect(actor.seen).toEqual([10, 20, 30])
  })

  it('does not pile up turns before an actor that is busy', async () => {
    const { run, clock, actor } = hostActor()
    const gate = deferred<void>()
    await run((ctx, host) => ctx.every(10, () => host.note('tick')))
    const held = run(async () => gate.promise)
    await clock.advance(1000)
    gate.resolve()
    await held
    await turns()
    expect(actor.seen).toEqual(['tick'])
  })

  it('dies with the actor', async () => {
    const { run, clock, actor, handle } = hostActor()
    await run((ctx, host) => ctx.every(10, () => host.note('tick')))
    await clock.advance(10)
    await handle.kill()
    await clock.advance(100)
    expect(clock.armedTimers).toBe(0)
    expect(actor.seen).toEqual(['tick', 'killed'])
  })

  it('can be cancelled between firing and its turn', async () => {
    const { run, clock, actor } = hostActor()
    const gate = deferred<void>()
    const timer = (await run((ctx, host) => ctx.every(10, () => host.note('tick')))) as { cancel(): void }
    const held = run(async () => gate.promise)
    await clock.advance(10)
    timer.cancel()
    gate.resolve()
    await held
    await turns()
    expect(actor.seen).toEqual([])
  })

  it('refuses an interval of nothing', async () => {
    const { run } = hostActor()
    await expect(run((ctx) => ctx.every(0, () => undefined))).rejects.toMatchObject({ code: 'option_invalid' })
  })

  it('set by code that outlived its actor never fires', async () => {
    const { ref, handle, clock, actor } = hostActor()
    let late: Context<Host> | undefined
    await ref.ask('run', ((ctx: Context<Host>) => (late = ctx)) as never)
    await handle.kill()
    late?.every(10, () => actor.note('tick'))
    late?.after(10, () => actor.note('once'))
    await clock.advance(100)
    expect([late === undefined, clock.armedTimers]).toEqual([false, 0])
    expect(actor.seen).toEqual(['killed'])
  })
})

describe('ctx.pipe', () => {
  it('brings a result back as a turn while the mailbox goes on', async () => {
    const { run, actor, ref } = hostActor()
    const work = deferred<string>()
    await run((ctx, host) => ctx.pipe(work.promise, (value) => host.note(value)))
    await ref.ask('note', 'meanwhile')
    work.resolve('result')
    await turns()
    expect(actor.seen).toEqual(['meanwhile', 'result'])
  })

  it('brings an error back to onError', async () => {
    const { run, actor } = hostActor()
    await run((ctx, host) =>
      ctx.pipe(
        Promise.reject(new Error('no luck')),
        () => host.note('never'),
        (error) => host.note((error as Error).message),
      ),
    )
    await turns()
    expect(actor.seen).toEqual(['no luck'])
  })

  it('without onError fails the actor with the error', async () => {
    const { run, handle } = hostActor()
    await run((ctx) => ctx.pipe(Promise.reject(new Error('no luck')), () => undefined))
    expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'handle', error: new Error('no luck') })
  })

  it('is waited for by a stop', async () => {
    const { run, handle, actor } = hostActor()
    const work = deferred<string>()
    await run((ctx, host) => ctx.pipe(work.promise, (value) => host.note(value)))
    const done = handle.stop()
    await turns()
    work.resolve('result')
    await done
    expect(actor.seen).toEqual(['result', 'stopped'])
  })

  it('is ignored after a kill', async () => {
    const { run, handle, actor } = hostActor()
    const work = deferred<string>()
    await run((ctx, host) => ctx.pipe(work.promise, (value) => host.note(value)))
    await handle.kill()
    work.resolve('late')
    await turns()
    expect(actor.seen).toEqual(['killed'])
  })
})

describe('ctx', () => {
  class Child extends Actor {
    readonly #name: string
    readonly #order: string[]
    constructor(name: string, order: string[]) {
      super()
      this.#name = name
      this.#order = order
    }
    ping(): string {
      return this.#name
    }
    override stopped(reason: string): void {
      this.#order.push(`${this.#name} ${reason}`)
    }
  }

  it('spawns children that are stopped with their parent, last started first, before the parent', async () => {
    const { run, handle, actor, system } = hostActor()
    const order: string[] = []
    await run((ctx) => ['a', 'b', 'c'].map((name) => ctx.spawn(() => new Child(name, order))[0]))
    expect(system.metrics().actors).toBe(4)
    actor.stopped = () => void order.push('parent')
    await handle.stop()
    expect(order).toEqual(['c stopped', 'b stopped', 'a stopped', 'parent'])
    expect(system.metrics().actors).toBe(0)
  })

  it('has its children killed when it is killed or fails', async () => {
    for (const end of ['kill', 'fail']) {
      const { run, handle, ref } = hostActor()
      const order: string[] = []
      await run((ctx) => ['a', 'b'].map((name) => ctx.spawn(() => new Child(name, order))[0]))
      if (end === 'kill') void handle.kill()
      else
        ref.tell('run', () => {
          throw new Error('fails')
        })
      await handle.done
      expect(order).toEqual(['b killed', 'a killed'])
    }
  })

  it('spawns no child once the actor has ended', async () => {
    const { run, handle } = hostActor()
    const ctx = (await run((own) => own)) as Context<Host>
    await handle.kill()
    expect(() => ctx.spawn(() => new Child('late', []))).toThrow(expect.objectContaining({ code: 'actor_killed' }))
  })

  it('asks others', async () => {
    const { run, system } = hostActor()
    const [child] = system.spawn(() => new Child('b', []))
    expect(await run((ctx) => ctx.ask(child as Ref<Child>, 'ping', undefined, { timeout: '1s' }))).toBe('b')
  })

  it('logs with the name of the actor', async () => {
    const { run, log } = hostActor()
    await run((ctx) => ctx.log.info({ order: 7 }, 'shipped'))
    expect(log.lines).toEqual([{ level: 'info', fields: { actor: 'Host(#1)', order: 7 }, message: 'shipped' }])
  })

  it('knows its own ref', async () => {
    const { run, ref } = hostActor()
    expect(await run((ctx) => ctx.self)).toBe(ref)
  })
})
