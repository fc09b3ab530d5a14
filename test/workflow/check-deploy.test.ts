// checkDeploy: what becomes of unfinished runs with other code, told without an engine.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { checkDeploy, workflow, type Definition, type RunCheck, type WorkflowContext } from 'troupe'
import { journalOf, replayJournal } from 'troupe/testing'
import { checkTroupeOptions } from '../../src/engine/options.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { checkStore } from '../../src/workflow/check-deploy.ts'
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
