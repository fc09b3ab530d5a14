// How long timers and sockets wait while fifty actors never rest.
import { createServer, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Actor, ActorSystem } from 'troupe/actor'

const hotActors = 50
const silent = { debug() {}, info() {}, warn() {}, error() {} }

class Hot extends Actor {
  loop(): void {
    this.ctx.self.tell('loop')
  }
}

export interface Waits {
  readonly p99Ms: number
  readonly maxMs: number
}

/** How much later than asked for a timer of 1 ms fired, and how long an echo over loopback took. */
export async function waitsBesideHotActors(forMs: number): Promise<{ timer: Waits; echo: Waits; perSecond: number }> {
  const system = new ActorSystem({ name: 'hot', log: silent })
  for (let index = 0; index < hotActors; index++) system.spawn(Hot)[0].tell('loop')
  const isOver = deadline(forMs)
  const [timer, echo] = await Promise.all([timerWaits(isOver), echoWaits(isOver)])
  const perSecond = (system.metrics().processed / forMs) * 1000
  // They would never drain.
  await system.stop({ within: 1 })
  return { timer: summary(timer), echo: summary(echo), perSecond }
}

function deadline(forMs: number): () => boolean {
  const endsAt = performance.now() + forMs
  return () => performance.now() >= endsAt
}

async function timerWaits(isOver: () => boolean): Promise<number[]> {
  const waits: number[] = []
  while (!isOver()) {
    const start = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 1))
    waits.push(performance.now() - start - 1)
  }
  return waits
}

async function echoWaits(isOver: () => boolean): Promise<number[]> {
  const server = createServer((socket) => socket.pipe(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const waits: number[] = []
  while (!isOver()) {
    const start = performance.now()
    socket.write('.')
    await new Promise((resolve) => socket.once('data', resolve))
    waits.push(performance.now() - start)
  }
  socket.destroy()
  server.close()
  return waits
}

function summary(waits: number[]): Waits {
  const sorted = waits.sort((left, right) => left - right)
  return { p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN, maxMs: sorted.at(-1) ?? Number.NaN }
}
