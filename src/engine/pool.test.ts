import { describe, expect, it } from 'vitest'
import { ActorSystem } from '../actor/system.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import { systemClock } from '../lib/clock.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Pool, type PoolBounds } from './pool.ts'
import { TaskActor } from './task-actor.ts'
import type { AttemptResult, Task } from './task.ts'

class Mortal extends TaskActor {
  override Execute(message: { readonly task: Task }): Promise<void> | void {
    if ((message.task as Job).isDeadly) throw new RangeError('the actor broke')
    return super.Execute(message)
  }
}

class Job implements Task {
  readonly timeoutMs = undefined
  abandon: (() => void) | undefined
  readonly gate: Deferred<string> = deferred()
  readonly isDeadly: boolean
  results: AttemptResult[] = []
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

function makePool(bounds: PoolBounds): { pool: Pool; freed: () => number } {
  const clock = new ManualClock()
  const system = new ActorSystem({ name: 'test', clock, log: new RecordedLog() })
  let freed = 0
  const pool = new Pool({ ...bounds, system, clock, make: (work) => new Mortal(work), freed: () => void (freed += 1) })
  return { pool, freed: () => freed }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => systemClock.soon(resolve))
}

describe('a pool', () => {
  it('executes as many tasks at once as it may, and the rest in order', async () => {
    const { pool, freed } = makePool({ min: 1, max: 2 })
    const jobs = Array.from({ length: 4 }, () => new Job())
    expect(pool.room).toBe(2)
    for (const job of jobs) pool.execute(job)
    await turns()
    expect(jobs.map((job) => job.hasBegun)).toEqual([true, true, false, false])
    expect(pool.room).toBe(0)
    jobs[1]?.gate.resolve('b')
    await turns()
    expect(jobs.map((job) => job.hasBegun)).toEqual([true, true, true, false])
    expect(freed()).toBe(0)
    for (const job of jobs) job.gate.resolve('x')
    await turns()
    expect(jobs.map((job) => job.results)).toEqual(
      [['x'], ['b'], ['x'], ['x']].map(([value]) => [{ isError: false, value }]),
    )
    expect([pool.room, freed()]).toEqual([2, 2])
  })

  it('keeps places that are reserved', () => {
    const { pool } = makePool({ min: 1, max: 3 })
    pool.reserve(2)
    expect(pool.room).toBe(1)
    pool.reserve(2)
    expect(pool.room).toBe(0)
    pool.unreserve(4)
    expect(pool.room).toBe(3)
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
    expect(pool.room).toBe(1)
  })

  it('tells that there is room when an actor died and nothing waited', async () => {
    const { pool, freed } = makePool({ min: 1, max: 1 })
    pool.execute(new Job(true))
    await turns()
    expect([pool.room, freed()]).toEqual([1, 1])
  })
})
