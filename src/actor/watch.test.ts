import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { Context, Watched } from './context.ts'
import type { SpawnOptions } from './spawn.ts'
import { ActorSystem } from './system.ts'
import type { Terminated } from './watch.ts'

/** Can be made to end in every way. */
class Mortal extends Actor {
  leave(): void {
    this.ctx.stop()
  }
  fail(): void {
    throw new Error('struck')
  }
}

/** Runs what it is given with its context, and notes the ends it hears of. */
class Watcher extends Actor {
  readonly seen: string[] = []
  run<T>(fn: (ctx: Context<this>, watcher: this) => T): T {
    return fn(this.ctx, this)
  }
  note(what: string): void {
    this.seen.push(what)
  }
  Terminated({ ref, result }: Terminated): void {
    this.seen.push(`${ref} ${result.kind}`)
  }
}

function watcherActor(options: SpawnOptions = {}) {
  const clock = new ManualClock()
  const log = new RecordedLog()
  const system = new ActorSystem({ clock, log })
  const made: Watcher[] = []
  const make = (): Watcher => {
    const watcher = new Watcher()
    made.push(watcher)
    return watcher
  }
  const [ref, handle] = system.spawn(make, options)
  const run = (fn: (ctx: Context<Watcher>, watcher: Watcher) => unknown) => ref.ask('run', fn as never)
  const watch = (target: Watched, onEnd?: (end: Terminated) => unknown) => run((ctx) => ctx.watch(target, onEnd))
  const seen = () => made.flatMap((watcher) => watcher.seen)
  return { clock, log, system, made, ref, handle, run, watch, seen }
}

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))

describe('ctx.watch', () => {
  it('brings the end of another actor to the method Terminated, with how it ended', async () => {
    const { system, watch, seen } = watcherActor()
    const stopped = system.spawn(Mortal)
    const killed = system.spawn(Mortal)
    const failed = system.spawn(Mortal)
    for (const [ref] of [stopped, killed, failed]) await watch(ref)
    await stopped[1].stop()
    await killed[1].kill()
    failed[0].tell('fail')
    await turns()
    expect(seen()).toEqual(['Mortal(#2) stopped', 'Mortal(#3) killed', 'Mortal(#4) failed'])
  })

  it('brings it to a function instead, with the ref, the error and the object', async () => {
    const { system, watch, seen } = watcherActor()
    const mortal = new Mortal()
    const [ref] = system.spawn(() => mortal)
    const ends: Terminated[] = []
    await watch(ref, (end) => ends.push(end))
    ref.tell('fail')
    await turns()
    expect(ends.map((end) => [end.tag, end.ref === ref, end.result])).toEqual([
      ['Terminated', true, { kind: 'failed', phase: 'handle', error: new Error('struck'), actor: mortal }],
    ])
    expect(seen()).toEqual([])
  })

  it('tells of one that has ended before', async () => {
    const { system, watch, seen } = watcherActor()
    const [ref, handle] = system.spawn(Mortal)
    await handle.stop()
    await watch(ref)
    await turns()
    expect(seen()).toEqual(['Mortal(#2) stopped'])
  })

  it('tells of one end once, to the function given last', async () => {
    const { system, run, seen } = watcherActor()
    const [ref, handle] = system.spawn(Mortal)
    await run((ctx, watcher) => {
      ctx.watch(ref)
      ctx.watch(ref, () => watcher.note('second'))
      ctx.watch(ref, () => watcher.note('third'))
    })
    await handle.stop()
    await run((ctx, watcher) => {
      ctx.watch(ref, () => watcher.note('fourth'))
      ctx.watch(ref, () => watcher.note('fifth'))
    })
    await turns()
    expect(seen()).toEqual(['third', 'fifth'])
  })

  it('waits for the handler at hand, goes ahead of the mailbox and needs no room in it', async () => {
    const { system, ref, run, watch, seen } = watcherActor({ mailbox: { capacity: 1, overflow: 'drop-newest' } })
    const [mortal, handle] = system.spawn(Mortal)
    await watch(mortal)
    const gate = deferred<void>()
    const held = run(async (_, watcher) => {
      await gate.promise
      watcher.note('held')
    })
    await turns()
    ref.tell('note', 'message')
    await handle.stop()
    expect([seen(), system.metrics().waiting, ref.tell('note', 'too many')]).toEqual([[], 1, false])
    gate.resolve()
    await held
    await turns()
    expect(seen()).toEqual(['held', 'Mortal(#2) stopped', 'message'])
  })

  it('fails where nothing could hear of the end', async () => {
    class Deaf extends Actor {
      run(ref: Watched): void {
        this.ctx.watch(ref)
      }
    }
    const { system } = watcherActor()
    const [ref] = system.spawn(Mortal)
    const [deaf] = system.spawn(Deaf)
    await expect(deaf.ask('run', ref)).rejects.toMatchObject({
      code: 'definition_invalid',
      message: 'Deaf has no method Terminated to hear of the end with: add it, or give watch a function.',
    })
  })

  it('fails the watcher when what hears of the end throws', async () => {
    const { system, watch, handle } = watcherActor()
    const [ref, mortal] = system.spawn(Mortal)
    await watch(ref, () => {
      throw new Error('too sad')
    })
    await mortal.stop()
    expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'handle', error: new Error('too sad') })
  })

  it('is silent about a restart, and tells of the end that comes after it', async () => {
    const { system, watch, seen, clock } = watcherActor()
    const [ref] = system.spawn(Mortal, { restart: 'permanent', restarts: { max: 2 } })
    await watch(ref)
    for (const name of ['fail', 'leave'] as const) {
      ref.tell(name)
      await clock.advance(0)
      expect(seen()).toEqual([])
    }
    ref.tell('fail')
    await clock.advance(0)
    expect(seen()).toEqual(['Mortal(#2) failed'])
  })

  it('of oneself is never heard', async () => {
    const { ref, handle, watch, seen } = watcherActor()
    await watch(ref)
    await handle.stop()
    await turns()
    expect(seen()).toEqual([])
  })

  it('ends with the watcher', async () => {
    const { system, watch, handle, seen } = watcherActor()
    const [ref, mortal] = system.spawn(Mortal)
    await watch(ref)
    await handle.stop()
    await mortal.stop()
    await turns()
    expect(seen()).toEqual([])
  })

  it('ends with a restart of the watcher, whose successor has to watch anew', async () => {
    const { system, made, ref, run, clock } = watcherActor({ restart: 'permanent' })
    const [mortal, handle] = system.spawn(Mortal)
    let old: Context<Watcher> | undefined
    await run((ctx) => {
      old = ctx
      ctx.watch(mortal)
    })
    ref.tell('run', (() => {
      throw new Error('restart me')
    }) as never)
    await clock.advance(0)
    old?.watch(mortal)
    await handle.stop()
    await clock.advance(0)
    expect(made.map(({ seen }) => seen)).toEqual([[], []])
    await run((ctx) => ctx.watch(mortal))
    await clock.advance(0)
    expect(made.map(({ seen }) => seen)).toEqual([[], ['Mortal(#2) stopped']])
  })
})

describe('ctx.unwatch', () => {
  it('ends the watching', async () => {
    const { system, run, watch, seen } = watcherActor()
    const [ref, handle] = system.spawn(Mortal)
    await watch(ref)
    await run((ctx) => ctx.unwatch(ref))
    await handle.stop()
    await turns()
    expect(seen()).toEqual([])
  })

  it('holds back also an end that has been and waits for its turn', async () => {
    const { system, run, watch, seen } = watcherActor()
    const [ref, handle] = system.spawn(Mortal)
    await watch(ref)
    const ended = deferred<void>()
    const held = run(async (ctx) => {
      await ended.promise
      ctx.unwatch(ref)
    })
    await turns()
    await handle.stop()
    ended.resolve()
    await held
    await turns()
    expect(seen()).toEqual([])
  })

  it('of one that is not watched does nothing', async () => {
    const { system, run, seen } = watcherActor()
    const [ref, handle] = system.spawn(Mortal)
    await run((ctx) => ctx.unwatch(ref))
    await handle.stop()
    await turns()
    expect(seen()).toEqual([])
  })
})
