import { describe, expect, it } from 'vitest'
import { ActorSystem } from '../../actor/system.ts'
import { deferred, type Deferred } from '../../lib/deferred.ts'
import { systemClock } from '../../lib/clock.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { RecordedLog } from '../../testing/recorded-log.ts'
import { Pool, type PoolBounds } from './pool.ts'
import { TaskActor } from './task-actor.ts'
import type { AttemptResult, Task } from './task.ts'

class Mortal extends TaskActor {
  override Execute(message: { readonly task: Task }): Promise<void> | void {
    ;(message.task as Job).actor = String(this.ctx.self)
    if ((message.task as Job).isDeadly) throw new RangeError('the actor broke')
    return super.Execute(message)
  }
}

class Job implements Task {
  readonly closing = undefined
  readonly timeoutMs = undefined
  abandon: (() => void) | undefined
  readonly gate: Deferred<string> = deferred()
  readonly isDeadly: boolean
  results: AttemptResult[] = []
  actor = ''
  hasBegun = false

  constructor(isDeadly = false) {
    this.isDeadly = isDeadly
  }

  get isOver(): boolean {
    return false
  }

  run(): unknown {
    this.hasBegun = true
    return this.gate.promise
  }

  timeOut(): Error {
    return new Error('never')
  }

  attempted(result: AttemptResult): void {
    this.results.push(result)
  }
}

function makePool(bounds: PoolBounds): { pool: Pool; freed: () => number; clock: ManualClock } {
  const clock = new ManualClock()
  const system = new ActorSystem({ name: 'test', clock, log: new RecordedLog() })
  let freed = 0
  const pool = new Pool({ ...bounds, system, clock, make: (work) => new Mortal(work), freed: () => void (freed += 1) })
  return { pool, freed: () => freed, clock }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => systemClock.soon(resolve))
}

describe('a pool', () => {
  it('executes as many tasks at once as it may, and the rest in order', async () => {
    const { pool, freed } = makePool({ min: 1, max: 2 })
    const jobs = Array.from({ length: 4 }, () => new Job())
    expect(pool.free).toBe(2)
    for (const job of jobs) pool.execute(job)
    await turns()
    expect(jobs.map((job) => job.hasBegun)).toEqual([true, true, false, false])
    expect(pool.free).toBe(0)
    jobs[1]?.gate.resolve('b')
    await turns()
    expect(jobs.map((job) => job.hasBegun)).toEqual([true, true, true, false])
    // So few wait that more may be claimed.
    expect(freed()).toBe(1)
    for (const job of jobs) job.gate.resolve('x')
    await turns()
    expect(jobs.map((job) => job.results)).toEqual(
      [['x'], ['b'], ['x'], ['x']].map(([value]) => [{ isError: false, value }]),
    )
    expect([pool.free, freed()]).toEqual([2, 4])
  })

  it('keeps places that are reserved', () => {
    const { pool } = makePool({ min: 1, max: 3 })
    pool.reserve(2)
    expect(pool.free).toBe(1)
    pool.reserve(2)
    expect(pool.free).toBe(0)
    pool.unreserve(4)
    expect(pool.free).toBe(3)
  })

  it('replaces an actor that dies: its task has failed, and the next one is executed', async () => {
    const { pool } = makePool({ min: 1, max: 1 })
    const deadly = new Job(true)
    const next = new Job()
    pool.execute(deadly)
    pool.execute(next)
    await turns()
    expect(deadly.results).toEqual([
      {
        isError: true,
        error: expect.objectContaining({ code: 'actor_failed', retryable: true, cause: expect.any(RangeError) }),
      },
    ])
    expect(next.hasBegun).toBe(true)
    next.gate.resolve('fine')
    await turns()
    expect(next.results).toEqual([{ isError: false, value: 'fine' }])
    expect(pool.free).toBe(1)
  })

  it('D6: gives a task to the actor that has been free for longest, never to a busy one while others are free', async () => {
    const { pool } = makePool({ min: 3, max: 3 })
    const slow = new Job()
    pool.execute(slow)
    const quick: Job[] = []
    for (let n = 0; n < 4; n++) {
      const job = new Job()
      quick.push(job)
      pool.execute(job)
      job.gate.resolve('quick')
      await turns()
    }
    expect([slow, ...quick].map(({ actor }) => actor)).toEqual([
      'Mortal(#1)',
      'Mortal(#2)',
      'Mortal(#3)',
      'Mortal(#2)',
      'Mortal(#3)',
    ])
    expect(quick.map(({ results }) => results.length)).toEqual([1, 1, 1, 1])
  })

  it('gives up what it did not need for half a minute, down to its least', async () => {
    const { pool, clock } = makePool({ min: 1, max: 5 })
    const jobs = Array.from({ length: 5 }, () => new Job())
    for (const job of jobs) pool.execute(job)
    await turns()
    for (const job of jobs.slice(2)) job.gate.resolve('done')
    await clock.advance(30_000)
    // All five were needed in that time.
    expect(pool.size).toBe(5)
    await clock.advance(30_000)
    expect([pool.size, pool.free]).toEqual([2, 3])
    for (const job of jobs) job.gate.resolve('done')
    await clock.advance(60_000)
    expect([pool.size, pool.free, clock.armedTimers]).toEqual([1, 5, 0])
    const again = new Job()
    pool.execute(again)
    again.gate.resolve('again')
    await turns()
    expect(again.results).toEqual([{ isError: false, value: 'again' }])
  })

  it('D14: has its least number of actors again when one died', async () => {
    const { pool } = makePool({ min: 2, max: 4 })
    pool.execute(new Job(true))
    await turns()
    expect([pool.size, pool.free]).toEqual([2, 4])
  })

  it('tells that there is room when an actor died and nothing waited', async () => {
    const { pool, freed } = makePool({ min: 1, max: 1 })
    pool.execute(new Job(true))
    await turns()
    expect([pool.free, freed()]).toEqual([1, 1])
  })
})
