// Big: many to many. Each actor pings another picked at random and waits for its pong before the next.
import { Actor, ActorSystem } from 'troupe/actor'
import type { Ref } from 'troupe/actor'
import { check } from './row.ts'

const actors = 100
// A ping and its pong.
const messagesPerRound = 2

class Peer extends Actor {
  readonly #peers: readonly Ref<Peer>[]
  readonly #onEnd: () => void
  #left: number
  #seed: number
  pongs = 0

  constructor(peers: readonly Ref<Peer>[], rounds: number, onEnd: () => void) {
    super()
    this.#peers = peers
    this.#left = rounds
    this.#seed = peers.length + 1
    this.#onEnd = onEnd
  }
  begin(): void {
    if (this.#left-- === 0) return this.#onEnd()
    this.#seed = (this.#seed * 16_807) % 2_147_483_647
    this.#peers[this.#seed % this.#peers.length]?.tell('ping', this.ctx.self)
  }
  ping(sender: Ref<Peer>): void {
    sender.tell('pong')
  }
  pong(): void {
    this.pongs++
    this.begin()
  }
}

export async function big(count: number): Promise<void> {
  const system = new ActorSystem()
  const rounds = count / messagesPerRound / actors
  const peers: Peer[] = []
  const refs: Ref<Peer>[] = []
  await new Promise<void>((resolve) => {
    let ended = 0
    const onEnd = (): void => void (++ended === actors && resolve())
    for (let index = 0; index < actors; index++) {
      const peer = new Peer(refs, rounds, onEnd)
      peers.push(peer)
      refs.push(system.spawn(() => peer, { mailbox: 2 * actors })[0])
    }
    for (const ref of refs) ref.tell('begin')
  })
  check(
    peers.reduce((sum, { pongs }) => sum + pongs, 0),
    count / messagesPerRound,
  )
  await system.stop()
}
