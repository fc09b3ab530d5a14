// Measures the actor core beside a plain ring queue drained by one microtask a burst, and prints one table.

import { Actor, ActorSystem } from 'troupe/actor'
import type { Ref } from 'troupe/actor'

const rounds = 7
const burst = 100

interface Row {
  readonly name: string
  readonly count: number
  /** Does `count` operations and checks that they happened. */
  run(count: number): Promise<void>
}

class Counter extends Actor {
  count = 0
  add(by: number): void {
    this.count += by
  }
  addLater(by: number): Promise<void> {
    this.count += by
    return Promise.resolve()
  }
  get(): number {
    return this.count
  }
}

class Player extends Actor {
  hits = 0
  other: Ref<Player> | undefined
  onEnd: (() => void) | undefined
  hit(left: number): void {
    this.hits++
    if (left === 0) this.onEnd?.()
    else this.other?.tell('hit', left - 1)
  }
}

class Slot {
  readonly name: string
  readonly payload: number
  constructor(name: string, payload: number) {
    this.name = name
    this.payload = payload
  }
}

class PlainQueue {
  sum = 0
  #slots: (Slot | undefined)[] = new Array<Slot | undefined>(128).fill(undefined)
  #head = 0
  #size = 0
  #isScheduled = false
  readonly #handlers: Record<string, (by: number) => void> = { add: (by) => void (this.sum += by) }
  readonly #drain = (): void => {
    this.#isScheduled = false
    while (this.#size > 0) {
      const slot = this.#slots[this.#head] as Slot
      this.#slots[this.#head] = undefined
      this.#head = (this.#head + 1) & 127
      this.#size--
      this.#handlers[slot.name]?.(slot.payload)
    }
  }

  tell(name: string, payload: number): void {
    this.#slots[(this.#head + this.#size++) & 127] = new Slot(name, payload)
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(this.#drain)
  }
}

const system = new ActorSystem({ name: 'bench' })

const rows: Row[] = [
  { name: 'plain ring', count: 3_000_000, run: plainRing },
  { name: 'tell, 1 ask per 100', count: 3_000_000, run: (count) => tells(count, 'add') },
  { name: 'tell, async handler', count: 1_000_000, run: (count) => tells(count, 'addLater') },
  { name: 'ping-pong, hops', count: 1_000_000, run: pingPong },
  { name: 'ask, one by one', count: 500_000, run: asksOneByOne },
  { name: 'ask, 100 in flight', count: 500_000, run: asksInFlight },
  { name: 'spawn', count: 200_000, run: spawns },
  { name: 'spawn and stop', count: 100_000, run: spawnsAndStops },
]

async function plainRing(count: number): Promise<void> {
  const queue = new PlainQueue()
  for (let done = 0; done < count; done += burst) {
    for (let index = 0; index < burst; index++) queue.tell('add', 1)
    await undefined
  }
  check(queue.sum, count)
}

async function tells(count: number, name: 'add' | 'addLater'): Promise<void> {
  const [counter, handle] = system.spawn(() => new Counter())
  for (let done = 0; done < count; done += burst) {
    for (let index = 1; index < burst; index++) counter.tell(name, 1)
    await counter.ask(name, 1)
  }
  check(await counter.ask('get'), count)
  await handle.stop()
}

async function pingPong(count: number): Promise<void> {
  const first = new Player()
  const second = new Player()
  const [ping] = system.spawn(() => first)
  const [pong] = system.spawn(() => second)
  first.other = pong
  second.other = ping
  await new Promise<void>((resolve) => {
    first.onEnd = second.onEnd = resolve
    ping.tell('hit', count - 1)
  })
  check(first.hits + second.hits, count)
}

async function asksOneByOne(count: number): Promise<void> {
  const [counter] = system.spawn(() => new Counter())
  for (let index = 0; index < count; index++) await counter.ask('add', 1)
  check(await counter.ask('get'), count)
}

async function asksInFlight(count: number): Promise<void> {
  const [counter] = system.spawn(() => new Counter())
  const replies: Promise<void>[] = new Array<Promise<void>>(burst)
  for (let done = 0; done < count; done += burst) {
    for (let index = 0; index < burst; index++) replies[index] = counter.ask('add', 1)
    await Promise.all(replies)
  }
  check(await counter.ask('get'), count)
}

async function spawns(count: number): Promise<void> {
  const own = new ActorSystem()
  const refs: Ref<Counter>[] = new Array<Ref<Counter>>(count)
  for (let index = 0; index < count; index++) refs[index] = own.spawn(Counter)[0]
  check(own.metrics().actors, count)
}

async function spawnsAndStops(count: number): Promise<void> {
  const own = new ActorSystem()
  for (let index = 0; index < count; index++) await own.spawn(Counter)[1].stop()
  check(own.metrics().actors, 0)
}

function check(actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`counted ${actual} of ${expected}`)
}

async function bytesPerActor(count: number): Promise<number> {
  if (globalThis.gc === undefined) return Number.NaN
  const own = new ActorSystem()
  const refs: Ref<Counter>[] = new Array<Ref<Counter>>(count)
  globalThis.gc()
  const before = process.memoryUsage().heapUsed
  for (let index = 0; index < count; index++) refs[index] = own.spawn(Counter)[0]
  await undefined
  globalThis.gc()
  const after = process.memoryUsage().heapUsed
  check(refs.length, own.metrics().actors)
  return Math.round((after - before) / count)
}

const best = new Map<string, number>()
for (let round = 0; round < rounds; round++) {
  for (const { name, count, run } of rows) {
    const start = process.hrtime.bigint()
    await run(count)
    const ns = Number(process.hrtime.bigint() - start) / count
    best.set(name, Math.min(best.get(name) ?? Infinity, ns))
  }
}

const floor = best.get('plain ring') ?? Number.NaN
console.log(`actors, best of ${rounds} rounds, Node ${process.versions.node}`)
console.log(`${'what'.padEnd(22)}${'ns each'.padStart(10)}${'per second'.padStart(14)}${'x ring'.padStart(9)}`)
for (const [name, ns] of best) {
  const perSecond = Math.round(1e9 / ns).toLocaleString('en')
  console.log(
    `${name.padEnd(22)}${ns.toFixed(1).padStart(10)}${perSecond.padStart(14)}${(ns / floor).toFixed(1).padStart(9)}`,
  )
}
const bytes = await bytesPerActor(100_000)
console.log(Number.isNaN(bytes) ? 'bytes per idle actor: run with --expose-gc' : `bytes per idle actor: ${bytes}`)
