// The lines that the code of a run logs: kept with their fields, and read in order, while it runs and later.
import { describe, expect, it } from 'vitest'
import { worker, workflow, type LogsOptions, type RunHandle, type RunLogLine } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { moving, noUnhandledRejections, onStage, rejection, storeFile } from './stage.ts'

noUnhandledRejections()

async function all(handle: RunHandle, options?: LogsOptions): Promise<RunLogLine[]> {
  const lines: RunLogLine[] = []
  for await (const line of handle.logs(options)) lines.push(line)
  return lines
}

async function texts(handle: RunHandle, options?: LogsOptions): Promise<string[]> {
  return (await all(handle, options)).map(({ level, text }) => `${level} ${text}`)
}

describe('handle.logs', () => {
  const flaky = worker('flaky', { retry: { attempts: 2, base: '1s' } }, (ctx) => {
    ctx.debug('a')
    ctx.info('charging', { card: 7, who: 'ann' })
    ctx.warn('late', { at: new Date(0), error: new TypeError('no') })
    if (ctx.attempt === 1) throw new Error('again')
    ctx.error('done')
  })

  it('gives the lines of all attempts with their fields, also from another process later', async () => {
    const store = storeFile()
    const first = await onStage({ store, definitions: [flaky] })
    const { id } = await first.troupe.call(flaky)
    await moving(first.clock, (await first.troupe.handle(id)).result())
    await first.stop()
    const { troupe } = await onStage({ store, starts: false })
    const lines = await all(await troupe.handle(id))
    expect(lines.map(({ text }) => text)).toEqual(['a', 'charging', 'late', 'a', 'charging', 'late', 'done'])
    expect(lines[1]).toEqual({
      offset: expect.stringMatching(/^\d+-2$/),
      at: expect.any(Number),
      level: 'info',
      text: 'charging',
      fields: { card: 7, who: 'ann' },
    })
    expect(lines[0]).not.toHaveProperty('fields')
    expect(lines[2]?.fields).toEqual({ at: '1970-01-01T00:00:00.000Z', error: { name: 'TypeError', message: 'no' } })
  })

  it('goes on behind an offset, above a level, and to a limit', async () => {
    const { troupe, clock } = await onStage({ definitions: [flaky] })
    const handle = await troupe.call(flaky)
    await moving(clock, handle.result())
    expect(await texts(handle, { level: 'warn' })).toEqual(['warn late', 'warn late', 'error done'])
    const [first] = await all(handle, { level: 'warn', limit: 1 })
    expect(await texts(handle, { from: first?.offset, limit: 2 })).toEqual(['debug a', 'info charging'])
  })

  it('follows a run to its end, or ends with what is there', async () => {
    const gate = deferred<void>()
    const job = worker('job', {}, async (ctx) => {
      ctx.info('one')
      await gate.promise
      ctx.info('two')
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    const reading = handle.logs()
    expect((await reading.next()).value).toMatchObject({ text: 'one' })
    expect(await texts(handle, { follow: false })).toEqual(['info one'])
    const second = reading.next()
    gate.resolve()
    expect((await second).value).toMatchObject({ text: 'two' })
    expect((await reading.next()).done).toBe(true)
  })

  it('says once that an attempt logged more than is kept', async () => {
    const chatty = worker('chatty', {}, (ctx) => {
      for (let n = 1; n <= 1_200; n++) ctx.info(String(n))
    })
    const { troupe } = await onStage({ definitions: [chatty] })
    const handle = await troupe.call(chatty)
    const lines = await texts(handle)
    expect([lines.length, lines[999]]).toEqual([1_001, 'info 1000'])
    expect(lines[1_000]).toBe('warn No more lines of this attempt are kept: 1,000 are the most.')
  })

  it('repeats nothing of what a workflow said before it parked', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      await ctx.step('first', () => 1)
      ctx.info('begun', { n: 1 })
      await ctx.step('second', () => 2)
      await ctx.sleep('1m')
      ctx.info('went on')
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await moving(clock, handle.result())
    expect(await texts(handle)).toEqual(['info begun', 'info went on'])
  })

  it('is empty for a run that is not stored', async () => {
    const local = worker('local', { durable: false }, (ctx) => ctx.info('said', { a: 1 }))
    const { troupe } = await onStage({ definitions: [local] })
    const handle = await troupe.call(local)
    expect(await texts(handle)).toEqual([])
  })

  it('refuses what is no option, by name', async () => {
    const { troupe, clock } = await onStage({ definitions: [flaky] })
    const handle = await troupe.call(flaky)
    await moving(clock, handle.result())
    for (const options of [{ from: 'x' }, { level: 'loud' }, { limit: 0 }, { follow: 1 }, { signal: 1 }, { leve: 1 }])
      expect(() => handle.logs(options as never)).toThrow(new RegExp(`^(Option '|)${Object.keys(options)[0]}`))
  })
})

describe('the fields of a line', () => {
  it('reach the log of the process, and cannot take the place of the run and worker', async () => {
    const job = worker('job', {}, (ctx) => ctx.info('x', { card: 7, run: 'other' }))
    const { troupe, log } = await onStage({ definitions: [job] })
    const { id } = await troupe.call(job)
    await (await troupe.handle(id)).result()
    const line = log.lines.find(({ message }) => message.endsWith('] x'))
    expect(line?.fields).toEqual({ card: 7, run: id, worker: 'job' })
  })

  it('never fail a run, whatever they are', async () => {
    const closed = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no')
        },
      },
    )
    const said: unknown[] = [closed, 'seven', [1], { big: 2n, make: () => 1 }, new Error('no')]
    const job = worker('job', {}, (ctx) => {
      for (const fields of said) ctx.info('x', fields as never)
      return 'fine'
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    expect(await handle.result()).toBe('fine')
    expect((await all(handle)).map(({ fields }) => fields)).toEqual([
      undefined,
      { value: 'seven' },
      { value: [1] },
      { big: '2n', make: '[function]' },
      { error: { name: 'Error', message: 'no' } },
    ])
  })

  it('may come first, as pino has them', async () => {
    const pino = worker('pino', {}, (ctx) => ctx.info({ user: 1 } as never, 'signed in' as never))
    const { troupe } = await onStage({ definitions: [pino] })
    const handle = await troupe.call(pino)
    await handle.result()
    expect(await all(handle)).toMatchObject([{ text: 'signed in', fields: { user: 1 } }])
  })

  it('are refused by type when they are no object', () => {
    worker('job', {}, (ctx) => {
      ctx.info('x', { card: 7 })
      // @ts-expect-error a text is no object of fields
      ctx.info('x', 'y')
      // @ts-expect-error neither is a number
      ctx.log('info', 'x', 5)
    })
    workflow('flow', {}, async (ctx) => {
      ctx.warn('x', { card: 7 })
      // @ts-expect-error neither is a list
      ctx.warn('x', [1])
    })
    expect.assertions(0)
  })

  it('of a wrong level are refused with the levels there are', async () => {
    const job = worker('job', {}, (ctx) => ctx.log('loud' as never, 'x'))
    const { troupe } = await onStage({ definitions: [job] })
    expect((await rejection(troupe.run(job))).message).toContain('debug, info, warn, error')
  })
})
