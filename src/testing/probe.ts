// An actor that takes any message and lets a test wait for it.

import { AssertionError } from 'node:assert'
import { inspect } from 'node:util'
import { Actor } from '../actor/actor.ts'
import { Protocol } from '../actor/protocol.ts'
import type { Method } from '../actor/protocol.ts'
import { cellOf } from '../actor/ref.ts'
import type { Ref } from '../actor/ref.ts'
import type { ActorSystem } from '../actor/system.ts'
import type { Clock } from '../lib/clock.ts'
import { formatMs, toMs } from '../lib/duration.ts'
import type { Duration } from '../lib/duration.ts'
import { ManualClock } from './manual-clock.ts'
import { comeToRest } from './quiescence.ts'

/** Takes any message. */
export type AnyActor = Actor & { readonly [message: string]: (payload?: unknown) => unknown }

export interface ProbeMessage {
  readonly name: string
  readonly payload: unknown
}

interface MessageType {
  readonly tag: string
  new (...payload: never): object
}

export interface ExpectOptions {
  /**
   * How long to wait. A manual clock is moved on, as far as it takes. When absent: until the actors have come to rest, on a manual clock;
   * else a second.
   */
  readonly timeout?: Duration
}

export interface ProbeOptions {
  readonly name?: string
}

export interface Probe<A extends Actor = AnyActor> {
  readonly ref: Ref<A>
  /** All messages that ever came, oldest first; grows as they come. */
  readonly received: readonly ProbeMessage[]
  /**
   * Resolves with the payload of the oldest message of that name that no earlier `expect` has taken; others stay where they are.
   *
   * Rejects with an error that shows what came instead.
   */
  expect(name: string, options?: ExpectOptions): Promise<unknown>
  expect<C extends MessageType>(type: C, options?: ExpectOptions): Promise<InstanceType<C>>
  /** Waits as `expect` does, and rejects when there is a message that no `expect` has taken. */
  expectNone(options?: ExpectOptions): Promise<void>
  /** From now on asks for that message are answered with what `answer` returns; without it, with undefined. */
  reply(name: string, answer: (payload: unknown) => unknown): void
  reply<C extends MessageType>(type: C, answer: (message: InstanceType<C>) => unknown): void
}

const patienceMs = 1000

/**
 * Spawns an actor that stands in for any other: `probe<Counter>(system).ref` goes where a `Ref<Counter>` is wanted.
 *
 * ```ts
 * import { probe, testSystem } from 'troupe/testing'
 * const { system, stop } = testSystem()
 * const printer = probe(system)
 * printer.reply('pages', () => 3)
 * printer.ref.tell('print', 'a page')
 * console.log(await printer.expect('print')) // a page
 * console.log(await printer.ref.ask('pages')) // 3
 * await stop()
 * ```
 */
export function probe<A extends Actor = AnyActor>(system: ActorSystem, options: ProbeOptions = {}): Probe<A> {
  const [ref] = system.spawn(() => new TestProbe(), { ...options, mailbox: Number.MAX_SAFE_INTEGER })
  const cell = cellOf(ref)
  const messages = new ReceivedMessages(system, cell.core.clock, String(ref))
  cell.protocol = new AnyProtocol((message) => messages.receive(message))
  return {
    ref: ref as unknown as Ref<A>,
    received: messages.received,
    expect: (wanted: string | MessageType, { timeout }: ExpectOptions = {}) => messages.expect(nameOf(wanted), timeout),
    expectNone: ({ timeout } = {}) => messages.expectNone(timeout),
    reply: (wanted: string | MessageType, answer: (payload: never) => unknown) =>
      void messages.answers.set(nameOf(wanted), answer as (payload: unknown) => unknown),
  } as Probe<A>
}

function nameOf(wanted: string | MessageType): string {
  return typeof wanted === 'string' ? wanted : wanted.tag
}

class TestProbe extends Actor {}

class AnyProtocol extends Protocol {
  readonly #receive: (message: ProbeMessage) => unknown

  constructor(receive: (message: ProbeMessage) => unknown) {
    super(TestProbe.prototype)
    this.#receive = receive
  }

  override find(_actor: Actor, name: string): Method {
    return (payload) => this.#receive({ name, payload })
  }
}

class ReceivedMessages {
  readonly received: ProbeMessage[] = []
  readonly answers = new Map<string, (payload: unknown) => unknown>()
  readonly #system: ActorSystem
  readonly #clock: Clock
  readonly #probe: string
  readonly #open: ProbeMessage[] = []
  /** Those who want to look when the next message comes. */
  readonly #looking = new Set<() => void>()

  constructor(system: ActorSystem, clock: Clock, probeName: string) {
    this.#system = system
    this.#clock = clock
    this.#probe = probeName
  }

  receive(message: ProbeMessage): unknown {
    this.received.push(message)
    this.#open.push(message)
    for (const look of this.#looking) look()
    return this.answers.get(message.name)?.(message.payload)
  }

  async expect(name: string, timeout: Duration | undefined): Promise<unknown> {
    const message = await this.#wait(() => this.#take(name), timeout)
    if (message === undefined) throw this.#unmet(`the message ${name}`, timeout, this.expect)
    return message.payload
  }

  async expectNone(timeout: Duration | undefined): Promise<void> {
    const message = await this.#wait(() => this.#open[0], timeout)
    if (message !== undefined) throw this.#unmet('no message', timeout, this.expectNone)
  }

  #take(name: string): ProbeMessage | undefined {
    const index = this.#open.findIndex((message) => message.name === name)
    return index === -1 ? undefined : this.#open.splice(index, 1)[0]
  }

  #wait(look: () => ProbeMessage | undefined, timeout: Duration | undefined): Promise<ProbeMessage | undefined> {
    const clock = this.#clock
    if (clock instanceof ManualClock) return this.#moveOn(look, clock, timeout === undefined ? 0 : toMs(timeout))
    return this.#waitUntil(look, timeout === undefined ? patienceMs : toMs(timeout))
  }

  async #moveOn(
    look: () => ProbeMessage | undefined,
    clock: ManualClock,
    withinMs: number,
  ): Promise<ProbeMessage | undefined> {
    const endMs = clock.monotonic() + withinMs
    for (;;) {
      await comeToRest(this.#system)
      const message = look()
      const leftMs = endMs - clock.monotonic()
      if (message !== undefined || leftMs <= 0) return message
      await clock.advance(Math.min(clock.nextTimerMs ?? leftMs, leftMs))
    }
  }

  #waitUntil(look: () => ProbeMessage | undefined, withinMs: number): Promise<ProbeMessage | undefined> {
    return new Promise((resolve) => {
      const end = (message: ProbeMessage | undefined): void => {
        timer.cancel()
        this.#looking.delete(lookAgain)
        resolve(message)
      }
      const lookAgain = (): void => {
        const message = look()
        if (message !== undefined) end(message)
      }
      const timer = this.#clock.after(withinMs, () => end(undefined))
      this.#looking.add(lookAgain)
      lookAgain()
    })
  }

  #unmet(wanted: string, timeout: Duration | undefined, from: (...args: never) => unknown): Error {
    const within = timeout === undefined ? '' : ` within ${formatMs(toMs(timeout))}`
    const came = this.#open.map(({ name, payload }) => `${name}(${payload === undefined ? '' : inspect(payload)})`)
    const instead = came.length === 0 ? 'none came' : `there is ${came.join(', ')}`
    return new AssertionError({
      message: `${this.#probe} expected ${wanted}${within}, but ${instead}.`,
      stackStartFn: from,
    })
  }
}
