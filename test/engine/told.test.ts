// What is logged: the lines of workers, by environment and level, and failures that nobody waits for.
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Troupe, worker, type TroupeOptions } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { RecordedLog } from '../../src/testing/recorded-log.ts'
import { intruder, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()
afterEach(() => void vi.unstubAllEnvs())

const speaker = worker('speaker', {}, (ctx) => {
  ctx.debug('a')
  ctx.info('b')
  ctx.warn('c')
  ctx.error('d')
  return [ctx.isDevelopment, ctx.isProduction]
})

/** An engine as a program opens it, but for where its lines go. */
async function opened(options: TroupeOptions = {}) {
  const log = new RecordedLog()
  const troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [speaker], log, ...options })
  onTestFinished(() => troupe.stop({ within: 0 }))
  await troupe.start()
  return { troupe, log, levels: () => log.lines.map(({ level }) => level).join(' ') }
}

describe('the lines of workers', () => {
  it.each([
    ['development', 'debug info warn error'],
    ['production', 'info warn error'],
    ['staging', 'info warn error'],
    ['test', 'warn error'],
  ])('in %s are %s', async (environment, expected) => {
    const { troupe, levels } = await opened({ environment })
    await troupe.run(speaker)
    expect(levels()).toBe(expected)
  })

  it.each([
    ['debug', 'debug info warn error'],
    ['error', 'error'],
    ['silent', ''],
  ] as const)('are those that logLevel %s says, whatever the environment', async (logLevel, expected) => {
    const { troupe, levels } = await opened({ environment: 'production', logLevel })
    await troupe.run(speaker)
    expect(levels()).toBe(expected)
  })

  it('that are left out are not stored either', async () => {
    const store = storeFile()
    const { troupe } = await opened({ store, environment: 'production' })
    await troupe.run(speaker)
    await troupe.stop()
    const rows = await intruder(store)
    expect(rows.prepare('select level from log order by n').all()).toEqual([
      { level: 'info' },
      { level: 'warn' },
      { level: 'error' },
    ])
  })
})

describe('B18: the environment', () => {
  it.each([
    ['production', [false, true]],
    ['development', [true, false]],
    ['test', [false, false]],
  ])('%s is what TROUPE_ENV says, before NODE_ENV', async (environment, expected) => {
    vi.stubEnv('TROUPE_ENV', environment)
    vi.stubEnv('NODE_ENV', 'other')
    const { troupe } = await opened()
    expect(await troupe.run(speaker)).toEqual(expected)
  })

  it('is what the option says, before both, and read once when the engine is opened', async () => {
    vi.stubEnv('TROUPE_ENV', 'development')
    const told = await opened({ environment: 'production' })
    const read = await opened()
    vi.stubEnv('TROUPE_ENV', 'production')
    expect(await told.troupe.run(speaker)).toEqual([false, true])
    expect(await read.troupe.run(speaker)).toEqual([true, false])
  })

  it.each(['', 5 as unknown as string])('%j is refused', async (environment) => {
    expect((await rejection(Troupe.open({ store: 'sqlite::memory:', environment }))).message).toContain(
      'environment is',
    )
  })
})

describe('B16: a failure', () => {
  const failing = (durable: boolean) =>
    worker('failing', { durable, retry: { attempts: 2, base: 1, jitter: 0 } }, () => {
      throw new RangeError('boom\nand more')
    })

  it.each([true, false])('that nobody waits for is logged once and counted (durable: %j)', async (durable) => {
    const { troupe, clock, log } = await onStage({ definitions: [failing(durable)] })
    const { id } = await troupe.call('failing')
    await turns()
    await clock.advance(1_000)
    await turns()
    const told = log.lines.filter(({ level }) => level === 'error')
    expect(told.map(({ message, fields }) => [message, fields['run'], fields['attempt']])).toEqual([
      ["worker 'failing' failed: boom; nobody here waits for its result", id, 2],
    ])
    expect(told[0]?.fields['err']).toBeInstanceOf(RangeError)
    expect(await troupe.stats('failing')).toMatchObject({ runs: 1, failed: 1, errors: 1, successRate: 0 })
  })

  it.each([true, false])('that somebody waits for is theirs alone (durable: %j)', async (durable) => {
    const { troupe, clock, log } = await onStage({ definitions: [failing(durable)] })
    const handle = await troupe.call('failing')
    const waits = [troupe.run('failing'), handle.result(), handle.result({ timeout: '1h' })]
    const errors = await Promise.all(waits.map((wait) => rejection(moving(clock, wait))))
    await turns()
    expect(errors.map(({ name }) => name)).toEqual(['RangeError', 'RangeError', 'RangeError'])
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it.each([true, false])('is not heard by whoever only reads messages, or gave up (durable: %j)', async (durable) => {
    const gate = deferred<void>()
    const job = worker('job', { durable }, async () => {
      await gate.promise
      throw new Error('boom')
    })
    const { troupe, clock, log } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    const reading = handle.recv()
    expect((await rejection(moving(clock, handle.result({ timeout: 100 })))).code).toBe('result_timeout')
    gate.resolve()
    expect(await reading).toBe(undefined)
    await turns()
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  it('of a run whose time was up before it began is told too', async () => {
    const { troupe, clock, log } = await onStage({ definitions: [speaker], queues: ['served'] })
    const { id } = await troupe.call(speaker, undefined, { queue: 'other', timeout: '1s' })
    await clock.advance(10_000)
    const told = log.lines.filter(({ level }) => level === 'error')
    expect(told.map(({ message, fields }) => [message, fields['run']])).toEqual([
      ['a run failed before it was performed, as its time was up; nobody here waits for its result', id],
    ])
  })

  it('that is a cancel is none', async () => {
    const job = worker('job', {}, (ctx) => ctx.sleep('1h'))
    const { troupe, log } = await onStage({ definitions: [job] })
    const { id } = await troupe.call(job)
    await turns()
    expect(await troupe.cancel(id)).toBe(true)
    expect(log.lines).toEqual([])
  })
})
