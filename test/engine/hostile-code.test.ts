// User code at its worst: what it throws, returns and logs with ends its own run and nothing else.
import { describe, expect, it } from 'vitest'
import { Troupe, worker, workflow } from '../../src/index.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { noUnhandledRejections, onStage, rejection, storeFile } from './stage.ts'

noUnhandledRejections()

const fault = (): never => {
  throw new Error('no')
}
const once = { retry: { attempts: 1 } }
const unwritable = 'Thrown value: a value that cannot be written as text'

describe('a value that is thrown and has no text', () => {
  it.each<[string, () => unknown, string]>([
    ['an object without prototype', () => Object.create(null) as unknown, 'Thrown value: {}'],
    ['an object whose text throws', () => ({ toJSON: fault, toString: fault }), unwritable],
    ['a proxy that throws', () => new Proxy({}, { get: fault, has: fault, getPrototypeOf: fault }), unwritable],
  ])('fails the worker or the step that threw it: %s', async (_name, make, message) => {
    // oxlint-disable-next-line no-throw-literal
    const reject = async (): Promise<never> => Promise.reject(make())
    const job = worker('job', {}, reject)
    const flow = workflow('flow', {}, (ctx) => ctx.step('s', reject, once))
    const { troupe } = await onStage({ definitions: [job, flow] })
    expect((await rejection(troupe.run(job))).message).toBe(message)
    expect((await rejection(troupe.run(flow))).message).toBe(message)
  })
})

describe('a thenable that throws', () => {
  it('fails the step with what it threw, and the actor lives', async () => {
    let asked = 0
    const secondTime = {
      get then() {
        if (++asked > 1) throw new Error('asked twice')
        return (resolve: (value: number) => void) => resolve(5)
      },
    }
    const atOnce = { then: fault }
    const flow = workflow('flow', {}, async (ctx) => [
      await ctx.step('at once', () => atOnce as never, once).catch((error: Error) => error.message),
      await ctx.step('second time', () => secondTime as never, once).catch((error: Error) => error.message),
    ])
    const { troupe } = await onStage({ definitions: [flow] })
    expect(await troupe.run(flow)).toEqual(['no', 'asked twice'])
  })
})

describe('a log that throws', () => {
  it('loses its lines and harms no run', async () => {
    let calls = 0
    const broken = (): never => {
      calls += 1
      throw new Error('logger broke')
    }
    const job = worker('job', {}, (ctx) => {
      ctx.warn('hello')
      return 'done'
    })
    const log = { debug: broken, info: broken, warn: broken, error: broken }
    const troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [job], log })
    await troupe.start()
    expect(await troupe.run(job)).toBe('done')
    await troupe.stop()
    expect(calls).toBe(1)
  })
})

describe('a log line', () => {
  it('is stored without what a store loses, whatever was said, and is cut after 65,536 characters', async () => {
    const store = storeFile()
    const job = worker('job', {}, (ctx) => {
      for (const said of ['a\0b', '\ud800', 5, {}, undefined, 'x'.repeat(70_000)]) ctx.info(said as string)
    })
    const { troupe, stop } = await onStage({ store, definitions: [job] })
    await troupe.run(job)
    await stop()
    const driver = await openDriver(store.slice('sqlite:'.length))
    const rows = driver.prepare('select text from log order by n').all() as { text: string }[]
    driver.close()
    expect(rows.map(({ text }) => text)).toEqual([
      'a\\u0000b',
      '\\ud800',
      '5',
      '{}',
      'undefined',
      `${'x'.repeat(65_536)}… (4464 more characters)`,
    ])
  })

  it.each(['trace', 'constructor', undefined])('of the level %o is refused', async (level) => {
    const job = worker('job', {}, (ctx) => ctx.log(level as 'info', 'x'))
    const { troupe } = await onStage({ definitions: [job] })
    expect(await rejection(troupe.run(job))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('The level of a log line is ') as string,
    })
  })
})
