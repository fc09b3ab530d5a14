// checkDeploy: what becomes of unfinished runs with other code, told without an engine.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkDeploy, Troupe, workflow, type Definition, type RunCheck, type WorkflowContext } from 'troupe'
import { journalOf, replayJournal } from 'troupe/testing'
import { checkTroupeOptions } from '../../src/engine/options/options.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { checkStore } from '../../src/workflow/check-deploy/check-deploy.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))

async function all(checks: AsyncIterable<RunCheck>): Promise<RunCheck[]> {
  const told: RunCheck[] = []
  for await (const check of checks) told.push(check)
  return told
}

type Code = (ctx: WorkflowContext<void>) => unknown

const order = (code: Code, options: { version?: string; divergence?: 'warn' } = {}): Definition<void> =>
  workflow('order', options, code)

/** So many runs that were billed and sleep. */
async function billed(store: string, count = 1): Promise<string[]> {
  const bill = order(async (ctx) => {
    await ctx.step('first', () => 1)
    await ctx.step('bill', () => 2)
    await ctx.sleep('30d')
  })
  const stage = await onStage({ store, definitions: [bill] })
  const handles = await stage.troupe.callMany(bill, new Array<undefined>(count).fill(undefined) as never[])
  await eventually(async () => (await stage.troupe.queues())[0]?.parked === count)
  await stage.stop()
  return handles.map(({ id }) => id)
}

const same: Code = async (ctx) => {
  await ctx.step('first', () => 1)
  await ctx.step('bill', () => 2)
  await ctx.sleep('30d')
}
const renamed: Code = async (ctx) => {
  await ctx.step('first', () => 1)
  await ctx.step('card', () => 2)
}
const throwing: Code = async (ctx) => {
  await ctx.step('first', () => 1)
  await ctx.step('bill', () => 2)
  throw new RangeError('no key')
}

/** One run that was billed and is sending when its process stops. */
async function sending(store: string): Promise<string[]> {
  let isSending = false
  const send = order(async (ctx) => {
    await ctx.step('first', () => 1)
    await ctx.step('bill', () => 2)
    await ctx.step('send', () => new Promise(() => void (isSending = true)))
  })
  const stage = await onStage({ store, definitions: [send] })
  const handle = await stage.troupe.call(send)
  await eventually(() => isSending)
  await stage.stop()
  return [handle.id]
}

describe('checkDeploy', () => {
  it.each([
    ['continues', billed, order(same)],
    ['diverges', billed, order(renamed)],
    ['repeats', billed, order(renamed, { divergence: 'warn' })],
    ['fails', sending, order(throwing)],
  ])('says that a run %s in the word that replayJournal has for it', async (verdict, before, definition) => {
    const store = storeFile()
    const [id = ''] = await before(store)
    const { troupe } = await onStage({ store, starts: false })
    const journal = await journalOf(troupe, id)
    expect((await all(checkDeploy({ store, definitions: [definition] }))).map((check) => check.verdict)).toEqual([
      verdict,
    ])
    expect((await replayJournal(definition as Definition<never>, journal)).verdict).toBe(verdict)
  })

  it('tells the oldest first, names what is checked, and leaves out runs of other definitions', async () => {
    const store = storeFile()
    const ids = await billed(store, 3)
    const told = await all(checkDeploy({ store, definitions: [order(same, { version: '2' })] }))
    const waits = { name: 'order', version: '1', verdict: 'waits', text: 'waits for version 1: the code has 2' }
    expect(told).toEqual(ids.map((id) => ({ id, ...waits })))
    expect(await all(checkDeploy({ store, definitions: [workflow('other', {}, () => 1)] }))).toEqual([])
  })

  it('waits for a thousand runs of code that does not fit at once, and for no more', async () => {
    const store = storeFile()
    await billed(store, 1_100)
    const clock = new ManualClock(1_000)
    const options = checkTroupeOptions({ store, definitions: [order(renamed)] })
    const checks = all(checkStore({ ...options, clock }))
    // Each run has two timers: for what may come yet, and for all it may take.
    await eventually(() => clock.armedTimers === 2 * 1_024)
    const told = await moving(clock, checks)
    expect(clock.monotonic()).toBeLessThan(2_000)
    expect(new Set(told.map(({ verdict }) => verdict))).toEqual(new Set(['diverges']))
    expect(told).toHaveLength(1_100)
    expect(clock.armedTimers).toBe(0)
  })

  it('waits for nothing once the process has nothing else to do', async () => {
    const store = storeFile()
    await billed(store, 2)
    const child = fileURLToPath(new URL('./check-deploy-child.ts', import.meta.url))
    const env = { ...process.env, JITI_FS_CACHE: 'false', NODE_OPTIONS: '' }
    const { stdout } = await promisify(execFile)(process.execPath, [jiti, child, store], { env, timeout: 60_000 })
    const line = "diverges: diverges at 'bill': the journal holds step 'bill' where the code asks for step 'card'\n"
    expect(stdout).toBe(line + line)
  }, 60_000)

  it('says of a run that undoes whether its code still says how', async () => {
    const store = storeFile()
    const never = { run: () => Promise.reject(new Error('not yet')), retry: { attempts: 9, base: '1h' } }
    const book = (undo: { undo?: typeof never }) =>
      order(async (ctx) => {
        await ctx.step('room', () => 1, undo)
        await ctx.step('car', () => Promise.reject(new Error('none left')), { retry: { attempts: 1 } })
      })
    const stage = await onStage({ store, definitions: [book({ undo: never })] })
    const handle = await stage.troupe.call('order')
    await eventually(async () => (await handle.status()).undoing && (await stage.troupe.attempts(handle.id)).length > 0)
    await stage.stop()
    const verdicts = async (definition: Definition<void>) =>
      (await all(checkDeploy({ store, definitions: [definition] }))).map(({ verdict, text }) => [verdict, text])
    expect(await verdicts(book({ undo: never }))).toEqual([['repeats', "repeats 'room/undo'"]])
    const diverged = "diverges at 'room': the journal holds step 'room', which the code does not ask for"
    expect(await verdicts(book({}))).toEqual([['diverges', diverged]])
    expect(await verdicts(order(() => undefined))).toEqual([['diverges', diverged]])
  })

  it('warns of a step whose code says no more how to undo it', async () => {
    const store = storeFile()
    const room = (undo: { undo?: () => void }) =>
      order(async (ctx) => {
        await ctx.step('room', () => 1, undo)
        await ctx.receive('paid')
      })
    const stage = await onStage({ store, definitions: [room({ undo: () => undefined })] })
    const handle = await stage.troupe.call('order')
    await eventually(async () => (await handle.status()).state === 'parked')
    await stage.stop()
    const [same] = await all(checkDeploy({ store, definitions: [room({ undo: () => undefined })] }))
    expect([same?.verdict, same?.text]).toEqual(['continues', ''])
    const [told] = await all(checkDeploy({ store, definitions: [room({})] }))
    const text = "continues, but could not undo 'room': the code says no more how to"
    expect([told?.verdict, told?.text]).toEqual(['continues', text])
  })

  it('says of a run that has not begun whether the version that takes it over can, whatever its policy, and performs none of its code', async () => {
    const store = storeFile()
    await using client = await Troupe.open({ store, definitions: [order(same)], global: false })
    await client.call('order')
    let performed = 0
    const heir = (input: () => unknown) =>
      workflow('order', { version: '2', divergence: 'off', upcast: { '1': { input } } }, () => void performed++)
    const check = async (input: () => unknown) =>
      (await all(checkDeploy({ store, definitions: [heir(input)] }))).map(({ verdict }) => verdict)
    const refuse = () => {
      throw new Error('no such order')
    }
    expect([await check(() => 1), await check(refuse)]).toEqual([['continues'], ['diverges']])
    expect(performed).toBe(0)
    const stage = await onStage({ store, definitions: [heir(refuse)] })
    await eventually(async () => (await stage.troupe.runs())[0]?.reason?.kind === 'diverged')
  })

  it('takes what code throws where nothing awaits it for a failure of its run, and goes on with the others', async () => {
    const store = storeFile()
    await billed(store, 2)
    const others = (['unhandledRejection', 'uncaughtException'] as const).map((event) => {
      const listeners = process.rawListeners(event)
      process.removeAllListeners(event)
      return () => listeners.forEach((listener) => process.on(event, listener as () => void))
    })
    onTestFinished(() => others.forEach((restore) => restore()))
    let run = 0
    const stray = order(async (ctx) => {
      run += 1
      if (run === 1) void Promise.reject(new Error('stray'))
      await same(ctx)
    })
    const late = order(async (ctx) => {
      setTimeout(() => {
        throw new Error('late')
      }, 5)
      await same(ctx)
    })
    const told = async (definition: Definition<void>) =>
      (await all(checkDeploy({ store, definitions: [definition] }))).map(({ verdict, text }) => [verdict, text])
    const text = (error: string) => `the code throws where nothing awaits it, which ends the process: Error: ${error}`
    expect(await told(stray)).toEqual([
      ['fails', text('stray')],
      ['continues', ''],
    ])
    expect(await told(late)).toEqual([
      ['fails', text('late')],
      ['fails', text('late')],
    ])
    expect(process.listenerCount('uncaughtException')).toBe(0)
  })

  it('makes no store, and refuses what Troupe.open refuses', async () => {
    const store = storeFile()
    expect(await rejection(checkDeploy({ store, definitions: [order(same)] }).next())).toMatchObject({
      code: 'store_unavailable',
    })
    expect(existsSync(store.slice('sqlite:'.length))).toBe(false)
    const twice = checkDeploy({ store, definitions: [order(same), order(renamed)] }).next()
    expect(await rejection(twice)).toMatchObject({ code: 'definition_exists' })
    expect(await rejection(checkDeploy({ sotre: store } as never).next())).toMatchObject({ code: 'option_invalid' })
  })
})
