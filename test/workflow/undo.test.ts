// What the steps of a workflow did is undone when it fails for good or is cancelled.
import { execFile } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { worker, workflow, type StepOptions, type WorkflowContext } from 'troupe'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

/** What is done and undone, in order. */
function ledger() {
  const lines: string[] = []
  const book = (ctx: WorkflowContext, name: string, options: StepOptions<unknown, string> = {}): Promise<string> =>
    ctx.step(
      name,
      () => {
        lines.push(`do ${name}`)
        return name.toUpperCase()
      },
      { undo: (done) => void lines.push(`undo ${done}`), ...options },
    )
  return { lines, book }
}

describe('a run that fails for good', () => {
  it('undoes its steps that succeeded, the last one first, and then ends with what it failed with', async () => {
    const { lines, book } = ledger()
    const trip = workflow('trip', {}, async (ctx) => {
      await book(ctx, 'flight')
      await ctx.step('note', () => 'nothing to undo')
      await book(ctx, 'hotel')
      throw new RangeError('no cars left')
    })
    const { troupe } = await onStage({ definitions: [trip] })

    const handle = await troupe.call(trip)

    expect(await rejection(handle.result())).toMatchObject({ name: 'RangeError', message: 'no cars left' })
    expect(lines).toEqual(['do flight', 'do hotel', 'undo HOTEL', 'undo FLIGHT'])
    expect((await troupe.steps(handle.id)).map(({ path, kind, error }) => [path, kind, error])).toEqual([
      ['flight', 'step', undefined],
      ['note', 'step', undefined],
      ['hotel', 'step', undefined],
      ['hotel/undo', 'undo', undefined],
      ['flight/undo', 'undo', undefined],
    ])
    expect(await handle.status()).toMatchObject({ state: 'failed', undoing: undefined, attempt: 1, generation: 1 })
  })

  it('undoes nothing while it is tried again, and nothing when it succeeds', async () => {
    const { lines, book } = ledger()
    const trip = workflow('trip', { retry: { attempts: 2, backoff: 'none' } }, async (ctx) => {
      await book(ctx, 'flight')
      if (ctx.attempt === 1) throw new Error('later')
      return 'booked'
    })
    const { troupe, clock } = await onStage({ definitions: [trip] })

    expect(await moving(clock, troupe.run(trip))).toBe('booked')
    expect(lines).toEqual(['do flight'])
  })

  it('undoes in the reverse order in which steps ended, also in map, scope and what ran beside each other', async () => {
    const { lines, book } = ledger()
    const trip = workflow('trip', {}, async (ctx) => {
      await ctx.map('leg', ['a', 'b'], (leg, ctx) => book(ctx, `fly ${leg}`), { key: (leg) => leg, concurrency: 1 })
      await ctx.scope('stay', (ctx) => book(ctx, 'hotel'))
      await ctx.step('rent', () => Promise.reject(new Error('no cars')), { retry: { attempts: 1 } })
    })
    const { troupe } = await onStage({ definitions: [trip] })

    const handle = await troupe.call(trip)

    await rejection(handle.result())
    expect(lines.slice(3)).toEqual(['undo HOTEL', 'undo FLY B', 'undo FLY A'])
    expect((await troupe.steps(handle.id)).slice(4).map(({ path }) => path)).toEqual([
      'stay/hotel/undo',
      'leg[b]/fly b/undo',
      'leg[a]/fly a/undo',
    ])
  })

  it('is undone when its time is up, without a limit to the time of that', async () => {
    const { lines, book } = ledger()
    const trip = workflow('trip', {}, async (ctx) => {
      await book(ctx, 'flight', {
        undo: { run: () => eventually(() => lines.includes('go')).then(() => lines.push('undone')) },
      })
      await ctx.sleep('30d')
    })
    const { troupe, clock } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip, undefined, { timeout: '1h' })
    await eventually(async () => (await handle.status()).state === 'parked')

    await clock.advance(3_600_000)
    await eventually(async () => (await handle.status()).undoing)
    expect(await handle.status()).toMatchObject({ undoing: { outcome: 'failed', error: { code: 'timed_out' } } })
    lines.push('go')

    expect(await rejection(handle.result())).toMatchObject({ code: 'timed_out' })
    expect(lines).toEqual(['do flight', 'go', 'undone'])
  })
})

describe('a run that is cancelled', () => {
  it('undoes what it did where it waits, and what was cancelled cannot be cancelled again', async () => {
    const { lines, book } = ledger()
    const trip = workflow('trip', {}, async (ctx) => {
      await book(ctx, 'flight')
      await ctx.receive('approve')
    })
    const { troupe } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await eventually(async () => (await handle.status()).state === 'parked')

    expect(await handle.cancel('changed my mind')).toBe(true)

    expect(lines).toEqual(['do flight', 'undo FLIGHT'])
    expect(await rejection(handle.result())).toMatchObject({ code: 'run_cancelled' })
    expect(await handle.cancel()).toBe(false)
  })

  it('undoes what it did when it runs; what was under way is told by its signal', async () => {
    const { lines, book } = ledger()
    const trip = workflow('trip', {}, async (ctx) => {
      await book(ctx, 'flight')
      await ctx.step('pay', ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)), {
        undo: () => void lines.push('never'),
      })
    })
    const { troupe } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await eventually(() => lines.length === 1)
    await turns()

    expect(await troupe.cancel(handle.id, 'stop', { by: 'ann' })).toBe(true)

    expect(lines).toEqual(['do flight', 'undo FLIGHT'])
  })

  it('neither records nor undoes what was under way and ends nonetheless: its step takes that back when its signal says so', async () => {
    const { lines, book } = ledger()
    const gate = deferred<void>()
    const trip = workflow('trip', {}, async (ctx) => {
      await book(ctx, 'flight', { undo: () => gate.promise.then(() => void lines.push('undo flight')) })
      const never = { undo: () => void lines.push('never') }
      const tidy = ctx.step(
        'hotel',
        async ({ signal }) => {
          lines.push('do hotel')
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          lines.push('take hotel back')
        },
        never,
      )
      const deaf = ctx.step('car', () => gate.promise.then(() => lines.push('do car')), never)
      await Promise.all([tidy, deaf])
    })
    const { troupe } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await eventually(() => lines.length === 2)
    await turns()

    const cancelled = handle.cancel()
    await eventually(async () => (await handle.status()).undoing)
    gate.resolve()

    expect(await cancelled).toBe(true)
    expect(lines).toEqual(['do flight', 'do hotel', 'take hotel back', 'do car', 'undo flight'])
    expect((await troupe.steps(handle.id)).map(({ path }) => path)).toEqual(['flight', 'flight/undo'])
  })

  it.for([{ undo: false }, { reason: 'stop', undo: false }] as const)('leaves what it did with %j', async (options) => {
    const { lines, book } = ledger()
    const trip = workflow('trip', {}, async (ctx) => {
      await book(ctx, 'flight')
      await ctx.receive('approve')
    })
    const { troupe } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await eventually(async () => (await handle.status()).state === 'parked')

    expect(await handle.cancel(options)).toBe(true)

    expect(lines).toEqual(['do flight'])
  })

  it('leaves what is not undone yet when it is cancelled again with { undo: false }', async () => {
    const { lines, book } = ledger()
    const trip = workflow('trip', {}, async (ctx) => {
      await book(ctx, 'flight')
      await book(ctx, 'hotel', { undo: () => new Promise(() => lines.push('hangs')) })
      throw new Error('no cars')
    })
    const { troupe } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await eventually(() => lines.includes('hangs'))

    const late = handle.cancel()
    await turns()
    expect(await troupe.cancel(handle.id, 'enough', { undo: false })).toBe(false)

    expect(await rejection(handle.result())).toMatchObject({ message: 'no cars', errors: [{ code: 'run_cancelled' }] })
    expect(await late).toBe(false)
    expect(lines).toEqual(['do flight', 'do hotel', 'hangs'])
  })
})

describe('an undo that fails', () => {
  it('is tried again by rules of its own, with one key for all its attempts', async () => {
    const seen: unknown[] = []
    const trip = workflow('trip', {}, async (ctx) => {
      await ctx.step('flight', () => 7, {
        undo: {
          run: (seat, { attempt, idempotencyKey }) => {
            seen.push([seat, attempt, idempotencyKey.split('/').slice(1).join('/')])
            if (attempt < 3) throw new Error('closed')
          },
          retry: { attempts: 3, base: '1h', jitter: 0 },
        },
      })
      throw new Error('no cars')
    })
    const { troupe, clock } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(await handle.status()).toMatchObject({ reason: { kind: 'timer' }, undoing: { outcome: 'failed' } })

    await moving(clock, clock.advance(4 * 3_600_000))

    await rejection(handle.result())
    expect(seen).toEqual([
      [7, 1, 'flight/undo'],
      [7, 2, 'flight/undo'],
      [7, 3, 'flight/undo'],
    ])
    expect((await troupe.attempts(handle.id)).map(({ path, attempt }) => [path, attempt])).toEqual([
      ['flight/undo', 1],
      ['flight/undo', 2],
    ])
  })

  it('keeps no other from its turn, and is told with the end of the run and among what is dead', async () => {
    const { lines, book } = ledger()
    const trip = workflow('trip', {}, async (ctx) => {
      await book(ctx, 'flight')
      await book(ctx, 'hotel', {
        undo: { run: () => Promise.reject(new TypeError('no such booking')), retry: { attempts: 1 } },
      })
      await ctx.receive('approve')
    })
    const { troupe } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await eventually(async () => (await handle.status()).state === 'parked')

    expect(await handle.cancel()).toBe(true)

    expect(lines).toEqual(['do flight', 'do hotel', 'undo FLIGHT'])
    expect(await rejection(handle.result())).toMatchObject({
      code: 'run_cancelled',
      errors: [{ code: 'undo_failed', details: { path: 'hotel' }, cause: { name: 'TypeError' } }],
    })
    const [kind] = await troupe.dead()
    expect(kind).toMatchObject({ runs: 1, newest: { id: handle.id, state: 'cancelled' } })
  })

  it('has a minute for an attempt unless told', async () => {
    const trip = workflow('trip', {}, async (ctx) => {
      await ctx.step('flight', () => 7, { undo: { run: () => new Promise(() => {}), retry: { attempts: 1 } } })
      throw new Error('no cars')
    })
    const { troupe, clock } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await eventually(async () => (await handle.status()).undoing)
    await turns()
    await clock.advance(59_000)
    expect((await handle.status()).state).toBe('running')
    await clock.advance(1_000)

    expect(await rejection(handle.result())).toMatchObject({
      message: 'no cars',
      errors: [{ code: 'undo_failed', cause: { code: 'timed_out' } }],
    })
  })

  it.for(['strict', 'warn'] as const)(
    'whose code has changed meanwhile sets the run aside until code comes that fits, or is told as one (%s)',
    async (divergence) => {
      const store = storeFile()
      const { lines, book } = ledger()
      const trip = workflow('trip', {}, async (ctx) => {
        await book(ctx, 'flight')
        await book(ctx, 'hotel')
        await ctx.receive('approve')
      })
      const first = await onStage({ store, definitions: [trip] })
      const { id } = await first.troupe.call(trip)
      await eventually(async () => (await first.troupe.get(id))?.state === 'parked')
      await first.stop()
      const changed = workflow('trip', { divergence }, async (ctx) => {
        await book(ctx, 'flight')
        await ctx.receive('approve')
      })
      const second = await onStage({ store, definitions: [changed] })
      const handle = await second.troupe.handle(id)
      const cancelled = handle.cancel().catch(() => false)
      if (divergence === 'warn') {
        expect(await moving(second.clock, cancelled)).toBe(true)
        expect(lines.slice(2)).toEqual(['undo FLIGHT'])
        const failed = { code: 'undo_failed', details: { path: 'hotel' } }
        return expect(await rejection(handle.result())).toMatchObject({ errors: [failed] })
      }
      const isSetAside = async (): Promise<boolean> => (await handle.status()).reason?.kind === 'diverged'
      for (let seconds = 0; seconds < 60 && !(await isSetAside()); seconds++) await second.clock.advance(1_000)
      expect(await handle.status()).toMatchObject({ state: 'parked', undoing: { outcome: 'cancelled' } })
      expect(lines).toHaveLength(2)
      await second.stop()
      const { troupe, clock } = await onStage({ store, definitions: [trip], clock: second.clock })
      await rejection(moving(clock, (await troupe.handle(id)).result()))
      expect(lines.slice(2)).toEqual(['undo HOTEL', 'undo FLIGHT'])
    },
  )
})

describe('a run that is tried again after it was undone', () => {
  it('does again what was undone, and remembers what was not', async () => {
    const { lines, book } = ledger()
    let isFull = true
    const trip = workflow('trip', {}, async (ctx) => {
      await book(ctx, 'flight')
      await ctx.step('note', () => lines.push('do note'))
      if (isFull) throw new Error('no cars')
      return 'booked'
    })
    const { troupe, clock } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await rejection(handle.result())
    isFull = false

    await handle.retry()

    expect(await moving(clock, handle.result())).toBe('booked')
    expect(lines).toEqual(['do flight', 'do note', 'undo FLIGHT', 'do flight'])
    expect((await troupe.steps(handle.id)).map(({ path }) => path)).toEqual(['note', 'flight'])
  })
})

describe('a run that is cut short before its code came again to what it remembers', () => {
  it('is undone by what an earlier life of it led to: it is tried again by itself', async () => {
    const { lines, book } = ledger()
    const trip = workflow('trip', { retry: { attempts: 2, backoff: 'none' } }, async (ctx) => {
      const ask = (): unknown => (lines.push('ask') === 1 ? Promise.reject(new Error('busy')) : new Promise(() => {}))
      const told = await ctx.step('ask', ask, { retry: { attempts: 1 } }).catch((error: Error) => error.message)
      await book(ctx, 'hotel', { undo: (done) => void lines.push(`undo ${done} as ${String(told)}`) })
      throw new Error('again')
    })
    const { troupe, clock } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await eventually(async () => lines.length === 3 || (await clock.advance(10), false))

    expect(await moving(clock, handle.cancel())).toBe(true)

    expect(lines).toEqual(['ask', 'do hotel', 'ask', 'undo HOTEL as busy'])
    expect((await rejection(handle.result()))['errors']).toBeUndefined()
  })

  it('is undone by what an earlier life of it led to: a person tries it again, as not all could be undone', async () => {
    const { lines, book } = ledger()
    let isClosed = true
    const trip = workflow('trip', {}, async (ctx) => {
      const fly = (): unknown => (lines.push('do flight') > 1 ? new Promise(() => {}) : 'FLIGHT')
      await ctx.step('flight', fly, { undo: (done) => void lines.push(`undo ${String(done)}`) })
      const leave = (done: string): void => {
        if (isClosed) throw new Error('closed')
        lines.push(`undo ${done}`)
      }
      await book(ctx, 'hotel', { undo: { run: leave, retry: { attempts: 1 } } })
      throw new Error('no cars')
    })
    const { troupe, clock } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    const first = await rejection(moving(clock, handle.result()))
    expect(first['errors']).toMatchObject([{ code: 'undo_failed', details: { path: 'hotel' } }])
    expect(lines).toEqual(['do flight', 'do hotel', 'undo FLIGHT'])
    isClosed = false

    await handle.retry()
    await eventually(() => lines.length === 4)
    expect(await moving(clock, handle.cancel())).toBe(true)

    expect(lines.slice(3)).toEqual(['do flight', 'undo HOTEL'])
    expect((await rejection(handle.result()))['errors']).toBeUndefined()
  })

  it('undoes again what was undone and done again', async () => {
    const { lines, book } = ledger()
    const trip = workflow('trip', {}, async (ctx) => {
      await book(ctx, 'flight')
      throw new Error('no cars')
    })
    const { troupe, clock } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    for (const life of [1, 2, 3]) {
      if (life > 1) await handle.retry()
      await rejection(moving(clock, handle.result()))
      expect(lines.splice(0)).toEqual(['do flight', 'undo FLIGHT'])
    }
  })

  it('has another key for what is done again, and for undoing that, and the same for what is tried again', async () => {
    const keys: string[] = []
    let isOpen = false
    const trip = workflow('trip', {}, async (ctx) => {
      const note = (idempotencyKey: string): void => void keys.push(idempotencyKey.slice(36))
      await ctx.step('flight', ({ idempotencyKey }) => note(idempotencyKey), {
        undo: (_done, { idempotencyKey }) => note(idempotencyKey),
      })
      await ctx.step(
        'hotel',
        ({ idempotencyKey }) => {
          note(idempotencyKey)
          if (!isOpen) throw new Error('closed')
        },
        { retry: { attempts: 1 } },
      )
      throw new Error('no cars')
    })
    const { troupe, clock } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await rejection(moving(clock, handle.result()))
    expect(keys.splice(0)).toEqual(['/flight', '/hotel', '/flight/undo'])
    isOpen = true
    await handle.retry()
    await rejection(moving(clock, handle.result()))
    expect(keys.splice(0)).toEqual(['#2/flight', '/hotel', '#2/flight/undo'])
    await handle.retry()
    await rejection(moving(clock, handle.result()))
    expect(keys).toEqual(['#3/flight', '#3/flight/undo'])
  })

  it('tells what it cannot undo, as its code goes another way now, and ends', async () => {
    const { lines, book } = ledger()
    const trip = workflow('trip', { retry: { attempts: 2, backoff: 'none' } }, async (ctx) => {
      await book(ctx, 'flight')
      const ask = (): unknown => (lines.push('ask') === 2 ? Promise.reject(new Error('busy')) : 'fine')
      const told = await ctx.step('ask', ask, { retry: { attempts: 1 } }).catch(() => 'busy')
      if (told === 'busy') await book(ctx, 'fallback')
      throw new Error('again')
    })
    const { troupe, clock } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)

    const error = await rejection(moving(clock, handle.result({ timeout: '1m' })))

    expect(error).toMatchObject({
      message: 'again',
      errors: [{ code: 'undo_failed', details: { path: 'fallback' } }],
    })
    expect(lines).toEqual(['do flight', 'ask', 'do fallback', 'ask', 'undo FLIGHT'])
  })
})

describe('children', () => {
  it('are undone by the code that started them when they had succeeded, and are done again when that is tried again', async () => {
    const lines: string[] = []
    let isFull = true
    const pay = worker('pay', {}, (_ctx, amount: number) => {
      lines.push(`pay ${amount}`)
      return { receipt: `r${amount}` }
    })
    const trip = workflow('trip', {}, async (ctx) => {
      await ctx.run(pay, 5, { undo: ({ receipt }) => void lines.push(`refund ${receipt}`) })
      if (isFull) throw new Error('no cars')
    })
    const { troupe } = await onStage({ definitions: [pay, trip] })
    const handle = await troupe.call(trip)

    await rejection(handle.result())
    expect(lines).toEqual(['pay 5', 'refund r5'])

    isFull = false
    await handle.retry()
    await handle.result()
    expect(lines).toEqual(['pay 5', 'refund r5', 'pay 5'])
  })

  it('that have not ended are cancelled, undo what they did, and only then what came before them is undone', async () => {
    const { lines, book } = ledger()
    const stay = workflow('stay', {}, async (ctx) => {
      await book(ctx, 'hotel')
      await ctx.receive('never')
    })
    const trip = workflow('trip', {}, async (ctx) => {
      await book(ctx, 'flight')
      await ctx.run(stay, undefined, { undo: () => void lines.push('nothing to undo') })
    })
    const { troupe, clock } = await onStage({ definitions: [stay, trip] })
    const handle = await troupe.call(trip)
    await eventually(() => lines.length === 2)

    expect(await moving(clock, handle.cancel())).toBe(true)

    expect(lines).toEqual(['do flight', 'do hotel', 'undo HOTEL', 'undo FLIGHT'])
    expect((await rejection(handle.result()))['errors']).toBeUndefined()
  })

  it('that fail have undone what they did before their parent hears of it', async () => {
    const { lines, book } = ledger()
    const stay = workflow('stay', {}, async (ctx) => {
      await book(ctx, 'hotel')
      throw new Error('burnt down')
    })
    const trip = workflow('trip', {}, async (ctx) => {
      await ctx.run(stay).catch((error: Error) => lines.push(`heard: ${error.message}`))
      return 'home again'
    })
    const { troupe } = await onStage({ definitions: [stay, trip] })

    expect(await troupe.run(trip)).toBe('home again')
    expect(lines).toEqual(['do hotel', 'undo HOTEL', 'heard: burnt down'])
  })
})

describe('what undo is given', () => {
  it.for([
    ['a text', 'refund'],
    ['no function in it', { retry: { attempts: 1 } }],
    ['an unknown word', { run: () => 0, atempts: 1 }],
  ] as const)('is refused where it stands: %s', async ([, undo]) => {
    const trip = workflow('trip', { retry: { attempts: 1 } }, async (ctx) => {
      await ctx.step('flight', () => 7, { undo: undo as never })
    })
    const { troupe } = await onStage({ definitions: [trip] })
    expect(await rejection(troupe.run(trip))).toMatchObject({ code: 'option_invalid' })
  })
})

describe('a process that dies while it undoes', () => {
  it.for([
    ['step:after hotel/undo', ['undo car', 'undo hotel', 'undo hotel', 'undo flight']],
    ['commit:after hotel/undo', ['undo car', 'undo hotel', 'undo flight']],
    ['settle:before ', ['undo car', 'undo hotel', 'undo flight']],
  ] as const)(
    'I1: %s: what was undone is not undone again, but for what was under way',
    { timeout: 120_000 },
    async ([death, lines]) => {
      const store = storeFile()
      const ledger = join(dirname(store.slice('sqlite:'.length)), 'ledger')
      expect(await child({ store, ledger, death })).toBe('SIGKILL')
      const trip = workflow('trip', {}, async (ctx) => {
        for (const name of ['flight', 'hotel', 'car'])
          await ctx.step(name, () => 'never', { undo: () => appendFileSync(ledger, `undo ${name}\n`) })
        throw new Error('no visa')
      })
      const { troupe, clock } = await onStage({ store, definitions: [trip] })
      const [run] = await troupe.runs()
      const ended = await rejection(moving(clock, (await troupe.handle(run?.id ?? '')).result()))
      expect(ended.message).toBe('no visa')
      const told = readFileSync(ledger, 'utf8').trim().split('\n')
      expect(told).toEqual(['do flight', 'do hotel', 'do car', ...lines])
    },
  )
})

/** Ends with the signal that ended it. */
function child(order: Readonly<Record<'store' | 'ledger' | 'death', string>>): Promise<unknown> {
  const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))
  const file = fileURLToPath(new URL('./undo-child.ts', import.meta.url))
  const env = { ...process.env, JITI_FS_CACHE: 'false', NODE_OPTIONS: '' }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [jiti, file, JSON.stringify(order)], { env, timeout: 100_000 }, (error) => {
      if (error === null || error.signal === 'SIGKILL') resolve(error?.signal)
      else reject(error)
    })
  })
}

it('goes on at once when it is tried again, though it remembers what follows from what it does anew', async () => {
  let mayEnd = false
  const order = workflow('order', {}, async (ctx) => {
    const paid = await ctx.step('pay', () => 'paid', { undo: () => undefined })
    const packed = await ctx.step('pack', () => `${paid} and packed`)
    if (!mayEnd) throw new Error('no')
    return packed
  })
  const { troupe, clock } = await onStage({ definitions: [order] })
  const handle = await troupe.call(order)
  await rejection(moving(clock, handle.result()))
  mayEnd = true
  const at = clock.now()
  await handle.retry()
  await eventually(async () => (await handle.status()).state === 'succeeded')
  expect([await handle.result(), clock.now()]).toEqual(['paid and packed', at])
})
