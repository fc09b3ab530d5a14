import { describe, expect, it } from 'vitest'
import { Actor } from '../actor/actor.ts'
import type { Ref } from '../actor/ref.ts'
import { testSystem } from './test-system.ts'

class Relay extends Actor {
  readonly #notes: string[]
  readonly #next: Ref<Relay> | undefined
  constructor(notes: string[], next?: Ref<Relay>) {
    super()
    this.#notes = notes
    this.#next = next
  }
  async pass(text: string): Promise<void> {
    for (let n = 0; n < 10; n++) await Promise.resolve()
    this.#notes.push(`${this.ctx.self}:${text}`)
    this.#next?.tell('pass', text)
  }
  note(text: string): void {
    this.#notes.push(`${this.ctx.self}:${text}`)
  }
  remind(text: string): void {
    this.ctx.after('1h', () => this.note(text))
  }
  fail(): void {
    throw new Error('boom')
  }
}

class Chatter extends Actor {
  chat(peer: Ref<Chatter>): void {
    peer.tell('chat', this.ctx.self)
  }
}

/** What three relays note when each is told three things. */
async function interleaving(seed?: number): Promise<string> {
  const { system, settle, stop } = testSystem(seed === undefined ? {} : { seed })
  const notes: string[] = []
  const refs = [1, 2, 3].map(() => system.spawn(() => new Relay(notes))[0])
  for (const ref of refs) for (const text of ['a', 'b', 'c']) ref.tell(text === 'b' ? 'pass' : 'note', text)
  await settle()
  await stop()
  return notes.map((note) => note.replace(/Relay\(#(.)\):/, '$1')).join(' ')
}

describe('testSystem', () => {
  it('settles when the last actor of a chain has handled its message', async () => {
    const { system, settle } = testSystem()
    const notes: string[] = []
    let next: Ref<Relay> | undefined
    for (let n = 0; n < 200; n++) next = system.spawn(() => new Relay(notes, next))[0]
    next?.tell('pass', 'x')
    await settle()
    expect([notes.length, notes.at(-1)]).toEqual([200, 'Relay(#1):x'])
  })

  it('settles without moving time, and fires timers when it is moved', async () => {
    const { system, clock, settle, advance } = testSystem()
    const notes: string[] = []
    const [ref] = system.spawn(() => new Relay(notes))
    ref.tell('remind', 'later')
    await settle()
    await advance('59m')
    expect([notes, clock.now()]).toEqual([[], 59 * 60_000])
    await advance('1m')
    expect(notes).toEqual(['Relay(#1):later'])
  })

  it('settles after handlers that wait for turns of the event loop', async () => {
    const { system, clock, settle } = testSystem()
    class Slow extends Actor {
      done = false
      async work(): Promise<void> {
        for (let n = 0; n < 2; n++) await new Promise<void>((resolve) => clock.soon(resolve))
        this.done = true
      }
    }
    const slow = new Slow()
    system.spawn(() => slow)[0].tell('work')
    await settle()
    expect(slow.done).toBe(true)
  })

  it('settles also with a handler that never ends', async () => {
    const { system, settle } = testSystem()
    class Stuck extends Actor {
      hang(): Promise<void> {
        return new Promise(() => undefined)
      }
    }
    const [ref] = system.spawn(Stuck)
    ref.tell('hang')
    ref.tell('hang')
    await settle()
    expect(system.metrics().waiting).toBe(1)
  })

  it('settles only at the end of a long chain of tasks', async () => {
    const { system, settle } = testSystem()
    class Steps extends Actor {
      done = 0
      step(): void {
        this.ctx.task(
          () => undefined,
          () => {
            if (++this.done < 200_000) this.step()
          },
        )
      }
    }
    const steps = new Steps()
    system.spawn(() => steps)[0].tell('step')
    await settle()
    expect(steps.done).toBe(200_000)
  })

  it('fires a timer that was set after much work at its own time', async () => {
    const { system, clock, advance } = testSystem()
    class Burst extends Actor {
      firedAtMs = 0
      #left = 300_000
      begin(): void {
        this.ctx.after('1s', () => this.next())
      }
      next(): void {
        if (--this.#left > 0) this.ctx.self.tell('next')
        else this.ctx.after('500ms', () => void (this.firedAtMs = clock.monotonic()))
      }
    }
    const burst = new Burst()
    system.spawn(() => burst)[0].tell('begin')
    await advance('2s')
    expect([burst.firedAtMs, clock.monotonic()]).toEqual([1500, 2000])
  })

  it('names the actors that never come to rest', async () => {
    const { system, settle } = testSystem()
    const [first] = system.spawn(Chatter)
    const [second, handle] = system.spawn(Chatter)
    first.tell('chat', second)
    await expect(settle()).rejects.toThrow(
      /^The actors do not come to rest: \d+ messages were handled and they still go on \(Chatter\(#\d\) handled \d+ messages, /,
    )
    await handle.kill()
  })

  it('keeps failures until they are taken', async () => {
    const { system, settle, failures, takeFailures, stop } = testSystem()
    const [ref] = system.spawn(() => new Relay([]))
    ref.tell('fail')
    await settle()
    const failure = { actor: 'Relay(#1)', phase: 'handle', error: new Error('boom') }
    expect(failures).toEqual([failure])
    expect([takeFailures(), takeFailures(), failures]).toEqual([[failure], [], []])
    await stop()
  })

  it('throws at the end what failed and nobody took', async () => {
    const { system, stop } = testSystem()
    const [ref] = system.spawn(() => new Relay([]))
    ref.tell('fail')
    await expect(stop()).rejects.toMatchObject({
      message: 'Relay(#1) failed (handle): boom. A test that expects this takes it with takeFailures().',
      errors: [new Error('boom')],
    })
  })

  it('shows failures and dead letters as they come', async () => {
    const { system, failures, deadLetters, log } = testSystem()
    const [ref, handle] = system.spawn(() => new Relay([]))
    ref.tell('fail')
    await handle.done
    ref.tell('note', 'late')
    expect(failures.map(({ actor }) => actor)).toEqual(['Relay(#1)'])
    expect(deadLetters.recent.map(({ message, reason }) => [message, reason])).toEqual([['note', 'stopped']])
    expect(log.lines.map(({ level }) => level)).toEqual(['error', 'warn'])
  })

  it('stops what hangs, too', async () => {
    const { system, settle, stop } = testSystem()
    class Stuck extends Actor {
      hang(): Promise<void> {
        return new Promise(() => undefined)
      }
    }
    const [ref, handle] = system.spawn(Stuck)
    ref.tell('hang')
    await settle()
    await stop()
    expect((await handle.done).kind).toBe('killed')
  })
})

describe('a seed', () => {
  it('gives the same interleaving again', async () => {
    for (const seed of [0, 1, 42, -7]) expect(await interleaving(seed)).toBe(await interleaving(seed))
  })

  it('gives others for other seeds, down to single messages, and keeps the order of each sender', async () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= 40; seed++) seen.add(await interleaving(seed))
    expect(seen.size).toBeGreaterThan(20)
    for (const notes of seen) {
      const words = notes.split(' ')
      for (const actor of '123')
        expect(words.filter((word) => word.startsWith(actor))).toEqual(['a', 'b', 'c'].map((text) => actor + text))
    }
  })

  it('also moves the time at which a promise goes on', async () => {
    const places = new Set<number>()
    for (let seed = 1; seed <= 20; seed++) {
      const { system, settle } = testSystem({ seed })
      const notes: string[] = []
      const [waits, works] = [1, 2].map(() => system.spawn(() => new Relay(notes))[0])
      waits?.tell('pass', 'x')
      for (let n = 0; n < 30; n++) works?.tell('note', 'y')
      await settle()
      places.add(notes.indexOf('Relay(#1):x'))
    }
    expect([...places].every((place) => place < 30)).toBe(true)
    expect(places.size).toBeGreaterThan(1)
  })

  it('is not there unless it is asked for: actors take their turns in order', async () => {
    expect(await interleaving()).toBe('1a 2a 3a 1b 2b 3b 1c 2c 3c')
  })
})
