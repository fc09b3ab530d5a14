// Ping-pong, counting and thread ring.
import { Actor, ActorSystem } from 'troupe/actor'
import type { Ref } from 'troupe/actor'
import { check } from './row.ts'

class Ping extends Actor {
  readonly #pong: Ref<Pong>
  readonly #onEnd: () => void
  #left: number
  received = 0

  constructor(pong: Ref<Pong>, rounds: number, onEnd: () => void) {
    super()
    this.#pong = pong
    this.#left = rounds
    this.#onEnd = onEnd
  }
  begin(): void {
    this.#left--
    this.#pong.tell('ping', this.ctx.self)
  }
  pong(): void {
    this.received++
    if (this.#left > 0) this.begin()
    else this.#onEnd()
  }
}

class Pong extends Actor {
  received = 0
  ping(sender: Ref<Ping>): void {
    this.received++
    sender.tell('pong')
  }
}

export async function pingPong(count: number): Promise<void> {
  const system = new ActorSystem()
  const pong = new Pong()
  const [pongRef] = system.spawn(() => pong)
  const ping = await new Promise<Ping>((resolve) => {
    const made: Ping = new Ping(pongRef, count / 2, () => resolve(made))
    system.spawn(() => made)[0].tell('begin')
  })
  check(ping.received + pong.received, count)
  await system.stop()
}

class Tally extends Actor {
  #count = 0
  increment(): void {
    this.#count++
  }
  count(): number {
    return this.#count
  }
}

/** One producer, one counter; the producer waits for room. */
export async function counting(count: number): Promise<void> {
  const system = new ActorSystem()
  const [tally] = system.spawn(Tally)
  for (let index = 0; index < count; index++) {
    const full = tally.send('increment')
    if (full !== undefined) await full
  }
  check(await tally.ask('count'), count)
  await system.stop()
}

const ringSize = 100

class RingMember extends Actor {
  readonly #onEnd: () => void
  next: Ref<RingMember> | undefined
  received = 0

  constructor(onEnd: () => void) {
    super()
    this.#onEnd = onEnd
  }
  pass(left: number): void {
    this.received++
    if (left === 1) this.#onEnd()
    else this.next?.tell('pass', left - 1)
  }
}

export async function threadRing(count: number): Promise<void> {
  const system = new ActorSystem()
  const members: RingMember[] = []
  await new Promise<void>((resolve) => {
    for (let index = 0; index < ringSize; index++) members.push(new RingMember(resolve))
    const refs = members.map((member) => system.spawn(() => member)[0])
    for (const [index, member] of members.entries()) member.next = refs[(index + 1) % ringSize]
    refs[0]?.tell('pass', count)
  })
  check(
    members.reduce((sum, { received }) => sum + received, 0),
    count,
  )
  await system.stop()
}
