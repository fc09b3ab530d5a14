// Starts that share a key, as a program asks for them: once, together, the last only, later.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { worker } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from './stage.ts'

noUnhandledRejections()

/** A worker that says what it was given, and stays at it until it is let go. */
function held<Input>() {
  const seen: Input[] = []
  const gates = new Map<Input, ReturnType<typeof deferred<void>>>()
  const job = worker('job', {}, async (_ctx, input: Input) => {
    seen.push(input)
    const gate = deferred<void>()
    gates.set(input, gate)
    await gate.promise
    return input
  })
  return { job, seen, letGo: (input: Input) => gates.get(input)?.resolve() }
}

const echo = worker('echo', {}, (_ctx, input: unknown) => input)

describe('an idempotency key', () => {
  it('makes 100 concurrent callers on two engines one run', async () => {
    const store = storeFile()
    let calls = 0
    const job = worker('job', {}, () => ++calls)
    const clock = new ManualClock(1_000)
    const engines = await Promise.all(['a', 'b'].map((node) => onStage({ store, clock, node, definitions: [job] })))
    const handles = await moving(
      clock,
      Promise.all(
        Array.from({ length: 100 }, (_, n) => engines[n % 2]!.troupe.call(job, undefined, { idempotencyKey: 'once' })),
      ),
    )
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1)
    expect(await moving(clock, Promise.all(handles.map((handle) => handle.result())))).toEqual(
      Array.from({ length: 100 }, () => 1),
    )
    expect(calls).toBe(1)
  })

  it('replaces: the old run ends as cancelled, its waiting caller is told, and the new one runs', async () => {
    const { job, seen, letGo } = held<string>()
    const { troupe } = await onStage({ definitions: [job] })
    const old = await troupe.call(job, 'old', { idempotencyKey: 'k' })
    const ended = rejection(old.result())
    await eventually(() => seen.includes('old'))
    const fresh = await troupe.call(job, 'new', { idempotencyKey: 'k', onConflict: 'replace' })
    expect(await ended).toMatchObject({ code: 'run_cancelled', message: expect.stringContaining(fresh.id) as string })
    letGo('old')
    await eventually(() => seen.includes('new'))
    letGo('new')
    expect(await fresh.result()).toBe('new')
    const again = await troupe.call(job, 'newer', { idempotencyKey: 'k', onConflict: 'replace' })
    expect(again.id).not.toBe(fresh.id)
    expect((await fresh.status()).state).toBe('succeeded')
  })

  it('replaces a run that waits, and wakes who awaits it', async () => {
    const { troupe } = await onStage({ definitions: [echo] })
    const old = await troupe.call(echo, 1, { idempotencyKey: 'k', delay: '1h' })
    const ended = rejection(old.result())
    const fresh = await troupe.call(echo, 2, { idempotencyKey: 'k', onConflict: 'replace' })
    expect(await ended).toMatchObject({ code: 'run_cancelled' })
    expect(await fresh.result()).toBe(2)
  })
})

describe('debounce', () => {
  it('performs the last of a burst once it is quiet, for all who called', async () => {
    const seen: unknown[] = []
    const job = worker('job', {}, (_ctx, input: number) => (seen.push(input), input))
    const { troupe, clock } = await onStage({ definitions: [job] })
    const call = (n: number) => troupe.call(job, n, { debounce: { key: 'doc-1', period: '10s' } })
    const first = await call(1)
    await clock.advance(9_000)
    const second = await call(2)
    await clock.advance(9_000)
    expect([second.id, seen]).toEqual([first.id, []])
    await clock.advance(1_000)
    expect(await moving(clock, first.result())).toBe(2)
    const third = await call(3)
    expect(third.id).not.toBe(first.id)
    expect(seen).toEqual([2])
  })

  it('puts off no longer than its most', async () => {
    const { troupe, clock } = await onStage({ definitions: [echo] })
    const debounce = { period: '10s', max: '15s' }
    const first = await troupe.call(echo, 0, { debounce })
    for (let n = 1; n <= 4; n++) {
      await clock.advance(4_000)
      await troupe.call(echo, n, { debounce })
    }
    expect(await moving(clock, first.result())).toBe(3)
  })
})

describe('debounce beside others', () => {
  it('starts a first call no later than its most either', async () => {
    const { troupe, clock } = await onStage({ definitions: [echo] })
    const handle = await troupe.call(echo, 1, { debounce: { period: '10s', max: '5s' } })
    await clock.advance(5_000)
    expect(await handle.result()).toBe(1)
  })

  it('gives a run that is tried again the time of the call that changed it last', async () => {
    const stuck = worker('stuck', {}, () => new Promise(() => {}))
    const { troupe, clock } = await onStage({ definitions: [stuck] })
    const call = () => troupe.call(stuck, undefined, { debounce: { period: '5s' }, timeout: '10s' })
    const handle = await call()
    await clock.advance(4_000)
    await call()
    const fails = async (): Promise<string> => {
      const ended = rejection(handle.result())
      for (let second = 0; second < 10; second++) await clock.advance(1_000)
      return (await ended).message
    }
    expect(await fails()).toContain("'stuck' timed out after 10s")
    await handle.retry()
    expect(await fails()).toContain("'stuck' timed out after 10s")
  })
})

describe('throttle', () => {
  it('starts one run in a period, and gives that to who calls again', async () => {
    const { troupe, clock } = await onStage({ definitions: [echo] })
    const throttle = { key: 'mail', period: '1m' }
    const first = await troupe.call(echo, 1, { throttle })
    await clock.advance(59_999)
    const second = await troupe.call(echo, 2, { throttle })
    const other = await troupe.call(echo, 3, { throttle: { ...throttle, key: 'sms' } })
    await clock.advance(1)
    const third = await troupe.call(echo, 4, { throttle })
    expect([second.id === first.id, other.id === first.id, third.id === first.id]).toEqual([true, false, false])
    expect(await second.result()).toBe(1)
  })
})

describe('keepLast', () => {
  it('performs one at a time and then the newest, without those between', async () => {
    const { job, seen, letGo } = held<number>()
    const { troupe } = await onStage({ definitions: [job] })
    const call = (n: number) => troupe.call(job, n, { keepLast: { key: 'index' } })
    const first = await call(1)
    await eventually(() => seen.includes(1))
    const handles = [await call(2), await call(3), await call(4)]
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1)
    expect(await handles[0]?.status()).toMatchObject({
      state: 'parked',
      input: 4,
      reason: { kind: 'run', runId: first.id },
    })
    letGo(1)
    expect(await first.result()).toBe(1)
    await eventually(() => seen.includes(4))
    const after = await call(5)
    letGo(4)
    expect(await handles[0]?.result()).toBe(4)
    await eventually(() => seen.includes(5))
    letGo(5)
    expect(await after.result()).toBe(5)
    expect(seen).toEqual([1, 4, 5])
  })

  it('goes on when the one ahead is cancelled while it waits, or fails by its time', async () => {
    const { job, seen, letGo } = held<number>()
    const { troupe, clock } = await onStage({ definitions: [job] })
    const keepLast = {}
    const first = await troupe.call(job, 1, { keepLast, timeout: '5s' })
    await eventually(() => seen.includes(1))
    const second = await troupe.call(job, 2, { keepLast })
    const failed = rejection(first.result())
    await clock.advance(5_000)
    expect(await failed).toMatchObject({ code: 'timed_out' })
    await eventually(() => seen.includes(2))
    letGo(2)
    expect(await second.result()).toBe(2)
  })
})

describe('append', () => {
  it('gathers what comes while a run waits into one', async () => {
    const { troupe, clock } = await onStage({ definitions: [echo] })
    const append = { key: 'events', period: '5s' }
    const handles = [
      await troupe.call(echo, ['a'], { append }),
      await troupe.call(echo, [new Date(0)], { append }),
      await troupe.call(echo, ['c', 'd'], { append }),
    ]
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1)
    expect(await moving(clock, handles[0]!.result())).toEqual(['a', new Date(0), 'c', 'd'])
  })

  it('begins at once with so many, and gathers the rest of many callers into others', async () => {
    const { troupe } = await onStage({ definitions: [echo] })
    const append = { period: '1h', size: 10 }
    const handles = await Promise.all(Array.from({ length: 100 }, (_, n) => troupe.call(echo, [n], { append })))
    const ids = [...new Set(handles.map(({ id }) => id))]
    expect(ids).toHaveLength(10)
    const outputs = (await Promise.all(ids.map(async (id) => (await troupe.handle(id)).result()))) as number[][]
    expect(outputs.map((list) => list.length)).toEqual(Array.from({ length: 10 }, () => 10))
    expect(outputs.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n))
  })

  it('gathers the lists of one callMany by the key of each', async () => {
    const { troupe, clock } = await onStage({ definitions: [echo] })
    const key = ([n]: number[]): string => `rest ${(n ?? 0) % 2}`
    const handles = await troupe.callMany('echo', [[1], [2], [3]], { append: { key: key as never, period: '1s' } })
    expect(await moving(clock, Promise.all(handles.map((handle) => handle.result())))).toEqual([[1, 3], [2], [1, 3]])
  })

  it('refuses an input of which its schema makes no list, and disturbs nobody', async () => {
    const input = z.array(z.number()).transform((list) => list.length)
    const count = worker('count', { input }, (_ctx, length) => length)
    const { troupe } = await onStage({ definitions: [count, echo] })
    const [refused, other] = await Promise.allSettled([
      troupe.call('count', [1], { append: { period: '1h' } }),
      troupe.run(echo, 'innocent'),
    ])
    expect(refused).toMatchObject({
      reason: { message: 'What the input schema makes of the input of a call with append is 1: expected a list.' },
    })
    expect(other).toMatchObject({ value: 'innocent' })
  })

  it('refuses an input that is no list', async () => {
    const { troupe } = await onStage({ definitions: [echo] })
    expect(await rejection(troupe.call(echo, 'a', { append: {} }))).toMatchObject({
      code: 'option_invalid',
      message: 'The input of a call with append is "a": expected a list.',
    })
  })
})

describe('options of keys', () => {
  it.each([
    [
      { debounce: { period: '1s' }, throttle: { period: '1s' } },
      'debounce and throttle are given, and only one of them can be: a run has one key.',
    ],
    [{ idempotencyKey: 'k', keepLast: {} }, 'idempotencyKey and keepLast are given, and only one of them can be'],
    [{ delay: '1s', at: 7 }, 'delay and at are given, and only one of them can be: both say when it starts.'],
    [{ jobId: 'x' }, "Option 'jobId' of a call is not known: it is idempotencyKey here; expected one of"],
    [{ attempts: 3 }, "Option 'attempts' of a call is not known: it is retry: { attempts } here; expected one of"],
    [{ constructor: 3 }, "Option 'constructor' of a call is not known: expected one of"],
    [{ debounce: {} }, 'period of debounce: undefined is not a duration'],
    [{ debounce: { period: '1s', max: [] } }, 'max of debounce: a list is not a duration'],
    [{ delay: null }, 'delay: null is not a duration'],
    [{ timeout: true }, 'timeout: true is not a duration'],
    [{ debounce: { period: 0 } }, 'period of debounce is 0: expected a duration above zero'],
    [{ debounce: { period: '1s', most: '2s' } }, "Option 'most' of debounce is not known"],
    [{ debounce: { period: '1s' }, delay: '2s' }, 'delay is "2s": expected none beside a debounce or append'],
    [{ keepLast: {}, at: 7 }, 'at is 7: expected none beside keepLast'],
    [{ debounce: { period: '1s' }, onConflict: 'reject' }, 'onConflict is "reject": expected none beside debounce'],
    [{ onConflict: 'replace' }, "expected none without an idempotency key of the call or of 'echo'"],
    [{ throttle: { key: '', period: '1s' } }, 'key of throttle is ""'],
    [{ keepLast: true }, 'The options object of keepLast is true'],
    [{ append: { size: 0 } }, 'size of append is 0: expected a whole number from 1'],
    [{ expires: 'soon' }, 'expires: "soon" is not a duration'],
    [{ retry: [] }, 'retry is []'],
    [{ retry: { base: 'x' } }, 'retry.base: "x" is not a duration'],
    [{ retry: { jitter: '0.5' } }, 'retry.jitter is "0.5"'],
    [{ priority: Symbol('high') }, 'priority is Symbol(high)'],
    [{ retry: { backoff: () => 1 } }, 'backoff of a call\'s retry is "a function"'],
    [{ retry: { attempt: 3 } }, "Option 'attempt' of a call's retry is not known"],
    [{ retry: { attempts: 0 } }, 'retry.attempts is 0'],
    [{ correlationId: '' }, 'correlationId is ""'],
  ])('refuses %j', async (options, message) => {
    const { troupe } = await onStage({ definitions: [echo] })
    const refused = await rejection(troupe.call(echo, [1], options as never))
    expect(refused.message).toContain(message)
    expect(refused).toMatchObject({ code: 'option_invalid' })
    expect(await troupe.runs()).toEqual([])
  })
})
