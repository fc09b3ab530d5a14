// The mistakes known from other actor systems, each shown not to be made here.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Actor, ActorSystem, Message } from '../../src/actor.ts'
import type { Handle, Recipient, Ref, SpawnOptions } from '../../src/actor.ts'
import { deferred } from '../../src/lib/deferred.ts'
import type { Deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordedLog } from '../../src/testing/recorded-log.ts'
import { allBlocks } from '../docs/blocks.ts'

class WorkDone extends Message('WorkDone')<{ taskId: number; result: string }>() {}
class WorkFailed extends Message('WorkFailed')<{ taskId: number; error: string }>() {}
class Work extends Message('Work')<{ taskId: number; replyTo: Recipient<WorkDone> & Recipient<WorkFailed> }>() {}

/** The jobs that run outside, ended by the test. */
class Jobs {
  readonly running = new Map<number, Deferred<string>>()
  highest = 0

  run(taskId: number): Promise<string> {
    const job = deferred<string>()
    this.running.set(taskId, job)
    this.highest = Math.max(this.highest, this.running.size)
    return job.promise
  }

  end(taskId: number): Promise<void> {
    this.running.get(taskId)?.resolve(`result ${taskId}`)
    this.running.delete(taskId)
    return turns()
  }

  fail(taskId: number): Promise<void> {
    this.running.get(taskId)?.reject(new Error(`job ${taskId} broke`))
    this.running.delete(taskId)
    return turns()
  }
}

class Worker extends Actor {
  readonly #jobs: Jobs
  readonly #limit: number
  highest = 0
  constructor(jobs: Jobs, limit: number) {
    super()
    this.#jobs = jobs
    this.#limit = limit
  }
  Work({ taskId, replyTo }: Work): void {
    this.ctx.task(
      () => this.#jobs.run(taskId),
      (result) => replyTo.tell(new WorkDone({ taskId, result })),
      {
        limit: this.#limit,
        onError: (error) => replyTo.tell(new WorkFailed({ taskId, error: (error as Error).message })),
      },
    )
    this.highest = Math.max(this.highest, this.ctx.active)
  }
  active(): number {
    return this.ctx.active
  }
}

class Requester extends Actor {
  readonly seen: string[] = []
  request([worker, taskId]: [Ref<Worker>, number]): void {
    worker.tell(new Work({ taskId, replyTo: this.ctx.self }))
  }
  WorkDone({ taskId, result }: WorkDone): void {
    this.seen.push(`${taskId}: ${result}`)
  }
  WorkFailed({ taskId, error }: WorkFailed): void {
    this.seen.push(`${taskId}: ${error}`)
  }
}

function company(limit = 100, workerOptions: SpawnOptions = {}) {
  const clock = new ManualClock()
  const system = new ActorSystem({ clock, log: new RecordedLog() })
  const jobs = new Jobs()
  const worker = new Worker(jobs, limit)
  const requester = new Requester()
  const [workerRef, workerHandle] = system.spawn(() => worker, workerOptions)
  const [requesterRef, requesterHandle] = system.spawn(() => requester)
  const request = async (...taskIds: number[]): Promise<void> => {
    for (const taskId of taskIds) requesterRef.tell('request', [workerRef, taskId])
    await turns()
  }
  const active = () => workerRef.ask('active')
  return {
    clock,
    system,
    jobs,
    worker,
    requester,
    workerRef,
    workerHandle,
    requesterRef,
    requesterHandle,
    request,
    active,
  }
}

/** Does what a test needs of an actor that is not about work. */
class Plain extends Actor {
  readonly seen: string[] = []
  note(what: string): number {
    return this.seen.push(what)
  }
  async hold(gate: Promise<void>): Promise<string> {
    this.seen.push('hold begins')
    await gate
    this.seen.push('hold ends')
    return 'held'
  }
  boom(): void {
    throw new Error('boom')
  }
  signal(): AbortSignal {
    return this.ctx.signal
  }
  override stopped(): void {
    this.seen.push('stopped')
  }
}

function plain(options: SpawnOptions = {}) {
  const clock = new ManualClock()
  const system = new ActorSystem({ clock, log: new RecordedLog() })
  const actor = new Plain()
  const [ref, handle] = system.spawn(() => actor, options)
  const buried = () => system.deadLetters.recent.map(({ payload, reason }) => [payload, reason])
  return { clock, system, actor, ref, handle, buried }
}

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

async function isCollected(weak: WeakRef<object>): Promise<boolean> {
  for (let round = 0; round < 5 && weak.deref() !== undefined; round++) {
    await turns()
    collectGarbage()
  }
  return weak.deref() === undefined
}

describe('an actor that works in the background', () => {
  it('A1: active counts what is unsettled: five at once are five', async () => {
    const { jobs, worker, request, active, requester } = company()
    await request(0, 1, 2, 3, 4)
    expect([await active(), worker.highest]).toEqual([5, 5])
    const counts: number[] = []
    for (const taskId of [3, 0, 4, 1, 2]) {
      await jobs.end(taskId)
      counts.push(await active())
    }
    expect(counts).toEqual([4, 3, 2, 1, 0])
    expect(requester.seen.map((line) => line[0])).toEqual(['3', '0', '4', '1', '2'])
  })

  it('A2: no more jobs run at once than the limit allows, and the rest waits in order', async () => {
    const { jobs, request, requester } = company(2)
    await request(0, 1, 2, 3, 4)
    expect([...jobs.running.keys()]).toEqual([0, 1])
    for (let taskId = 0; taskId < 5; taskId++) await jobs.end(taskId)
    expect(requester.seen.length).toBe(5)
    expect(jobs.highest).toBe(2)
  })

  it('A2: beyond the limit the mailbox fills, and a sender is made to wait', async () => {
    const { jobs, request, workerRef, requesterRef } = company(1, { mailbox: 1 })
    await request(0, 1)
    const work = (taskId: number) => new Work({ taskId, replyTo: requesterRef })
    expect(workerRef.send(work(2))).toBe(undefined)
    const sent = workerRef.send(work(3))
    expect(workerRef.tell(work(4))).toBe(false)
    await jobs.end(0)
    await expect(sent).resolves.toBe(undefined)
  })

  it('A3: stop waits for the work that is in flight, its result included', async () => {
    const { jobs, request, requester, workerHandle } = company()
    await request(0, 1)
    const order: string[] = []
    const stopping = workerHandle.stop().then(({ kind }) => order.push(kind))
    await jobs.end(0)
    order.push('first ended')
    await jobs.end(1)
    await stopping
    expect(order).toEqual(['first ended', 'stopped'])
    expect(requester.seen).toEqual(['0: result 0', '1: result 1'])
  })

  it('A3: stop waits no longer than its deadline, then the work is aborted', async () => {
    const { clock, jobs, request, requester, workerHandle, workerRef } = company()
    await request(0)
    const stopping = workerHandle.stop({ within: '2s' })
    await clock.advance(2000)
    expect((await stopping).kind).toBe('killed')
    await jobs.end(0)
    expect(requester.seen).toEqual([])
    expect(workerRef.tell('active')).toBe(false)
  })

  it('A4: a task that fails answers with its error, and the others with their results', async () => {
    const { jobs, request, requester, active } = company()
    await request(0, 1, 2)
    await jobs.end(0)
    await jobs.fail(1)
    await jobs.end(2)
    expect(requester.seen).toEqual(['0: result 0', '1: job 1 broke', '2: result 2'])
    expect(await active()).toBe(0)
  })

  it('A5: a result that cannot be delivered is a dead letter with its task id', async () => {
    const { system, jobs, request, requesterHandle, active } = company()
    await request(7)
    await requesterHandle.stop()
    await jobs.end(7)
    expect(system.deadLetters.recent).toEqual([
      expect.objectContaining({
        actor: 'Requester(#2)',
        message: 'WorkDone',
        payload: expect.objectContaining({ taskId: 7, result: 'result 7' }) as unknown,
        reason: 'stopped',
      }),
    ])
    expect(await active()).toBe(0)
  })

  it('A6: every example about actors in the documentation is executed', () => {
    const examples = allBlocks().filter(({ file }) => file.startsWith('src/actor/'))
    expect(new Set(examples.map(({ file }) => file))).toContain('src/actor/actor.ts')
    expect(examples.filter(({ runs }) => !runs)).toEqual([])
  })
})

describe('an actor that has ended', () => {
  it('A7: is collected although it and another hold refs to each other', async () => {
    const leave = async () => {
      const { request, worker, requester, workerHandle, requesterHandle, jobs } = company()
      await request(0)
      await jobs.end(0)
      await Promise.all([workerHandle.stop(), requesterHandle.stop()])
      return [new WeakRef(worker), new WeakRef(requester)]
    }
    for (const weak of await leave()) expect(await isCollected(weak)).toBe(true)
  })

  it('A8: is collected although it held its own ref, children, timers and signal', async () => {
    class Selfish extends Plain {
      readonly own: unknown[] = []
      override started(): void {
        this.own.push(
          this.ctx.self,
          this.ctx.signal,
          this.ctx.spawn(Plain),
          this.ctx.every('1s', () => this.own.push(1)),
        )
      }
    }
    const clock = new ManualClock()
    const system = new ActorSystem({ clock, log: new RecordedLog() })
    const leave = async () => {
      const actor = new Selfish()
      const [, handle] = system.spawn(() => actor)
      await clock.advance(1000)
      await handle.stop()
      return new WeakRef(actor)
    }
    expect(await isCollected(await leave())).toBe(true)
    expect([system.metrics().actors, clock.armedTimers]).toEqual([0, 0])
  })
})

describe('the life of an actor', () => {
  it('A9: timers fire under load, also between messages without end', async () => {
    const clock = new ManualClock()
    class Flooded extends Actor {
      readonly ticks: number[] = []
      messages = 0
      override started(): void {
        this.ctx.every(10, () => this.ticks.push(clock.now()))
      }
      flood(): void {
        this.messages++
        this.ctx.self.tell('flood')
      }
    }
    const actor = new Flooded()
    const [ref, handle] = new ActorSystem({ clock, log: new RecordedLog() }).spawn(() => actor)
    ref.tell('flood')
    await clock.advance(35)
    const { messages, ticks } = actor
    await handle.kill()
    expect(ticks).toEqual([10, 20, 30])
    expect(messages).toBeGreaterThan(1000)
  })

  it('A10: stop resolves at the end, not when it is asked for', async () => {
    const { ref, handle, actor } = plain()
    const gate = deferred<void>()
    ref.tell('hold', gate.promise)
    ref.tell('note', 'accepted')
    let isOver = false
    const stopping = handle.stop().then(() => (isOver = true))
    await turns()
    expect(isOver).toBe(false)
    gate.resolve()
    await stopping
    expect(actor.seen).toEqual(['hold begins', 'hold ends', 'accepted', 'stopped'])
  })

  it('A10: kill aborts the signal and does not wait for the handler', async () => {
    const { ref, handle } = plain()
    const signal = await ref.ask('signal')
    ref.tell('hold', deferred<void>().promise)
    await turns()
    expect((await handle.kill()).kind).toBe('killed')
    expect(signal.reason).toMatchObject({ code: 'actor_killed' })
  })

  it('A10: a kill during a stop wins', async () => {
    const { ref, handle } = plain()
    ref.tell('hold', deferred<void>().promise)
    await turns()
    const stopping = handle.stop()
    void handle.kill()
    expect((await stopping).kind).toBe('killed')
  })

  it('A10: an actor that hangs in started can be killed, and stopped with a deadline', async () => {
    class Hanging extends Plain {
      override started(): Promise<void> {
        return deferred<void>().promise
      }
    }
    const clock = new ManualClock()
    const system = new ActorSystem({ clock, log: new RecordedLog() })
    const [[ref, first], [, second]] = [system.spawn(Hanging), system.spawn(Hanging)]
    const asked = expect(ref.ask('note', 'x')).rejects.toMatchObject({ code: 'actor_killed' })
    await turns()
    expect((await first.kill()).kind).toBe('killed')
    await asked
    const stopping = second.stop({ within: 100 })
    await clock.advance(100)
    expect((await stopping).kind).toBe('killed')
  })

  it('A11: a send into the own full mailbox and a cycle of asks are errors, not deadlocks', async () => {
    class Caller extends Plain {
      async sendToSelf(): Promise<void> {
        this.ctx.self.tell('note', 'fills')
        await this.ctx.self.send('note', 'waits for ever')
      }
      callBack(caller: Ref<Caller>): Promise<unknown> {
        return caller.ask('note', 'x')
      }
      call(other: Ref<Caller>): Promise<unknown> {
        return this.ctx.ask(other, 'callBack', this.ctx.self as Ref<Caller>)
      }
    }
    const system = new ActorSystem({ clock: new ManualClock(), log: new RecordedLog() })
    const [[a], [b]] = [system.spawn(Caller, { mailbox: 1 }), system.spawn(Caller, { mailbox: 1 })]
    await expect(a.ask('sendToSelf')).rejects.toMatchObject({
      code: 'deadlock',
      details: { cycle: 'Caller(#1) → Caller(#1)' },
    })
    await expect(a.ask('call', b)).rejects.toMatchObject({
      code: 'deadlock',
      details: { cycle: 'Caller(#2) → Caller(#1) → Caller(#2)' },
    })
  })
})

describe('an ask that timed out', () => {
  it('A12: may have been handled, and says so', async () => {
    const { clock, ref, actor } = plain()
    const gate = deferred<void>()
    const asked = ref.ask('hold', gate.promise, { timeout: 10 }).catch((error: unknown) => error)
    await clock.advance(10)
    expect(await asked).toMatchObject({
      code: 'ask_timeout',
      retryable: true,
      message:
        'Plain(#1) did not answer hold within 10ms; it may still have handled it. Make the message harmless to repeat, or give a longer timeout.',
    })
    gate.resolve()
    await turns()
    expect(actor.seen).toEqual(['hold begins', 'hold ends'])
  })

  it('A12: is not handled any more when it was still in the mailbox', async () => {
    const { clock, ref, actor, buried } = plain()
    const gate = deferred<void>()
    ref.tell('hold', gate.promise)
    const asked = ref.ask('note', 'late', { timeout: 10 }).catch(() => undefined)
    await clock.advance(10)
    await asked
    gate.resolve()
    await turns()
    expect([actor.seen, buried()]).toEqual([['hold begins', 'hold ends'], [['late', 'timeout']]])
  })
})

describe('messages', () => {
  it('A13: a flood of priority messages does not starve the mailbox', async () => {
    class Flooding extends Plain {
      urgent = 0
      flood(): void {
        this.urgent++
        this.ctx.self.tell('flood', undefined, { priority: true })
      }
      urgentSoFar(): number {
        return this.urgent
      }
    }
    const system = new ActorSystem({ clock: new ManualClock(), log: new RecordedLog() })
    const [ref, handle] = system.spawn(Flooding, { priority: true })
    ref.tell('flood', undefined, { priority: true })
    const first = await ref.ask('urgentSoFar')
    expect(first).toBeLessThanOrEqual(8)
    await handle.kill()
  })

  it.each(['stop', 'kill'] as const)(
    'A14: that were let in are handled or dead letters, exactly once, at a %s',
    async (end) => {
      const { system, ref, handle, actor, buried } = plain()
      const gate = deferred<void>()
      const letIn = [ref.tell('hold', gate.promise), ref.tell('note', 'a'), ref.tell('note', 'b')]
      await turns()
      const ending = handle[end]()
      const late = ref.tell('note', 'late')
      gate.resolve()
      await ending
      await turns()
      expect([letIn, late]).toEqual([[true, true, true], false])
      const notes = actor.seen.filter((what) => what === 'a' || what === 'b')
      expect(notes).toEqual(end === 'stop' ? ['a', 'b'] : [])
      expect(buried()).toEqual(
        end === 'stop'
          ? [['late', 'stopped']]
          : [
              [gate.promise, 'discarded'],
              ['a', 'discarded'],
              ['b', 'discarded'],
              ['late', 'stopped'],
            ],
      )
      const { processed, failed, deadLetters } = system.metrics()
      expect([processed, failed, deadLetters]).toEqual(end === 'stop' ? [3, 0, 1] : [0, 0, 4])
    },
  )

  it('A15: that threw or were cut off do not count as processed', async () => {
    const { system, ref, handle } = plain()
    await ref.ask('note', 'well')
    await ref.ask('boom').catch(() => undefined)
    expect(system.metrics()).toMatchObject({ processed: 1, failed: 1 })
    const gate = deferred<void>()
    ref.tell('hold', gate.promise)
    await turns()
    await handle.kill()
    gate.resolve()
    await turns()
    expect(system.metrics()).toMatchObject({ processed: 1, failed: 1, deadLetters: 1 })
  })
})

describe('the actor and those who ask it', () => {
  it('E1: an asker that gave up does not harm the actor, whether it returns or throws', async () => {
    for (const end of ['resolve', 'reject'] as const) {
      const { clock, ref } = plain()
      const gate = deferred<void>()
      const asked = ref.ask('hold', gate.promise, { timeout: 10 }).catch(() => 'gave up')
      await clock.advance(10)
      expect(await asked).toBe('gave up')
      if (end === 'resolve') gate.resolve()
      else gate.reject(new Error('nobody hears it'))
      expect(await ref.ask('note', 'alive')).toBeGreaterThan(0)
    }
  })

  it('E2: callers of an actor that is gone get a typed error, never an exception out of the blue', async () => {
    const ends: [string, (handle: Handle<Plain>, ref: Ref<Plain>) => unknown][] = [
      ['actor_stopped', (handle) => handle.stop()],
      ['actor_killed', (handle) => handle.kill()],
      ['actor_failed', (_, ref) => ref.tell('boom')],
    ]
    for (const [code, end] of ends) {
      const { ref, handle, system } = plain()
      end(handle, ref)
      await handle.done
      expect(ref.tell('note', 'x')).toBe(false)
      await expect(ref.send('note', 'x')).rejects.toMatchObject({ code, retryable: false })
      await expect(ref.ask('note', 'x')).rejects.toMatchObject({ code, details: { actor: 'Plain(#1)' } })
      expect(system.deadLetters.count).toBe(3)
    }
  })

  it('E3: an actor can be stopped and waited for, and a failure nobody asked about is seen', async () => {
    const { ref, handle } = plain()
    ref.tell('note', 'x')
    expect(await handle.stop()).toMatchObject({ kind: 'stopped', actor: { seen: ['x', 'stopped'] } })
    const log = new RecordedLog()
    const [broken, brokenHandle] = new ActorSystem({ log }).spawn(Plain)
    broken.tell('boom')
    expect(await brokenHandle.done).toMatchObject({ kind: 'failed', phase: 'handle', error: new Error('boom') })
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['error', 'Plain(#1) failed (handle boom): boom'],
    ])
  })

  it('E4: an ask has a timeout without being given one, waiting for room included', async () => {
    const { clock, ref } = plain({ mailbox: 1 })
    ref.tell('hold', deferred<void>().promise)
    await turns()
    ref.tell('note', 'fills the mailbox')
    const codes: unknown[] = []
    const asked = ref.ask('note', 'waits for room').catch((error: { code: string }) => codes.push(error.code))
    await clock.advance(29_000)
    expect(codes).toEqual([])
    await clock.advance(2000)
    await asked
    expect(codes).toEqual(['ask_timeout'])
  })

  it('E4: a send that waits for room ends when the actor does', async () => {
    const { ref, handle } = plain({ mailbox: 1 })
    ref.tell('hold', deferred<void>().promise)
    await turns()
    ref.tell('note', 'fills the mailbox')
    const sent = expect(ref.send('note', 'waits for room')).rejects.toMatchObject({ code: 'actor_killed' })
    await handle.kill()
    await sent
  })
})
