// Steps that somebody finishes from outside: the run waits without an actor, and the step ends once.
import { describe, expect, it } from 'vitest'
import { PermanentError, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { hashOf } from '../../src/lib/secrets.ts'
import { emptyDraft } from '../../src/store/lists.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import {
  eventually,
  intruder,
  moving,
  noUnhandledRejections,
  onStage,
  rejection,
  storeFile,
  turns,
} from '../engine/stage.ts'

noUnhandledRejections()

const late = { isError: false, value: 'j"late"' }

/** A workflow with one step that waits, and the tokens it gave out. */
function asking(options: Parameters<typeof workflow>[1] & object = {}, stepOptions: object = {}) {
  const tokens: string[] = []
  const performed: string[] = []
  const flow = workflow('flow', options, async (ctx) => {
    performed.push('before')
    const answer = await ctx.step(
      'ask',
      async ({ later, attempt }) => {
        tokens.push(await later())
        performed.push(`asked ${attempt}`)
        return 'means nothing'
      },
      stepOptions,
    )
    return `answer: ${String(answer)}`
  })
  return { tokens, performed, flow }
}

describe('a step with a token', () => {
  it('is finished by whoever has it, after its run was parked without an actor', async () => {
    const { tokens, performed, flow } = asking()
    const { troupe, clock } = await onStage({ definitions: [flow], pools: { workflow: { min: 1, max: 1 } } })
    const handle = await troupe.call(flow)
    const run = await eventually(async () => {
      const status = await handle.status()
      return status.state === 'parked' ? status : undefined
    })
    expect(run.reason).toEqual({ kind: 'completion', until: undefined })
    expect(await troupe.complete(tokens[0] ?? '', 'yes')).toBe('accepted')
    expect(await moving(clock, handle.result())).toBe('answer: yes')
    expect(performed).toEqual(['before', 'asked 1', 'before'])
    expect(await troupe.steps(handle.id)).toMatchObject([{ path: 'ask', kind: 'step', value: 'yes', attempt: 1 }])
    expect(await troupe.complete(tokens[0] ?? '', 'no')).toBe('used')
  })

  it('takes what comes while its function is at work, or while other steps are', async () => {
    const { promise: gate, resolve: open } = opened()
    const flow = workflow('flow', {}, async (ctx) => {
      const both = [
        ctx.step('ask', async ({ later }) => void (await troupe.complete(await later(), 'early'))),
        ctx.step('work', () => gate),
      ]
      return Promise.all(both)
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await turns()
    open('worked')
    expect(await moving(clock, handle.result())).toEqual(['early', 'worked'])
  })

  describe('beside a step that is still under way', () => {
    /** A run with a token, and a step that goes on until it is told to stop. */
    function beside(stepOptions: object = {}) {
      const [tokens, heard] = [[] as string[], [] as string[]]
      const gate = deferred<void>()
      const flow = workflow('flow', {}, async (ctx) => {
        const asked = ctx.step('ask', async ({ later }) => void tokens.push(await later()), stepOptions)
        const told = asked.then(
          (answer) => heard.push(String(answer)),
          (error: Error) => heard.push(error.message),
        )
        await Promise.all([told, ctx.step('work', () => gate.promise)])
        return heard
      })
      return { flow, tokens, heard, gate }
    }

    it.each([
      ['complete', 'here', 'yes'],
      ['fail', 'here', 'no'],
      ['complete', 'there', 'yes'],
    ] as const)('is finished at once: %s from %s', async (verb, where, expected) => {
      const store = storeFile()
      const { flow, tokens, heard, gate } = beside({ retry: { attempts: 1 } })
      const { troupe, clock } = await onStage({ store, definitions: [flow] })
      const other = where === 'here' ? troupe : (await onStage({ store, starts: false, node: 'other', clock })).troupe
      const handle = await troupe.call(flow)
      await eventually(() => tokens.length === 1)
      await turns()
      const at = clock.now()
      const told = verb === 'complete' ? other.complete(tokens[0] ?? '', 'yes') : other.fail(tokens[0] ?? '', 'no')
      expect(await told).toBe('accepted')
      await eventually(async () => heard.length > 0 || (await clock.advance(where === 'here' ? 0 : 10), false))
      expect(heard).toEqual([expected])
      expect(clock.now() - at).toBeLessThan(100)
      gate.resolve()
      expect(await moving(clock, handle.result())).toEqual([expected])
      expect((await troupe.steps(handle.id)).map(({ path }) => path)).toEqual(['ask', 'work'])
    })

    it('is finished at once also when its process has died meanwhile', async () => {
      const store = storeFile()
      const world = { leaseMs: 300 }
      const [dead, alive] = [beside(), beside()]
      const one = await onStage({ store, definitions: [dead.flow], world })
      const { id } = await one.troupe.call(dead.flow)
      await eventually(() => dead.tokens.length === 1)
      await turns()
      await one.clock.advance(1_500)
      const clock = new ManualClock(10_000)
      const two = await onStage({ store, definitions: [alive.flow], world, clock, node: 'two' })
      await eventually(async () => (await two.troupe.get(id))?.node === 'two' || (await clock.advance(10), false))
      await turns()
      expect(await two.troupe.complete(dead.tokens[0] ?? '', 'yes')).toBe('accepted')
      await eventually(() => alive.heard.length > 0)
      expect([alive.heard, alive.tokens, dead.heard]).toEqual([['yes'], [], []])
    })

    it('has what came in its last moment, and fails when nothing did', async () => {
      const { flow, tokens, heard, gate } = beside({ timeout: '1h', retry: { attempts: 1 } })
      const { troupe, clock } = await onStage({ definitions: [flow] })
      const handles = [await troupe.call(flow), await troupe.call(flow)]
      await eventually(() => tokens.length === 2)
      await turns()
      await clock.advance(3_600_000 - 1)
      expect(heard).toEqual([])
      await troupe.complete(tokens[0] ?? '', 'yes')
      await clock.advance(1)
      await eventually(() => heard.length === 2)
      expect(heard.toSorted()).toEqual([expect.stringContaining("Step 'ask'"), 'yes'])
      gate.resolve()
      await moving(clock, Promise.all(handles.map((handle) => handle.result())))
    })
  })

  it('is tried again with another token when it is told to have failed, and the first means nothing more', async () => {
    const { tokens, flow } = asking({}, { retry: { attempts: 2, base: 1, jitter: 0 } })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(await troupe.fail(tokens[0] ?? '', new Error('busy'))).toBe('accepted')
    const result = moving(clock, handle.result())
    await eventually(() => tokens.length === 2)
    expect(await troupe.complete(tokens[0] ?? '', 'late')).toBe('used')
    await eventually(async () => (await troupe.complete(tokens[1] ?? '', 'now')) === 'accepted')
    expect(await result).toBe('answer: now')
    expect((await troupe.attempts(handle.id)).map(({ path, error }) => [path, error.message])).toEqual([
      ['ask', 'busy'],
    ])
  })

  it('means nothing more once its turn of a loop is over, or its run goes on as a new one', async () => {
    const tokens: string[] = []
    const flow = workflow('flow', {}, async (ctx, life: number) => {
      if (life === 2) return ctx.step('ask', () => 'asked anew')
      const ask = (own: typeof ctx): Promise<unknown> =>
        Promise.race([own.step('ask', async ({ later }) => void tokens.push(await later())), own.receive('next')])
      await ctx.loop('l', 1, async (n, own) => {
        await ask(own)
        return n === 2 ? { done: n } : { again: n + 1 }
      })
      await ask(ctx)
      return ctx.continueAsNew(2)
    })
    const clock = new ManualClock(1_000)
    const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
    const commit = store.commit.bind(store)
    const answers: unknown[] = []
    store.commit = async (batch) => {
      const committed = await commit(batch)
      // Nobody has claimed it since.
      const completions = batch.continues.map(() => ({ hash: hashOf(tokens[2] ?? ''), result: late }))
      if (completions.length > 0) answers.push(...(await commit({ ...emptyDraft(0, 0), completions })).completions)
      return committed
    }
    const { troupe } = await onStage({ definitions: [flow], clock, world: { store } })
    const handle = await troupe.call(flow, 1)
    for (const n of [1, 2, 3]) {
      await eventually(async () => tokens.length === n && (await handle.status()).state === 'parked')
      if (n === 2) answers.push(await troupe.complete(tokens[0] ?? '', 'late'))
      await handle.tell('next')
    }
    expect(await moving(clock, handle.result())).toBe('asked anew')
    expect(answers).toEqual(['superseded', 'superseded'])
  })

  it('gives no token to an attempt that has ended', async () => {
    const given: string[] = []
    const gate = deferred<void>()
    const flow = workflow('flow', {}, (ctx) =>
      ctx.step(
        'ask',
        async ({ later, attempt }) => {
          if (attempt === 2) return 'done without'
          void gate.promise.then(later).then(() => given.push('late'))
          throw new Error('again')
        },
        { retry: { attempts: 2, base: '1s', jitter: 0 } },
      ),
    )
    const store = storeFile()
    const { troupe, clock } = await onStage({ store, definitions: [flow] })
    const handle = await troupe.call(flow)
    await eventually(async () => (await troupe.attempts(handle.id)).length === 1)
    gate.resolve()
    await turns()
    expect(await moving(clock, handle.result())).toBe('done without')
    expect(given).toEqual([])
    const db = await intruder(store)
    expect(db.prepare('select count(*) as tokens from token').get()).toMatchObject({ tokens: 0 })
  })

  it('gives the token of an attempt to no other', async () => {
    const given: string[] = []
    const gate = deferred<void>()
    const flow = workflow('flow', {}, (ctx) =>
      ctx.step(
        'ask',
        async ({ later, attempt }) => {
          if (attempt === 1) {
            void gate.promise.then(later).then((token) => given.push(`1: ${token}`))
            throw new Error('again')
          }
          given.push(`2: ${await later()}`)
          gate.resolve()
        },
        { retry: { attempts: 2, base: '1s', jitter: 0 } },
      ),
    )
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await eventually(async () => given.length > 0 || (await clock.advance(100), false))
    await turns()
    expect(given.map((token) => token.slice(0, 2))).toEqual(['2:'])
    await troupe.complete(given[0]?.slice(3) ?? '', 'yes')
    expect(await moving(clock, handle.result())).toBe('yes')
  })

  it('has failed when nothing came in its time, and what comes later is refused', async () => {
    const { tokens, flow } = asking({}, { timeout: '1h', retry: { attempts: 1 } })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect((await handle.status()).reason).toMatchObject({ kind: 'completion', until: expect.any(Number) })
    const ended = rejection(handle.result())
    await clock.advance(3_599_000)
    expect((await handle.status()).state).toBe('parked')
    await clock.advance(2_000)
    expect(await ended).toMatchObject({ code: 'timed_out', message: expect.stringContaining("Step 'ask'") })
    expect(await troupe.complete(tokens[0] ?? '', 'late')).toBe('finished')
  })

  it('fails for good by a permanent error, which the code may catch', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      try {
        return await ctx.step(
          'ask',
          async ({ later }) => void (await troupe.fail(await later(), new PermanentError('no'))),
        )
      } catch (error) {
        return (error as Error).message
      }
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    expect(await moving(clock, troupe.run(flow))).toBe('no')
  })

  it('waits on after a sleep beside it woke the run, with the same token', async () => {
    const tokens: string[] = []
    const flow = workflow('flow', {}, async (ctx) => {
      const slept = ctx.sleep('1h')
      const asked = ctx.step('ask', async ({ later }) => void tokens.push(await later()))
      await slept
      await ctx.step('noted', () => 1)
      return asked
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await eventually(async () => (await handle.status()).state === 'parked')
    await clock.advance(3_601_000)
    await eventually(async () => (await troupe.steps(handle.id)).length === 2)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(await troupe.complete(tokens[0] ?? '', 'yes')).toBe('accepted')
    expect(await moving(clock, handle.result())).toBe('yes')
    expect(tokens.length).toBe(1)
  })

  it('is done again with another token when its process dies before its function has ended', async () => {
    const store = storeFile()
    const world = { leaseMs: 300 }
    const tokens: string[] = []
    const flow = workflow('flow', {}, (ctx) =>
      ctx.step('ask', async ({ later }) => {
        if (tokens.push(await later()) === 1) await new Promise(() => {})
      }),
    )
    const one = await onStage({ store, definitions: [flow], world })
    const { id } = await one.troupe.call(flow)
    await eventually(() => tokens.length === 1)
    const two = await onStage({ store, definitions: [flow], world, clock: new ManualClock(3_000) })
    await eventually(() => tokens.length === 2)
    expect(await two.troupe.complete(tokens[0] ?? '', 'no')).toBe('superseded')
    expect(await two.troupe.complete(tokens[1] ?? '', 'yes')).toBe('accepted')
    expect(await moving(two.clock, (await two.troupe.handle(id)).result())).toBe('yes')
  })

  it('waits on when its process dies', async () => {
    const store = storeFile()
    const world = { leaseMs: 300 }
    const waits = asking()
    const one = await onStage({ store, definitions: [waits.flow], world })
    const parked = await one.troupe.call('flow')
    await eventually(async () => (await parked.status()).state === 'parked')
    const two = await onStage({ store, definitions: [waits.flow], world, clock: new ManualClock(3_000) })
    expect(await two.troupe.complete(waits.tokens[0] ?? '', 'yes')).toBe('accepted')
    expect(await moving(two.clock, (await two.troupe.handle(parked.id)).result())).toBe('answer: yes')
    expect(waits.tokens.length).toBe(1)
  })

  it('goes when its run fails, and is asked anew when that is tried again', async () => {
    const tokens: string[] = []
    let isBroken = true
    const flow = workflow('flow', {}, async (ctx) => {
      const asked = ctx.step('ask', async ({ later }) => void tokens.push(await later()))
      await ctx.step('work', async () => {
        await eventually(() => tokens.length > 0)
        if (isBroken) throw new PermanentError('broken')
      })
      return asked
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await rejection(handle.result())
    expect(await troupe.complete(tokens[0] ?? '', 'late')).toBe('finished')
    isBroken = false
    await handle.retry()
    await eventually(() => tokens.length === 2)
    expect(await troupe.complete(tokens[0] ?? '', 'late')).toBe('superseded')
    await eventually(async () => (await troupe.complete(tokens[1] ?? '', 'yes')) === 'accepted')
    expect(await moving(clock, handle.result())).toBe('yes')
  })
})

function opened(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise<unknown>((settle) => (resolve = settle))
  return { promise, resolve }
}
