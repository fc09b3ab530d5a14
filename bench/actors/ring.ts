// The floor: a plain ring of messages, drained by one microtask a burst. No bound, no errors, no replies, no life.
import { check, inBursts } from './row.ts'
import type { Row } from './row.ts'

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

async function plainRing(count: number): Promise<void> {
  const queue = new PlainQueue()
  const tell = (): void => queue.tell('add', 1)
  await inBursts(count, tell, tell)
  check(queue.sum, count)
}

export const ring: Row = { what: 'plain ring', who: 'ring', count: 3_000_000, run: plainRing }
