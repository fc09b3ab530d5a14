// Our own rows.
import { Actor, ActorSystem, Message } from 'troupe/actor'
import type { Ref } from 'troupe/actor'
import { burst, check, inBursts } from './row.ts'
import type { Row } from './row.ts'
import { skyNet } from './sky-net.ts'

class Add extends Message('Add')<{ by: number }>() {}

class Counter extends Actor {
  count = 0
  add(by: number): void {
    this.count += by
  }
  Add({ by }: Add): void {
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

const system = new ActorSystem({ name: 'bench' })

async function tells(count: number, name: 'add' | 'addLater'): Promise<void> {
  const [counter, handle] = system.spawn(() => new Counter())
  await inBursts(
    count,
    () => counter.tell(name, 1),
    () => counter.ask(name, 1),
  )
  check(await counter.ask('get'), count)
  await handle.stop()
}

async function tellsOfMessages(count: number): Promise<void> {
  const [counter, handle] = system.spawn(() => new Counter())
  await inBursts(
    count,
    () => counter.tell(new Add({ by: 1 })),
    () => counter.ask(new Add({ by: 1 })),
  )
  check(await counter.ask('get'), count)
  await handle.stop()
}

async function tellsToPool(count: number): Promise<void> {
  const made: Counter[] = []
  const pool = system.pool(() => (made[made.length] = new Counter()), { size: 4 })
  await inBursts(
    count,
    () => pool.tell('add', 1),
    () => pool.ask('add', 1),
  )
  await pool.handle.stop()
  check(
    made.reduce((sum, counter) => sum + counter.count, 0),
    count,
  )
}

async function pingPong(count: number): Promise<void> {
  const first = new Player()
  const second = new Player()
  const [ping, pinging] = system.spawn(() => first)
  const [pong, ponging] = system.spawn(() => second)
  first.other = pong
  second.other = ping
  await new Promise<void>((resolve) => {
    first.onEnd = second.onEnd = resolve
    ping.tell('hit', count - 1)
  })
  check(first.hits + second.hits, count)
  await Promise.all([pinging.stop(), ponging.stop()])
}

async function asksOneByOne(count: number): Promise<void> {
  const [counter, handle] = system.spawn(() => new Counter())
  for (let index = 0; index < count; index++) await counter.ask('add', 1)
  check(await counter.ask('get'), count)
  await handle.stop()
}

async function asksInFlight(count: number): Promise<void> {
  const [counter, handle] = system.spawn(() => new Counter())
  const replies: Promise<void>[] = new Array<Promise<void>>(burst)
  for (let done = 0; done < count; done += burst) {
    for (let index = 0; index < burst; index++) replies[index] = counter.ask('add', 1)
    await Promise.all(replies)
  }
  check(await counter.ask('get'), count)
  await handle.stop()
}

async function spawns(count: number): Promise<void> {
  const own = new ActorSystem()
  const refs: Ref<Counter>[] = new Array<Ref<Counter>>(count)
  for (let index = 0; index < count; index++) refs[index] = own.spawn(Counter)[0]
  check(own.metrics().actors, count)
}

async function spawnsAndStops(count: number): Promise<void> {
  const own = new ActorSystem()
  let stopped = 0
  for (let index = 0; index < count; index++) {
    const { kind } = await own.spawn(Counter)[1].stop()
    if (kind === 'stopped') stopped++
  }
  check(stopped - own.metrics().actors, count)
}

/** Bytes of one actor that waits and has never been sent anything; NaN without `--expose-gc`. */
export async function bytesPerActor(count: number): Promise<number> {
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

const row = (what: string, count: number, run: Row['run']): Row => ({ what, who: 'troupe', count, run })

export const ours: readonly Row[] = [
  row('tell', 3_000_000, (count) => tells(count, 'add')),
  row('tell of a message object', 2_000_000, tellsOfMessages),
  row('tell to an async handler', 1_000_000, (count) => tells(count, 'addLater')),
  row('tell to a pool of 4', 2_000_000, tellsToPool),
  row('ping-pong, hops', 1_000_000, pingPong),
  row('ask, one by one', 500_000, asksOneByOne),
  row('ask, 100 in flight', 500_000, asksInFlight),
  row('spawn', 200_000, spawns),
  row('spawn and stop', 100_000, spawnsAndStops),
  row('SkyNet, actors', 1_111_111, skyNet),
]
