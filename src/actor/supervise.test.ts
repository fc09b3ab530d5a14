import { describe, expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { Context } from './context.ts'
import type { Entries } from './entries.ts'
import type { Handle } from './handle.ts'
import type { Ref } from './ref.ts'
import type { SuperviseOptions } from './supervise.ts'
import { ActorSystem } from './system.ts'

class Part extends Actor {
  readonly #name: string
  readonly #seen: string[]
  constructor(name: string, seen: string[]) {
    super()
    this.#name = name
    this.#seen = seen
  }
  override started(): void {
    this.#seen.push(`${this.#name} started`)
  }
  whoami(): string {
    return this.#name
  }
  fail(): void {
    throw new Error(`${this.#name} broke`)
  }
  leave(): void {
    this.ctx.stop()
  }
  run<T>(fn: (ctx: Context<this>) => T): T {
    return fn(this.ctx)
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

/** Has a supervisor below it, made anew with each of its lives. */
class Chief extends Actor {
  readonly #options: SuperviseOptions
  readonly #children: Entries
  readonly #onRefs: (refs: unknown) => void
  constructor(options: SuperviseOptions, children: Entries, onRefs: (refs: unknown) => void) {
    super()
    this.#options = options
    this.#children = children
    this.#onRefs = onRefs
  }
  override started(): void {
    this.#onRefs(this.ctx.supervise(this.#options, this.#children)[0])
  }
  isThere(): string {
    return 'at hand'
  }
  override stopped(reason: string): void {
    this.#onRefs(`chief ${reason}`)
  }
}

function home() {
  const clock = new ManualClock()
  const log = new RecordedLog()
  const seen: string[] = []
  const part = (name: string) => () => new Part(name, seen)
  return {
    system: new ActorSystem({ clock, log, name: 'home' }),
    clock,
    log,
    seen,
    part,
    settle: () => clock.advance(0),
  }
}

describe('system.supervise', () => {
  it('gives a frozen record of refs, typed by its children, and the handle of the supervisor', async () => {
    const { system, part } = home()
    const [refs, handle]: readonly [{ a: Ref<Part>; b: Ref<Answer>; c: Ref<Answer> }, Handle] = system.supervise(
      {},
      { a: part('a'), b: Answer, c: { make: Answer, mailbox: 1, priority: true } },
    )
    const name: string = await refs.a.ask('whoami')
    const answer: number = await refs.b.ask('answer')
    expect([name, answer, Object.keys(refs), Object.isFrozen(refs)]).toEqual(['a', 42, ['a', 'b', 'c'], true])
    expect([refs.c.tell('answer'), refs.c.tell('answer')]).toEqual([true, false])
    expect(refs.c.tell('answer', undefined, { priority: true })).toBe(true)
    // @ts-expect-error a message the actor of this child does not handle
    refs.b.tell('whoami')
    expect((await handle.stop()).kind).toBe('stopped')
  })

  it('takes messages at once, before the children have started', async () => {
    const { system, part } = home()
    const [{ a }] = system.supervise({}, { a: part('a') })
    expect(await a.ask('whoami')).toBe('a')
  })

  it('stops the children last started first, each after the end of the one before', async () => {
    const { system, part, seen, settle } = home()
    const [, handle] = system.supervise({}, { a: part('a'), b: part('b'), c: part('c') })
    await settle()
    seen.length = 0
    await handle.stop()
    expect([seen, system.metrics().actors]).toEqual([['c stopped', 'b stopped', 'a stopped'], 0])
  })

  it('kills them with the supervisor', async () => {
    const { system, part, seen, settle } = home()
    const [, handle] = system.supervise({}, { a: part('a'), b: part('b') })
    await settle()
    seen.length = 0
    expect((await handle.kill()).kind).toBe('killed')
    await settle()
    expect([seen, system.metrics().actors]).toEqual([['b killed', 'a killed'], 0])
  })

  it('names the children below the supervisor, so that two groups may have the same keys', () => {
    const { system } = home()
    const [{ a }] = system.supervise({ name: 'mail' }, { a: Answer })
    system.supervise({}, { a: Answer })
    system.supervise({}, { a: Answer })
    const tree = system.tree().map(({ actor, name, children }) => [actor, name, children.map((child) => child.name)])
    expect(tree).toEqual([
      ['Supervisor(#1)', 'mail', ['mail/a']],
      ['Supervisor(#3)', undefined, ['Supervisor(#3)/a']],
      ['Supervisor(#5)', undefined, ['Supervisor(#5)/a']],
    ])
    expect([system.lookup('mail/a', Answer) === a, system.lookup('a')]).toEqual([true, undefined])
  })

  it('makes children permanent unless they say otherwise', async () => {
    const { system, part, seen, settle } = home()
    const [{ a, b, c }] = system.supervise(
      {},
      { a: part('a'), b: { make: part('b'), restart: 'transient' }, c: { make: part('c'), restart: 'temporary' } },
    )
    for (const ref of [a, b, c]) {
      ref.tell('leave')
      await settle()
    }
    c.tell('fail')
    await settle()
    expect(seen).toEqual(['a started', 'b started', 'c started', 'a restarted', 'a started', 'b stopped', 'c stopped'])
  })

  it('gives every child its limits, except those a child sets itself', async () => {
    const { system, part, clock, seen, settle } = home()
    const [{ a, b }] = system.supervise(
      { max: 5, backoff: '1s' },
      { a: part('a'), b: { make: part('b'), restarts: { backoff: 0 } } },
    )
    await settle()
    seen.length = 0
    for (const ref of [a, b]) ref.tell('fail')
    await settle()
    expect(seen.toSorted()).toEqual(['a failed', 'b failed', 'b started'])
    await clock.advance(1000)
    expect(seen.at(-1)).toBe('a started')
    for (let time = 0; time < 4; time++) {
      b.tell('fail')
      await settle()
    }
    expect(system.tree()[0]?.children.map(({ restarts }) => restarts)).toEqual([1, 5])
  })

  it('ends loudly, with all children, when one of them is not restarted any more', async () => {
    const { system, part, seen, settle, log } = home()
    const [{ a }, handle] = system.supervise({ max: 1 }, { a: part('a'), b: part('b'), c: part('c') })
    await settle()
    for (let time = 0; time < 2; time++) a.tell('fail')
    const cause = expect.objectContaining({ code: 'restarts_used_up', cause: new Error('a broke') }) as Error
    expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'handle', error: cause })
    await settle()
    expect(seen.slice(3)).toEqual(['a failed', 'a started', 'a failed', 'c killed', 'b killed'])
    expect(a.tell('whoami')).toBe(false)
    const message =
      'Part(#2) is not restarted any more: it was restarted 1 times within 5s and ended again (a broke). See the cause, or allow more with max, within and backoff.'
    expect(log.lines.filter(({ level }) => level === 'error').map((line) => line.message)).toEqual([
      'Part(#2) failed (handle fail): a broke',
      'Part(#2) failed (handle fail): a broke',
      message,
      `Supervisor(#1) failed (handle): ${message}`,
    ])
  })

  it('lives on when a child ends that is not to be restarted', async () => {
    const { system, part, settle } = home()
    const [{ a, b }] = system.supervise({ max: 0 }, { a: { make: part('a'), restart: 'temporary' }, b: part('b') })
    a.tell('fail')
    await settle()
    expect([a.tell('whoami'), await b.ask('whoami')]).toEqual([false, 'b'])
  })

  it('may have no children', async () => {
    const [refs, handle] = home().system.supervise({}, {})
    expect([refs, (await handle.stop()).kind]).toEqual([{}, 'stopped'])
  })

  it('refuses options that mean nothing, saying what to give, and starts nobody', () => {
    const { system, part, seen } = home()
    const refused: [unknown, unknown, string][] = [
      [{ strategy: 'all' }, {}, `The strategy is "all": give 'one-for-one', 'one-for-all' or 'rest-for-one'.`],
      [{ max: -1 }, {}, 'The number of restarts (max) is -1: give a whole number of 0 or more.'],
      [{ within: 'never' }, {}, '"never" is not a duration: give'],
      [{}, { b: 7 }, 'The entry "b" is 7: give a function that makes the actor'],
      [{}, { b: { make: part('b'), restart: 'often' } }, 'The restart policy is "often": give'],
      [{}, { b: { make: part('b'), mailbox: 0 } }, 'The mailbox capacity is 0: give a whole number of 1 or more.'],
      [{}, { b: { make: part('b'), restarts: { max: 0.5 } } }, 'The number of restarts (max) is 0.5: give'],
    ]
    for (const [options, children, message] of refused) {
      const start = () => system.supervise(options as SuperviseOptions, { a: part('a'), ...(children as Entries) })
      expect(start).toThrow(
        expect.objectContaining({ code: 'option_invalid', message: expect.stringContaining(message) as string }),
      )
      expect(system.metrics().actors).toBe(0)
    }
    expect(seen).toEqual([])
  })

  it('refuses a name that is taken', () => {
    const { system } = home()
    system.spawn(Answer, { name: 'mail/b' })
    expect(() => system.supervise({ name: 'mail' }, { a: Answer, b: Answer })).toThrow(
      expect.objectContaining({ code: 'name_taken' }),
    )
    expect([system.metrics().actors, system.lookup('mail'), system.lookup('mail/a')]).toEqual([1, undefined, undefined])
  })

  it('refuses to start in a system that is stopped', async () => {
    const { system } = home()
    await system.stop()
    expect(() => system.supervise({}, {})).toThrow(expect.objectContaining({ code: 'system_stopped' }))
  })
})

describe('ctx.supervise', () => {
  function below(options: SuperviseOptions, spawnOptions: Parameters<ActorSystem['spawn']>[1]) {
    const place = home()
    const told: string[] = []
    const refs: { a: Ref<Part>; b: Ref<Part> }[] = []
    const make = () =>
      new Chief(options, { a: place.part('a'), b: place.part('b') }, (heard) => {
        if (typeof heard === 'string') told.push(heard)
        else refs.push(heard as { a: Ref<Part>; b: Ref<Part> })
      })
    const [chief, handle] = place.system.spawn(make, spawnOptions)
    return { ...place, told, refs, chief, handle }
  }

  it('puts the supervisor below the actor, which stops it with the children', async () => {
    const { system, handle, settle, seen } = below({ strategy: 'one-for-all' }, {})
    await settle()
    expect(system.tree()).toMatchObject([
      { actor: 'Chief(#1)', children: [{ actor: 'Supervisor(#2)', children: [{}, {}] }] },
    ])
    await handle.stop()
    expect(seen).toEqual(['a started', 'b started', 'b stopped', 'a stopped'])
  })

  it('fails the actor when a child is not restarted any more, with the same error', async () => {
    const { refs, handle, told, settle, system } = below({ max: 0 }, {})
    await settle()
    refs[0]?.a.tell('fail')
    expect(await handle.done).toMatchObject({
      kind: 'failed',
      phase: 'handle',
      error: { code: 'restarts_used_up', cause: new Error('a broke'), details: { actor: 'Part(#3)' } },
    })
    expect([told, system.metrics().actors]).toEqual([['chief failed'], 0])
  })

  it('lets the actor be restarted, which makes a new supervisor with new children', async () => {
    const { refs, told, seen, settle, system, chief } = below({ max: 0 }, { restart: 'permanent' })
    await settle()
    refs[0]?.a.tell('fail')
    await settle()
    expect([told, refs.length, refs[0]?.b.tell('whoami')]).toEqual([['chief failed'], 2, false])
    expect([await refs[1]?.a.ask('whoami'), await chief.ask('isThere')]).toEqual(['a', 'at hand'])
    expect(seen).toEqual(['a started', 'b started', 'a failed', 'b killed', 'a started', 'b started'])
    expect(system.tree()).toMatchObject([{ restarts: 1, children: [{ actor: 'Supervisor(#5)' }] }])
  })

  it('leaves the actor alone when it ends the supervisor itself', async () => {
    const { system, part, settle } = home()
    const [ref] = system.spawn(part('chief'))
    const run = (fn: (ctx: Context<Part>) => unknown) => ref.ask('run', fn as never)
    for (const end of ['stop', 'kill'] as const) {
      await run(async (ctx) => {
        const [, handle] = ctx.supervise({ max: 0 }, { a: part('a') })
        expect((await handle[end]()).kind).toBe(end === 'stop' ? 'stopped' : 'killed')
      })
      await settle()
    }
    expect([await ref.ask('whoami'), system.tree()]).toMatchObject(['chief', [{ children: [] }]])
  })

  it('escalates over two levels, as far as a budget reaches', async () => {
    const { system, part, settle, log } = home()
    const lives: { a: Ref<Part>; b: Ref<Part> }[] = []
    const inner = () =>
      new Chief({ max: 1 }, { a: part('a'), b: part('b') }, (heard) => {
        if (typeof heard !== 'string') lives.push(heard as (typeof lives)[number])
      })
    const [{ sibling }, handle] = system.supervise(
      { strategy: 'one-for-all', max: 1 },
      { chief: inner, sibling: part('sibling') },
    )
    const failTwice = async () => {
      for (let time = 0; time < 2; time++) {
        lives.at(-1)?.a.tell('fail')
        await settle()
      }
    }
    await settle()
    await failTwice()
    expect([lives.length, system.tree()[0]?.children.map(({ restarts }) => restarts)]).toEqual([2, [1, 1]])
    expect(await Promise.all([sibling.ask('whoami'), lives[1]?.b.ask('whoami')])).toEqual(['sibling', 'b'])
    await failTwice()
    expect(await handle.done).toMatchObject({
      kind: 'failed',
      error: { code: 'restarts_used_up', cause: { code: 'restarts_used_up', cause: new Error('a broke') } },
    })
    expect([system.metrics().actors, sibling.tell('whoami')]).toEqual([0, false])
    const last = log.lines.findLast(({ level }) => level === 'error')?.message
    expect(last).toMatch(/^Supervisor\(#1\) failed \(handle\): Chief\(#2\) is not restarted any more/)
  })

  it('throws why, when the actor is ending', async () => {
    const { system, part } = home()
    const [ref, handle] = system.spawn(part('chief'))
    let ctx: Context<Part> | undefined
    await ref.ask('run', ((own: Context<Part>) => void (ctx = own)) as never)
    await handle.kill()
    expect(() => ctx?.supervise({}, {})).toThrow(expect.objectContaining({ code: 'actor_killed' }))
  })
})
