import { describe, expect, it } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { Ref } from './ref.ts'
import { ActorSystem } from './system.ts'

class Looping extends Actor {
  turns = 0
  isOver = false
  spin(): void {
    this.turns++
    if (!this.isOver) this.ctx.self.tell('spin')
  }
  async spinLater(): Promise<void> {
    this.turns++
    await undefined
    if (!this.isOver) this.ctx.self.tell('spinLater')
  }
}

class Greedy extends Actor {
  readonly order: string[]
  readonly #name: string
  constructor(name: string, order: string[]) {
    super()
    this.#name = name
    this.order = order
  }
  note(): void {
    this.order.push(this.#name)
  }
}

describe('the run queue', () => {
  it('gives every actor its turn after 64 messages of another', async () => {
    const system = new ActorSystem({ clock: new ManualClock(), log: new RecordedLog() })
    const order: string[] = []
    const [flooded] = system.spawn(() => new Greedy('a', order), { mailbox: 1000 })
    const [other] = system.spawn(() => new Greedy('b', order))
    for (let n = 0; n < 200; n++) flooded.tell('note')
    await other.ask('note')
    expect(order.indexOf('b')).toBe(64)
  })

  it.each(['spin', 'spinLater'] as const)('lets timers in while fifty actors loop with %s', async (loop) => {
    const system = new ActorSystem({ log: new RecordedLog() })
    const actors = Array.from({ length: 50 }, () => new Looping())
    const refs: Ref<Looping>[] = actors.map((actor) => system.spawn(() => actor)[0])
    for (const ref of refs) ref.tell(loop)
    const allFired = deferred<void>()
    const turnsSoFar: number[] = []
    const arm = (): void => {
      systemClock.after(1, () => {
        turnsSoFar.push(actors.reduce((sum, { turns }) => sum + turns, 0))
        if (turnsSoFar.length < 20) arm()
        else allFired.resolve()
      })
    }
    arm()
    await allFired.promise
    for (const actor of actors) actor.isOver = true
    await system.stop()
    expect(Math.min(...actors.map(({ turns }) => turns))).toBeGreaterThan(10)
    expect(turnsSoFar.every((turns, index) => index === 0 || turns > (turnsSoFar[index - 1] as number))).toBe(true)
  })

  it('lets the event loop turn by count when the clock stands still', async () => {
    const system = new ActorSystem({ clock: new ManualClock(), log: new RecordedLog() })
    const actor = new Looping()
    const [ref] = system.spawn(() => actor)
    ref.tell('spin')
    await new Promise<void>((resolve) => systemClock.soon(resolve))
    actor.isOver = true
    await system.stop()
    expect(actor.turns).toBeGreaterThanOrEqual(1 << 16)
  })

  it('measures slow handlers one by one, also after many fast ones', async () => {
    const clock = new ManualClock()
    let nowMs = 0
    clock.monotonic = () => nowMs
    const system = new ActorSystem({ clock, log: new RecordedLog() })
    let loopTurns = 0
    class Mixed extends Actor {
      fast(): void {}
      slow(): number {
        nowMs += 4
        return loopTurns
      }
    }
    const [ref] = system.spawn(Mixed)
    await Promise.all(Array.from({ length: 100 }, () => ref.ask('fast')))
    await new Promise<void>((resolve) => systemClock.soon(() => systemClock.soon(resolve)))
    const asked = Array.from({ length: 12 }, () => ref.ask('slow'))
    const countTurn = (): void => {
      loopTurns++
      if (loopTurns < 20) systemClock.soon(countTurn)
    }
    systemClock.soon(countTurn)
    const perTurn = new Map<number, number>()
    for (const turn of await Promise.all(asked)) perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1)
    expect(Math.max(...perTurn.values())).toBeLessThanOrEqual(3)
  })
})
