import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import type { Deferred } from '../lib/deferred.ts'
import { testSystem } from '../testing/test-system.ts'
import { Actor } from './actor.ts'
import { ActorSystem } from './system.ts'
import { ManualClock } from '../testing/manual-clock.ts'

class Clerk extends Actor {
  #gate: Deferred<string> | undefined
  constructor(gate?: Deferred<string>) {
    super()
    this.#gate = gate
  }
  file(paper: string): string {
    if (paper === 'torn') throw new Error('torn')
    return `filed ${paper}`
  }
  hold(): Promise<string> {
    return this.#gate?.promise ?? Promise.resolve('')
  }
}

class Office extends Actor {
  hire(name: string): void {
    this.ctx.spawn(Clerk, { name })
  }
}

/** A system nobody inspects. */
function plainSystem() {
  const clock = new ManualClock()
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  return { clock, system: new ActorSystem({ clock, log: quiet }) }
}

describe('metrics', () => {
  it('count what was handled and what threw, also of actors that have ended', async () => {
    const { system, settle } = testSystem()
    const [first, firstHandle] = system.spawn(Clerk)
    const [second] = system.spawn(Clerk)
    await first.ask('file', 'a')
    await second.ask('file', 'b')
    await second.ask('file', 'torn').catch(() => undefined)
    await firstHandle.stop()
    first.tell('file', 'late')
    second.tell('file', 'torn')
    await settle()
    expect(system.metrics()).toMatchObject({ actors: 0, processed: 2, failed: 2, waiting: 0, deadLetters: 1 })
  })

  it('count what waits now and the most that ever waited', async () => {
    const { system, settle } = testSystem()
    const gate = deferred<string>()
    const [ref] = system.spawn(() => new Clerk(gate))
    ref.tell('hold')
    await settle()
    for (let n = 0; n < 7; n++) ref.tell('file', 'a')
    expect([system.metrics().waiting, system.metrics().highWater]).toEqual([7, 7])
    gate.resolve('')
    await settle()
    expect([system.metrics().waiting, system.metrics().highWater]).toEqual([0, 7])
  })

  it('time the first message of a system', async () => {
    const { system, clock } = plainSystem()
    const gate = deferred<string>()
    const [ref] = system.spawn(() => new Clerk(gate))
    const asked = ref.ask('hold')
    await clock.advance(40)
    gate.resolve('done')
    expect(await asked).toBe('done')
    for (let n = 0; n < 100; n++) await ref.ask('file', 'a')
    expect(system.metrics().latencyMs).toEqual({ count: 1, p50: 40, p90: 40, p99: 40, max: 40 })
  })

  it('time one message in 256 from then on', async () => {
    const { system } = plainSystem()
    const [ref] = system.spawn(Clerk)
    for (let n = 0; n <= 512; n++) await ref.ask('file', 'a')
    expect(system.metrics().latencyMs.count).toBe(3)
  })

  it('time one in 256 also while another system of the process is inspected, which times all', async () => {
    const { system } = plainSystem()
    const other = testSystem()
    const [ref] = system.spawn(Clerk)
    const [inspected] = other.system.spawn(Clerk)
    for (let n = 0; n < 512; n++) {
      await ref.ask('file', 'a')
      await inspected.ask('file', 'a')
    }
    expect([system.metrics().latencyMs.count, other.system.metrics().latencyMs.count]).toEqual([2, 512])
    await other.stop()
  })

  it('start the work of a lazy promise once, timed or not', async () => {
    const { system } = plainSystem()
    let started = 0
    class Lazy extends Actor {
      query(): PromiseLike<number> {
        return {
          then: (onValue, onError) => Promise.resolve(++started).then(onValue, onError),
        }
      }
    }
    const [ref] = system.spawn(Lazy)
    expect([await ref.ask('query'), await ref.ask('query')]).toEqual([1, 2])
  })
})

describe('the tree', () => {
  it('shows the living actors in start order, each with its children and its figures', async () => {
    const { system, settle } = testSystem()
    const [office] = system.spawn(Office, { name: 'office' })
    const [, other] = system.spawn(Clerk)
    office.tell('hire', 'ann')
    office.tell('hire', 'bo')
    await settle()
    await other.stop()
    const clerk = {
      state: 'alive',
      waiting: 0,
      highWater: 0,
      processed: 0,
      failed: 0,
      restarts: 0,
      active: 0,
      children: [],
    }
    expect(system.tree()).toEqual([
      {
        ...clerk,
        id: 1,
        actor: 'Office(#1)',
        name: 'office',
        highWater: 2,
        processed: 2,
        children: [
          { ...clerk, id: 3, actor: 'Clerk(#3)', name: 'ann' },
          { ...clerk, id: 4, actor: 'Clerk(#4)', name: 'bo' },
        ],
      },
    ])
  })

  it('tells what stage of its life an actor is in, and how often it was restarted', async () => {
    const { system, settle, advance } = testSystem()
    const gate = deferred<string>()
    const [held, handle] = system.spawn(() => new Clerk(gate))
    const [shaky] = system.spawn(Clerk, { restart: 'permanent', restarts: { backoff: { base: '1s' } } })
    held.tell('hold')
    shaky.tell('file', 'torn')
    await settle()
    void handle.stop()
    expect(system.tree().map(({ state, restarts, failed }) => [state, restarts, failed])).toEqual([
      ['draining', 0, 0],
      ['restarting', 0, 1],
    ])
    gate.resolve('')
    await advance('1m')
    expect(system.tree().map(({ state, restarts }) => [state, restarts])).toEqual([['alive', 1]])
  })
})
