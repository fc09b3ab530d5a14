// ctx.answer: what a workflow is asked is answered once, whatever it does, wherever it runs, and whatever crashes.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { PermanentError, workflow, type RunHandle } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

/** Adds up what it is told and asked until it is told to stop. */
const sum = workflow('sum', {}, async (ctx) => {
  let total = 0
  ctx.answer('add', (n: number) => (total += n))
  ctx.answer('total', () => total)
  for (;;) {
    const told = await ctx.receive<number | 'stop'>('told')
    if (told === 'stop' || told === null) return total
    total += told
  }
})

const parked = (handle: RunHandle): Promise<boolean> =>
  eventually(async () => (await handle.status()).state === 'parked')

describe('a run answers', () => {
  it('while it is parked, woken for it and parked again', async () => {
    const { troupe } = await onStage({ definitions: [sum] })
    const handle = await troupe.call(sum)
    await parked(handle)
    expect(await handle.ask('add', 5)).toBe(5)
    await parked(handle)
    expect(await troupe.ask<number>(handle.id, 'add', 2)).toBe(7)
    expect(await handle.ask('total')).toBe(7)
    await handle.tell('told', 'stop')
    expect(await handle.result()).toBe(7)
    expect((await troupe.steps(handle.id)).map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'ask answer add',
      'answer answer add[answer]',
      'ask answer add#2',
      'answer answer add#2[answer]',
      'ask answer total',
      'answer answer total[answer]',
      'receive receive told',
    ])
  })

  it('while a step of it executes, and before it has begun', async () => {
    const gate = deferred<void>()
    const busy = workflow('busy', {}, async (ctx) => {
      ctx.answer('how', () => 'busy')
      await ctx.step('work', () => gate.promise)
    })
    const { troupe } = await onStage({ definitions: [busy] })
    const handle = await troupe.call(busy)
    expect(await handle.ask('how')).toBe('busy')
    expect((await handle.status()).state).toBe('running')
    gate.resolve()
    await handle.result()
    const store = storeFile()
    const client = await onStage({ definitions: [sum], store, starts: false, node: 'client' })
    const early = await client.troupe.call(sum)
    const answer = early.ask('add', 3)
    const node = await onStage({ definitions: [sum], store })
    expect(await moving(client.clock, answer)).toBe(3)
    await node.stop()
  })

  it('whoever asks in another process, while it executes and while it is parked', async () => {
    const store = storeFile()
    const gate = deferred<void>()
    const slow = workflow('slow', {}, async (ctx) => {
      ctx.answer('how', (who: string) => `fine, ${who}`)
      await ctx.step('work', () => gate.promise)
      await ctx.receive('stop')
    })
    const node = await onStage({ definitions: [slow], store })
    const other = await onStage({ store, starts: false, node: 'other' })
    const handle = await node.troupe.call(slow)
    await eventually(async () => (await handle.status()).state === 'running')
    const both = async <T>(promise: Promise<T>): Promise<T> => {
      const [value] = await Promise.all([moving(other.clock, promise), moving(node.clock, promise)])
      return value
    }
    expect(await both(other.troupe.ask(handle.id, 'how', 'ann'))).toBe('fine, ann')
    gate.resolve()
    await parked(handle)
    expect(await both(other.troupe.ask(handle.id, 'how', 'bob'))).toBe('fine, bob')
  })

  it('in one order with what it is told', async () => {
    const { troupe } = await onStage({ definitions: [sum] })
    const handle = await troupe.call(sum)
    await parked(handle)
    const seen: unknown[] = []
    const all: Promise<unknown>[] = []
    let expected = 0
    const totals: number[] = []
    for (let n = 1; n <= 30; n++) {
      all.push(handle.tell('told', n))
      if (n % 3 === 0) all.push(handle.ask('add', 1000 * n))
      expected += n + (n % 3 === 0 ? 1000 * n : 0)
      totals.push(expected)
      all.push(handle.ask('total').then((total) => seen.push(total)))
    }
    await Promise.all(all)
    expect(seen).toEqual(totals)
  })

  it('a thousand asks at once, without waiting for anything in between', async () => {
    const { troupe } = await onStage({ definitions: [sum] })
    const handle = await troupe.call(sum)
    await parked(handle)
    // No time passes here.
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => handle.ask('add', 1)))
    expect(answers.sort((left, right) => Number(left) - Number(right)).at(-1)).toBe(1_000)
  })

  it('by steps, which are done once, and after waiting', async () => {
    const done: number[] = []
    const shop = workflow('shop', {}, async (ctx) => {
      ctx.answer('buy', async (n: number, ctx) => {
        const receipt = await ctx.step('charge', () => {
          done.push(n)
          return `receipt ${n}`
        })
        await ctx.sleep('1m')
        return receipt
      })
      await ctx.receive('close')
    })
    const { troupe, clock } = await onStage({ definitions: [shop] })
    const handle = await troupe.call(shop)
    await parked(handle)
    const answers = [1, 2].map((n) => handle.ask('buy', n, { timeout: '1d' }))
    expect(await moving(clock, Promise.all(answers))).toEqual(['receipt 1', 'receipt 2'])
    expect(done).toEqual([1, 2])
  })

  it('with what its code makes of the payload, undefined too, and remembers what it was asked on resume', async () => {
    const store = storeFile()
    const first = await onStage({ definitions: [sum], store })
    const handle = await first.troupe.call(sum)
    await parked(handle)
    expect(await handle.ask('add', 4)).toBe(4)
    await handle.tell('told', 10)
    await first.stop()
    const second = await onStage({ definitions: [sum], store })
    expect(await second.troupe.ask(handle.id, 'total')).toBe(14)
    await second.troupe.tell(handle.id, 'told', 'stop')
    expect(await (await second.troupe.handle(handle.id)).result()).toBe(14)
  })

  it('before it ends, all that it has begun to answer', async () => {
    const gate = deferred<string>()
    const brief = workflow('brief', {}, async (ctx) => {
      ctx.answer('slow', (_: unknown, ctx) => ctx.step('wait', () => gate.promise))
      await ctx.receive('end')
      return 'ended'
    })
    const { troupe } = await onStage({ definitions: [brief] })
    const handle = await troupe.call(brief)
    const answer = handle.ask('slow')
    await eventually(async () => (await troupe.steps(handle.id)).length === 1)
    await handle.tell('end')
    await eventually(async () => (await troupe.steps(handle.id)).length === 2)
    await turns()
    expect((await handle.status()).state).toBe('running')
    gate.resolve('at last')
    expect(await answer).toBe('at last')
    expect(await handle.result()).toBe('ended')
  })

  it('in a turn of a loop until that ends, with nothing left of it in the journal', async () => {
    const rounds = workflow('rounds', {}, (ctx) =>
      ctx.loop('round', 1, async (round, ctx) => {
        ctx.answer('round', () => round)
        await ctx.receive('next')
        return round === 3 ? { done: 'over' } : { again: round + 1 }
      }),
    )
    const { troupe } = await onStage({ definitions: [rounds] })
    const handle = await troupe.call(rounds)
    for (const round of [1, 2, 3]) {
      await eventually(async () => (await handle.ask('round')) === round)
      await handle.tell('next')
    }
    expect(await handle.result()).toBe('over')
    const paths = (await troupe.steps(handle.id)).map(({ path }) => path)
    expect(paths.filter((path) => path.startsWith('round[1]') || path.startsWith('round[2]'))).toEqual([])
  })

  it('by what was said last of a name', async () => {
    const twice = workflow('twice', {}, async (ctx) => {
      ctx.answer('which', () => 'first')
      await ctx.receive('go')
      ctx.answer('which', () => 'second')
      await ctx.receive('go')
    })
    const { troupe } = await onStage({ definitions: [twice] })
    const handle = await troupe.call(twice)
    expect(await handle.ask('which')).toBe('first')
    await handle.tell('go')
    await eventually(async () => (await handle.ask('which')) === 'second')
    await parked(handle)
    expect(await handle.ask('which')).toBe('second')
  })

  it('what was asked and not begun, after it goes on as a new one', async () => {
    const gate = deferred<void>()
    const anew = workflow('anew', {}, async (ctx, life: number) => {
      ctx.answer('life', () => life)
      if (life === 2) return ctx.receive('end')
      await ctx.step('work', () => gate.promise)
      return ctx.continueAsNew(life + 1)
    })
    const { troupe } = await onStage({ definitions: [anew] })
    const handle = await troupe.call(anew, 1)
    expect(await handle.ask('life')).toBe(1)
    gate.resolve()
    await eventually(async () => (await handle.ask('life')) === 2)
    await handle.tell('end')
    await handle.result()
  })
})

describe('an ask fails', () => {
  it('with what the answer threw, and the run goes on', async () => {
    const strict = workflow('strict', {}, async (ctx) => {
      ctx.answer('check', (n: number) => {
        if (n > 3) throw new PermanentError(`${n} is too many`)
        return 'fine'
      })
      return ctx.receive('end')
    })
    const { troupe } = await onStage({ definitions: [strict] })
    const handle = await troupe.call(strict)
    const error = await rejection(handle.ask('check', 4))
    expect(error).toBeInstanceOf(PermanentError)
    expect(error.message).toBe('4 is too many')
    expect(await handle.ask('check', 3)).toBe('fine')
    await handle.tell('end', 'well')
    expect(await handle.result()).toBe('well')
  })

  it('when the run waits and has no answer of that name', async () => {
    const { troupe } = await onStage({ definitions: [sum] })
    const handle = await troupe.call(sum)
    await parked(handle)
    const error = await rejection(handle.ask('sum'))
    expect(error).toMatchObject({ code: 'answer_missing', details: { runId: handle.id, message: 'sum' } })
    expect(error.message).toBe(
      `Run ${handle.id} waits and has no answer to 'sum': let its code call ctx.answer('sum', …) before it first waits, or correct the name.`,
    )
  })

  it('when the run comes to wait without an answer of that name', async () => {
    const gate = deferred<void>()
    const mute = workflow('mute', {}, async (ctx) => {
      await ctx.step('work', () => gate.promise)
      await ctx.receive('end')
    })
    const { troupe, clock } = await onStage({ definitions: [mute] })
    const handle = await troupe.call(mute)
    const asked = rejection(handle.ask('how'))
    await turns()
    gate.resolve()
    await parked(handle)
    expect((await moving(clock, asked)).code).toBe('answer_missing')
  })

  it('when the run has ended, or ends before it answers', async () => {
    const gate = deferred<void>()
    const deaf = workflow('deaf', {}, (ctx) => ctx.step('work', () => gate.promise))
    const { troupe, clock } = await onStage({ definitions: [deaf] })
    const handle = await troupe.call(deaf)
    const asked = rejection(handle.ask('how'))
    await turns()
    gate.resolve()
    await handle.result()
    expect((await moving(clock, asked)).code).toBe('run_ended')
    expect((await rejection(handle.ask('how'))).message).toBe(
      `Run ${handle.id} has ended and answers 'how' no more: look at its result or its steps.`,
    )
  })

  it('when its time is up: what was not begun is not done any more, what was goes on', async () => {
    const gate = deferred<void>()
    const seen: number[] = []
    const slow = workflow('slow', {}, async (ctx) => {
      ctx.answer('note', (n: number, ctx) => ctx.step('note', () => gate.promise.then(() => seen.push(n))))
      await ctx.receive('end')
    })
    const store = storeFile()
    const client = await onStage({ definitions: [slow], store, starts: false, node: 'client' })
    const handle = await client.troupe.call(slow)
    const early = await moving(client.clock, rejection(handle.ask('note', 1, { timeout: '1s' })))
    expect(early).toMatchObject({ code: 'ask_timeout', details: { isBegun: false, timeoutMs: 1000 } })
    const node = await onStage({ definitions: [slow], store })
    const asked = rejection(node.troupe.ask(handle.id, 'note', 2, { timeout: '1s' }))
    await eventually(async () => (await node.troupe.steps(handle.id)).length === 1)
    expect(await moving(node.clock, asked)).toMatchObject({ code: 'ask_timeout', details: { isBegun: true } })
    gate.resolve()
    await node.troupe.tell(handle.id, 'end')
    await moving(node.clock, (await node.troupe.handle(handle.id)).result())
    expect(seen).toEqual([2])
  })

  it('when its payload does not fit: where it was asked, or by the run when that is elsewhere', async () => {
    const typed = workflow(
      'typed',
      { messages: { add: z.number(), twice: z.string().transform((text) => text + text) } },
      async (ctx) => {
        ctx.answer('add', (n) => n + 1)
        ctx.answer('twice', (text) => text)
        await ctx.receive('add')
      },
    )
    const store = storeFile()
    const node = await onStage({ definitions: [typed], store })
    const stranger = await onStage({ store, starts: false, node: 'stranger' })
    const handle = await node.troupe.call(typed)
    expect(await handle.ask('add', 1)).toBe(2)
    const both = <T>(promise: Promise<T>): Promise<T> => moving(stranger.clock, moving(node.clock, promise))
    for (const troupe of [node.troupe, stranger.troupe]) {
      const error = await both(rejection(troupe.ask(handle.id, 'add', 'x')))
      expect(error.code).toBe('validation_failed')
      expect(error.message).toContain(`Message 'add' to run ${handle.id} does not fit its schema`)
      expect(await both(troupe.ask(handle.id, 'twice', 'x'))).toBe('xx')
    }
    expect((await rejection(troupeAsk(node.troupe, handle.id, 'ad'))).code).toBe('message_unknown')
    expect((await both(rejection(stranger.troupe.ask(handle.id, 'ad')))).code).toBe('answer_missing')
  })

  it('of a run that is not there, with bad options, and when the engine stops', async () => {
    const gate = deferred<void>()
    const deaf = workflow('deaf', {}, (ctx) => ctx.step('work', () => gate.promise))
    const { troupe, stop } = await onStage({ definitions: [deaf] })
    expect((await rejection(troupe.ask('none', 'how'))).code).toBe('run_not_found')
    const handle = await troupe.call(deaf)
    expect((await rejection(handle.ask('how', 1, { timeout: 'soon' }))).code).toBe('option_invalid')
    expect((await rejection(handle.ask('how', (() => 1) as unknown))).code).toBe('value_not_storable')
    const asked = rejection(handle.ask('how'))
    await turns()
    await stop()
    expect((await asked).code).toBe('engine_stopped')
    gate.resolve()
  })
})

function troupeAsk(
  troupe: { ask(id: string, name: string): Promise<unknown> },
  id: string,
  name: string,
): Promise<unknown> {
  return troupe.ask(id, name)
}

describe('a declared answer', () => {
  const shop = workflow(
    'shop',
    {
      messages: { price: { payload: z.string(), reply: z.number().transform((cents) => cents / 100) }, stop: z.void() },
    },
    async (ctx) => {
      ctx.answer('price', (item) => (item === 'pen' ? ('free' as never) : item.length * 100))
      await ctx.receive('stop')
    },
  )

  it('is what its schema makes of it, and what that refuses is told to whoever asked', async () => {
    const { troupe, clock } = await onStage({ definitions: [shop] })
    const handle = await troupe.call(shop)
    expect(await handle.ask('price', 'book')).toBe(4)
    expect(await rejection(handle.ask('price', 'pen'))).toMatchObject({
      code: 'validation_failed',
      message: expect.stringContaining(`The answer of run ${handle.id} to 'price' does not fit its schema`) as string,
    })
    expect(await handle.ask('price', 'map')).toBe(3)
    await handle.tell('stop')
    await moving(clock, handle.result())
    const answers = (await troupe.steps(handle.id)).filter(({ kind }) => kind === 'answer')
    expect(answers.map(({ value, error }) => value ?? error?.name)).toEqual([4, 'ValidationError', 3])
  })

  it('is declared with schemas, and nothing beside them', () => {
    const declare = (price: unknown) => () => workflow('w', { messages: { price: price as never } }, () => 1)
    expect(declare({ reply: 5 })).toThrow("reply of message 'price' of 'w'")
    expect(declare({ reply: z.number(), payload: 5 })).toThrow("payload of message 'price' of 'w'")
    expect(declare({ reply: z.number(), paylaod: z.number() })).toThrow('paylaod')
  })
})
