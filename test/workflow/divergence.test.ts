// Divergence (I13): code that no longer asks for what a journal holds, and what becomes of its runs.
import { describe, expect, it } from 'vitest'
import { limiter, worker, workflow, type Definition, type RunHandle, type WorkflowContext } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import {
  eventually,
  moving,
  noUnhandledRejections,
  onStage,
  rejection,
  storeFile,
  type Stage,
  type StageOptions,
} from '../engine/stage.ts'

noUnhandledRejections()

type Body = (ctx: WorkflowContext<void>) => Promise<unknown>

const executed: string[] = []

/** A step that can be seen to execute. */
function seen(ctx: WorkflowContext<void>, name: string): Promise<string> {
  return ctx.step(name, () => (executed.push(name), name))
}

const old: Body = async (ctx) => {
  await seen(ctx, 'first')
  await seen(ctx, 'bill')
  await ctx.sleep('1h')
  return seen(ctx, 'last')
}

function order(
  body: Body,
  options: { divergence?: 'strict' | 'warn' | 'off'; version?: string } = {},
): Definition<void> {
  return workflow('order', options, body)
}

/** A run of `body` that waits, on a file that is nobody's then. */
async function waiting(body: Body = old): Promise<{ store: string; id: string; at: number }> {
  const store = storeFile()
  const { troupe, clock, stop } = await onStage({ store, definitions: [order(body)] })
  const { id } = await troupe.call('order')
  await eventually(async () => (await troupe.get(id))?.state === 'parked')
  await stop()
  executed.length = 0
  return { store, id, at: clock.now() }
}

/** Another deploy, an hour and a bit later. */
async function deploy(
  { store, id }: { store: string; id: string },
  body: Body | Definition<void>,
  options: StageOptions = {},
): Promise<Stage & { setAside(): Promise<void> }> {
  const definition = typeof body === 'function' ? order(body) : body
  const clock = new ManualClock(3_701_000)
  const stage = await onStage({ store, definitions: [definition], clock, ...options })
  const setAside = async (): Promise<void> => {
    for (let step = 0; step < 50; step++) await stage.clock.advance(100)
    await eventually(async () => (await stage.troupe.get(id))?.reason?.kind === 'diverged')
  }
  return { ...stage, setAside }
}

/** What stands in the reason of a run that was set aside. */
async function difference({ troupe }: Stage, id: string): Promise<object | undefined> {
  const reason = (await troupe.get(id))?.reason
  return reason?.kind === 'diverged' ? reason.divergence : undefined
}

const replaced: Body = async (ctx) => {
  await seen(ctx, 'first')
  await seen(ctx, 'card')
  await ctx.sleep('1h')
  return seen(ctx, 'last')
}

describe('code that takes another way than a run did', () => {
  const step = (path: string) => ({ path, kind: 'step' })
  const changes: [string, Body, object][] = [
    [
      'another step in the place of one',
      replaced,
      { after: step('first'), holds: step('bill'), more: 1, asked: [step('card')] },
    ],
    [
      'a step before one',
      async (ctx) => (await seen(ctx, 'new'), old(ctx)),
      { holds: step('first'), more: 2, asked: [step('new')] },
    ],
    [
      'a step less',
      async (ctx) => (await seen(ctx, 'bill'), await ctx.sleep('1h'), 'end'),
      { after: step('bill'), holds: step('first'), more: 1, asked: [step('bill')] },
    ],
    [
      'steps in another order',
      async (ctx) => (await seen(ctx, 'bill'), await seen(ctx, 'first'), await ctx.sleep('1h'), 'end'),
      { after: step('bill'), holds: step('first'), more: 1, asked: [step('bill')] },
    ],
    [
      'a wait less',
      async (ctx) => (await seen(ctx, 'first'), await seen(ctx, 'bill'), await seen(ctx, 'last')),
      { after: step('bill'), holds: { path: 'sleep', kind: 'sleep' }, more: 0, asked: [step('last')] },
    ],
    [
      'a message in the place of a time',
      async (ctx) => (await seen(ctx, 'first'), await seen(ctx, 'bill'), await ctx.receive('go')),
      {
        after: step('bill'),
        holds: { path: 'sleep', kind: 'sleep' },
        more: 0,
        asked: [{ path: 'receive go', kind: 'receive' }],
      },
    ],
    [
      'an early end',
      async (ctx) => seen(ctx, 'first'),
      { after: step('first'), holds: step('bill'), more: 1, asked: [], end: 'returned' },
    ],
    [
      'an error',
      async (ctx) => {
        await seen(ctx, 'first')
        throw new TypeError('x is undefined')
      },
      { after: step('first'), holds: step('bill'), more: 1, asked: [], end: 'threw TypeError: x is undefined' },
    ],
    [
      'a new beginning',
      async (ctx) => (await seen(ctx, 'first'), ctx.continueAsNew()),
      { after: step('first'), holds: step('bill'), more: 1, asked: [], end: 'called continueAsNew' },
    ],
    [
      'something else of the same name',
      async (ctx) => (
        await seen(ctx, 'first'),
        await ctx.scope('bill', () => 1),
        await ctx.loop('bill', 1, () => ({ done: 1 }))
      ),
      { after: step('first'), holds: step('bill'), more: 1, asked: [], end: 'returned' },
    ],
    [
      'a value in the place of a step',
      async (ctx) => (await seen(ctx, 'first'), await ctx.now()),
      { after: step('first'), holds: step('bill'), more: 1, asked: [{ path: 'now', kind: 'value' }] },
    ],
    [
      'a child in the place of a step',
      async (ctx) => (await seen(ctx, 'first'), await ctx.run('child')),
      { after: step('first'), holds: step('bill'), more: 1, asked: [{ path: 'child', kind: 'child' }] },
    ],
    [
      'another kind at a path',
      async (ctx) => (await seen(ctx, 'first'), await seen(ctx, 'bill'), await seen(ctx, 'sleep')),
      { after: step('bill'), holds: { path: 'sleep', kind: 'sleep' }, more: 0, asked: [step('sleep')] },
    ],
  ]

  it.each(changes)('sets the run aside: %s', async (_what, changed, found) => {
    const run = await waiting()
    const child = worker('child', {}, () => executed.push('child'))
    const stage = await deploy(run, changed, { definitions: [order(changed), child] })
    await stage.setAside()
    const { since, ...differs } = (await difference(stage, run.id)) as { since: number }
    expect(differs).toEqual(found)
    expect(since).toBeGreaterThan(3_600_000)
    expect(executed).toEqual([])
    expect((await stage.troupe.steps(run.id)).map(({ path }) => path)).toEqual(['first', 'bill'])
  })

  it('is told once by the log, with what differs and what to do', async () => {
    const run = await waiting()
    const stage = await deploy(run, replaced)
    await stage.setAside()
    await stage.clock.advance(40_000)
    await stage.setAside()
    const told = stage.log.lines.filter(({ level }) => level === 'error')
    expect(told).toHaveLength(1)
    expect(told[0]?.fields).toMatchObject({ run: run.id, definition: 'order', version: '1' })
    expect(told[0]?.message.split('\n')).toEqual([
      "a run was set aside, for code of 'order' that does not fit its journal: the journal holds step 'bill' where the code asks for step 'card'",
      "  step 'first'",
      "- step 'bill' and 1 more: in the journal, not asked for by the code",
      "+ step 'card': asked for by the code",
      expect.stringMatching(/^Put what is new behind ctx.patch\(id\)/),
    ])
  })

  it('of another kind at a remembered path is found without waiting', async () => {
    const run = await waiting(async (ctx) => {
      await seen(ctx, 'first')
      await ctx.now()
      await ctx.sleep('1h')
    })
    const stage = await deploy(run, async (ctx) => (await seen(ctx, 'first'), await seen(ctx, 'now')))
    await eventually(async () => (await stage.troupe.get(run.id))?.reason?.kind === 'diverged')
    expect(await difference(stage, run.id)).toMatchObject({
      holds: { path: 'now', kind: 'value' },
      asked: [{ path: 'now', kind: 'step' }],
    })
    expect(stage.log.lines.find(({ level }) => level === 'error')?.message).toContain("value 'now' of the journal")
  })
})

describe('a run that was set aside', () => {
  it('goes on when a process starts whose code fits, with its times and what it remembers', async () => {
    const run = await waiting()
    const bad = await deploy(run, replaced)
    await bad.setAside()
    await bad.stop()
    const good = await onStage({ store: run.store, definitions: [order(old)], clock: bad.clock })
    await eventually(async () => (await good.clock.advance(0), (await good.troupe.get(run.id))?.state === 'succeeded'))
    expect(executed).toEqual(['last'])
  })

  it('goes on when the code is put right in the process that set it aside', async () => {
    const run = await waiting()
    const stage = await deploy(run, replaced)
    await stage.setAside()
    await stage.troupe.register(order(old), { replace: true })
    expect(await moving(stage.clock, (await stage.troupe.handle(run.id)).result())).toBe('last')
  })

  it('is tried again by itself, later and later, as others may have the code', async () => {
    const run = await waiting()
    const stage = await deploy(run, replaced)
    await stage.setAside()
    const pauses: number[] = []
    for (let time = 0; time < 4; time++) {
      const { dueAt = 0 } = (await stage.troupe.get(run.id)) ?? {}
      pauses.push(Math.round((dueAt - stage.clock.now()) / 10_000))
      await stage.clock.advance(dueAt - stage.clock.now())
      await stage.setAside()
    }
    expect(pauses[0]).toBe(3)
    expect([...pauses].sort((left, right) => left - right)).toEqual(pauses)
    expect(pauses[3]).toBeGreaterThan(9)
  })

  it('is not woken by what its journal waits for, when that is there', async () => {
    const asks: Body = async (ctx) => (await seen(ctx, 'first'), ctx.receive('go'))
    const run = await waiting(asks)
    const bad: Body = async (ctx) => (await seen(ctx, 'other'), ctx.receive('go'))
    const stage = await onStage({ store: run.store, definitions: [order(bad)] })
    await stage.troupe.tell(run.id, 'go', 'now')
    for (let step = 0; step < 50; step++) await stage.clock.advance(100)
    await eventually(async () => (await stage.troupe.get(run.id))?.reason?.kind === 'diverged')
    const repairs = async () => (await stage.troupe.metrics())['troupe.repair.count']?.points
    const before = await repairs()
    for (let step = 0; step < 20; step++) await stage.clock.advance(1_000)
    expect((await stage.troupe.get(run.id))?.state).toBe('parked')
    expect(await repairs()).toEqual(before)
    await stage.troupe.register(order(asks), { replace: true })
    expect(await moving(stage.clock, (await stage.troupe.handle(run.id)).result())).toBe('now')
    expect(executed).toEqual([])
  })

  it('has its place before a limiter again when it goes on', async () => {
    const gate = deferred<void>()
    const [store, one] = [storeFile(), limiter('one', { concurrency: 1 })]
    const hog = workflow('hog', {}, (ctx) => ctx.step('hold', () => gate.promise, { limits: [one] }))
    const printed: string[] = []
    const printing = (name: string, body: Body): Definition<void> =>
      workflow(name, {}, async (ctx) => {
        await body(ctx)
        await Promise.all([ctx.step('print', () => void printed.push(name), { limits: [one] }), ctx.sleep('1m')])
      })
    const fit = printing('earlier', (ctx) => seen(ctx, 'bill'))
    const later = printing('later', (ctx) => seen(ctx, 'bill'))
    const { troupe, clock } = await onStage({ store, definitions: [hog, fit, later] })
    await troupe.call(hog)
    await eventually(async () => (await troupe.limiters())[0]?.slots === 1)
    const inLine = async (definition: Definition<void>): Promise<RunHandle> => {
      const handle = await troupe.call(definition)
      await eventually(async () => (await handle.status()).reason?.kind === 'limiter')
      return handle
    }
    const first = await inLine(fit)
    const second = await inLine(later)
    for (let step = 0; step < 80; step++) await clock.advance(100)
    expect((await first.status()).state).toBe('parked')
    await troupe.register(
      printing('earlier', (ctx) => seen(ctx, 'card')),
      { replace: true },
    )
    for (let step = 0; step < 600; step++) await clock.advance(100)
    await eventually(async () => (await first.status()).reason?.kind === 'diverged')
    await troupe.register(fit, { replace: true })
    for (let step = 0; step < 10; step++) await clock.advance(100)
    gate.resolve()
    await moving(clock, Promise.all([first.result(), second.result()]))
    expect(printed).toEqual(['earlier', 'later'])
  })

  it('can be cancelled, and ends when its time is up', async () => {
    const run = await waiting()
    const stage = await deploy(run, replaced)
    await stage.setAside()
    expect(await stage.troupe.cancel(run.id, 'no more')).toBe(true)
    expect((await stage.troupe.get(run.id))?.state).toBe('cancelled')

    const store = storeFile()
    const one = await onStage({ store, definitions: [order(old)] })
    const { id } = await one.troupe.call('order', undefined, { timeout: '61m' })
    await eventually(async () => (await one.troupe.get(id))?.state === 'parked')
    await one.stop()
    const two = await deploy({ store, id }, replaced, { clock: new ManualClock(3_650_000) })
    await two.setAside()
    await two.clock.advance(10_000)
    expect(await rejection(moving(two.clock, (await two.troupe.handle(id)).result()))).toMatchObject({
      code: 'timed_out',
    })
  })
})

describe('the policy', () => {
  it.each(['warn', 'off'] as const)('%s lets the run go on', async (divergence) => {
    const run = await waiting()
    const stage = await deploy(run, order(replaced, { divergence }))
    expect(await moving(stage.clock, (await stage.troupe.handle(run.id)).result())).toBe('last')
    expect(executed).toEqual(['card', 'last'])
    const warned = stage.log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message.split('\n')[0])
    expect(warned).toEqual(
      divergence === 'off'
        ? []
        : [
            "a run goes on with code of 'order' that does not fit its journal: the journal holds step 'bill' where the code asks for step 'card'",
          ],
    )
  })

  it('warn tells of what is left when the code ends', async () => {
    const run = await waiting()
    const stage = await deploy(
      run,
      order(async (ctx) => seen(ctx, 'first'), { divergence: 'warn' }),
    )
    expect(await moving(stage.clock, (await stage.troupe.handle(run.id)).result())).toBe('first')
    expect(stage.log.lines.find(({ level }) => level === 'warn')?.message).toContain('but the code returned')
  })

  it.each(['strict', 'warn'] as const)(
    '%s knows that code which is slow between two steps looks changed',
    async (divergence) => {
      let slow: () => Promise<void> = () => Promise.resolve()
      const body: Body = async (ctx) => {
        const branch = async (): Promise<string> => {
          await seen(ctx, 'a')
          await slow()
          return seen(ctx, 'b')
        }
        const other = async (): Promise<string> => {
          await ctx.sleep('1h')
          return seen(ctx, 'c')
        }
        return Promise.all([branch(), other()])
      }
      const run = await waiting(body)
      const stage = await deploy(run, order(body, { divergence }))
      slow = () => new Promise((resolve) => void stage.clock.after(3_000, resolve))
      const hint = 'put that into a step'
      if (divergence === 'strict') {
        await stage.setAside()
        expect(stage.log.lines.find(({ level }) => level === 'error')?.message).toContain(hint)
        expect(executed).toEqual([])
      } else {
        expect(await moving(stage.clock, (await stage.troupe.handle(run.id)).result())).toEqual(['b', 'c'])
        expect(stage.log.lines.find(({ level }) => level === 'warn')?.message).toContain(hint)
        expect(executed).toEqual(['c'])
      }
    },
  )

  it('of the engine holds for definitions that say nothing', async () => {
    const run = await waiting()
    const stage = await deploy(run, replaced, { divergence: 'off' })
    expect(await moving(stage.clock, (await stage.troupe.handle(run.id)).result())).toBe('last')
    const other = await waiting()
    const strict = await deploy(other, order(replaced, { divergence: 'strict' }), { divergence: 'off' })
    await strict.setAside()
  })

  it('is refused where it is none, and for workers', async () => {
    expect(() => order(old, { divergence: 'loud' as never })).toThrow('divergence of \'order\' is "loud"')
    expect(() => worker('w', { divergence: 'off' }, () => 1)).toThrow("Worker 'w' cannot have a divergence")
    expect(await rejection(onStage({ divergence: 'loud' as never }))).toMatchObject({ code: 'option_invalid' })
  })
})

describe('code that is no other', () => {
  /** Performs `body` to its wait, again from the top, and to its end. */
  const isAtHome = async (body: Body, changed: Body = body): Promise<unknown> => {
    const run = await waiting(body)
    const stage = await deploy(run, changed)
    const output = await moving(stage.clock, (await stage.troupe.handle(run.id)).result())
    expect(stage.log.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
    return output
  }

  it('goes on behind what the run did', async () => {
    expect(await isAtHome(old, async (ctx) => (await old(ctx), seen(ctx, 'more')))).toBe('more')
  })

  it('may have a patch more, or one less', async () => {
    const patched: Body = async (ctx) => {
      await seen(ctx, 'first')
      const isNew = await ctx.patch('card')
      await seen(ctx, isNew ? 'card' : 'bill')
      await ctx.sleep('1h')
      return isNew
    }
    const later: Body = async (ctx) => (
      await seen(ctx, 'first'),
      await seen(ctx, 'card'),
      await ctx.sleep('1h'),
      'later'
    )
    expect(await isAtHome(async (ctx) => old(ctx), patched)).toBe(false)
    expect(await isAtHome(patched, later)).toBe('later')
  })

  it('may take its time between two steps, and do several things at once', async () => {
    const pause = (): Promise<void> => {
      const { promise, resolve } = deferred<void>()
      setImmediate(() => setImmediate(() => resolve()))
      return promise
    }
    const busy: Body = async (ctx) => {
      const one = async (): Promise<void> => {
        await seen(ctx, 'a')
        await pause()
        await seen(ctx, 'b')
        await ctx.sleep('1h')
      }
      const two = async (): Promise<void> => {
        for (const name of ['x', 'y', 'z']) {
          await pause()
          await seen(ctx, name)
        }
      }
      await Promise.all([one(), two(), ctx.map('m', [1, 2, 3], (_, ctx) => ctx.now(), { concurrency: 1 })])
      return 'busy'
    }
    expect(await isAtHome(busy)).toBe('busy')
  })

  it('may lose races in the turns of a loop', async () => {
    const racing: Body = (ctx) =>
      ctx.loop('poll', 0, async (turn, ctx) => {
        const slow = ctx.sleep(turn < 2 ? '3h' : '1h')
        await Promise.race([ctx.step('look', () => turn), slow])
        if (turn < 2) return { again: turn + 1 }
        await slow
        return { done: turn }
      })
    expect(await isAtHome(racing)).toBe(2)
  })

  it('may go another way in another attempt, or once what failed is done again', async () => {
    let attempts = 0
    const flaky: Body = async (ctx) => {
      if (ctx.attempt > 1) await seen(ctx, 'tidy')
      await seen(ctx, 'first')
      const failed = await ctx
        .step('flaky', () => (++attempts === 1 ? Promise.reject(new Error('down')) : 'up'), { retry: { attempts: 1 } })
        .catch(() => seen(ctx, 'instead'))
      if (ctx.attempt === 1) throw new Error(`again after ${failed}`)
      return failed
    }
    const definition = workflow('order', { retry: { attempts: 2, backoff: 'none' } }, flaky)
    const { troupe, clock } = await onStage({ definitions: [definition] })
    expect(await moving(clock, troupe.run(definition))).toBe('up')
  })

  it('begins what is new only when it was led through all that it did', async () => {
    const order: string[] = []
    let performed = 0
    const gate = deferred<void>()
    const body: Body = async (ctx) => {
      performed += 1
      const mine = performed
      const open = ctx.step('open', async () => {
        if (mine === 1) await gate.promise
        order.push('open')
      })
      for (const name of ['a', 'b', 'c']) {
        await ctx.step(name, () => name)
        if (mine === 2) order.push(name)
      }
      await open
    }
    const store = storeFile()
    const definition = workflow('order', {}, body)
    const one = await onStage({ store, definitions: [definition] })
    const { id } = await one.troupe.call(definition)
    await eventually(async () => (await one.troupe.steps(id)).length === 3)
    await one.stop()
    const two = await onStage({ store, definitions: [definition] })
    await (await two.troupe.handle(id)).result()
    expect(order.filter((each) => each !== 'open')).toEqual(['a', 'b', 'c'])
    expect(order.indexOf('open')).toBeGreaterThan(0)
  })
})

it('what lost a race in a turn of a loop takes no message of a later turn', async () => {
  const flow = workflow('flow', {}, (ctx) =>
    ctx.loop('poll', 0, async (turn, ctx) => {
      const told = await Promise.race([ctx.receive('stop'), ctx.sleep(100)])
      return told === undefined ? { again: turn + 1 } : { done: { turn, told } }
    }),
  )
  const { troupe, clock } = await onStage({ definitions: [flow] })
  const handle = await troupe.call(flow)
  await eventually(
    async () => (await clock.advance(10), (await troupe.steps(handle.id)).some(({ kind }) => kind === 'loop')),
  )
  await handle.tell('stop', 'now')
  expect(await moving(clock, handle.result({ timeout: '1m' }))).toMatchObject({ told: 'now' })
})

describe('a person', () => {
  it('lets a run be tried at once that was set aside, and no other', async () => {
    const world = { asksFor: 'bill' }
    const billed = workflow('billed', {}, async (ctx) => {
      await ctx.step(world.asksFor, () => 'billed')
      return ctx.receive('paid')
    })
    const { troupe, clock } = await onStage({ definitions: [billed] })
    const handle = await troupe.call(billed)
    const other = await troupe.call(billed)
    await eventually(
      async () => (await handle.status()).state === 'parked' && (await other.status()).state === 'parked',
    )
    expect(await rejection(handle.resume())).toMatchObject({
      code: 'resume_refused',
      details: { state: 'parked', reason: 'message' },
      message: expect.stringContaining('and goes on by itself then'),
    })
    world.asksFor = 'card'
    await handle.tell('paid', 'in full')
    while ((await handle.status()).reason?.kind !== 'diverged') await clock.advance(100)
    const shown = await troupe.bulk('resume', { name: 'billed' }, { dryRun: true })
    expect(shown).toEqual({
      matched: 1,
      done: 0,
      skipped: 0,
      preview: {
        sample: [handle.id],
        left: [{ state: 'parked', runs: 1, why: 'only what was set aside is resumed' }],
      },
    })
    world.asksFor = 'bill'
    await (await troupe.resumeRun(handle.id, { by: 'ann' })).result()
    expect((await handle.status()).output).toBe('in full')
    expect(await troupe.audit()).toMatchObject([{ by: 'ann', action: 'resume', target: handle.id }])
    expect(await rejection(handle.resume())).toMatchObject({ details: { state: 'succeeded' } })
    expect(await troupe.bulk('resume', { name: 'billed' })).toEqual({ matched: 0, done: 0, skipped: 0 })
    expect((await other.status()).state).toBe('parked')
  })
})
