// What a run remembers: each step once, its value as it was stored, under a path that stays.
import { describe, expect, it } from 'vitest'
import { PermanentError, workflow, type WorkflowHandler } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

class CardError extends Error {
  override readonly name = 'CardError'
  readonly code = 'E_CARD'
}

const values = (): Record<string, unknown> => ({
  date: new Date(0),
  map: new Map([['a', 1n]]),
  set: new Set([1, 2]),
  big: 2n ** 70n,
  minusZero: -0,
  nothing: undefined,
  nan: Number.NaN,
  bytes: new Uint8Array([1, 2, 3]),
  text: '\u0000ü\ud83d\ude00',
  deep: { list: [undefined, null, { at: new Date(5) }] },
})

describe('a step', () => {
  it('is executed once, and remembered when the engine is stopped and opened again', async () => {
    const store = storeFile()
    const calls: string[] = []
    const gates = [deferred<void>(), deferred<void>()]
    const order = workflow('order', {}, async (ctx, amount: number) => {
      const first = await ctx.step('first', () => (calls.push('first'), amount + 1))
      await gates.shift()?.promise
      const second = await ctx.step('second', () => (calls.push('second'), first * 10))
      return { first, second }
    })
    const one = await onStage({ store, definitions: [order] })
    const { id } = await one.troupe.call(order, 1)
    await eventually(async () => (await one.troupe.steps(id)).length === 1)
    await one.stop()

    gates[0]?.resolve()
    const two = await onStage({ store, definitions: [order] })
    const handle = await two.troupe.handle(id)
    expect(await handle.result()).toEqual({ first: 2, second: 20 })
    expect(calls).toEqual(['first', 'second'])
    expect(await two.troupe.steps(id)).toMatchObject([
      { path: 'first', kind: 'step', attempt: 1, value: 2 },
      { path: 'second', kind: 'step', attempt: 1, value: 20 },
    ])
  })

  it('is remembered by the node that takes over when the lease of the first ran out', async () => {
    const store = storeFile()
    const calls: string[] = []
    let performed = 0
    const order = workflow('order', {}, async (ctx) => {
      performed += 1
      const first = await ctx.step('first', () => (calls.push('first'), 'one'))
      if (performed === 1) await deferred<void>().promise
      return `${first} ${await ctx.step('second', () => (calls.push('second'), 'two'))}`
    })
    const lost = await onStage({ store, definitions: [order], world: { leaseMs: 200 } })
    const { id } = await lost.troupe.call(order)
    await eventually(async () => (await lost.troupe.steps(id)).length === 1)

    const heir = await onStage({ store, definitions: [order], clock: new ManualClock(1_201), world: { leaseMs: 200 } })
    expect(await (await heir.troupe.handle(id)).result()).toBe('one two')
    expect(calls).toEqual(['first', 'second'])
  })

  it('gives the stored value the first time as on resume (I17)', async () => {
    const store = storeFile()
    const seen: unknown[] = []
    const own: unknown[] = []
    let performed = 0
    const keep = workflow('keep', {}, async (ctx) => {
      performed += 1
      const value = await ctx.step('values', () => {
        const made = values()
        own.push(made)
        return made
      })
      const nothing = await ctx.step('undefined', () => undefined)
      const zero = await ctx.step('zero', () => -0)
      seen.push({ value, nothing, zero })
      if (performed === 1) await deferred<void>().promise
      return { value, nothing, zero }
    })
    const one = await onStage({ store, definitions: [keep] })
    const { id } = await one.troupe.call(keep)
    await eventually(() => seen.length === 1)
    await one.stop()
    const two = await onStage({ store, definitions: [keep] })
    const output = await (await two.troupe.handle(id)).result()
    const expected = { value: values(), nothing: undefined, zero: -0 }
    expect(seen).toStrictEqual([expected, expected])
    expect(output).toStrictEqual(expected)
    expect(own).toHaveLength(1)
    expect((seen[0] as { value: unknown }).value).not.toBe(own[0])
  })

  it('gives an error with its class and code the first time as on resume (I17)', async () => {
    const store = storeFile()
    const caught: Error[] = []
    let performed = 0
    const fail = workflow('fail', {}, async (ctx) => {
      performed += 1
      const failures = {
        permanent: new PermanentError('stolen', { details: { card: '42' } }),
        range: new RangeError('too far', { cause: new TypeError('inner') }),
        card: new CardError('declined'),
      }
      for (const [name, error] of Object.entries(failures)) {
        await ctx
          .step(
            name,
            () => {
              throw error
            },
            { retry: { attempts: 1 } },
          )
          .catch((reason: Error) => void caught.push(reason))
      }
      if (performed === 1) await deferred<void>().promise
    })
    const one = await onStage({ store, definitions: [fail] })
    const { id } = await one.troupe.call(fail)
    await eventually(() => caught.length === 3)
    await one.stop()
    const two = await onStage({ store, definitions: [fail] })
    await (await two.troupe.handle(id)).result()
    expect(caught).toHaveLength(6)
    for (const [permanent, range, card] of [caught.slice(0, 3), caught.slice(3)]) {
      expect(permanent).toBeInstanceOf(PermanentError)
      expect(permanent).toMatchObject({
        message: 'stolen',
        code: 'permanent',
        retryable: false,
        details: { card: '42' },
      })
      expect(range).toBeInstanceOf(RangeError)
      expect(range?.cause).toBeInstanceOf(TypeError)
      expect(card).toMatchObject({ name: 'CardError', code: 'E_CARD', message: 'declined' })
    }
  })

  it('keeps what was thrown that is not an error', async () => {
    const odd = workflow('odd', {}, async (ctx) => {
      const told: string[] = []
      for (const [name, thrown] of [
        ['text', 'just text'],
        ['null', null],
        ['number', 7],
      ] as const) {
        await ctx
          .step(
            name,
            () => {
              throw thrown
            },
            { retry: { attempts: 1 } },
          )
          .catch((error: unknown) => told.push(error instanceof Error ? error.message : 'not an error'))
      }
      return told
    })
    const { troupe } = await onStage({ definitions: [odd] })
    expect(await troupe.run(odd)).toEqual(['just text', 'Thrown value: null', 'Thrown value: 7'])
  })

  it('fails when what it threw cannot be written as text', async () => {
    const odd = workflow('odd', {}, (ctx) =>
      ctx
        .step(
          'bare',
          () => {
            throw Object.create(null)
          },
          { retry: { attempts: 1 } },
        )
        .catch((error: Error) => error instanceof Error),
    )
    const { troupe } = await onStage({ definitions: [odd] })
    expect(await troupe.run(odd)).toBe(true)
  })

  it('passes a key that is the same for every attempt', async () => {
    const keys: string[] = []
    const keyed = workflow('keyed', {}, async (ctx) => {
      await ctx.step(
        'pay',
        ({ idempotencyKey, attempt }) => {
          keys.push(`${attempt} ${idempotencyKey}`)
          if (attempt < 3) throw new Error('again')
        },
        { retry: { backoff: 'none' } },
      )
      return ctx.runId
    })
    const { troupe, clock } = await onStage({ definitions: [keyed] })
    const handle = await troupe.call(keyed)
    await eventually(async () => (await clock.advance(0), keys.length === 3))
    expect(keys).toEqual([`1 ${handle.id}/pay`, `2 ${handle.id}/pay`, `3 ${handle.id}/pay`])
  })

  it('rejects a result that cannot be stored, once, and names it', async () => {
    let calls = 0
    const odd = workflow('odd', {}, (ctx) => ctx.step('odd', (): unknown => (calls++, { fn: () => 1 })))
    const large = workflow('large', {}, (ctx) => ctx.step('large', () => (calls++, 'x'.repeat(1_048_577))))
    const { troupe } = await onStage({ definitions: [odd, large] })
    expect(await rejection(troupe.run(odd))).toMatchObject({
      code: 'value_not_storable',
      message:
        "result of step 'odd'.fn is a function, which cannot be stored: leave it out, or store a name that stands for it.",
    })
    expect(await rejection(troupe.run(large))).toMatchObject({
      code: 'value_too_large',
      details: { bytes: 1_048_580, maxBytes: 1_048_576 },
    })
    expect(calls).toBe(2)
  })

  it('does not harm the process when it fails before anyone awaits it', async () => {
    const late = workflow('late', {}, async (ctx) => {
      const failing = ctx.step(
        'failing',
        () => {
          throw new Error('early')
        },
        { retry: { attempts: 1 } },
      )
      await ctx.step('other', () => 1)
      await ctx.step('another', () => 1)
      return failing.catch((error: Error) => `caught ${error.message}`)
    })
    const { troupe } = await onStage({ definitions: [late] })
    expect(await troupe.run(late)).toBe('caught early')
  })

  it('is refused without a function or a name', async () => {
    const nameless = workflow('nameless', {}, async (ctx) => ctx.step('', () => 1))
    const functionless = workflow('functionless', {}, async (ctx) => ctx.step('a', 5 as never))
    const { troupe } = await onStage({ definitions: [nameless, functionless] })
    expect(await rejection(troupe.run(nameless))).toMatchObject({ code: 'option_invalid' })
    expect(await rejection(troupe.run(functionless))).toMatchObject({ code: 'definition_invalid' })
  })
})

describe('a step name', () => {
  const paths = async (handler: WorkflowHandler<void, unknown>): Promise<string[]> => {
    const named = workflow('named', {}, handler)
    const { troupe } = await onStage({ definitions: [named] })
    const handle = await troupe.call(named)
    await handle.result()
    return (await troupe.steps(handle.id)).map(({ path }) => path)
  }

  it('may be used again one after the other, and is counted', async () => {
    expect(
      await paths(async (ctx) => {
        for (let turn = 0; turn < 3; turn++) await ctx.step('poll', () => turn)
      }),
    ).toEqual(['poll', 'poll#2', 'poll#3'])
  })

  it('is taken while the first is under way', async () => {
    const gate = deferred<void>()
    const twice = workflow('twice', {}, async (ctx) => {
      const first = ctx.step('same', () => gate.promise)
      const second = await ctx.step('same', () => 2).catch((error: { code: string; details: unknown }) => error)
      gate.resolve()
      await first
      return { code: (second as { code: string }).code, details: (second as { details: unknown }).details }
    })
    const { troupe } = await onStage({ definitions: [twice] })
    expect(await troupe.run(twice)).toEqual({ code: 'step_name_taken', details: { path: 'same' } })
  })

  it('has the characters of paths escaped', async () => {
    expect(
      await paths(async (ctx) => {
        await ctx.step('a/b', () => 1)
        await ctx.step('a[b]', () => 1)
        await ctx.step('a#2', () => 1)
        await ctx.step('a\\', () => 1)
        await ctx.map('m/', ['x]/y'], (_item, ctx) => ctx.step('s', () => 1), { key: (item) => item })
      }),
    ).toEqual(['a\\/b', 'a\\[b\\]', 'a\\#2', 'a\\\\', 'm\\/[x\\]\\/y]/s'])
  })

  it('that looks like a repeated one is told apart from it', async () => {
    expect(
      await paths(async (ctx) => {
        await ctx.step('a', () => 1)
        await ctx.step('a#2', () => 2)
        await ctx.step('a', () => 3)
      }),
    ).toEqual(['a', 'a\\#2', 'a#2'])
  })

  it('that was a sleep before is a mismatch, where runs are not set aside for it (I13)', async () => {
    const store = storeFile()
    let isChanged = false
    const changed = workflow('changed', { divergence: 'off' }, async (ctx) => {
      if (isChanged) await ctx.step('sleep', () => 1)
      else await ctx.sleep(10)
      await deferred<void>().promise
    })
    const one = await onStage({ store, definitions: [changed] })
    const { id } = await one.troupe.call(changed)
    await eventually(async () => (await one.clock.advance(1), (await one.troupe.steps(id)).length === 1))
    await one.stop()
    isChanged = true
    const two = await onStage({ store, definitions: [changed] })
    expect(await rejection((await two.troupe.handle(id)).result())).toMatchObject({
      code: 'journal_mismatch',
      details: { path: 'sleep', stored: 'sleep', asked: 'step' },
    })
  })
})
