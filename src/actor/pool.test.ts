import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { isTroupeError } from '../lib/errors.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import { Message } from './message.ts'
import type { Handler } from './message.ts'
import type { PoolOptions } from './pool.ts'
import type { Recipient } from './ref.ts'
import { stub } from './stub.ts'
import { ActorSystem } from './system.ts'

class Stamped extends Message('Stamped')<{ text: string }, number>() {}

/** What the members of one pool write down, and the gates they wait at. */
class Book {
  readonly lines: string[] = []
  readonly ended: string[] = []
  made = 0
  gate = deferred<void>()

  open(): void {
    this.gate.resolve()
    this.gate = deferred()
  }
}

class Member extends Actor implements Handler<typeof Stamped> {
  readonly index: number
  readonly #book: Book
  constructor(book: Book) {
    super()
    this.#book = book
    this.index = book.made++
  }
  note(text: string): number {
    this.#book.lines.push(`${this.index}:${text}`)
    return this.index
  }
  async hold(text: string): Promise<number> {
    this.note(text)
    await this.#book.gate.promise
    return this.index
  }
  Stamped({ text }: Stamped): number {
    return this.note(text)
  }
  fail(text: string): void {
    throw new Error(text)
  }
  failFirst(text: string): number {
    if (this.index === 0) throw new Error(text)
    return this.note(text)
  }
  leave(): void {
    this.ctx.stop()
  }
  put(text: string): void {
    if (this.#book.lines.length === 0) this.ctx.stash()
    this.note(text)
  }
  override stopped(reason: string): void {
    this.#book.ended.push(`${this.index}:${reason}`)
  }
}

function poolOf(options: PoolOptions<Member>) {
  const clock = new ManualClock()
  const log = new RecordedLog()
  const system = new ActorSystem({ clock, log })
  const book = new Book()
  const pool = system.pool(() => new Member(book), options)
  const buried = () => system.deadLetters.recent.map(({ payload, reason }) => `${payload} ${reason}`)
  return { system, clock, log, book, pool, buried }
}

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))

async function codeOf(promise: Promise<unknown> | undefined): Promise<string> {
  const error: unknown = await promise?.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return isTroupeError(error) ? error.code : String(error)
}

describe('routes', () => {
  it('go round-robin unless told otherwise', async () => {
    const { pool, book } = poolOf({ size: 3 })
    for (const text of 'abcdefg') expect(pool.tell('note', text)).toBe(true)
    await turns()
    expect(book.lines.toSorted()).toEqual(['0:a', '0:d', '0:g', '1:b', '1:e', '2:c', '2:f'])
  })

  it('go to the least busy one, counting what waits and what is under way', async () => {
    const { pool, book } = poolOf({ size: 3, route: 'least-busy' })
    pool.tell('hold', 'a')
    for (const text of 'bc') {
      await turns()
      pool.tell('note', text)
    }
    await turns()
    expect(book.lines).toEqual(['0:a', '1:b', '1:c'])
    for (const text of 'defgh') pool.tell('note', text)
    book.open()
    await turns()
    expect(book.lines.slice(3).toSorted()).toEqual(['0:f', '1:d', '1:g', '2:e', '2:h'])
  })

  it('are random but the same each time', async () => {
    const run = async () => {
      const { pool } = poolOf({ size: 4, route: 'random', mailbox: 1000 })
      return Promise.all(Array.from({ length: 1000 }, () => pool.ask('note', '')))
    }
    const members = await run()
    expect(await run()).toEqual(members)
    for (const index of [0, 1, 2, 3]) {
      const share = members.filter((member) => member === index).length
      expect(share).toBeGreaterThan(200)
      expect(share).toBeLessThan(300)
    }
  })

  it('bring messages with the same key to the same member, and spread the keys', async () => {
    const { pool } = poolOf({ size: 4, route: 'hash', key: (_name, payload) => String(payload), mailbox: 1000 })
    const ask = () => Promise.all(Array.from({ length: 1000 }, (_, at) => pool.ask('note', `user-${at}`)))
    const members = await ask()
    expect(await ask()).toEqual(members)
    for (const index of [0, 1, 2, 3]) {
      const share = members.filter((member) => member === index).length
      expect(share).toBeGreaterThan(200)
      expect(share).toBeLessThan(300)
    }
  })

  it('take a number as key, and give key the tag and the whole of a message', async () => {
    const seen: unknown[] = []
    const key: NonNullable<PoolOptions<Member>['key']> = (name, payload) => {
      seen.push([name, payload])
      return name === 'Stamped' ? payload.text.length : 2
    }
    const { pool } = poolOf({ size: 16, route: 'hash', key })
    const message = new Stamped({ text: 'ab' })
    expect(await pool.ask(message)).toBe(await pool.ask('note', 'x'))
    expect(seen).toEqual([
      ['Stamped', message],
      ['note', 'x'],
    ])
  })

  it('throw what key throws at the sender', () => {
    const key = () => {
      throw new Error('no key')
    }
    expect(() => poolOf({ size: 2, route: 'hash', key }).pool.tell('note', 'a')).toThrow('no key')
  })
})

describe('broadcast', () => {
  const pair = () => poolOf({ size: 2, route: 'broadcast', mailbox: 1 })

  it('tells all members, and is true when all took it', async () => {
    const { pool, book, buried } = pair()
    expect(pool.tell('note', 'a')).toBe(true)
    expect(pool.tell('note', 'b')).toBe(false)
    await turns()
    expect(book.lines.toSorted()).toEqual(['0:a', '1:a'])
    expect(buried()).toEqual(['b overflow', 'b overflow'])
  })

  it('sends at once where there is room, and waits for all where there is none', async () => {
    const { pool, book } = pair()
    expect(pool.send('hold', 'a')).toBeUndefined()
    await turns()
    expect(pool.send('note', 'b')).toBeUndefined()
    let isIn = false
    const sent = pool.send('note', 'c')?.then(() => (isIn = true))
    await turns()
    expect(isIn).toBe(false)
    book.open()
    expect(await sent).toBe(true)
    await turns()
    expect(book.lines.toSorted()).toEqual(['0:a', '0:b', '0:c', '1:a', '1:b', '1:c'])
  })

  it('rejects a send when one member refuses it, and harms nobody who looks away', async () => {
    const { pool } = poolOf({ size: 2, route: 'broadcast', mailbox: { capacity: 1, overflow: 'fail' } })
    pool.tell('hold', 'a')
    expect(await codeOf(pool.send('note', 'b'))).toBe('mailbox_full')
    void pool.send('note', 'c')
    await turns()
  })

  it('answers an ask with the first reply', async () => {
    const { pool, book } = pair()
    expect(await pool.ask('failFirst', 'a')).toBe(1)
    expect(book.lines).toEqual(['1:a'])
    expect(pool.size).toBe(2)
  })

  it('rejects an ask when all reject it, with the reason of the first', async () => {
    const { pool } = pair()
    await expect(pool.ask('fail', 'a')).rejects.toThrow('a')
    await pool.handle.stop()
    expect(await codeOf(pool.ask('note', 'b'))).toBe('actor_stopped')
  })

  it('lets a member ask the actor back that asks them all, as another one may reply', async () => {
    const heard: unknown[] = []
    class Back extends Actor {
      readonly #isSlow = heard.push('made') > 1
      async back(): Promise<string> {
        if (!this.#isSlow) return 'at once'
        heard.push(await this.ctx.ask(asker, 'name'))
        return 'late'
      }
    }
    class Asker extends Actor {
      async start(): Promise<string> {
        return this.ctx.pool(Back, { size: 2, route: 'broadcast' }).ask('back')
      }
      name(): string {
        return 'asker'
      }
    }
    const [asker] = new ActorSystem({ log: new RecordedLog() }).spawn(Asker)
    expect(await asker.ask('start')).toBe('at once')
    await turns()
    expect(heard).toEqual(['made', 'made', 'asker'])
  })

  it('does not grow', () => {
    const { pool } = poolOf({ min: 2, max: 4, route: 'broadcast' })
    for (const text of 'abc') pool.tell('hold', text)
    expect(pool.size).toBe(2)
  })
})

describe('growth', () => {
  it('adds a member when a message would go to one that has work waiting, as long as there is room', async () => {
    const { pool, book } = poolOf({ max: 3 })
    expect(pool.size).toBe(1)
    pool.tell('hold', 'a')
    await turns()
    pool.tell('hold', 'b')
    expect(pool.size).toBe(1)
    pool.tell('hold', 'c')
    expect(pool.size).toBe(2)
    for (const text of 'defg') pool.tell('hold', text)
    expect(pool.size).toBe(3)
    await turns()
    expect(book.lines.toSorted().map((line) => line.slice(0, 1))).toEqual(['0', '1', '2'])
  })

  it('stops members above min that had nothing to do for long enough, by one timer', async () => {
    const { pool, book, clock } = poolOf({ min: 1, max: 4, idleAfter: '8s' })
    expect(clock.armedTimers).toBe(0)
    for (const text of 'abcdefgh') pool.tell('hold', text)
    expect([pool.size, clock.armedTimers]).toEqual([4, 1])
    await clock.advance(60_000)
    expect(pool.size).toBe(4)
    book.open()
    await turns()
    book.open()
    await clock.advance(7999)
    expect(pool.size).toBe(4)
    await clock.advance(2001)
    expect([pool.size, clock.armedTimers]).toEqual([1, 0])
    expect(book.ended).toEqual(['3:stopped', '2:stopped', '1:stopped'])
    expect(book.lines).toHaveLength(8)
  })

  it('keeps a member that is used from time to time', async () => {
    const { pool, clock } = poolOf({ max: 2, idleAfter: '8s' })
    for (let round = 0; round < 8; round++) {
      for (const text of 'ab') pool.tell('note', text)
      await clock.advance(3000)
    }
    expect(pool.size).toBe(2)
    await clock.advance(4000)
    expect(pool.size).toBe(2)
    await clock.advance(3000)
    expect(pool.size).toBe(1)
  })

  it('keeps a member that has put messages aside', async () => {
    const { pool, clock, book, buried } = poolOf({ min: 1, max: 3, route: 'least-busy', idleAfter: '8s' })
    for (const text of 'abc') pool.tell('put', text)
    expect(pool.size).toBe(3)
    await turns()
    await clock.advance(20_000)
    expect(book.ended).toEqual(['2:stopped', '1:stopped'])
    expect(buried()).toEqual([])
  })

  it('grows again after it has shrunk', async () => {
    const { pool, clock, book } = poolOf({ max: 2, idleAfter: '8s' })
    pool.tell('note', 'a')
    pool.tell('note', 'b')
    await clock.advance(10_000)
    expect(pool.size).toBe(1)
    for (const text of 'cd') pool.tell('note', text)
    expect([pool.size, clock.armedTimers, String(pool)]).toEqual([2, 1, 'Member×2(#1)'])
    await turns()
    expect(book.lines.at(-1)).toBe('2:d')
  })

  it('makes one member only when its constructor sends to the pool', () => {
    let made = 0
    const { system } = poolOf({ size: 1 })
    class Eager extends Actor {
      constructor() {
        super()
        made++
        if (made > 1) pool.tell('work')
      }
      work(): void {}
    }
    const pool = system.pool(Eager, { max: 10 })
    pool.tell('work')
    pool.tell('work')
    expect([made, pool.size]).toEqual([2, 2])
  })

  it('leaves no timer behind', async () => {
    const { pool, clock } = poolOf({ max: 2 })
    pool.tell('note', 'a')
    pool.tell('note', 'b')
    expect(clock.armedTimers).toBe(1)
    await pool.handle.kill()
    await clock.advance(1000)
    expect(clock.armedTimers).toBe(0)
  })
})

describe('a member', () => {
  it('that fails is restarted, and its mail survives', async () => {
    const { pool, book, buried } = poolOf({ size: 2 })
    pool.tell('fail', 'down')
    pool.tell('note', 'a')
    pool.tell('note', 'b')
    pool.tell('note', 'c')
    await turns()
    expect(book.lines.toSorted()).toEqual(['1:a', '1:c', '2:b'])
    expect([book.ended, buried(), pool.size]).toEqual([['0:failed'], [], 2])
  })

  it('gets no messages while it is being restarted, when another one can take them', async () => {
    for (const route of ['round-robin', 'least-busy'] as const) {
      const { pool, book, clock } = poolOf({ size: 2, route, restarts: { backoff: '1s' } })
      pool.tell('fail', 'down')
      await turns()
      for (const text of 'abc') pool.tell('note', text)
      await turns()
      expect(book.lines).toEqual(['1:a', '1:b', '1:c'])
      await clock.advance(1000)
      expect(book.made).toBe(3)
    }
  })

  it('that fails too often takes the pool with it, loudly', async () => {
    const { pool, book, log, buried } = poolOf({ size: 2, restarts: { max: 1 } })
    pool.tell('hold', 'a')
    await turns()
    for (const text of ['1', 'x', '2', 'y']) pool.tell(Number(text) > 0 ? 'fail' : 'note', text)
    const { kind, error } = await pool.handle.done
    expect([kind, isTroupeError(error, 'restarts_used_up'), pool.size]).toEqual(['failed', true, 0])
    expect(buried()).toContain('x discarded')
    expect(book.ended).toEqual(['1:failed', '2:failed', '0:killed'])
    expect(log.lines.map(({ message }) => message).join('\n')).toContain('Member×2(#1) failed (handle)')
    expect(await codeOf(pool.ask('note', 'late'))).toBe('actor_failed')
  })

  it('that stops itself is replaced when the next message would go to it', async () => {
    for (const restart of ['transient', 'temporary'] as const) {
      const { pool, book } = poolOf({ size: 2, restart })
      pool.tell('leave')
      await turns()
      expect([pool.size, book.made, book.ended]).toEqual([1, 2, ['0:stopped']])
      expect([await pool.ask('note', 'a'), await pool.ask('note', 'b')]).toEqual([1, 2])
      expect([pool.size, book.made]).toEqual([2, 3])
    }
  })

  it('that stops itself is replaced on each route', async () => {
    for (const route of ['least-busy', 'random', 'hash', 'broadcast'] as const) {
      const { pool } = poolOf({ size: 1, restart: 'temporary', route, key: () => 1 })
      pool.tell('leave')
      await turns()
      expect([pool.size, await pool.ask('note', 'a')]).toEqual([0, 1])
    }
  })

  it('that is temporary and cannot be made leaves dead letters', async () => {
    const log = new RecordedLog()
    const system = new ActorSystem({ log })
    class Broken extends Actor {
      constructor() {
        super()
        throw new Error('broken')
      }
      work(): void {}
    }
    const pool = system.pool(Broken, { size: 2, restart: 'temporary' })
    expect([pool.size, pool.tell('work')]).toEqual([0, false])
    expect(await codeOf(pool.ask('work'))).toBe('actor_failed')
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(4)
  })
})

describe('the end of a pool', () => {
  it('lets every member handle what it was given, then refuses', async () => {
    const { pool, book, buried } = poolOf({ size: 2 })
    for (const text of 'abcd') pool.tell('note', text)
    const stopped = pool.handle.stop()
    expect(pool.tell('note', 'late')).toBe(false)
    expect((await stopped).kind).toBe('stopped')
    expect(book.lines.toSorted()).toEqual(['0:a', '0:c', '1:b', '1:d'])
    expect([book.ended, buried(), pool.size]).toEqual([['1:stopped', '0:stopped'], ['late stopped'], 0])
    expect(await codeOf(pool.send('note', 'later'))).toBe('actor_stopped')
  })

  it('comes at once when it is killed', async () => {
    const { pool, book, buried } = poolOf({ size: 2 })
    for (const text of 'ab') pool.tell('note', text)
    expect((await pool.handle.kill()).kind).toBe('killed')
    expect([book.lines, buried()]).toEqual([[], ['b discarded', 'a discarded']])
  })

  it('is heard by those who watch it', async () => {
    const heard: string[] = []
    class Watcher extends Actor {
      override started(): void {
        this.ctx.watch(pool, ({ ref, result }) => heard.push(`${ref} ${result.kind} ${ref === pool}`))
      }
    }
    const { system, pool } = poolOf({ size: 2 })
    system.spawn(Watcher)
    await turns()
    const weak = pool.weak()
    expect([weak.deref() === pool, String(weak)]).toEqual([true, 'weak Member×2(#1)'])
    await pool.handle.stop()
    await turns()
    expect([heard, weak.deref()]).toEqual([['Member×2(#1) stopped true'], undefined])
  })

  it('comes with the end of the actor that made it', async () => {
    const book = new Book()
    class Owner extends Actor {
      readonly pool = () => this.ctx.pool(() => new Member(book), { size: 2 })
      override started(): void {
        this.pool()
      }
    }
    const [, handle] = new ActorSystem().spawn(Owner)
    await turns()
    await handle.stop()
    expect(book.ended).toEqual(['1:stopped', '0:stopped'])
  })

  it('fails the actor that made it, when a member has failed too often', async () => {
    class Owner extends Actor {
      async begin(): Promise<void> {
        this.ctx.pool(() => new Member(new Book()), { size: 2, restarts: { max: 0 } }).tell('fail', 'down')
      }
    }
    const [owner, handle] = new ActorSystem({ log: new RecordedLog() }).spawn(Owner)
    owner.tell('begin')
    expect(isTroupeError((await handle.done).error, 'restarts_used_up')).toBe(true)
  })
})

describe('the ref of a pool', () => {
  it('serves as stub and as recipient', async () => {
    const { pool, book } = poolOf({ size: 2 })
    const calls = stub(pool)
    expect([await calls.note('a'), await calls.note('b')]).toEqual([0, 1])
    const recipient: Recipient<Stamped> = pool
    expect(recipient.tell(new Stamped({ text: 'c' }))).toBe(true)
    await turns()
    expect(book.lines).toEqual(['0:a', '1:b', '0:c'])
  })

  it('lets handlers that are fields be called through a stub', async () => {
    class Fielded extends Actor {
      double = (n: number): number => 2 * n
      triple(n: number): number {
        return 3 * n
      }
    }
    const calls = stub(new ActorSystem().pool(Fielded, { size: 2 }))
    expect([await calls.double(2), await calls.triple(2)]).toEqual([4, 6])
  })

  it('is found by its name', async () => {
    const { system, pool } = poolOf({ size: 2, name: 'members' })
    expect(system.lookup('members') === pool).toBe(true)
    expect(() => system.pool(() => new Member(new Book()), { size: 1, name: 'members' })).toThrow(/belongs to Member×2/)
  })

  it('sends through the priority lane of a member', async () => {
    const { pool, book } = poolOf({ size: 2, priority: true })
    for (const text of 'abcd') pool.tell('note', text)
    pool.tell('note', 'first', { priority: true })
    pool.tell(new Stamped({ text: 'second' }), { priority: true })
    await turns()
    expect(book.lines.filter((line) => line.startsWith('0'))).toEqual(['0:first', '0:a', '0:c'])
    expect(book.lines.filter((line) => line.startsWith('1'))).toEqual(['1:second', '1:b', '1:d'])
    await pool.handle.stop()
    expect(pool.tell('note', 'late', { priority: true })).toBe(false)
  })

  it('makes asks visible to the search for deadlocks', async () => {
    class Loop extends Actor {
      async round(left: number): Promise<string> {
        return left === 0 ? 'round' : this.ctx.ask(pool, 'round', left - 1)
      }
    }
    const pool = new ActorSystem({ log: new RecordedLog() }).pool(Loop, { size: 2 })
    expect(await pool.ask('round', 1)).toBe('round')
    await expect(pool.ask('round', 2)).rejects.toThrow('Loop(#3) → Loop(#2) → Loop(#3)')
  })

  it('shows its members in the tree and the metrics', async () => {
    const { system, pool } = poolOf({ size: 2 })
    for (const text of 'abc') pool.tell('note', text)
    expect(
      system.tree().map(({ actor, children }) => [actor, children.map((child) => [child.actor, child.waiting])]),
    ).toEqual([
      [
        'Member×2(#1)',
        [
          ['Member(#2)', 2],
          ['Member(#3)', 1],
        ],
      ],
    ])
    await turns()
    const { actors, processed, waiting } = system.metrics()
    expect([actors, processed, waiting]).toEqual([3, 3, 0])
  })
})

describe('options', () => {
  const refused: [string, PoolOptions<Member>, RegExp][] = [
    ['no size', {}, /is undefined: give a whole number of 1 or more/],
    ['size 0', { size: 0 }, /is 0: give a whole number of 1 or more/],
    ['size -1', { size: -1 }, /is -1/],
    ['size 1.5', { size: 1.5 }, /is 1.5/],
    ['size NaN', { size: Number.NaN }, /is NaN/],
    ['min 0', { min: 0, max: 4 }, /is 0/],
    ['max Infinity', { min: 1, max: Infinity }, /is Infinity/],
    ['min above max', { min: 3, max: 2 }, /min of the pool is 3: give at most its max, which is 2/],
    ['size beside max', { size: 2, max: 3 }, /either size or min and max/],
    ['hash without key', { size: 2, route: 'hash' }, /key of the pool is undefined/],
    ['an unknown route', { size: 2, route: 'fastest' as 'hash' }, /route is "fastest"/],
    ['idleAfter 0', { max: 2, idleAfter: 0 }, /idleAfter is 0/],
    ['a bad mailbox', { size: 2, mailbox: 0 }, /mailbox capacity is 0/],
    ['a bad restart', { size: 2, restart: 'always' as 'permanent' }, /restart policy is "always"/],
    ['bad restarts', { size: 2, restarts: { max: -1 } }, /is -1/],
  ]

  it.each(refused)('are refused: %s', (_, options, message) => {
    const system = new ActorSystem({ log: new RecordedLog() })
    let thrown: unknown
    try {
      system.pool(() => new Member(new Book()), options)
    } catch (error) {
      thrown = error
    }
    expect(isTroupeError(thrown, 'option_invalid')).toBe(true)
    expect(String(thrown)).toMatch(message)
    expect(system.tree()).toEqual([])
  })

  it('are taken with min alone, as a fixed size', () => {
    const { pool } = poolOf({ min: 2 })
    for (const text of 'abcdef') pool.tell('note', text)
    expect(pool.size).toBe(2)
  })

  it('start nothing once the system stops', async () => {
    const { system } = poolOf({ size: 1 })
    await system.stop()
    expect(() => system.pool(() => new Member(new Book()), { size: 1 })).toThrow(/starts no more actors/)
  })
})

interface Numbered {
  readonly key: number
  readonly n: number
}

type Step =
  | { readonly do: 'tell' | 'send' | 'ask'; readonly key: number; readonly kind: 'now' | 'gated' }
  | { readonly do: 'open' | 'settle' | 'rest' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom('tell' as const, 'send' as const, 'ask' as const),
      key: fc.integer({ min: 0, max: 5 }),
      kind: fc.constantFrom('now' as const, 'now' as const, 'gated' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('open' as const, 'settle' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rest' as const) }) },
)

/** Notes when it begins and when it ends a message, by key. */
class Keyed extends Actor {
  readonly #begun: Map<number, string[]>
  readonly #book: Book
  constructor(begun: Map<number, string[]>, book: Book) {
    super()
    this.#begun = begun
    this.#book = book
    book.made++
  }
  now({ key, n }: Numbered): void {
    this.#note(key, `begin ${n}`)
    this.#note(key, `end ${n}`)
  }
  async gated({ key, n }: Numbered): Promise<void> {
    this.#note(key, `begin ${n}`)
    await this.#book.gate.promise
    this.#note(key, `end ${n}`)
  }
  #note(key: number, line: string): void {
    this.#begun.set(key, [...(this.#begun.get(key) ?? []), line])
  }
}

async function playOut(steps: readonly Step[], max: number) {
  const clock = new ManualClock()
  const system = new ActorSystem({ clock, log: new RecordedLog() })
  const book = new Book()
  const noted = new Map<number, string[]>()
  const given = new Map<number, string[]>()
  const sizes = new Set<number>()
  const pool = system.pool(() => new Keyed(noted, book), {
    max,
    mailbox: 3,
    route: 'hash',
    key: (_name, { key }) => key,
    idleAfter: '4s',
  })
  for (const [n, next] of steps.entries()) {
    sizes.add(pool.size)
    if (!('key' in next)) {
      if (next.do === 'open') book.open()
      else await (next.do === 'rest' ? clock.advance(5000) : turns())
    } else {
      const message = { key: next.key, n }
      const isIn = next.do === 'tell' ? pool.tell(next.kind, message) : true
      if (next.do === 'send') void pool.send(next.kind, message)
      if (next.do === 'ask') pool.ask(next.kind, message, { timeout: '1h' }).catch(() => undefined)
      if (isIn) given.set(next.key, [...(given.get(next.key) ?? []), `begin ${n}`, `end ${n}`])
    }
  }
  for (let round = 0; round <= steps.length; round++) {
    book.open()
    await turns()
  }
  await pool.handle.stop()
  return { noted, given, sizes, letters: system.deadLetters.recent.filter(({ reason }) => reason !== 'overflow') }
}

describe('the messages of one key', () => {
  it('are handled one after the other, in order and all of them, while the pool grows and shrinks', async () => {
    const sizes = new Set<number>()
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 5 }),
        async (steps, max) => {
          const played = await playOut(steps, max)
          expect(played.noted).toEqual(played.given)
          expect(played.letters).toEqual([])
          for (const size of played.sizes) sizes.add(size)
        },
      ),
      { numRuns: 150 },
    )
    expect(sizes.size).toBeGreaterThan(3)
  })

  it('stay with their member while it lives, and have another made for keys that come first', async () => {
    const { pool, book } = poolOf({ max: 2, route: 'hash', key: (_name, payload) => Number(payload) })
    pool.tell('note', '1')
    await turns()
    for (const text of '222') pool.tell('hold', text)
    expect(pool.size).toBe(2)
    pool.tell('note', '1')
    await turns()
    expect(book.lines).toEqual(['1:1', '0:2', '1:1'])
  })
})
