// What can go wrong with a worker, each with the words it is told in and the remedy that works. The same entries are in docs/workers.md.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { worker, WORKER } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, turns } from '../engine/stage.ts'
import { exporting, workersFolder } from './folder.ts'

noUnhandledRejections()

describe('worker not found', () => {
  it('names the folder searched, the file that was skipped and why, and is solved by the name of that file', async () => {
    const folder = workersFolder({ '_my_worker.ts': exporting('my-worker') })
    const { troupe } = await onStage({ workers: folder })
    const error = await rejection(troupe.run('my-worker'))
    expect(error).toMatchObject({ code: 'worker_not_registered', details: { name: 'my-worker' } })
    expect(error.message).toMatch(/^Worker 'my-worker' not registered\. Nothing is registered yet\. /)
    expect(error.message).toContain(
      `Looked in the folder ${relative('.', folder)} and loaded 0 files; skipped _my_worker.ts (its name begins with _).`,
    )
    await troupe.discover(workersFolder({ 'my_worker.ts': exporting('my-worker') }))
    expect(await troupe.run('my-worker')).toBe('my-worker')
  })

  it('names the file that exports nothing to register', async () => {
    const text = exporting('my-worker').replace('export const', 'const')
    const { troupe } = await onStage({ workers: workersFolder({ 'my_worker.ts': text }) })
    expect((await rejection(troupe.run('my-worker'))).message).toContain(
      'loaded 0 files; skipped my_worker.ts (it exports no definition and no install).',
    )
  })

  it('says when no folder was searched', async () => {
    const { troupe } = await onStage()
    const { message } = await rejection(troupe.run('my-worker'))
    expect(message).toContain('put its file into a folder and name that in { workers }: none was searched.')
  })

  it('names what was meant by a misspelt name', async () => {
    const { troupe } = await onStage({ definitions: [worker('send-email', {}, () => 1)] })
    expect((await rejection(troupe.run('sendemail'))).message).toContain("Did you mean 'send-email'?")
  })
})

describe('worker manager not initialised', () => {
  it('is told before an engine is open, with what to do, and solved by that', async () => {
    const error = await rejection(WORKER.run('my-worker'))
    expect(error).toMatchObject({ code: 'worker_manager_not_initialised' })
    expect(error.message).toMatch(/^Worker manager not initialised: .*Await Troupe\.open\(\) first/)
    await onStage({ definitions: [worker('my-worker', {}, () => 'done')] })
    expect(await WORKER.run('my-worker')).toBe('done')
  })
})

describe('worker timeout', () => {
  it('of an attempt names the worker and its time', async () => {
    const slow = worker('slow-task', { timeout: '5s' }, () => deferred<void>().promise)
    const { troupe, clock } = await onStage({ definitions: [slow] })
    const error = await rejection(moving(clock, troupe.run(slow)))
    expect(error).toMatchObject({ code: 'timed_out', details: { name: 'slow-task', timeoutMs: 5_000 } })
    expect(error.message).toMatch(/^Worker 'slow-task' timed out after 5s: give it a longer { timeout }/)
  })

  it('of a call is told in the same words, and solved by more time or none', async () => {
    const slow = worker('slow-task', {}, async (ctx) => {
      await ctx.sleep('10s')
      return 'done'
    })
    const { troupe, clock } = await onStage({ definitions: [slow] })
    const error = await rejection(moving(clock, troupe.run(slow, undefined, { timeout: '5s' })))
    expect(error).toMatchObject({ code: 'timed_out', retryable: false })
    expect(error.message).toMatch(/^Worker 'slow-task' timed out after 5s: its call gave it no more time/)
    expect(await moving(clock, troupe.run(slow, undefined, { timeout: '30s' }))).toBe('done')
    expect(await moving(clock, troupe.run(slow))).toBe('done')
  })

  it('of a call whose run never got its turn is told in the same words', async () => {
    const slow = worker('slow-task', { queue: 'elsewhere' }, () => 1)
    const { troupe, clock } = await onStage({ definitions: [slow] })
    const error = await rejection(moving(clock, troupe.run(slow, undefined, { timeout: '5s' })))
    expect(error).toMatchObject({ code: 'timed_out', details: { name: 'slow-task', timeoutMs: 5_000 } })
    expect(error.message).toMatch(/^Worker 'slow-task' timed out after 5s: its call gave it no more time/)
  })
})

describe('messages not received', () => {
  it('is how it looks when none was emitted: recv gives undefined at the end', async () => {
    const { troupe } = await onStage({
      definitions: [
        worker('quiet', {}, () => 'done'),
        worker('messenger', {}, (ctx) => void ctx.emit({ progress: 50 })),
      ],
    })
    expect(await (await troupe.call('quiet')).recv()).toBe(undefined)
    const handle = await troupe.call('messenger')
    await handle.result()
    expect([await handle.recv(), await handle.recv()]).toEqual([{ progress: 50 }, undefined])
  })
})

describe('payload access', () => {
  it('gives undefined when the call passed none, and the payload when it did', async () => {
    const job = worker('my-worker', {}, (ctx) => [ctx.payload])
    const { troupe } = await onStage({ definitions: [job] })
    expect(await troupe.run('my-worker')).toStrictEqual([undefined])
    expect(await troupe.run('my-worker', { key: 'value' })).toStrictEqual([{ key: 'value' }])
    expect(await troupe.run('my-worker', null)).toStrictEqual([null])
  })
})

describe('a worker that hangs', () => {
  it('is seen where it stands by its log lines, ended by a timeout or a cancel, and its signal is told', async () => {
    const reasons: unknown[] = []
    const hanging = worker('hanging', {}, (ctx) => {
      ctx.warn('step 1')
      ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))
      return deferred<void>().promise
    })
    const { troupe, clock, log } = await onStage({ definitions: [hanging] })
    const timed = rejection(troupe.run(hanging, undefined, { timeout: '30s' }))
    const handle = await troupe.call(hanging)
    await eventually(() => log.lines.filter(({ message }) => message.endsWith('] step 1')).length === 2)
    expect(await troupe.runningFor('hanging')).toHaveLength(2)
    await clock.advance(30_000)
    expect(await timed).toMatchObject({ code: 'timed_out' })
    expect(await handle.cancel('it hangs')).toBe(true)
    expect(await troupe.runningFor('hanging')).toEqual([])
    expect(reasons).toMatchObject([{ code: 'timed_out' }, { code: 'run_cancelled' }])
  })
})

describe('high memory usage', () => {
  it('is bounded by the pool: what waits is in the store', async () => {
    const gate = deferred<void>()
    let running = 0
    let peak = 0
    const job = worker('process', {}, async () => {
      peak = Math.max(peak, ++running)
      await gate.promise
      running -= 1
    })
    const { troupe } = await onStage({ definitions: [job], pools: { task: { min: 1, max: 10 } } })
    const handles = await Promise.all(Array.from({ length: 200 }, () => troupe.call(job)))
    await turns()
    expect([running, troupe.runningHere().length]).toEqual([10, 10])
    gate.resolve()
    await Promise.all(handles.map((handle) => handle.result()))
    expect(peak).toBe(10)
  })
})

describe('statistics', () => {
  it('are those of the runs that have ended, whatever their end, of all runs of a name', async () => {
    const gate = deferred<void>()
    const task = worker('task', {}, (_ctx, isSlow: boolean) => (isSlow ? gate.promise : undefined))
    const { troupe } = await onStage({ definitions: [task] })
    const slow = await troupe.call(task, true)
    const cancelled = await troupe.call(task, true)
    await troupe.run(task, false)
    await cancelled.cancel()
    expect(await troupe.stats('task')).toMatchObject({ runs: 2, succeeded: 1, cancelled: 1, successRate: 50 })
    gate.resolve()
    await slow.result()
    expect(await troupe.stats('task')).toMatchObject({ runs: 3, succeeded: 2, cancelled: 1 })
  })
})

it('has a section in docs/workers.md for each of these', () => {
  const page = readFileSync('docs/workers.md', 'utf8')
  const sections = [...page.slice(page.indexOf('## Troubleshooting')).matchAll(/^### (.+)$/gm)].map(([, name]) => name)
  expect(sections).toEqual([
    "Worker 'my-worker' not registered",
    'Worker manager not initialised',
    "Worker 'slow-task' timed out after 5s",
    'Messages are not received',
    'The payload is undefined',
    'A worker hangs for ever',
    'Much memory is used',
    'Statistics do not change',
  ])
})
