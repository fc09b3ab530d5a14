// SkyNet (github.com/atemerev/skynet): a million actors in a tree of tens, and the sum of their numbers on its way back up.
import { Actor, ActorSystem } from 'troupe/actor'
import type { Ref } from 'troupe/actor'
import { check } from './row.ts'

const leaves = 1_000_000
const fanOut = 10

interface Subtree {
  readonly first: number
  readonly size: number
}

class Node extends Actor {
  readonly #parent: Ref<Node> | undefined
  readonly #onSum: ((sum: number) => void) | undefined
  #missing = fanOut
  #sum = 0

  constructor(parent: Ref<Node> | undefined, onSum?: (sum: number) => void) {
    super()
    this.#parent = parent
    this.#onSum = onSum
  }

  grow({ first, size }: Subtree): void {
    if (size === 1) return this.#report(first)
    const share = size / fanOut
    const self: Ref<Node> = this.ctx.self
    for (let index = 0; index < fanOut; index++) {
      const [child] = this.ctx.spawn(() => new Node(self))
      child.tell('grow', { first: first + index * share, size: share })
    }
  }

  add(sum: number): void {
    this.#sum += sum
    if (--this.#missing === 0) this.#report(this.#sum)
  }

  #report(sum: number): void {
    if (this.#parent !== undefined) this.#parent.tell('add', sum)
    this.#onSum?.(sum)
    this.ctx.stop()
  }
}

/** Always grows the whole tree, whatever `count` is. */
export async function skyNet(_count: number): Promise<void> {
  const system = new ActorSystem({ name: 'sky-net' })
  const sum = await new Promise<number>((resolve) => {
    const [root] = system.spawn(() => new Node(undefined, resolve))
    root.tell('grow', { first: 0, size: leaves })
  })
  check(sum, (leaves * (leaves - 1)) / 2)
  await system.stop()
}
