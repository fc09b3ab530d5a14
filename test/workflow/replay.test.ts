// Resuming: the same winner, the same order, nothing said twice.
import { describe, expect, it } from 'vitest'
import { workflow, type WorkflowContext } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

/** Performs `body`, stops the engine after it, opens another on the same file and gives what each of the two saw. */
async function twice<T>(
  body: (ctx: WorkflowContext<void>, performed: number) => Promise<T>,
): Promise<{ seen: T[]; output: T }> {
  const store = storeFile()
  const seen: T[] = []
  let performed = 0
  const flow = workflow('flow', {}, async (ctx) => {
    performed += 1
    const mine = performed
    const result = await body(ctx, mine)
    seen.push(result)
    if (mine === 1) await deferred<void>().promise
    return result
  })
  const one = await onStage({ store, definitions: [flow] })
  const { id } = await one.troupe.call(flow)
  await eventually(async () => (await one.clock.advance(1), seen.length === 1))
  await turns()
  await one.stop()
  const two = await onStage({ store, definitions: [flow] })
  const output = (await (await two.troupe.handle(id)).result()) as T
  return { seen, output }
}

describe('on resume (I13)', () => {
  it('Promise.race is won by the same step, whatever the order they are asked for in', async () => {
    const { seen } = await twice(async (ctx) => {
      const gate = deferred<void>()
      const slow = ctx.step('slow', async () => (await gate.promise, 'slow'))
      const fast = ctx.step('fast', () => 'fast')
      const winner = await Promise.race([slow, fast])
      gate.resolve()
      return [winner, await slow, await fast]
    })
    expect(seen).toEqual([
      ['fast', 'slow', 'fast'],
      ['fast', 'slow', 'fast'],
    ])
  })

  it('a step inside of a map races a direct one to the same end', async () => {
    for (const wins of ['map', 'direct'] as const) {
      const { seen } = await twice(async (ctx) => {
        const gate = deferred<void>()
        const wait = async (who: string): Promise<string> => (wins === who ? who : (await gate.promise, who))
        const map = ctx.map('wrap', [1], (_item, ctx) => ctx.step('inner', () => wait('map'))).then(([value]) => value)
        const direct = ctx.step('direct', () => wait('direct'))
        const winner = await Promise.race(wins === 'map' ? [direct, map] : [map, direct])
        gate.resolve()
        await Promise.all([map, direct])
        return winner
      })
      expect(seen).toEqual([wins, wins])
    }
  })

  it('a race lost by a failing step is lost again', async () => {
    const { seen } = await twice(async (ctx) => {
      const gate = deferred<void>()
      const failing = ctx.step(
        'failing',
        async () => {
          await gate.promise
          throw new Error('late')
        },
        { retry: { attempts: 1 } },
      )
      const winner = await Promise.race([failing, ctx.step('fine', () => 'fine')])
      gate.resolve()
      const [settled] = await Promise.allSettled([failing])
      return `${winner} ${settled.status}`
    })
    expect(seen).toEqual(['fine rejected', 'fine rejected'])
  })

  it('allSettled and all give the same results', async () => {
    const { seen } = await twice(async (ctx) => {
      const failing = ctx.step(
        'failing',
        () => {
          throw new RangeError('no')
        },
        { retry: { attempts: 1 } },
      )
      const settled = await Promise.allSettled([ctx.step('a', () => 1), failing, ctx.sleep(1)])
      const all = await Promise.all(['x', 'y', 'z'].map((name) => ctx.step(name, () => name)))
      return [settled.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))), all]
    })
    expect(seen[0]).toEqual([
      [1, 'RangeError: no', undefined],
      ['x', 'y', 'z'],
    ])
    expect(seen[1]).toEqual(seen[0])
  })

  it('what followed from the first of two results is found before the second is given', async () => {
    const { seen } = await twice(async (ctx) => {
      const order: string[] = []
      const gate = deferred<void>()
      const slow = ctx.step('slow', () => gate.promise).then(() => void order.push('slow'))
      await ctx.step('fast', () => 1)
      order.push('fast')
      await ctx.step('next', () => 2)
      order.push('next')
      gate.resolve()
      await slow
      return order
    })
    expect(seen).toEqual([
      ['fast', 'next', 'slow'],
      ['fast', 'next', 'slow'],
    ])
  })

  it('the order holds when the code between two steps takes some turns of its own', async () => {
    const { seen } = await twice(async (ctx) => {
      const order: string[] = []
      const gate = deferred<void>()
      const slow = ctx.step('slow', () => gate.promise).then(() => void order.push('slow'))
      await ctx.step('fast', () => 1)
      await turns(5)
      await ctx.step('next', () => 2)
      order.push('next')
      gate.resolve()
      await slow
      return order
    })
    expect(seen).toEqual([
      ['next', 'slow'],
      ['next', 'slow'],
    ])
  })

  it('steps are recorded in the order in which they ended, and map in any', async () => {
    const gates = new Map(['a', 'b', 'c'].map((name) => [name, deferred<void>()]))
    const flow = workflow('flow', {}, (ctx) =>
      ctx.map('m', ['a', 'b', 'c'], (name, ctx) => ctx.step('s', async () => (await gates.get(name)?.promise, name)), {
        key: (name) => name,
      }),
    )
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    for (const [place, name] of ['c', 'a', 'b'].entries()) {
      gates.get(name)?.resolve()
      await eventually(async () => (await troupe.steps(handle.id)).length === place + 1)
    }
    expect(await handle.result()).toEqual(['a', 'b', 'c'])
    expect((await troupe.steps(handle.id)).map(({ path }) => path)).toEqual(['m[c]/s', 'm[a]/s', 'm[b]/s'])
  })
})

describe('what a run says', () => {
  const said = async (
    body: (ctx: WorkflowContext<void>) => Promise<void>,
  ): Promise<{ messages: unknown[]; lines: string[] }> => {
    const store = storeFile()
    let performed = 0
    const flow = workflow('flow', {}, async (ctx) => {
      performed += 1
      const mine = performed
      await body(ctx)
      if (mine === 1) await deferred<void>().promise
      ctx.emit('end')
    })
    const one = await onStage({ store, definitions: [flow] })
    const { id } = await one.troupe.call(flow)
    await eventually(async () => (await one.troupe.steps(id)).length === 2)
    await turns()
    await one.stop()
    const two = await onStage({ store, definitions: [flow] })
    const handle = await two.troupe.handle(id)
    await handle.result()
    const messages: unknown[] = []
    for await (const message of handle) messages.push(message)
    const lines = [one, two].flatMap(({ log }) =>
      log.lines.map(({ message }) => message).filter((line) => line.startsWith('[Worker:')),
    )
    return { messages, lines }
  }

  it('before a remembered step is not said again', async () => {
    const { messages, lines } = await said(async (ctx) => {
      ctx.emit(1)
      ctx.info('one')
      await ctx.step('a', () => ctx.emit('in a'))
      ctx.emit(2)
      await ctx.step('b', () => ctx.emit('in b'))
    })
    expect(messages).toEqual([1, 'in a', 2, 'in b', 'end'])
    expect(lines).toEqual([expect.stringMatching(/^\[Worker:flow run:[\w-]{36}\] one$/)])
  })

  it('before a remembered step is not said again after code that takes some turns of its own', async () => {
    const { messages } = await said(async (ctx) => {
      await ctx.step('a', () => 1)
      await turns(5)
      ctx.emit('between')
      await ctx.step('b', () => 2)
    })
    expect(messages).toEqual(['between', 'end'])
  })

  it('before a wait is not said again when nothing was remembered before it', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      ctx.emit('first')
      await ctx.sleep('1m')
      ctx.emit('second')
      await Promise.all([ctx.sleep('1m'), ctx.receive('go', { timeout: '2m' })])
      ctx.emit('third')
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await moving(clock, handle.result())
    const messages: unknown[] = []
    for await (const message of handle) messages.push(message)
    expect(messages).toEqual(['first', 'second', 'third'])
  })

  it('in a step whose attempt waited is said, whatever else the run waits for', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      const tried = ctx.step(
        'tried',
        ({ attempt }) => {
          ctx.emit(`attempt ${attempt}`)
          if (attempt === 1) throw new Error('not yet')
        },
        { retry: { attempts: 2, base: '1m', jitter: 0 } },
      )
      await Promise.all([tried, ctx.sleep('3m')])
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await moving(clock, handle.result())
    const messages: unknown[] = []
    for await (const message of handle) messages.push(message)
    expect(messages).toEqual(['attempt 1', 'attempt 2'])
  })

  it('in the items of a map is not said again', async () => {
    const { messages } = await said(async (ctx) => {
      await ctx.map(
        'm',
        ['x', 'y'],
        async (item, ctx) => {
          ctx.emit(`before ${item}`)
          await ctx.step('s', () => ctx.emit(`in ${item}`))
        },
        { concurrency: 1 },
      )
    })
    expect(messages).toEqual(['before x', 'in x', 'before y', 'in y', 'end'])
  })

  it('in a new step beside remembered ones is said', async () => {
    const store = storeFile()
    let performed = 0
    const flow = workflow('flow', {}, async (ctx) => {
      performed += 1
      const mine = performed
      const gate = deferred<void>()
      const open = ctx.step('open', async () => {
        if (mine === 1) await gate.promise
        ctx.emit('from open')
      })
      for (const name of ['a', 'b', 'c']) await ctx.step(name, () => 1)
      await open
    })
    const one = await onStage({ store, definitions: [flow], world: { leaseMs: 200 } })
    const { id } = await one.troupe.call(flow)
    await eventually(async () => (await one.troupe.steps(id)).length === 3)
    await one.stop()
    const two = await onStage({ store, definitions: [flow] })
    const handle = await two.troupe.handle(id)
    await handle.result()
    expect(await handle.recv()).toBe('from open')
  })
})

describe('an activation that is over', () => {
  it('is inert: its steps are not executed and its words are not heard', async () => {
    const after: string[] = []
    const gate = deferred<void>()
    const flow = workflow('flow', {}, async (ctx) => {
      await ctx.step('first', () => 1)
      await gate.promise
      ctx.emit('ghost')
      ctx.progress(1, 1)
      void ctx.step('second', () => after.push('step'))
      void ctx.map('items', [1, 2], () => after.push('item'))
      void ctx.sleep(1).then(() => after.push('slept'))
      await ctx.step('third', () => after.push('third'))
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await eventually(async () => (await troupe.steps(handle.id)).length === 1)
    expect(await handle.cancel('enough')).toBe(true)
    gate.resolve()
    await turns()
    await clock.advance(10)
    expect(after).toEqual([])
    expect(await handle.recv()).toBe(undefined)
    expect(await rejection(handle.result())).toMatchObject({ code: 'run_cancelled' })
  })
})
