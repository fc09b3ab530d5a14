// troupe check-deploy on two folders of workers: what runs, and what is to be deployed.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { main } from '../../src/cli/cli.ts'
import { unlimited } from '../../src/cli/io.ts'
import { systemClock, type Clock } from '../../src/lib/clock.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { Troupe } from '../../src/troupe.ts'
import { eventually } from '../engine/stage.ts'

const root = mkdtempSync(join(tmpdir(), 'troupe-deploy-'))
const store = `sqlite:${join(root, 'jobs.db')}`
const library = JSON.stringify(fileURLToPath(new URL('../../src/index.ts', import.meta.url)))
const head = `
import { appendFileSync } from 'node:fs'
import { worker, workflow } from ${library}
const mark = (what: string) => appendFileSync('FOLDER/marks.txt', what + '\\n')
const never = () => new Promise(() => undefined)
`

const before = `
export const order = workflow('order', {}, async (ctx) => {
  await ctx.step('first', () => 1)
  await ctx.step('bill', () => 2)
  await ctx.sleep('30d')
})
export const patched = workflow('patched', {}, async (ctx) => {
  await ctx.step('bill', () => 2)
  await ctx.receive('paid')
})
export const lenient = workflow('lenient', { divergence: 'off' }, async (ctx) => {
  await ctx.step('bill', () => 2)
  await ctx.sleep('30d')
})
export const upload = workflow('upload', {}, async (ctx) => {
  await ctx.step('open', () => 1)
  await ctx.step('send', never)
})
export const report = workflow('report', { version: '1' }, async (ctx) => {
  await ctx.step('read', () => 1)
  await ctx.sleep('30d')
})
export const broken = workflow('broken', {}, async (ctx) => {
  await ctx.step('open', () => 1)
  await ctx.step('send', never)
})
export const gone = workflow('gone', {}, (ctx) => ctx.sleep('30d'))
export const child = worker('child', {}, never)
export const mail = worker('mail', {}, () => 1)
export const all = workflow('all', {}, async (ctx) => {
  ctx.answer('how far', () => mark('answered'))
  await ctx.map('items', [1, 2, 3], (item, ctx) => ctx.step('pack', () => item))
  const at = await ctx.now()
  await ctx.loop('poll', 0, async (turn, ctx) => {
    await ctx.step('look', () => turn)
    return turn < 3 ? { again: turn + 1 } : { done: turn }
  })
  await Promise.all([ctx.run('child'), ctx.receive('go'), ctx.sleep('30d')])
  return at
})
`

const after = before
  .replace(
    `ctx.step('bill', () => 2)\n  await ctx.sleep('30d')\n})\nexport const patched`,
    `ctx.step('card', () => mark('card'))\n  await ctx.sleep('30d')\n})\nexport const patched`,
  )
  .replace(
    `workflow('patched', {}, async (ctx) => {\n  await ctx.step('bill', () => 2)`,
    `workflow('patched', {}, async (ctx) => {\n  if (await ctx.patch('card')) await ctx.step('card', () => mark('card'))\n  else await ctx.step('bill', () => mark('bill'))`,
  )
  .replace(
    `{ divergence: 'off' }, async (ctx) => {\n  await ctx.step('bill', () => 2)`,
    `{ divergence: 'off' }, async (ctx) => {\n  await ctx.step('card', () => mark('card'))`,
  )
  .replace(`version: '1'`, `version: '2'`)
  .replace(
    `workflow('broken', {}, async (ctx) => {\n  await ctx.step('open', () => 1)`,
    `workflow('broken', {}, async (ctx) => {\n  await ctx.step('open', () => 1)\n  throw new Error('no key')`,
  )
  .replace(/export const gone.*\n/, '')
  .replaceAll(`'send', never`, `'send', () => mark('send')`)
  .replace(`return at`, `await ctx.step('more', () => mark('more'))`)

const ids: Record<string, string> = {}
let engine: Troupe

beforeAll(async () => {
  for (const [folder, text] of Object.entries({ before, after })) {
    mkdirSync(join(root, folder, 'workers'), { recursive: true })
    writeFileSync(join(root, folder, 'workers/all.ts'), (head + text).replace('FOLDER', join(root, folder)))
  }
  engine = await Troupe.open({ store, workers: join(root, 'before/workers'), global: false, logLevel: 'silent' })
  await engine.start()
  for (const name of ['order', 'patched', 'lenient', 'upload', 'report', 'broken', 'gone', 'all'])
    ids[name] = (await engine.call(name)).id
  ids['mail'] = (await engine.call('mail', undefined, { delay: '30d' })).id
  const waiting = ['order', 'patched', 'lenient', 'report', 'gone', 'all']
  await eventually(async () => {
    const states = await Promise.all(waiting.map(async (name) => (await engine.get(ids[name] ?? ''))?.state))
    const executing = await Promise.all(['upload', 'broken'].map((name) => engine.steps(ids[name] ?? '')))
    const children = await engine.runningFor('child')
    const isUnderWay = executing.every((steps) => steps.length === 1) && children.length === 1
    return isUnderWay && states.every((state) => state === 'parked')
  })
}, 60_000)

afterAll(async () => {
  await engine.stop({ within: 0 })
  rmSync(root, { recursive: true, force: true })
})

interface Told {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function checkDeploy(folder: string, ...flags: string[]): Promise<Told> {
  return checkAt({ isTerminal: false, columns: unlimited, clock: systemClock }, folder, flags)
}

interface Place {
  readonly isTerminal: boolean
  readonly columns: number
  readonly clock: Clock
}

async function checkAt({ isTerminal, columns, clock }: Place, folder: string, flags: string[]): Promise<Told> {
  let out = ''
  let err = ''
  const code = await main(['check-deploy', '--store', store, ...flags], {
    stdout: { isTerminal, columns, write: (text) => void (out += text) },
    stderr: { isTerminal, columns, write: (text) => void (err += text) },
    env: { NO_COLOR: '1' },
    clock,
    folder: join(root, folder),
    readStdin: () => Promise.resolve(''),
    onSignal: () => () => undefined,
  })
  return { code, out, err }
}

async function stored(): Promise<unknown> {
  const driver = await openDriver(store.slice('sqlite:'.length))
  try {
    const tables = ['run', 'live', 'step', 'wait', 'attempt', 'definition', 'message', 'emitted', 'log']
    return tables.map((table) => driver.prepare(`select * from ${table}`).all())
  } finally {
    driver.close()
  }
}

it('tells of each unfinished run what would become of it, and changes nothing', async () => {
  const was = await stored()
  const { code, out, err } = await checkDeploy('after', '--json')
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const told = Object.fromEntries(lines.slice(0, -1).map(({ name, verdict, text }) => [name, [verdict, text]]))
  expect(told).toEqual({
    order: ['diverges', "diverges at 'bill': the journal holds step 'bill' where the code asks for step 'card'"],
    patched: ['continues', ''],
    lenient: ['repeats', "repeats 'card'"],
    upload: ['repeats', "repeats 'send'"],
    report: ['waits', 'waits for version 1: the code has 2'],
    broken: ['fails', 'the code throws Error: no key'],
    all: ['continues', ''],
    child: ['continues', ''],
    mail: ['continues', ''],
  })
  expect(lines.at(-1)).toEqual({ runs: 9, continues: 4, repeats: 2, diverges: 1, fails: 1, waits: 1 })
  expect([code, err]).toEqual([1, ''])
  expect(await stored()).toEqual(was)
  expect(existsSync(join(root, 'after/marks.txt'))).toBe(false)
})

it('is content with the code that runs', async () => {
  const { code, out, err } = await checkDeploy('before')
  expect(code).toBe(0)
  expect(out).toContain(`${ids['order']}  order 1  continues\n`)
  expect(out).toContain(`${ids['upload']}  upload 1  repeats 'send'\n`)
  expect(err).toBe('10 runs: 8 continues, 2 repeats\n')
})

it('shows where journal and code part', async () => {
  const { out, err } = await checkDeploy('after')
  expect(out).toContain(
    [
      `${ids['order']}  order 1  diverges at 'bill': the journal holds step 'bill' where the code asks for step 'card'`,
      "    step 'first'",
      "  - step 'bill' and 1 more: in the journal, not asked for by the code",
      "  + step 'card': asked for by the code",
    ].join('\n'),
  )
  expect(err).toBe('9 runs: 4 continues, 2 repeats, 1 diverges, 1 fails, 1 waits\n')
})

it('exits with 2 when it is asked for what it does not have, and with 78 when its code cannot be loaded', async () => {
  expect((await checkDeploy('after', '--all')).code).toBe(2)
  expect((await checkDeploy('after', '--config', 'none.ts')).code).toBe(78)
  mkdirSync(join(root, 'torn/workers'), { recursive: true })
  writeFileSync(join(root, 'torn/workers/all.ts'), 'export const x = (')
  const { code, err } = await checkDeploy('torn')
  expect([code, err.includes('all.ts')]).toEqual([78, true])
})

it('tells a person at a terminal how far it is, in one line that fits', async () => {
  let seconds = 0
  const clock: Clock = { ...systemClock, monotonic: () => (seconds += 1_000) }
  const { err, out } = await checkAt({ isTerminal: true, columns: 40, clock }, 'before', [])
  const [first = '', second = ''] = err.split('\r\u001b[2K').slice(1)
  expect([first, second]).toEqual(['checking… 1 run: 1 continues', 'checking… 2 runs: 2 continues'])
  expect(err.split('\r\u001b[2K').every((line) => line.length < 40)).toBe(true)
  expect(err.endsWith('\r\u001b[2K10 runs: 8 continues, 2 repeats\n')).toBe(true)
  expect(out.startsWith('\r\u001b[2K')).toBe(true)
})

it('keeps what the code prints out of its own lines', async () => {
  mkdirSync(join(root, 'chatty/workers'), { recursive: true })
  const code = `${head}console.log('loaded')\nexport const order = workflow('order', {}, () => console.info('led'))\n`
  writeFileSync(join(root, 'chatty/workers/all.ts'), code.replace('FOLDER', root))
  const { out, err } = await checkDeploy('chatty', '--json')
  expect(err).toBe('loaded\nled\n')
  const lines = out.trimEnd().split('\n')
  expect(lines.map((line) => typeof JSON.parse(line))).toEqual(['object', 'object'])
})

it('says where there is nothing to check, or no store', async () => {
  const missing = await checkDeploy('after', '--store', `sqlite:${join(root, 'none.db')}`)
  expect(missing.code).toBe(69)
  expect(existsSync(join(root, 'none.db'))).toBe(false)
  const empty = join(root, 'empty.db')
  await (await Troupe.open({ store: `sqlite:${empty}`, global: false })).stop()
  const none = await checkDeploy('after', '--store', `sqlite:${empty}`)
  expect([none.code, none.err]).toEqual([0, 'No run of what is here is unfinished.\n'])
})
