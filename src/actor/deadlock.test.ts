import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { Context } from './context.ts'
import type { Ref } from './ref.ts'
import { ActorSystem } from './system.ts'

type Script = (ctx: Context) => unknown

/** Does what it is sent, as a handler of its own. */
class Node extends Actor {
  readonly seen: string[] = []
  async run(script: Script): Promise<unknown> {
    return script(this.ctx as unknown as Context)
  }
  runAtOnce(script: Script): unknown {
    return script(this.ctx as unknown as Context)
  }
  note(what: string): void {
    this.seen.push(what)
  }
  async hold(gate: Promise<unknown>): Promise<void> {
    await gate
  }
}

/** A handler that runs beside others, or hooks that do what they are given. */
class Beside extends Node {
  static readonly concurrent = { beside: 10 }
  async beside(script: Script): Promise<unknown> {
    return script(this.ctx as unknown as Context)
  }
}

function newNodes(count: number, options = {}) {
  const clock = new ManualClock()
  const system = new ActorSystem({ clock, log: new RecordedLog() })
  const spawned = Array.from({ length: count }, () => system.spawn(Node, options))
  const nodes = spawned.map(([ref]) => ref)
  const handles = spawned.map(([, handle]) => handle)
  const [a, b, c, d] = nodes as [Ref<Node>, Ref<Node>, Ref<Node>, Ref<Node>]
  return { clock, system, nodes, handles, a, b, c, d }
}

const turns = () => new Promise<void>((resolve) => new ManualClock().soon(resolve))

/** Asks the first, which asks the second, and so on; the last one's answer comes back. */
const along = ([next, ...rest]: readonly Ref<Node>[], options = {}): Script =>
  next === undefined ? () => 'end' : (ctx) => ctx.ask(next, 'run', along(rest, options), options)

const deadlockAlong = (cycle: string) =>
  expect.objectContaining({ code: 'deadlock', details: expect.objectContaining({ cycle }) as unknown }) as Error

describe('an ask that would close a cycle', () => {
  it('of one is rejected at once', async () => {
    const { a, system } = newNodes(1)
    await expect(a.ask('run', along([a]))).rejects.toMatchObject({
      code: 'deadlock',
      message:
        'Waiting for Node(#1) to take run would never end (Node(#1) → Node(#1)): use tell on one side, or let the answer come later with ctx.task(() => ref.ask(…), onResult).',
      details: { actor: 'Node(#1)', message: 'run', cycle: 'Node(#1) → Node(#1)' },
    })
    expect(system.deadLetters.recent.map(({ actor, operation, reason }) => [actor, operation, reason])).toEqual([
      ['Node(#1)', 'ask', 'deadlock'],
    ])
    expect(await a.ask('run', () => 'alive')).toBe('alive')
  })

  it.each([
    [2, 'Node(#2) → Node(#1) → Node(#2)'],
    [3, 'Node(#3) → Node(#1) → Node(#2) → Node(#3)'],
    [5, 'Node(#5) → Node(#1) → Node(#2) → Node(#3) → Node(#4) → Node(#5)'],
  ])('of %i is rejected with its path', async (count, cycle) => {
    const { nodes, a } = newNodes(count)
    await expect(a.ask('run', along([...nodes.slice(1), a]))).rejects.toEqual(deadlockAlong(cycle))
  })

  it('need not lead back to the first who asked', async () => {
    const { a, b, c } = newNodes(3)
    await expect(a.ask('run', along([b, c, b]))).rejects.toEqual(deadlockAlong('Node(#3) → Node(#2) → Node(#3)'))
  })

  it('is found through the priority lane too', async () => {
    const { a, b } = newNodes(2, { priority: true })
    await expect(a.ask('run', along([b, a], { priority: true }))).rejects.toEqual(
      deadlockAlong('Node(#2) → Node(#1) → Node(#2)'),
    )
  })

  it('is found when it is made by ref.ask before the first await, and by ctx.ask after one', async () => {
    const { a, b } = newNodes(2)
    const direct: Script = () => b.ask('run', () => a.ask('note', 'x'))
    await expect(a.ask('run', direct)).rejects.toEqual(deadlockAlong('Node(#2) → Node(#1) → Node(#2)'))
    const later: Script = async (ctx) => {
      await turns()
      return ctx.ask(b, 'run', async (inner: Context) => {
        await turns()
        return inner.ask(a, 'note', 'x')
      })
    }
    await expect(a.ask('run', later)).rejects.toEqual(deadlockAlong('Node(#2) → Node(#1) → Node(#2)'))
  })

  it('is found while the one it waits for has several asks under way', async () => {
    const { a, b, c, d } = newNodes(4)
    const gate = deferred<void>()
    const asked = a.ask('run', (ctx) => Promise.all([b, c, d].map((node) => ctx.ask(node, 'hold', gate.promise))))
    await turns()
    gate.resolve()
    await asked
    const closing = a.ask('run', (ctx) => Promise.all([ctx.ask(b, 'note', 'x'), ctx.ask(c, 'run', along([d, a]))]))
    await expect(closing).rejects.toEqual(deadlockAlong('Node(#4) → Node(#1) → Node(#3) → Node(#4)'))
  })

  it('is found as long as one of two equal asks is under way', async () => {
    const { a, b } = newNodes(2)
    const asked = a.ask('run', (ctx) =>
      Promise.allSettled([ctx.ask(b, 'note', 'first'), ctx.ask(b, 'run', along([a]))]),
    )
    expect(await asked).toEqual([
      { status: 'fulfilled', value: undefined },
      { status: 'rejected', reason: deadlockAlong('Node(#2) → Node(#1) → Node(#2)') },
    ])
  })

  it.each(['started', 'idle'] as const)('is found in %s', async (hook) => {
    const { a, system } = newNodes(1)
    const asked = deferred<unknown>()
    class Hooked extends Node {
      override started(): unknown {
        return hook === 'started' ? this.#askBack() : undefined
      }
      override idle(): unknown {
        return hook === 'idle' ? this.#askBack() : undefined
      }
      #askBack(): Promise<unknown> {
        const self = this.ctx.self as unknown as Ref<Node>
        asked.resolve(this.ctx.ask(a, 'run', along([self])).catch((error: unknown) => error))
        return asked.promise
      }
    }
    const [hooked] = system.spawn(Hooked)
    hooked.tell('note', 'x')
    expect(await asked.promise).toEqual(deadlockAlong('Node(#1) → Hooked(#2) → Node(#1)'))
  })

  it('is found in a timer', async () => {
    const { a, b, clock } = newNodes(2)
    const asked = deferred<unknown>()
    await a.ask('run', (ctx) => {
      ctx.after(10, async () => asked.resolve(await ctx.ask(b, 'run', along([a])).catch((error: unknown) => error)))
    })
    await clock.advance(10)
    expect(await asked.promise).toEqual(deadlockAlong('Node(#2) → Node(#1) → Node(#2)'))
  })

  it('fails like any other in stopped: the door is closed', async () => {
    const { a, system } = newNodes(1)
    const asked = deferred<unknown>()
    class Leaving extends Node {
      override async stopped(): Promise<void> {
        const self = this.ctx.self as unknown as Ref<Node>
        asked.resolve(await this.ctx.ask(a, 'run', along([self])).catch((error: unknown) => error))
      }
    }
    const [, handle] = system.spawn(Leaving)
    expect((await handle.stop()).kind).toBe('stopped')
    expect(await asked.promise).toMatchObject({ code: 'actor_stopped', details: { actor: 'Leaving(#2)' } })
  })
})

describe('a send that would wait for ever', () => {
  it('into the full mailbox of its own actor is rejected', async () => {
    const { a, system } = newNodes(1, { mailbox: 1 })
    const script: Script = async (ctx) => {
      const self = ctx.self as unknown as Ref<Node>
      expect(self.send('note', 'fits')).toBe(undefined)
      await self.send('note', 'does not fit')
    }
    await expect(a.ask('run', script)).rejects.toEqual(deadlockAlong('Node(#1) → Node(#1)'))
    expect(system.deadLetters.recent.map(({ payload, operation, reason }) => [payload, operation, reason])).toEqual([
      ['does not fit', 'send', 'deadlock'],
    ])
  })

  it('into the full mailbox of one that sends into the full mailbox of the first is rejected', async () => {
    const { a, b, handles } = newNodes(2, { mailbox: 1 })
    const twoTo =
      (to: Ref<Node>): Script =>
      () =>
        Promise.all([to.send('note', 'first'), to.send('note', 'second')])
    const fillThen =
      (own: Ref<Node>, script: Script): Script =>
      (ctx) => {
        own.tell('note', 'fills')
        return script(ctx)
      }
    // The first of a's two finds room as soon as b begins; the second waits behind it.
    const outcomes = await Promise.allSettled([
      a.ask('run', fillThen(a, twoTo(b))),
      b.ask('run', (ctx) => twoTo(a)(ctx)),
    ])
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: [undefined, undefined] },
      { status: 'rejected', reason: deadlockAlong('Node(#2) → Node(#1) → Node(#2)') },
    ])
    const results = await Promise.all(handles.map((handle) => handle.stop()))
    expect(results.map(({ actor }) => actor?.seen)).toEqual([['fills'], ['first', 'second']])
  })

  it('to one that asks the first is rejected, and the other way round', async () => {
    const { a, b } = newNodes(2, { mailbox: 1 })
    const sending = Promise.allSettled([
      a.ask('run', () => Promise.all([b.send('note', 'first'), b.send('note', 'second')])),
      b.ask('run', along([a])),
    ])
    expect((await sending)[1]).toEqual({
      status: 'rejected',
      reason: deadlockAlong('Node(#2) → Node(#1) → Node(#2)'),
    })
  })

  it('is no cycle any more once there was room', async () => {
    const { a, b } = newNodes(2, { mailbox: 1 })
    const gate = deferred<void>()
    const asked = a.ask('run', async (ctx) => {
      await Promise.all([b.send('note', 'first'), b.send('note', 'second')])
      await gate.promise
      return ctx.self.id
    })
    await turns()
    const back = b.ask('run', along([a]))
    await turns()
    gate.resolve()
    expect(await Promise.all([asked, back])).toEqual([1, 'end'])
  })
})

describe('no alarm is raised', () => {
  it('and none of 40,000 asks of one handler costs more than one of few', async () => {
    const { a, system } = newNodes(1)
    const [b] = system.spawn(Node, { mailbox: 50_000 })
    const fan = (count: number): Script => {
      return (ctx) => Promise.all(Array.from({ length: count }, () => ctx.ask(b, 'note', '')))
    }
    const msOf = async (count: number): Promise<number> => {
      const startedAt = process.hrtime.bigint()
      await a.ask('run', fan(count), { timeout: '1h' })
      return Number(process.hrtime.bigint() - startedAt) / 1e6
    }
    await msOf(4000)
    expect(await msOf(40_000)).toBeLessThan(40 * (await msOf(4000)) + 200)
  })

  it('by a chain, by a diamond, or by a tell back', async () => {
    const { a, b, c, d } = newNodes(4)
    expect(await a.ask('run', along([b, c, d]))).toBe('end')
    const diamond = a.ask('run', (ctx) => Promise.all([b, c].map((node) => ctx.ask(node, 'run', along([d])))))
    expect(await diamond).toEqual(['end', 'end'])
    const told = a.ask('run', (ctx) => ctx.ask(b, 'run', () => a.tell('note', 'told back')))
    expect(await told).toBe(true)
  })

  it('once the answer is there, though the handler still runs', async () => {
    const { a, b } = newNodes(2)
    const gate = deferred<void>()
    const asked = a.ask('run', async (ctx) => {
      await Promise.all([ctx.ask(b, 'note', 'x'), ctx.ask(b, 'note', 'y')])
      await gate.promise
      return 'a ends'
    })
    await turns()
    const back = b.ask('run', along([a]))
    await turns()
    gate.resolve()
    expect(await Promise.all([asked, back])).toEqual(['a ends', 'end'])
  })

  it('for an ask that timed out', async () => {
    const { a, b, clock } = newNodes(2)
    const [toB, toA] = [deferred<void>(), deferred<void>()]
    const asked = a.ask('run', async (ctx) => {
      const answer = ctx.ask(b, 'hold', toB.promise, { timeout: 10 }).catch((error: unknown) => error)
      const outcome = await answer
      await toA.promise
      return outcome
    })
    await clock.advance(10)
    toB.resolve()
    const back = b.ask('run', along([a]))
    await turns()
    toA.resolve()
    expect(await asked).toMatchObject({ code: 'ask_timeout' })
    expect(await back).toBe('end')
  })

  it('for asks from outside, whoever they are between', async () => {
    const { a, b } = newNodes(2)
    const gate = deferred<void>()
    const asked = [a, b, a].map((node) => node.ask('hold', gate.promise))
    await turns()
    asked.push(a.ask('note', 'x'), b.ask('note', 'y'))
    gate.resolve()
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(Array(5).fill('fulfilled'))
  })

  it('for a ref.ask after an await: it only times out', async () => {
    const { a, b, clock } = newNodes(2)
    const asked = a.ask('run', async () => {
      await undefined
      return b.ask('run', along([a], { timeout: 10 }))
    })
    const outcome = asked.catch((error: unknown) => error)
    await clock.advance(10)
    expect(await outcome).toMatchObject({ code: 'ask_timeout', details: { actor: 'Node(#1)' } })
  })

  it('for what a task of the handler asks, at once or later', async () => {
    const { a, b } = newNodes(2)
    const gate = deferred<void>()
    const results: unknown[] = []
    const asked = a.ask('run', async (ctx) => {
      ctx.task(
        () => ctx.ask(b, 'run', along([a])),
        (result) => results.push(result),
      )
      ctx.task(
        async () => {
          await undefined
          return ctx.ask(b, 'run', along([a]))
        },
        (result) => results.push(result),
      )
      await gate.promise
      return 'a ends'
    })
    await turns()
    gate.resolve()
    expect(await asked).toBe('a ends')
    await turns()
    expect(results).toEqual(['end', 'end'])
  })

  it('for a handler that has ended without waiting for the answer', async () => {
    const { a, b } = newNodes(2)
    const answers: unknown[] = []
    await a.ask('runAtOnce', (ctx) => ctx.pipe(ctx.ask(b, 'run', along([a])), (answer) => answers.push(answer)))
    await turns()
    expect(answers).toEqual(['end'])
  })

  it('for an answer that is piped and comes after the handler has gone on', async () => {
    const { a, b } = newNodes(2)
    const gate = deferred<void>()
    const seen: unknown[] = []
    const piping = a.ask('run', async (ctx) => {
      ctx.pipe(b.ask('run', along([a])), (answer) => seen.push(answer))
      await gate.promise
    })
    await turns()
    gate.resolve()
    await piping
    await turns()
    expect(seen).toEqual(['end'])
  })

  it('for handlers that run beside others', async () => {
    const { a, system } = newNodes(1)
    const [beside] = system.spawn(Beside)
    const back: Script = (ctx) => ctx.ask(beside, 'beside', () => 'beside')
    expect(await beside.ask('beside', (ctx) => ctx.ask(a, 'run', back))).toBe('beside')
    expect(await beside.ask('beside', (ctx) => ctx.ask(beside, 'note', 'self'))).toBe(undefined)
  })

  it('for one that waits for a handler beside others, which nothing holds up', async () => {
    const { a, b, system } = newNodes(2)
    const [beside] = system.spawn(Beside)
    const gate = deferred<void>()
    const waits = a.ask('run', (ctx) => ctx.ask(beside, 'beside', () => gate.promise))
    await turns()
    const back = beside.ask('run', (ctx) => ctx.ask(a, 'note', 'back'))
    await turns()
    gate.resolve()
    await waits
    await back
    expect(await b.ask('run', () => 'free')).toBe('free')
  })

  it('for one that was killed while it waited', async () => {
    const { a, b, handles } = newNodes(2)
    const gate = deferred<void>()
    const asked = expect(a.ask('run', (ctx) => ctx.ask(b, 'hold', gate.promise))).rejects.toMatchObject({
      code: 'actor_killed',
    })
    await turns()
    const back = expect(b.ask('run', along([a]))).rejects.toMatchObject({ code: 'actor_killed' })
    await handles[0]?.kill()
    gate.resolve()
    await Promise.all([asked, back])
  })

  it('for what stopped asks the one whose handler killed it', async () => {
    const { a, system } = newNodes(1)
    const asked = deferred<unknown>()
    class Killed extends Node {
      override stopped(): void {
        asked.resolve(this.ctx.ask(a, 'run', () => 'answered').catch((error: unknown) => error))
      }
    }
    const [, handle] = system.spawn(Killed)
    await a.ask('run', () => void handle.kill())
    expect(await asked.promise).toBe('answered')
  })
})
