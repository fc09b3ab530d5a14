// ctx.later: a run that somebody finishes from outside, with the token of its attempt.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { isTroupeError, PermanentError, worker } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

/** A worker that hands out the token of each attempt, and returns something else. */
function awaiter(options = {}, body: () => unknown = () => 'of no account') {
  const tokens: string[] = []
  const job = worker<unknown>('job', options, async (ctx) => {
    tokens.push(await ctx.later())
    return body()
  })
  return { job, tokens }
}

describe('a run that waits for somebody', () => {
  it('ends with what is told for its token, and holds no actor until then', async () => {
    const { job, tokens } = awaiter()
    const pools = { task: { min: 1, max: 1 } }
    const { troupe } = await onStage({ definitions: [job], pools })
    const handles = [await troupe.call(job), await troupe.call(job), await troupe.call(job)]
    await eventually(() => tokens.length === 3)
    await eventually(async () => (await troupe.running()).length === 0)
    expect((await handles[0]?.status())?.state).toBe('parked')
    for (const [n, token] of tokens.entries()) expect(await troupe.complete(token, { n })).toBe('accepted')
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }])
    expect(await troupe.stats('job')).toMatchObject({ runs: 3, succeeded: 3, errors: 0 })
  })

  it('keeps undefined apart from nothing', async () => {
    const { job, tokens } = awaiter()
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(() => tokens.length === 1)
    await troupe.complete(tokens[0] ?? '')
    expect(await handle.result()).toBe(undefined)
  })

  it('fails with what is told, its code and details', async () => {
    const { job, tokens } = awaiter()
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(() => tokens.length === 1)
    expect(await troupe.fail(tokens[0] ?? '', new PermanentError('no', { details: { by: 'ann' } }))).toBe('accepted')
    const error = await rejection(handle.result())
    expect(error).toBeInstanceOf(PermanentError)
    expect(error).toMatchObject({ message: 'no', details: { by: 'ann' } })
  })

  it('takes a text for an error', async () => {
    const { job, tokens } = awaiter()
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(() => tokens.length === 1)
    await troupe.fail(tokens[0] ?? '', 'the bank said no')
    expect((await rejection(handle.result())).message).toBe('the bank said no')
  })

  it('is tried again after a failure as its retry says, with another token', async () => {
    const { job, tokens } = awaiter({ retry: { attempts: 2, base: 1, jitter: 0 } })
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(() => tokens.length === 1)
    await troupe.fail(tokens[0] ?? '', new Error('first'))
    await moving(
      clock,
      eventually(() => tokens.length === 2),
    )
    expect(new Set(tokens).size).toBe(2)
    expect(await troupe.complete(tokens[0] ?? '', 'old')).toBe('used')
    expect(await troupe.complete(tokens[1] ?? '', 'new')).toBe('accepted')
    expect(await handle.result()).toBe('new')
    expect(
      (await troupe.attempts(handle.id)).map(({ path, attempt, error }) => [path, attempt, error.message]),
    ).toEqual([['', 1, 'first']])
  })

  it('gives the same token however often an attempt asks', async () => {
    const seen: string[] = []
    const job = worker('job', {}, async (ctx) => void seen.push(await ctx.later(), await ctx.later()))
    const { troupe } = await onStage({ definitions: [job] })
    await troupe.call(job)
    await eventually(() => seen.length === 2)
    expect(seen[0]).toBe(seen[1])
    expect(seen[0]).toMatch(/^[\w-]{43}$/)
  })

  it('runs what was deferred when its handler ends, not when it is told', async () => {
    const seen: string[] = []
    const job = worker('job', {}, async (ctx) => {
      ctx.defer(() => seen.push('cleaned'))
      seen.push(await ctx.later())
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(seen[1]).toBe('cleaned')
  })
})

describe('a run that is tried again by a person', () => {
  it('I8: takes nothing for a token of its generation before', async () => {
    const { job, tokens } = awaiter()
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(async () => (await handle.status()).state === 'parked')
    await handle.cancel()
    await troupe.pause('default')
    await handle.retry()
    expect(await troupe.complete(tokens[0] ?? '', 'old')).toBe('superseded')
    await troupe.resume('default')
    await eventually(() => tokens.length === 2)
    expect(await troupe.complete(tokens[1] ?? '', 'new')).toBe('accepted')
    expect(await handle.result()).toBe('new')
  })
})

describe('what comes from outside is checked', () => {
  const output = z.object({ id: z.string().transform((id) => id.toUpperCase()) })

  it('by the output schema, and the token stays good for another try', async () => {
    const { job, tokens } = awaiter({ output })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(() => tokens.length === 1)
    expect((await rejection(troupe.complete(tokens[0] ?? '', { id: 7 }))).code).toBe('validation_failed')
    expect(await troupe.complete(tokens[0] ?? '', { id: 'a1' })).toBe('accepted')
    expect(await handle.result()).toEqual({ id: 'A1' })
  })

  it('by the node that takes it in, when who tells it does not know the definition', async () => {
    const store = storeFile()
    const { job, tokens } = awaiter({ output })
    const { troupe, clock } = await onStage({ definitions: [job], store })
    const outside = await onStage({ store, starts: false, node: 'outside' })
    const handle = await troupe.call(job)
    await eventually(() => tokens.length === 1)
    expect(await outside.troupe.complete(tokens[0] ?? '', { id: 7 })).toBe('accepted')
    expect((await rejection(moving(clock, handle.result()))).code).toBe('validation_failed')
  })

  it('and refused where it cannot be stored', async () => {
    const { job, tokens } = awaiter()
    const { troupe } = await onStage({ definitions: [job] })
    await troupe.call(job)
    await eventually(() => tokens.length === 1)
    const [token = ''] = tokens
    expect((await rejection(troupe.complete<unknown>(token, () => 1))).code).toBe('value_not_storable')
    expect((await rejection(troupe.complete(token, 'x'.repeat(1_100_000)))).code).toBe('value_too_large')
    expect((await rejection(troupe.complete(7 as never, 1))).code).toBe('option_invalid')
    expect(await troupe.complete(token, 1)).toBe('accepted')
  })
})

describe('a token', () => {
  it('I8: is good for one result, told from two processes at the same time', async () => {
    const store = storeFile()
    const { job, tokens } = awaiter()
    const { troupe, clock } = await onStage({ definitions: [job], store })
    const outside = await onStage({ store, starts: false, node: 'outside' })
    for (let n = 0; n < 20; n++) {
      const handle = await troupe.call(job)
      await eventually(() => tokens.length === n + 1)
      const token = tokens[n] ?? ''
      const answers = await Promise.all([troupe.complete(token, 'here'), outside.troupe.complete(token, 'there')])
      expect(answers.toSorted()).toEqual(['accepted', 'used'])
      expect(await moving(clock, handle.result())).toBe(answers[0] === 'accepted' ? 'here' : 'there')
    }
  })

  it('I8: tells that the run has ended, was cancelled, or that nobody knows it', async () => {
    const { job, tokens } = awaiter()
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(await handle.cancel()).toBe(true)
    expect(await troupe.complete(tokens[0] ?? '', 1)).toBe('finished')
    expect(await troupe.fail(tokens[0] ?? '', 'late')).toBe('finished')
    expect(await troupe.heartbeat(tokens[0] ?? '')).toBe('finished')
    expect(await troupe.complete('a guess', 1)).toBe('not_found')
  })

  it('I11: that was used makes a cancel come too late', async () => {
    const { job, tokens } = awaiter()
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(async () => (await handle.status()).state === 'parked')
    const [answer, isCancelled] = await Promise.all([troupe.complete(tokens[0] ?? '', 'done'), handle.cancel()])
    expect([answer, isCancelled, await handle.result()]).toEqual(['accepted', false, 'done'])
  })

  it('may be used while the handler is still at work: the run ends when that has', async () => {
    const gate = deferred<void>()
    const { job, tokens } = awaiter({}, () => gate.promise)
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(() => tokens.length === 1)
    expect(await troupe.complete(tokens[0] ?? '', 'early')).toBe('accepted')
    expect((await handle.status()).state).toBe('running')
    gate.resolve()
    expect(await handle.result()).toBe('early')
  })

  it('I11: that was used before the handler threw decides how the run ends', async () => {
    const gate = deferred<void>()
    const { job, tokens } = awaiter({}, () => gate.promise)
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(() => tokens.length === 1)
    expect(await troupe.complete(tokens[0] ?? '', 'early')).toBe('accepted')
    gate.reject(new Error('too late'))
    expect(await moving(clock, handle.result())).toBe('early')
    expect(await troupe.stats('job')).toMatchObject({ runs: 1, succeeded: 1 })
  })

  it('outlives its process: the run waits on in another', async () => {
    const store = storeFile()
    const { job, tokens } = awaiter()
    const first = await onStage({ definitions: [job], store })
    const handle = await first.troupe.call(job)
    await eventually(async () => (await handle.status()).state === 'parked')
    await first.stop()
    const second = await onStage({ definitions: [job], store })
    expect(await second.troupe.complete(tokens[0] ?? '', 'later')).toBe('accepted')
    expect(await (await second.troupe.handle(handle.id)).result()).toBe('later')
    expect(tokens.length).toBe(1)
  })

  it('is not given to a run that is not stored', async () => {
    const job = worker('job', { durable: false }, (ctx) => ctx.later())
    const { troupe } = await onStage({ definitions: [job] })
    expect((await rejection(troupe.run(job))).code).toBe('option_invalid')
  })

  it('is not kept itself', async () => {
    const store = storeFile()
    const { job, tokens } = awaiter()
    const { troupe, stop } = await onStage({ definitions: [job], store })
    await troupe.call(job)
    await eventually(() => tokens.length === 1)
    await stop()
    const { readFileSync } = await import('node:fs')
    expect(readFileSync(store.slice('sqlite:'.length)).includes(tokens[0] ?? '')).toBe(false)
  })
})

describe('the time limits of the attempt hold while it waits', () => {
  it('its timeout, and it is tried again', async () => {
    const { job, tokens } = awaiter({ timeout: '10s', retry: { attempts: 2, base: 1, jitter: 0 } })
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(async () => (await handle.status()).state === 'parked')
    await clock.advance(9_900)
    await turns()
    expect((await handle.status()).state).toBe('parked')
    await moving(
      clock,
      eventually(() => tokens.length === 2),
    )
    expect(await troupe.complete(tokens[0] ?? '', 1)).toBe('superseded')
    const error = await rejection(moving(clock, handle.result()))
    expect(error.message).toMatch(/^Worker 'job' timed out after 10s/)
    expect(isTroupeError(error, 'timed_out')).toBe(true)
    expect(await troupe.complete(tokens[1] ?? '', 1)).toBe('finished')
    expect(tokens.length).toBe(2)
  })

  it('its heartbeat, which signs of life from outside put off', async () => {
    const { job, tokens } = awaiter({ heartbeat: '5s' })
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(async () => (await handle.status()).state === 'parked')
    for (let beat = 0; beat < 5; beat++) {
      await clock.advance(4_000)
      expect(await troupe.heartbeat(tokens[0] ?? '')).toBe('accepted')
    }
    await turns()
    expect((await handle.status()).state).toBe('parked')
    const error = await rejection(moving(clock, handle.result()))
    expect(error.message).toMatch(/^Worker 'job' timed out: it gave no sign of life for 5s/)
  })

  it('the time its call gave the whole run', async () => {
    const { job } = awaiter()
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job, undefined, { timeout: '2s' })
    const error = await rejection(moving(clock, handle.result()))
    expect(error.message).toMatch(/^Worker 'job' timed out after 2s/)
  })

  it('and a cancel that its node has yet to hear of when it parks ends it', async () => {
    const store = storeFile()
    const gate = deferred<void>()
    const { job } = awaiter({}, () => gate.promise)
    const { troupe, clock } = await onStage({ definitions: [job], store })
    const other = await onStage({ store, starts: false, node: 'other' })
    const handle = await troupe.call(job)
    await eventually(async () => (await handle.status()).state === 'running')
    const cancelled = other.troupe.cancel(handle.id)
    await turns()
    gate.resolve()
    expect((await rejection(moving(clock, handle.result()))).code).toBe('run_cancelled')
    expect(await moving(other.clock, cancelled)).toBe(true)
  })
})
