import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import type { Deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { Context } from './context.ts'
import type { SpawnOptions } from './spawn.ts'
import type { SuperviseOptions } from './supervise.ts'
import type { RestartPolicy } from './supervision.ts'
import { ActorSystem } from './system.ts'

/** What all lives of all actors of one test see of each other. */
class Stage {
  readonly seen: string[] = []
  readonly lives = new Map<string, number>()
  /** How many starts of an actor are still to fail. */
  readonly failingStarts = new Map<string, number>()
  readonly startGates = new Map<string, Deferred<void>>()
  readonly stopGates = new Map<string, Deferred<void>>()
  readonly gate = deferred<void>()
}

/** Notes each of its lives under its own number: `a1`, and after a restart `a2`. */
class Part extends Actor {
  static readonly concurrent = { beside: 3, leaveLater: 1 }
  readonly #stage: Stage
  readonly #name: string
  readonly #life: string
  constructor(name: string, stage: Stage) {
    super()
    const life = (stage.lives.get(name) ?? 0) + 1
    stage.lives.set(name, life)
    this.#stage = stage
    this.#name = name
    this.#life = `${name}${life}`
  }
  override started(): void | Promise<void> {
    const gate = this.#stage.startGates.get(this.#name)
    return gate === undefined ? this.#start() : gate.promise.then(() => this.#start())
  }
  note(what: string): string {
    this.#see(what)
    return `${this.#life} ${what}`
  }
  async hold(): Promise<string> {
    this.#see('holds')
    await this.#stage.gate.promise
    return `${this.#life} held`
  }
  async beside(n: number): Promise<number> {
    this.#see(`begins ${n}`)
    await this.#stage.gate.promise
    return n
  }
  fail(): void {
    throw new Error(`${this.#life} broke`)
  }
  leave(): void {
    this.ctx.stop()
  }
  async leaveLater(): Promise<void> {
    await this.#stage.gate.promise
    this.ctx.stop()
  }
  run<T>(fn: (ctx: Context<this>) => T): T {
    return fn(this.ctx)
  }
  override stopped(reason: string): void | Promise<void> {
    this.#see(reason)
    return this.#stage.stopGates.get(this.#name)?.promise
  }
  #start(): void {
    const failing = this.#stage.failingStarts.get(this.#name) ?? 0
    this.#stage.failingStarts.set(this.#name, failing - 1)
    if (failing > 0) throw new Error(`${this.#life} cannot start`)
    this.#see('started')
  }
  #see(what: string): void {
    this.#stage.seen.push(`${this.#life} ${what}`)
  }
}

function home() {
  const clock = new ManualClock()
  const log = new RecordedLog()
  const system = new ActorSystem({ clock, log })
  const stage = new Stage()
  const part = (name: string) => () => new Part(name, stage)
  const buried = () => system.deadLetters.recent.map(({ message, reason }) => [message, reason])
  const settle = () => clock.advance(0)
  /** What was seen since it was last asked. */
  const seen = () => stage.seen.splice(0)
  return { clock, log, system, stage, part, buried, settle, seen }
}

function one(options: SpawnOptions) {
  const place = home()
  const [ref, handle] = place.system.spawn(place.part('a'), options)
  const run = (fn: (ctx: Context<Part>) => unknown) => ref.ask('run', fn as never)
  return { ...place, ref, handle, run }
}

function group(options: SuperviseOptions, restarts: Partial<Record<'a' | 'b' | 'c', RestartPolicy>> = {}) {
  const place = home()
  const child = (name: 'a' | 'b' | 'c') => ({
    make: place.part(name),
    restart: restarts[name] ?? ('permanent' as const),
  })
  const [refs, handle] = place.system.supervise(options, { a: child('a'), b: child('b'), c: child('c') })
  return { ...place, ...refs, handle }
}

describe('a policy', () => {
  it('permanent restarts an actor that fails and one that leaves, but not one that is stopped', async () => {
    const { ref, handle, seen, settle } = one({ restart: 'permanent' })
    ref.tell('fail')
    await settle()
    ref.tell('leave')
    await settle()
    expect(seen()).toEqual(['a1 started', 'a1 failed', 'a2 started', 'a2 restarted', 'a3 started'])
    expect((await handle.stop()).kind).toBe('stopped')
    expect(seen()).toEqual(['a3 stopped'])
  })

  it('transient restarts an actor that fails, but not one that leaves', async () => {
    const { ref, handle, seen, settle } = one({ restart: 'transient' })
    ref.tell('fail')
    await settle()
    ref.tell('leave')
    expect((await handle.done).kind).toBe('stopped')
    expect(seen()).toEqual(['a1 started', 'a1 failed', 'a2 started', 'a2 stopped'])
  })

  it('temporary, also when nothing is said, restarts nobody', async () => {
    for (const options of [{ restart: 'temporary' }, {}] as const) {
      const { ref, handle, seen } = one(options)
      ref.tell('fail')
      expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'handle', error: new Error('a1 broke') })
      expect(seen()).toEqual(['a1 started', 'a1 failed'])
    }
  })

  it('that is none is refused, saying which there are', () => {
    const { system, part } = home()
    expect(() => system.spawn(part('a'), { restart: 'always' as 'permanent' })).toThrow(
      expect.objectContaining({
        code: 'option_invalid',
        message: `The restart policy is "always": give 'permanent', 'transient' or 'temporary'.`,
      }),
    )
  })

  it('has nothing to do when an asker takes the error', async () => {
    const { ref, seen } = one({ restart: 'permanent' })
    await expect(ref.ask('fail')).rejects.toThrow('a1 broke')
    expect(await ref.ask('note', 'goes on')).toBe('a1 goes on')
    expect(seen()).toEqual(['a1 started', 'a1 goes on'])
  })
})

describe('a restart', () => {
  it('keeps the ref, the name and the mail, in order, and answers the asks in it; the message that failed is gone', async () => {
    const { system, ref, seen, settle, buried } = one({ restart: 'permanent', name: 'part' })
    ref.tell('note', 'before')
    ref.tell('fail')
    ref.tell('note', 'first')
    const asked = ref.ask('note', 'second')
    ref.tell('note', 'third')
    expect(await asked).toBe('a2 second')
    await settle()
    expect(seen()).toEqual(['a1 started', 'a1 before', 'a1 failed', 'a2 started', 'a2 first', 'a2 second', 'a2 third'])
    expect([String(ref), system.lookup('part') === ref, buried()]).toEqual(['Part(#1)', true, []])
    expect(system.tree()).toMatchObject([{ name: 'part', state: 'alive', restarts: 1, processed: 4, failed: 1 }])
  })

  it('keeps those in line who wait for room', async () => {
    const { ref, seen, settle } = one({ restart: 'permanent', mailbox: 1 })
    const sends = ['fail', 'one', 'two'].map((what) => (what === 'fail' ? ref.send('fail') : ref.send('note', what)))
    await Promise.all(sends)
    await settle()
    expect(seen()).toEqual(['a1 started', 'a1 failed', 'a2 started', 'a2 one', 'a2 two'])
  })

  it('brings back what was stashed, ahead of the mailbox', async () => {
    const { ref, seen, settle, run } = one({ restart: 'permanent' })
    let calls = 0
    const stashed = run((ctx) => {
      if (++calls === 1) return ctx.stash()
      ctx.self.tell('note', 'unstashed')
      return `call ${calls}`
    })
    await settle()
    ref.tell('fail')
    ref.tell('note', 'later')
    await settle()
    expect(await stashed).toBe('call 2')
    expect(seen()).toEqual(['a1 started', 'a1 failed', 'a2 started', 'a2 later', 'a2 unstashed'])
  })

  it('rejects the ask that was under way and makes its message a dead letter; what it returns later is ignored', async () => {
    const { system, stage, settle, buried } = home()
    const [{ a, b }] = system.supervise(
      { strategy: 'one-for-all' },
      { a: () => new Part('a', stage), b: () => new Part('b', stage) },
    )
    const held = expect(a.ask('hold')).rejects.toMatchObject({
      code: 'actor_restarted',
      retryable: true,
      details: { actor: 'Part(#2)' },
    })
    await settle()
    const queued = a.ask('note', 'queued')
    b.tell('fail')
    await held
    expect(await queued).toBe('a2 queued')
    stage.gate.resolve()
    await settle()
    expect(buried()).toEqual([['hold', 'restart']])
    expect(system.metrics()).toMatchObject({ processed: 1, failed: 1 })
  })

  it('cuts off all handlers that run beside each other, each once, also when a kill follows', async () => {
    for (const restart of ['permanent', 'temporary'] as const) {
      const { ref, handle, stage, buried, settle, seen } = one({ restart, restarts: { backoff: '1s' } })
      stage.stopGates.set('a', deferred())
      const code = restart === 'permanent' ? 'actor_restarted' : 'actor_failed'
      const asks = [1, 2].map((n) => expect(ref.ask('beside', n)).rejects.toMatchObject({ code }))
      ref.tell('beside', 3)
      ref.tell('fail')
      await Promise.all(asks)
      stage.gate.resolve()
      await settle()
      await handle.kill()
      expect(seen()).toEqual(['a1 started', 'a1 begins 1', 'a1 begins 2', 'a1 begins 3', 'a1 failed'])
      const reasons = restart === 'permanent' ? ['restart', 'restart'] : ['reply-dropped', 'reply-dropped']
      const told = restart === 'permanent' ? 'restart' : 'discarded'
      expect(buried()).toEqual([...reasons, told].map((reason) => ['beside', reason]))
    }
  })

  it('kills the children, whose mail becomes dead letters', async () => {
    const { ref, run, part, stage, seen, settle, buried, system } = one({ restart: 'permanent' })
    const children = (await run((ctx) => ['b', 'c'].map((name) => ctx.spawn(part(name))[0]))) as { tell: unknown }[]
    await settle()
    seen()
    for (const child of children) (child as typeof ref).tell('hold')
    await settle()
    for (const child of children) (child as typeof ref).tell('note', 'unheard')
    ref.tell('fail')
    await settle()
    stage.gate.resolve()
    await settle()
    expect(seen()).toEqual(['b1 holds', 'c1 holds', 'c1 killed', 'b1 killed', 'a1 failed', 'a2 started'])
    expect(buried()).toEqual([
      ['hold', 'discarded'],
      ['note', 'discarded'],
      ['hold', 'discarded'],
      ['note', 'discarded'],
    ])
    expect(system.metrics().actors).toBe(1)
  })

  it('leaves the context of the replaced actor without effect', async () => {
    const { ref, run, clock, system, stage, settle, seen } = one({ restart: 'permanent' })
    let old: Context<Part> | undefined
    let late = 0
    const heard = () => void late++
    await run((ctx) => {
      old = ctx
      ctx.after('1s', heard)
      ctx.every('1s', heard)
      ctx.pipe(stage.gate.promise, heard)
      ctx.task(() => stage.gate.promise, heard)
    })
    const { signal } = old as Context<Part>
    ref.tell('fail')
    await settle()
    expect([signal.aborted, signal.reason, old?.signal.aborted]).toMatchObject([
      true,
      { code: 'actor_restarted' },
      true,
    ])
    const [other, handle] = system.spawn(() => new Part('other', stage))
    old?.after(0, heard)
    old?.every('1s', heard)
    old?.pipe(Promise.resolve(), heard)
    old?.task(heard)
    old?.watch(other, heard)
    old?.stop()
    expect(() => old?.spawn(() => new Part('late', stage))).toThrow(
      expect.objectContaining({ code: 'actor_restarted' }),
    )
    expect(() => old?.supervise({}, {})).toThrow(expect.objectContaining({ code: 'actor_restarted' }))
    expect(() => old?.stash()).toThrow(expect.objectContaining({ code: 'definition_invalid' }))
    await handle.stop()
    stage.gate.resolve()
    await clock.advance(5000)
    expect([late, old?.active, clock.armedTimers, system.metrics().actors]).toEqual([0, 0, 0, 1])
    expect(seen().filter((line) => line.startsWith('a'))).toEqual(['a1 started', 'a1 failed', 'a2 started'])
    expect(await run((ctx) => [ctx.signal.aborted, ctx.active])).toEqual([false, 0])
  })

  it('leaves it without effect also when the actor first asks for it afterwards', async () => {
    const { ref, stage, settle, seen } = one({ restart: 'permanent' })
    ref.tell('leaveLater')
    ref.tell('fail')
    await settle()
    stage.gate.resolve()
    await settle()
    expect(seen()).toEqual(['a1 started', 'a1 failed', 'a2 started'])
  })

  it('waits for stopped, while mail gathers', async () => {
    const { ref, stage, seen, settle, system } = one({ restart: 'permanent' })
    stage.stopGates.set('a', deferred())
    ref.tell('fail')
    await settle()
    expect(ref.tell('note', 'gathered')).toBe(true)
    await settle()
    expect([seen(), system.tree()]).toMatchObject([['a1 started', 'a1 failed'], [{ state: 'restarting', waiting: 1 }]])
    stage.stopGates.get('a')?.resolve()
    await settle()
    expect(seen()).toEqual(['a2 started', 'a2 gathered'])
  })

  it('reports a stopped that throws, and goes on', async () => {
    const { ref, stage, seen, settle, log } = one({ restart: 'permanent' })
    stage.stopGates.set('a', deferred())
    ref.tell('fail')
    await settle()
    stage.stopGates.get('a')?.reject(new Error('cannot close'))
    await settle()
    expect(seen()).toEqual(['a1 started', 'a1 failed', 'a2 started'])
    expect(log.lines.map(({ message }) => message)).toEqual([
      'Part(#1) failed (handle fail): a1 broke',
      'Part(#1) failed (stop): cannot close',
    ])
  })

  it('that hangs in stopped is ended by a kill', async () => {
    const { ref, handle, stage, seen, settle, buried, clock } = one({ restart: 'permanent' })
    stage.stopGates.set('a', deferred())
    ref.tell('fail')
    ref.tell('note', 'waits')
    await settle()
    const stopping = handle.stop({ within: '1s' })
    await clock.advance(1000)
    expect((await stopping).kind).toBe('killed')
    stage.stopGates.get('a')?.resolve()
    await clock.advance(1000)
    expect([seen(), buried(), clock.armedTimers]).toEqual([['a1 started', 'a1 failed'], [['note', 'discarded']], 0])
  })

  it('needs a new object', async () => {
    const { system, stage } = home()
    const same = new Part('a', stage)
    const [ref, handle] = system.spawn(() => same, { restart: 'permanent', restarts: { max: 1 } })
    ref.tell('fail')
    expect(await handle.done).toMatchObject({
      kind: 'failed',
      phase: 'start',
      error: { code: 'restarts_used_up', cause: { code: 'definition_invalid' } },
    })
  })

  it('of an actor that leaves and is stopped before its turn to leave does not happen', async () => {
    const { handle, run, seen } = one({ restart: 'permanent' })
    const stopped = run((ctx) => {
      ctx.stop()
      void handle.stop()
    })
    await stopped
    expect([(await handle.done).kind, seen()]).toEqual(['stopped', ['a1 started', 'a1 stopped']])
  })
})

describe('a start that fails', () => {
  it('is tried again as long as the budget goes, and the mail waits', async () => {
    const { ref, seen, settle, stage, system } = one({ restart: 'transient', restarts: { max: 3 } })
    stage.failingStarts.set('a', 3)
    ref.tell('note', 'kept')
    await settle()
    expect(seen()).toEqual(['a4 started', 'a4 kept'])
    expect(system.tree()).toMatchObject([{ restarts: 3, failed: 3 }])
  })

  it('once too often ends the actor with the last error as the cause', async () => {
    const { ref, handle, stage, buried, log } = one({ restart: 'transient', restarts: { max: 2, within: '10s' } })
    stage.failingStarts.set('a', 3)
    const asked = expect(ref.ask('note', 'asked')).rejects.toMatchObject({
      code: 'actor_failed',
      cause: { code: 'restarts_used_up' },
    })
    ref.tell('note', 'told')
    const message =
      'Part(#1) is not restarted any more: it was restarted 2 times within 10s and ended again (a3 cannot start). See the cause, or allow more with max, within and backoff.'
    expect(await handle.done).toMatchObject({
      kind: 'failed',
      phase: 'start',
      error: { code: 'restarts_used_up', message, cause: new Error('a3 cannot start'), details: { max: 2 } },
    })
    await asked
    expect(buried()).toEqual([
      ['note', 'discarded'],
      ['note', 'discarded'],
    ])
    expect(log.lines.filter(({ level }) => level === 'error').map((line) => line.message)).toEqual([
      'Part(#1) failed (start): a1 cannot start',
      'Part(#1) failed (start): a2 cannot start',
      'Part(#1) failed (start): a3 cannot start',
      message,
    ])
  })

  it('in the constructor counts the same', async () => {
    const { system, settle } = home()
    let made = 0
    const [ref, handle] = system.spawn(
      () => {
        if (++made < 3) throw new Error('no luck')
        return new Part('a', new Stage())
      },
      { restart: 'transient' },
    )
    const asked = ref.ask('note', 'kept')
    await settle()
    expect([await asked, made, (await handle.stop()).kind]).toEqual(['a1 kept', 3, 'stopped'])
  })
})

describe('a back-off', () => {
  const waiting = () => one({ restart: 'permanent', restarts: { max: 5, within: '1m', backoff: '1s' } })

  it('waits before each restart, twice as long each time', async () => {
    const { ref, clock, seen } = waiting()
    ref.tell('fail')
    ref.tell('fail')
    await clock.advance(999)
    expect(seen()).toEqual(['a1 started', 'a1 failed'])
    await clock.advance(1)
    expect(seen()).toEqual(['a2 started', 'a2 failed'])
    await clock.advance(1999)
    expect(seen()).toEqual([])
    await clock.advance(1)
    expect(seen()).toEqual(['a3 started'])
  })

  it('is cut short by a stop, which lets the actor handle what was let in', async () => {
    const { ref, handle, clock, seen } = waiting()
    ref.tell('fail')
    ref.tell('note', 'kept')
    await clock.advance(10)
    expect((await handle.stop()).kind).toBe('stopped')
    expect(seen()).toEqual(['a1 started', 'a1 failed', 'a2 started', 'a2 kept', 'a2 stopped'])
    expect(clock.armedTimers).toBe(0)
    expect(ref.tell('note', 'late')).toBe(false)
  })

  it('is left out when the stop comes while stopped still runs', async () => {
    const { ref, handle, stage, clock, seen } = waiting()
    stage.stopGates.set('a', deferred())
    ref.tell('fail')
    await clock.advance(0)
    const stopping = handle.stop()
    stage.stopGates.get('a')?.resolve()
    expect([(await stopping).kind, clock.monotonic(), clock.armedTimers]).toEqual(['stopped', 0, 0])
    expect(seen()).toEqual(['a1 started', 'a1 failed', 'a2 started', 'a2 stopped'])
  })

  it('is ended by a kill, which discards the mail', async () => {
    const { ref, handle, clock, seen, buried } = waiting()
    ref.tell('fail')
    ref.tell('note', 'lost')
    await clock.advance(10)
    const asked = expect(ref.ask('note', 'asked', { timeout: '2s' })).rejects.toMatchObject({ code: 'actor_killed' })
    expect(await handle.kill()).toMatchObject({ kind: 'killed' })
    await asked
    await clock.advance(5000)
    expect([seen(), buried(), clock.armedTimers]).toEqual([
      ['a1 started', 'a1 failed'],
      [
        ['note', 'discarded'],
        ['note', 'discarded'],
      ],
      0,
    ])
  })
})

describe('a budget', () => {
  it('used up by leaving says so', async () => {
    const { ref, handle } = one({ restart: 'permanent', restarts: { max: 0 } })
    ref.tell('leave')
    expect(await handle.done).toMatchObject({
      kind: 'failed',
      error: {
        code: 'restarts_used_up',
        message: expect.stringContaining(
          'restarted 0 times within 5s and ended again (it stopped by itself)',
        ) as string,
      },
    })
  })

  it('belongs to one child and is not shared', async () => {
    const { a, b, c, seen, settle, system } = group({ max: 2 })
    await settle()
    seen()
    for (const ref of [a, b, c, a, b, c]) {
      ref.tell('fail')
      await settle()
    }
    expect(system.tree()[0]?.children.map(({ restarts }) => restarts)).toEqual([2, 2, 2])
  })

  it('is whole again when the time has passed', async () => {
    const { ref, clock, system } = one({ restart: 'permanent', restarts: { max: 1, within: '1s' } })
    for (let round = 0; round < 5; round++) {
      ref.tell('fail')
      await clock.advance(1000)
    }
    expect(system.tree()).toMatchObject([{ restarts: 5 }])
  })

  it('that a sibling used is not charged for being restarted along', async () => {
    const { a, b, settle, system } = group({ strategy: 'one-for-all', max: 2 })
    for (const ref of [a, b, a, b]) {
      await settle()
      ref.tell('fail')
    }
    await settle()
    expect(system.tree()[0]?.children.map(({ restarts }) => restarts)).toEqual([4, 4, 4])
  })
})

describe('a strategy', () => {
  it('one-for-one restarts the one that failed', async () => {
    const { b, seen, settle } = group({})
    await settle()
    seen()
    b.tell('fail')
    await settle()
    expect(seen()).toEqual(['b1 failed', 'b2 started'])
  })

  it('one-for-all restarts all: they go youngest first and come oldest first', async () => {
    const { b, seen, settle } = group({ strategy: 'one-for-all' })
    await settle()
    seen()
    b.tell('fail')
    await settle()
    expect(seen()).toEqual(['b1 failed', 'c1 restarted', 'a1 restarted', 'a2 started', 'b2 started', 'c2 started'])
  })

  it('rest-for-one restarts those started after it', async () => {
    const { b, seen, settle } = group({ strategy: 'rest-for-one' })
    await settle()
    seen()
    b.tell('fail')
    await settle()
    expect(seen()).toEqual(['b1 failed', 'c1 restarted', 'b2 started', 'c2 started'])
  })

  it('waits for each stopped and for each started before the next', async () => {
    const { a, stage, seen, settle } = group({ strategy: 'one-for-all' })
    await settle()
    seen()
    stage.stopGates.set('c', deferred())
    stage.startGates.set('a', deferred())
    a.tell('fail')
    await settle()
    expect(seen()).toEqual(['a1 failed', 'c1 restarted'])
    stage.stopGates.get('c')?.resolve()
    await settle()
    expect(seen()).toEqual(['b1 restarted'])
    stage.startGates.get('a')?.resolve()
    await settle()
    expect(seen()).toEqual(['a2 started', 'b2 started', 'c2 started'])
  })

  it('kills a temporary sibling and restarts a transient one', async () => {
    const { a, seen, settle, system } = group({ strategy: 'one-for-all' }, { b: 'temporary', c: 'transient' })
    await settle()
    seen()
    a.tell('fail')
    await settle()
    expect(seen()).toEqual(['a1 failed', 'c1 restarted', 'b1 killed', 'a2 started', 'c2 started'])
    expect(system.tree()[0]?.children.map(({ actor }) => actor)).toEqual(['Part(#2)', 'Part(#4)'])
  })

  it('keeps the mail of all', async () => {
    const { a, b, c, settle, seen } = group({ strategy: 'one-for-all' })
    await settle()
    seen()
    b.tell('fail')
    for (const ref of [a, b, c]) for (const what of ['one', 'two']) ref.tell('note', what)
    await settle()
    const noted = seen().filter((line) => /one|two/.test(line))
    expect(noted.toSorted()).toEqual(['a1 one', 'a1 two', 'b2 one', 'b2 two', 'c1 one', 'c1 two'])
    expect(noted.filter((line) => line.startsWith('b'))).toEqual(['b2 one', 'b2 two'])
  })

  it('restarts a group once when two of it fail together', async () => {
    const { a, c, stage, seen, settle, system } = group({ strategy: 'one-for-all', max: 1 })
    await settle()
    seen()
    for (const name of ['a', 'c']) stage.stopGates.set(name, deferred())
    a.tell('fail')
    c.tell('fail')
    await settle()
    stage.stopGates.get('a')?.resolve()
    await settle()
    expect(seen()).toEqual(['a1 failed', 'c1 failed'])
    stage.stopGates.get('c')?.resolve()
    await settle()
    expect(seen()).toEqual(['b1 restarted', 'a2 started', 'b2 started', 'c2 started'])
    expect(system.tree()[0]?.children.map(({ restarts }) => restarts)).toEqual([1, 1, 1])
  })

  it('begins anew from one whose start fails in a group', async () => {
    const { a, stage, seen, settle } = group({ strategy: 'rest-for-one' })
    await settle()
    seen()
    stage.failingStarts.set('b', 1)
    a.tell('fail')
    await settle()
    expect(seen()).toEqual(['a1 failed', 'c1 restarted', 'b1 restarted', 'a2 started', 'b3 started', 'c2 started'])
  })

  it('ends the group when a start in it fails too often', async () => {
    const { a, handle, stage, seen, settle, system } = group({ strategy: 'one-for-all', max: 2 })
    await settle()
    seen()
    stage.failingStarts.set('b', 9)
    a.tell('fail')
    expect(await handle.done).toMatchObject({ kind: 'failed', error: { cause: new Error('b4 cannot start') } })
    expect(seen()).toEqual([
      'a1 failed',
      'c1 restarted',
      'b1 restarted',
      'a2 started',
      'a2 restarted',
      'a3 started',
      'a3 restarted',
      'a4 started',
      'a4 killed',
    ])
    expect(system.metrics().actors).toBe(0)
  })

  it('lets a stop end, also when a group that is being stopped cannot be restarted', async () => {
    const { a, c, handle, stage, seen, settle, buried, system } = group({ strategy: 'one-for-all', max: 1 })
    await settle()
    seen()
    stage.failingStarts.set('b', 9)
    a.tell('fail')
    c.tell('hold')
    c.tell('note', 'unheard')
    expect((await handle.stop()).kind).toBe('stopped')
    expect(seen()).toEqual([
      'a1 failed',
      'c1 holds',
      'c1 restarted',
      'b1 restarted',
      'a2 started',
      'a2 restarted',
      'a3 started',
      'a3 stopped',
    ])
    expect(buried()).toEqual([
      ['hold', 'restart'],
      ['note', 'discarded'],
    ])
    expect(system.metrics().actors).toBe(0)
  })

  it('ends with the supervisor, also while a sibling hangs in stopped or the group waits', async () => {
    for (const hangs of [true, false]) {
      const { a, handle, stage, seen, settle, buried, clock, system } = group({
        strategy: 'one-for-all',
        backoff: '1m',
      })
      await settle()
      seen()
      if (hangs) stage.stopGates.set('c', deferred())
      a.tell('fail')
      await settle()
      a.tell('note', 'unheard')
      expect((await handle.kill()).kind).toBe('killed')
      stage.stopGates.get('c')?.resolve()
      await clock.advance(120_000)
      expect(seen()).toEqual(['a1 failed', 'c1 restarted', hangs ? 'b1 killed' : 'b1 restarted'])
      expect([buried(), clock.armedTimers, system.metrics().actors]).toEqual([[['note', 'discarded']], 0, 0])
    }
  })

  it('stops a group in the middle of its restart: all are made anew, handle their mail and stop', async () => {
    const { a, c, handle, clock, seen, settle } = group({ strategy: 'one-for-all', backoff: '1m' })
    await settle()
    seen()
    a.tell('fail')
    await settle()
    c.tell('note', 'kept')
    await settle()
    expect(seen()).toEqual(['a1 failed', 'c1 restarted', 'b1 restarted'])
    expect((await handle.stop()).kind).toBe('stopped')
    expect([clock.monotonic(), clock.armedTimers]).toEqual([0, 0])
    expect(seen()).toEqual([
      'a2 started',
      'b2 started',
      'c2 started',
      'c2 kept',
      'c2 stopped',
      'b2 stopped',
      'a2 stopped',
    ])
  })
})
