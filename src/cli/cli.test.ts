import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Definition } from '../engine/definition/definition.ts'
import { entity } from '../entity/entity.ts'
import { systemClock } from '../lib/clock.ts'
import { template, type TemplateBuilder } from '../template/builder/builder.ts'
import { Troupe } from '../troupe.ts'
import { limiter } from '../worker/limiter.ts'
import { worker } from '../worker/worker.ts'
import { workflow } from '../workflow/workflow.ts'
import { main } from './cli.ts'
import { unlimited, type Io } from './io.ts'

interface Told {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function troupe(folder: string, argv: readonly string[], columns = unlimited): Promise<Told> {
  let out = ''
  let err = ''
  const isTerminal = columns !== unlimited
  const io: Io = {
    stdout: { isTerminal, columns, write: (text) => void (out += text) },
    stderr: { isTerminal, columns, write: (text) => void (err += text) },
    env: { NO_COLOR: '1' },
    clock: systemClock,
    folder,
    readStdin: () => Promise.resolve(''),
    onSignal: () => () => {},
  }
  const code = await main(argv, io)
  return { code, out, err }
}

function nothing(): void {}

describe('what was typed wrongly', () => {
  it('exits 2 and says what there is', async () => {
    const unknown = await troupe('/', ['rums'])
    expect([unknown.code, unknown.out]).toEqual([2, ''])
    expect(unknown.err).toContain("troupe: unknown command 'rums'\n(Did you mean runs?)")
    expect((await troupe('/', ['runs', '--wat'])).code).toBe(2)
    expect((await troupe('/', ['runs', '--state', 'sleeping'])).err).toContain(
      'Allowed choices are ready, scheduled, running',
    )
    expect((await troupe('/', ['runs', '--limit', '0'])).err).toContain('Give a whole number from 1.')
    expect((await troupe('/', ['show'])).code).toBe(2)
  })

  it('shows the help on standard error when nothing was typed', async () => {
    const told = await troupe('/', [])
    expect([told.code, told.out]).toEqual([2, ''])
    expect(told.err).toContain('Usage: troupe COMMAND [options]')
  })

  it('exits 0 for help and version', async () => {
    expect((await troupe('/', ['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
    const help = await troupe('/', ['run', '--help'])
    expect([help.code, help.err]).toEqual([0, ''])
    expect(help.out).toContain('--key <text>')
    expect(help.out).toContain('--store <url>')
  })

  it('tells which verb was meant', async () => {
    const told = await troupe('/', ['schedules', 'nxt', 'five'])
    expect([told.code, told.err]).toEqual([
      2,
      "troupe: There is no 'nxt' of troupe schedules. Did you mean 'next'? There is: pause, resume, trigger, backfill, next\n",
    ])
    expect((await troupe('/', ['queues', 'puase', 'mail'])).err).toContain("Did you mean 'pause'?")
  })

  it('says where the queues are named that a process serves', async () => {
    const where = "the queues that 'queues' of the configuration names"
    for (const command of ['start', 'dev']) {
      const words = (await troupe('/', [command, '--help'])).out.replaceAll(/\s+/g, ' ')
      expect(words).toContain(where)
      expect(words).toContain("queues: ['default', 'mail']")
    }
  })

  it('refuses bad input and flags before a store is made', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    expect((await troupe(folder, ['run', 'greet', '{name:ann}'])).err).toContain(
      'The shell has eaten the double quotes',
    )
    expect((await troupe(folder, ['run', 'greet', '--timeout', 'soon'])).err).toContain(
      'troupe: --timeout "soon" is not a duration',
    )
    expect((await troupe(folder, ['start', '--within', '3'])).err).toContain(
      '--within "3" is not a duration: give its unit, as in 3s or 3ms',
    )
    expect((await troupe(folder, ['run', 'greet', '--key', ''])).code).toBe(2)
    expect((await troupe(folder, ['runs', '--store', 'mongo://x'])).code).toBe(2)
    expect(readdirSync(folder)).toEqual([])
    rmSync(folder, { recursive: true })
  })
})

describe('what cannot be used', () => {
  it('exits 78 and shows a first worker when there is nothing to run', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    const told = await troupe(folder, ['run', 'greet'])
    expect(told.code).toBe(78)
    expect(told.err).toContain(`Nothing to run: no troupe.config.ts and no workers folder in ${folder}`)
    expect(told.err).toContain("export const greet = worker('greet'")
    rmSync(folder, { recursive: true })
  })

  it('exits 78 and shows a first worker when the workers folder is empty', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    mkdirSync(join(folder, 'workers'))
    const told = await troupe(folder, ['run', 'greet'])
    expect([told.code, told.out]).toEqual([78, ''])
    expect(told.err).toContain(
      'Nothing to run: workers/ defines no worker or workflow: export what worker() or workflow() returns. [config_invalid]\n\nMake workers/greet.ts:\n',
    )
    rmSync(folder, { recursive: true })
  })

  it('C11: exits 78 with all that is wrong with the files of ./templates, as they stand', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    mkdirSync(join(folder, 'templates'))
    writeFileSync(join(folder, 'templates/good.yaml'), 'name: good\nsteps:\n  - { name: a, script: return 1 }\n')
    expect((await troupe(folder, ['definitions'])).out).toBe('good\n')
    writeFileSync(join(folder, 'templates/bad.yaml'), 'name: bad\nsteps:\n  - { name: a, uses: nobody }\n')
    const told = await troupe(folder, ['definitions'])
    expect([told.code, told.out]).toEqual([78, ''])
    expect(told.err).toContain("bad.yaml:3:22: error: Step 'a' uses 'nobody', which is no worker")
    expect(told.err).toContain('    3 |   - { name: a, uses: nobody }\n      |                      ^')
    rmSync(folder, { recursive: true })
  })

  it('names the files of the workers folder that it looked at, and why they count for nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    mkdirSync(join(folder, 'workers'))
    writeFileSync(join(folder, 'workers/a.ts'), 'const forgotten = 1\n')
    writeFileSync(join(folder, 'workers/_b.ts'), '')
    const told = await troupe(folder, ['run', 'greet'])
    expect(told.code).toBe(78)
    expect(told.err).toMatch(
      /\[config_invalid\]\n\nLooked at:\n\n {2}workers\/a\.ts \(it exports no definition and no install\)\n {2}workers\/_b\.ts \(its name begins with _\)\n$/,
    )
    rmSync(folder, { recursive: true })
  })

  it('names beside an unknown name the files that define nothing, and why', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    mkdirSync(join(folder, 'workers'))
    writeFileSync(join(folder, 'workers/a.ts'), 'export const forgotten = 1\n')
    writeFileSync(join(folder, 'workers/_b.ts'), '')
    const source =
      "const settings = { durable: true }\nexport const install = (troupe: { register(...given: unknown[]): unknown }) => troupe.register('greet', settings, () => 1)\n"
    writeFileSync(join(folder, 'workers/greet.ts'), source)
    for (const command of ['run', 'call']) {
      const told = await troupe(folder, [command, 'b'])
      expect([told.code, told.out]).toEqual([2, ''])
      expect(told.err).toContain(
        'Looked in workers/ and found: greet\n\nLeft out:\n\n  workers/_b.ts (its name begins with _)\n  workers/a.ts (it exports no definition and no install)\n',
      )
    }
    rmSync(folder, { recursive: true })
  })

  it('names the config file whose options are refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    writeFileSync(join(folder, 'troupe.config.mjs'), "export default { quues: ['a'], definitions: [] }\n")
    for (const command of [['run', 'greet'], ['call', 'greet'], ['start'], ['definitions']])
      expect((await troupe(folder, command)).err).toContain(
        "troupe: troupe.config.mjs: Option 'quues' of Troupe.open is not known",
      )
    rmSync(folder, { recursive: true })
  })

  it('exits 78 when the config is missing, exports nothing of use, or does not load', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    expect((await troupe(folder, ['run', 'greet', '--config', 'no.ts'])).err).toContain(
      'The config file no.ts is not there',
    )
    writeFileSync(join(folder, 'troupe.config.ts'), 'export const workers = "./workers"\n')
    const named = await troupe(folder, ['run', 'greet'])
    expect(named.err).toContain('troupe.config.ts exports only workers: write `export default { … }`')
    writeFileSync(join(folder, 'broken.ts'), 'export default {{\n')
    const broken = await troupe(folder, ['run', 'greet', '--config', 'broken.ts'])
    expect([named.code, broken.code]).toEqual([78, 78])
    expect(broken.err).toMatch(/broken\.ts could not be loaded: ParseError: Unexpected token \(\S*broken\.ts:1:16\) \[/)
    expect(readdirSync(folder).sort()).toEqual(['broken.ts', 'troupe.config.ts'])
    rmSync(folder, { recursive: true })
  })

  it('exits 69 for a store that is not there and makes none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    const told = await troupe(folder, ['runs', '--store', 'sqlite:gone/troupe.db'])
    expect(told.code).toBe(69)
    expect(told.err).toContain('There is no store at gone/troupe.db yet')
    expect(readdirSync(folder)).toEqual([])
    writeFileSync(
      join(folder, 'notes.txt'),
      'these are not the rows you are looking for, not a database at all\n'.repeat(9),
    )
    const notOurs = await troupe(folder, ['runs', '--store', 'sqlite:notes.txt'])
    expect(notOurs.code).toBe(69)
    expect(notOurs.err).toContain('notes.txt is not a Troupe store')
    rmSync(folder, { recursive: true })
  })

  it('tells errors as JSON when JSON is wanted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    const told = await troupe(folder, ['show', 'abc', '--json'])
    expect((JSON.parse(told.err) as { error: { code: string } }).error.code).toBe('store_unavailable')
    rmSync(folder, { recursive: true })
  })
})

describe('exit codes', () => {
  let folder = ''
  let engine: Troupe

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    const files = {
      'ok.mjs': "export default { store: 'sqlite:jobs.db', workers: './workers' }",
      'pools.mjs': "export default { store: 'sqlite:jobs.db', pools: { tasks: { max: 1 } } }",
      'wrong.mjs': "export default { store: 'sqlite:jobs.db', stroe: 'x' }",
      'workers/greet.ts':
        "export const install = (troupe: any) => troupe.register('greet', { idempotencyKey: (name: string) => name }, (_ctx: unknown, name: string) => name)",
      'bad/greet.ts': "export const install = (troupe: any) => troupe.register('greet', { retries: 3 }, () => 1)",
    }
    for (const name of ['workers', 'bad']) mkdirSync(join(folder, name))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    writeFileSync(join(folder, 'bad.mjs'), "export default { store: 'sqlite:jobs.db', workers: './bad' }")
    engine = await Troupe.open({ store: `sqlite:${join(folder, 'jobs.db')}`, global: false })
  })

  afterAll(async () => {
    await engine.stop()
    rmSync(folder, { recursive: true })
  })

  it.each<[number, string, string]>([
    [0, 'call greet "ann"', 'ok'],
    [2, 'call greet "ann" --delay tomorrow', 'ok'],
    [2, 'call greet "ann" --timeout 5x', 'ok'],
    [2, 'call greet "ann" --at tomorrow', 'ok'],
    [2, `call greet "ann" --queue ${'q'.repeat(300)}`, 'ok'],
    [2, 'call greet {', 'ok'],
    [2, 'call greet 7', 'ok'],
    [2, 'call gret "ann"', 'ok'],
    [2, 'run greet "ann" --timeout 5', 'ok'],
    [2, 'schedules pause fiv', 'ok'],
    [2, 'schedules nxt fiv', 'ok'],
    [2, 'schedules backfill fiv', 'ok'],
    [2, 'schedules backfill fiv --from monday', 'ok'],
    [2, 'call greet "ann" --debounce 5s', 'ok'],
    [2, 'call greet "ann" --key a --debounce 5', 'ok'],
    [2, 'call greet "ann" --key a --debounce 5s --throttle 5s', 'ok'],
    [2, 'call greet "ann" --key a --keep-last --on-conflict reject', 'ok'],
    [2, 'queues pause defalt', 'ok'],
    [2, 'drain nobody', 'ok'],
    [2, 'drain', 'ok'],
    [2, 'show 01234567', 'ok'],
    [2, 'cancel 01234567', 'ok'],
    [2, 'runs --store mongo://x', 'ok'],
    [2, 'migrate --resume', 'ok'],
    [2, 'migrate --from sqlite:one.db --resume --give-up', 'ok'],
    [2, 'migrate --from sqlite:one.db --to postgres://app@db/jobs --give-up', 'ok'],
    [2, 'migrate --from mongo://x', 'ok'],
    [2, 'migrate --from sqlite:none/there.db', 'ok'],
    [69, 'migrate --from sqlite:none/there.db --to postgres://x', 'ok'],
    [69, 'runs --store sqlite:none/there.db', 'ok'],
    [78, 'call greet "ann"', 'wrong'],
    [78, 'call greet "ann"', 'bad'],
    [78, 'start', 'bad'],
    [78, 'definitions', 'bad'],
    ...[
      'runs',
      'stats',
      'dead',
      'investigations',
      'audit',
      'entities',
      'queues',
      'limits',
      'schedules',
      'nodes',
      'codec-keys',
      'migrate',
      'show 01234567',
      'logs 01234567',
    ].map((command): [number, string, string] => [78, command, 'wrong']),
    [78, 'runs', 'pools'],
    [0, 'runs', 'ok'],
  ])('are %i for: %s (%s.mjs)', async (code, command, config) => {
    const told = await troupe(folder, [...command.split(' '), '--config', `${config}.mjs`])
    expect([told.code, told.err]).toEqual([code, code === 0 ? '' : (expect.any(String) as string)])
  })
})

describe('a store that is used', () => {
  let folder = ''

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    mkdirSync(join(folder, 'workers'))
    writeFileSync(join(folder, 'troupe.config.mjs'), "export default { store: 'sqlite:jobs.db', workers: './workers' }")
    const greet = "export const install = (troupe: any) => troupe.register('greet', {}, () => 1)"
    writeFileSync(join(folder, 'workers/greet.ts'), greet)
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  it('does what people do to a template whose step failed: reset, resolve, complete, and say what came of it', async () => {
    const charge = worker('charge', { retry: { attempts: 1 } }, (): string => {
      throw new Error('no card')
    })
    const pay = template('pay', {}, (t: TemplateBuilder<void>) => {
      const first = t.step('first', charge, { with: () => undefined })
      return t.step('last', charge, { needs: [first], with: () => undefined })
    })
    const store = `sqlite:${join(folder, 'pay.db')}`
    await using engine = await Troupe.open({ store, definitions: [charge, pay], logLevel: 'silent', global: false })
    await engine.start()
    const run = await engine.call(pay)
    await run.result().catch(() => {})
    const say = (...words: string[]) => troupe(folder, [...words, '--store', store])
    const shown = async (): Promise<unknown> =>
      (JSON.parse((await say('show', run.id, '--tasker', '--json')).out) as { tasker: unknown }).tasker
    expect(await shown()).toEqual({ task: 'error', steps: { first: 'error' } })
    expect((await say('investigations')).out.split('\n')[1]).toMatch(
      new RegExp(`^${run.id} +pending +max_retries_exceeded .* pay +no card$`),
    )
    expect(
      await say('investigate', run.id, '--state', 'permanently_failed', '--notes', 'gone', '--by', 'ann'),
    ).toMatchObject({
      code: 0,
      err: `The investigation of run ${run.id} is permanently_failed.\n`,
    })
    expect((await say('investigate', run.id, '--state', 'cancelled')).code).toBe(1)
    expect((await say('investigate', run.id, '--state', 'lost')).code).toBe(2)
    expect((await say('investigations', '--state', 'pending')).err).toBe('Nobody has to look at anything.\n')

    expect((await say('retry', run.id, '--reason', 'another card', '--by', 'ann')).code).toBe(0)
    await run.result().catch(() => {})
    expect((await say('resolve', run.id, 'first', '--output', 'null', '--reason', 'by telephone')).code).toBe(0)
    await run.result().catch(() => {})
    expect(await shown()).toEqual({ task: 'error', steps: { first: 'resolved_manually', last: 'error' } })
    expect((await say('resolve', run.id, 'first', '--output', '1')).code).toBe(1)
    expect((await say('resolve', run.id, 'last', '--output', '"paid"')).code).toBe(0)
    expect(await run.result()).toBe('paid')
    expect((await say('show', run.id, '--tasker')).out).toContain(
      '  task   complete\n  first  resolved_manually\n  last   complete\n',
    )
    expect((await engine.audit()).map(({ action, details }) => [action, details['reason']])).toEqual([
      ['resolve', undefined],
      ['resolve', 'by telephone'],
      ['retry', 'another card'],
      ['investigate', 'gone'],
    ])
  })

  it('starts runs for the ticks that a schedule has missed', async () => {
    const order = worker('order', {}, () => undefined)
    await using engine = await Troupe.open({ store: `sqlite:${join(folder, 'jobs.db')}`, definitions: [order] })
    await engine.schedule('nightly', { cron: '30 2 * * *', overlap: 'allow' }, order)
    const span = ['--from', '2026-05-01T00:00:00Z', '--to', '2026-05-03T00:00:00Z']
    const backfill = ['schedules', 'backfill', 'nightly', ...span]
    const started = (await troupe(folder, [...backfill, '--by', 'bob'])).out.trim().split('\n')
    const runs = await Promise.all(started.map((id) => engine.get(id)))
    expect(runs.map((one) => one && new Date(one.scheduledAt ?? 0).toISOString())).toEqual([
      '2026-05-01T02:30:00.000Z',
      '2026-05-02T02:30:00.000Z',
    ])
    expect(await troupe(folder, backfill)).toMatchObject({
      code: 0,
      out: '',
      err: 'Every tick of that time has its run.\n',
    })
    expect(JSON.parse((await troupe(folder, [...backfill, '--json'])).out)).toEqual({ name: 'nightly', runs: [] })
    expect((await engine.audit({ limit: 3 })).some(({ by }) => by === 'bob')).toBe(true)
    for (const id of started) await engine.cancel(id)
    await engine.unschedule('nightly')
  })

  it('lists its limiters with who has their slots and who waits', async () => {
    const narrow = limiter('narrow', { concurrency: 1, rate: { limit: 9, per: '1s' } })
    const order = worker('order', { limits: [narrow] }, () => new Promise(() => {}))
    await using engine = await Troupe.open({ store: `sqlite:${join(folder, 'jobs.db')}`, definitions: [order] })
    await engine.start()
    const first = await engine.call(order)
    const second = await engine.call(order)
    const [head, row] = (await troupe(folder, ['limits'])).out.split('\n')
    expect(head).toMatch(/^LIMITER +ALLOWS +TAKEN +WAITING +HELD BY +NEXT/)
    expect(row?.split(/ {2,}/)).toEqual(['narrow', '1 at once, 9 in 1s', '1', '1', first.id, second.id].map(String))
    const [told] = JSON.parse((await troupe(folder, ['limits', '--json'])).out) as object[]
    expect(told).toMatchObject({ name: 'narrow', slots: 1, waiting: 1, holders: [first.id], waiters: [second.id] })
    expect((await troupe(folder, ['limits'], 30)).out).toContain('1 taken')
    await second.cancel()
    void first.cancel()
    await engine.stop({ within: 0 })
  })

  it('shares runs among calls of a key by rules of their own', async () => {
    const call = async (...flags: string[]): Promise<string> =>
      (await troupe(folder, ['call', 'greet', '"a"', '--key', 'k', ...flags])).out
    for (const flags of [['--debounce', '1h'], ['--throttle', '1h'], ['--keep-last']]) {
      const [first, second] = [await call(...flags), await call(...flags)]
      expect([first.length > 9, second]).toEqual([true, first])
    }
  })
})

describe('a store with runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
  const ids: Record<string, string> = {}
  // What is logged nowhere is stored all the same.
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing }

  beforeAll(async () => {
    writeFileSync(join(folder, 'troupe.config.mjs'), "export default { store: 'sqlite:data/here.db' }\n")
    const order = workflow('order', {}, async (ctx, items: string[]) => {
      let tries = 0
      ctx.info('counting', { items: items.length, who: 'ann lee' })
      ctx.warn('slow\nday')
      const price = await ctx.step('price', () => items.length * 10)
      const flaky = (): string => {
        tries += 1
        if (tries < 2) throw new Error('tape is out:\n\n  1 | tape')
        return 'packed'
      }
      await ctx.step('pack', flaky, { retry: { attempts: 2, base: '1ms' } })
      await ctx.step('label', () => 'x'.repeat(5_000))
      ctx.progress(2, 2)
      return { price }
    })
    const refuse = worker('refuse', {}, () => {
      throw new Error('no', { cause: new TypeError('not a flight') })
    })
    const store = `sqlite:${join(folder, 'data/here.db')}`
    await using engine = await Troupe.open({ store, definitions: [order, refuse], log, logLevel: 'info' })
    await engine.start()
    const kept = await engine.call(order, ['book', 'pen'])
    await kept.result()
    const failed = await engine.call(refuse)
    await failed.result().catch(() => {})
    Object.assign(ids, { order: kept.id, refuse: failed.id })
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  it('lists them, the newest first, with whole ids', async () => {
    const { code, out } = await troupe(folder, ['runs'])
    const lines = out.split('\n').map((line) => line.split(/\s+/).slice(0, 3))
    expect(code).toBe(0)
    expect(lines).toEqual([
      ['ID', 'NAME', 'STATE'],
      [ids['refuse'], 'refuse', 'failed'],
      [ids['order'], 'order', 'succeeded'],
      [''],
    ])
  })

  it('draws each on two lines where an id and a state do not fit on one', async () => {
    const lines = (await troupe(folder, ['runs'], 40)).out.split('\n')
    expect(lines[0]).toBe(ids['refuse'])
    expect(lines[1]).toMatch(/^refuse {2}failed {2}/)
    expect(lines.every((line) => line.length <= 40)).toBe(true)
  })

  it('filters, and says how to see all', async () => {
    expect((await troupe(folder, ['runs', '--state', 'failed', '--json'])).out).toContain(ids['refuse'])
    expect((await troupe(folder, ['runs', '--name', 'order', '--json'])).out).not.toContain(ids['refuse'])
    const none = await troupe(folder, ['runs', '--name', 'invoice'])
    expect([none.code, none.out, none.err]).toEqual([0, '', "No runs of 'invoice'. See all: troupe runs\n"])
    expect((await troupe(folder, ['runs', '--limit', '1'])).err).toBe(
      `The newest 1; see the next with --after ${ids['refuse']}\n`,
    )
    const next = await troupe(folder, ['runs', '--after', ids['refuse'] ?? '', '--json'])
    expect((JSON.parse(next.out) as { id: string }[]).map(({ id }) => id)).toEqual([ids['order']])
  })

  it('tells failures from those that timed out and that crashed', async () => {
    const none = await troupe(folder, ['runs', '--state', 'timed-out', '--tag', 'a', '--tag', 'b', '--code', 'x'])
    expect(none.err).toBe("No runs in state timed-out with code x with 'a', 'b'. See all: troupe runs\n")
    expect((await troupe(folder, ['runs', '--state', 'crashed', '--json'])).out).toBe('[]\n')
  })

  it('lists what failed for good by its reason, and the runs of one', async () => {
    const told = await troupe(folder, ['dead'])
    const [head = '', line = '', rest] = told.out.split('\n')
    expect(head.split(/\s+/)).toEqual(['FINGERPRINT', 'RUNS', 'FIRST', 'LAST', 'NAME', 'ERROR'])
    expect(line).toMatch(/^[0-9a-f]{16} +1 +(now|\ds) +(now|\ds) {2}refuse {2}Error: no$/)
    expect([rest, told.err]).toEqual(['', 'See its runs: troupe runs --fingerprint FINGERPRINT\n'])
    const fingerprint = line.slice(0, 16)
    const runs = JSON.parse((await troupe(folder, ['runs', '--fingerprint', fingerprint, '--json'])).out) as object[]
    expect(runs).toMatchObject([{ id: ids['refuse'], fingerprint }])
    expect((await troupe(folder, ['dead', '--name', 'order'])).err).toBe("Nothing failed for good of 'order'.\n")
    expect(JSON.parse((await troupe(folder, ['dead', '--json'])).out)).toMatchObject([{ fingerprint, runs: 1 }])
  })

  it('lists errors of several lines by their first, and shows all of them', async () => {
    const here = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    onTestFinished(() => rmSync(here, { recursive: true }))
    const store = `sqlite:${join(here, 'dead.db')}`
    const fail = (): never => {
      throw new Error('the list is wrong:\n\n    2 | pen;;\n      |     ^')
    }
    const read = workflow('read', {}, (ctx) => ctx.step('parse', fail, { retry: { attempts: 1 } }))
    await using engine = await Troupe.open({ store, definitions: [read], logLevel: 'silent' })
    await engine.start()
    const { id, result } = await engine.call(read).then((run) => ({ id: run.id, result: run.result() }))
    await result.catch(() => {})
    const [, line] = (await troupe(here, ['dead', '--store', store])).out.split('\n')
    expect(line).toMatch(/ {2}read {2}Error: the list is wrong: …$/)
    const listed = await troupe(here, ['investigations', '--store', store])
    expect(listed.out).toMatch(/ {2}read {2}the list is wrong: …\n/)
    const { out } = await troupe(here, ['show', id, '--store', store], 80)
    expect(out).toMatch(/ {2}✗ {2}parse .* {2}Error: the list is wrong: …\n/)
    expect(out).toContain('  Error: the list is wrong:\n')
    expect(out).toContain('\n\n      2 | pen;;\n        |     ^\n')
  })

  it('tries again what a filter finds, and tells who did it', async () => {
    const dry = await troupe(folder, ['retry', '--name', 'refuse', '--dry-run'])
    expect([dry.code, dry.err]).toEqual([0, `1 run would be tried again.\n  ${ids['refuse']}\n`])
    expect((await troupe(folder, ['retry', '--name', 'order'])).err).toBe(
      'Nothing to try again. See what failed: troupe dead\n',
    )
    expect((await troupe(folder, ['audit'])).err).toBe('Nobody did anything yet.\n')
    const cancelled = await troupe(folder, ['cancel', ids['order'] ?? ''])
    expect([cancelled.code, cancelled.err]).toEqual([1, `Run ${ids['order']} had ended already: succeeded.\n`])
    const succeeded = await troupe(folder, ['retry', ids['order'] ?? ''])
    expect([succeeded.code, succeeded.err]).toEqual([1, expect.stringContaining('[retry_refused]')])
    expect((await troupe(folder, ['retry'])).err).toContain('Give the ids of runs, or a filter')
    expect((await troupe(folder, ['retry', 'x', '--name', 'order'])).err).toContain('not both')
    expect((await troupe(folder, ['retry', 'x', '--dry-run'])).code).toBe(2)
  })

  it('shows input, progress, steps with their tries, and output', async () => {
    const { code, out } = await troupe(folder, ['show', ids['order'] ?? ''])
    expect(code).toBe(0)
    expect(out).toContain(`order  ${ids['order']}\n✓ succeeded in `)
    expect(out).toContain('progress    ━━━━━━━━━━━━ 100%  2 of 2')
    expect(out).toContain("Input\n  [ 'book', 'pen' ]")
    expect(out).toMatch(
      /Steps \(3\)\n {5}STEP {3}KIND {2}ATTEMPT .*\n {2}✓ {2}price {2}step {8}1 .* 20\n {2}✓ {2}pack {3}step {8}2 .* packed\n {2}✓ {2}label .* x{119}…\n/,
    )
    expect(out).toContain('Output\n  { price: 20 }')
  })

  it('shows why attempts failed', async () => {
    const { out } = await troupe(folder, ['show', ids['order'] ?? ''])
    expect(out).toMatch(
      /Earlier attempts \(1\)\n {2}✗ step 'pack' {2}attempt 1 {2}\+\S+\n {4}Error: tape is out:\n\n {6}1 \| tape\n/,
    )
  })

  it('prints what its code logged, with fields, and show says how much there is', async () => {
    const id = ids['order'] ?? ''
    expect((await troupe(folder, ['show', id])).out).toContain(`Logs\n  2 lines: troupe logs ${id}\n`)
    const { code, out } = await troupe(folder, ['logs', id])
    expect(code).toBe(0)
    expect(out.replaceAll(/^\S+ \S+ /gm, '')).toBe('info  counting  items=2 who="ann lee"\nwarn  slow day\n')
    const warned = await troupe(folder, ['logs', id, '--level', 'warn', '--follow', '--json'])
    expect(JSON.parse(warned.out)).toMatchObject({ level: 'warn', text: 'slow\nday' })
    const first = JSON.parse((await troupe(folder, ['logs', id, '--limit', '1', '--json'])).out) as { offset: string }
    expect((await troupe(folder, ['logs', id, '--from', first.offset])).out).toMatch(/^\S+ \S+ warn {2}slow day\n$/)
    expect((await troupe(folder, ['logs', id, '--level', 'error'])).err).toBe(
      'No lines of level error or above are kept of this run: without --level you see the others.\n',
    )
    expect((await troupe(folder, ['logs', id, '--from', '9999-9'])).err).toBe(
      'No more lines are kept of this run behind that offset.\n',
    )
    const none = await troupe(folder, ['logs', ids['refuse'] ?? ''])
    expect([none.code, none.out, none.err]).toEqual([0, '', 'No lines are kept of this run.\n'])
  })

  it('shows the error with what caused it, and the stack only with --verbose', async () => {
    const { out } = await troupe(folder, ['show', ids['refuse'] ?? ''])
    expect(out).toContain('✗ failed after ')
    expect(out.slice(out.indexOf('Error\n'))).toBe('Error\n  Error: no\n  caused by TypeError: not a flight\n')
    expect((await troupe(folder, ['show', ids['refuse'] ?? '', '--verbose'])).out).toMatch(/ {4}at .*cli\.test\.ts/)
  })

  it('takes the beginning of an id when it is enough', async () => {
    const [first = '', second = ''] = [ids['order'], ids['refuse']]
    const shared = [...first].findIndex((letter, index) => letter !== second[index])
    expect((await troupe(folder, ['show', first.slice(0, shared + 1).toUpperCase()])).out).toContain(first)
    const both = await troupe(folder, ['show', first.slice(0, 8)])
    expect(both.code).toBe(2)
    expect(both.err).toContain(`2 runs begin with '${first.slice(0, 8)}'`)
    expect((await troupe(folder, ['show', 'ID'])).err).toContain("'ID' is too short for an id")
    const gone = await troupe(folder, ['show', 'ffffffff-0000'])
    expect([gone.code, gone.out]).toEqual([2, ''])
    expect(gone.err).toContain("Worker run 'ffffffff-0000' not found")
  })

  it('lists its queues, pauses and resumes one, and knows a name that is none', async () => {
    const [head, row] = (await troupe(folder, ['queues'])).out.split('\n')
    expect(head).toMatch(/^QUEUE +READY +RUNNING +SCHEDULED +PARKED +OLDEST +NODES/)
    expect(row).toMatch(/^default +0 +0 +0 +0 +0/)
    const paused = await troupe(folder, ['queues', 'pause', 'default'])
    expect(paused.err).toContain("Queue 'default' is paused: what runs goes on, nothing else starts.")
    expect((await troupe(folder, ['queues'])).out).toContain('paused now')
    expect((await troupe(folder, ['queues', 'resume', 'default'])).err).toBe("Queue 'default' goes on.\n")
    const unchanged = await troupe(folder, ['queues', 'resume', 'default', '--json'])
    expect(JSON.parse(unchanged.out)).toEqual({ name: 'default', paused: false, changed: false })
    const who = ['--by', 'ann', '--json']
    await troupe(folder, ['queues', 'pause', 'default', ...who])
    await troupe(folder, ['queues', 'resume', 'default', ...who])
    const audit = (await troupe(folder, ['audit', '--limit', '2'])).out
    expect(audit).toMatch(/ ann {2}resume queue {2}default\n.* ann {2}pause queue {2}default\n$/)
    const none = await troupe(folder, ['queues', 'pause', 'defualt'])
    expect([none.code, none.err]).toEqual([2, "troupe: There is no queue 'defualt'. There is: default\n"])
  })

  it('lists its entities, those of a name, and one alone', async () => {
    const store = `sqlite:${join(folder, 'data/carts.db')}`
    const say = (...words: string[]) => troupe(folder, ['entities', ...words, '--store', store])
    expect((await troupe(folder, ['entities'])).err).toBe('No entities: one begins with its first message.\n')
    const cart = entity('cart', { state: () => 0 }, { add: (ctx) => (ctx.state += 1) })
    await using engine = await Troupe.open({ store, definitions: [cart], global: false })
    for (const key of ['ann', 'bob', 'cid']) await engine.entity(cart, key).tell('add')
    const [head, row] = (await say()).out.split('\n')
    expect(head).toMatch(/^NAME +KEY +STATE +KEEPS +WAITING +RUN/)
    expect(row).toMatch(/^cart +ann +ready +0 bytes +1 +[\w-]{36}$/)
    const page = await say('cart', '--limit', '1')
    expect([page.out.split('\n').length, page.err]).toEqual([3, 'The first 1; see the next with --after ann\n'])
    expect((await say('--limit', '1')).err).toContain('troupe entities NAME')
    const rest = JSON.parse((await say('cart', '--after', 'ann', '--json')).out) as object[]
    expect(rest).toMatchObject([{ key: 'bob', waiting: 1 }, { key: 'cid' }])
    const one = JSON.parse((await say('cart', 'cid', '--json')).out) as object[]
    expect(one).toMatchObject([{ name: 'cart', key: 'cid', state: 'ready' }])
    const none = await say('cart', 'dan')
    expect([none.code, none.err]).toEqual([0, "No entity 'dan' of 'cart'. See all: troupe entities cart\n"])
    expect((await say('--after', 'ann')).code).toBe(2)
  })

  it('lists its schedules, pauses, resumes, triggers and foresees one', async () => {
    expect((await troupe(folder, ['schedules'])).err).toContain('No schedules')
    const order = worker('order', {}, () => undefined)
    await using engine = await Troupe.open({ store: `sqlite:${join(folder, 'data/here.db')}`, definitions: [order] })
    await engine.schedule('nightly', { cron: '30 2 * * *', zone: 'Europe/Berlin' }, order)
    const [head, row] = (await troupe(folder, ['schedules'])).out.split('\n')
    expect(head).toMatch(/^SCHEDULE +RULE +STARTS +NEXT +LAST +SKIPPED/)
    expect(row).toMatch(/^nightly +30 2 \* \* \* Europe\/Berlin +order +in .+ 0$/)
    expect((await troupe(folder, ['schedules', 'pause', 'nightly'])).err).toContain("Schedule 'nightly' is paused")
    expect((await troupe(folder, ['schedules'])).out).toMatch(/order +paused/)
    expect((await troupe(folder, ['schedules', 'resume', 'nightly'])).err).toBe("Schedule 'nightly' goes on.\n")
    expect((await troupe(folder, ['schedules', 'next', 'nightly'])).out.trim().split('\n')).toHaveLength(5)
    const run = (await troupe(folder, ['schedules', 'trigger', 'nightly', '--by', 'bob'])).out.trim()
    expect((await engine.audit({ limit: 3 })).map(({ by, action }) => [by === 'bob', action])).toEqual([
      [true, 'trigger schedule'],
      [false, 'resume schedule'],
      [false, 'pause schedule'],
    ])
    expect(await engine.get(run)).toMatchObject({ schedule: 'nightly', state: 'ready' })
    const gone = await troupe(folder, ['schedules', 'trigger', 'nigthly'])
    expect(gone.err).toContain("Schedule 'nigthly' not found: there is 'nightly'. Did you mean 'nightly'?")
    await engine.cancel(run)
    await engine.unschedule('nightly')
  })

  it('counts what became of the runs of each definition', async () => {
    const [head, ...rows] = (await troupe(folder, ['stats'])).out.trimEnd().split('\n')
    expect(head?.split(/ {2,}/)).toEqual([
      'NAME',
      'ENDED',
      'SUCCEEDED',
      'FAILED',
      'TIMED OUT',
      'CANCELLED',
      'SUCCESS',
      'AVERAGE',
      'LAST TOOK',
    ])
    expect(rows.map((row) => row.split(/ +/).slice(0, 7))).toEqual([
      ['order', '2', '1', '0', '0', '1', '50%'],
      ['refuse', '1', '0', '1', '0', '0', '0%'],
    ])
    expect(JSON.parse((await troupe(folder, ['stats', 'refuse', '--json'])).out)).toMatchObject([
      { name: 'refuse', runs: 1, failed: 1, successRate: 0 },
    ])
    const none = await troupe(folder, ['stats', 'invoice'])
    expect([none.code, none.err]).toEqual([2, "troupe: Nothing is known of 'invoice'. There is: order, refuse\n"])
  })

  it('refuses states that an action does not fit, before anything is done', async () => {
    const succeeded = await troupe(folder, ['retry', '--state', 'succeeded'])
    expect([succeeded.code, succeeded.err]).toEqual([
      2,
      expect.stringContaining('Allowed choices are failed, cancelled, timed-out, crashed'),
    ])
    const running = await troupe(folder, ['delete', '--state', 'running'])
    expect([running.code, running.err]).toEqual([
      2,
      expect.stringContaining('Allowed choices are succeeded, failed, cancelled, timed-out, crashed'),
    ])
    expect((await troupe(folder, ['delete', '--name', 'refuse', '--dry-run'])).err).toBe(
      `1 run would be deleted.\n  ${ids['refuse']}\n`,
    )
    expect((await troupe(folder, ['delete', '--name', 'none'])).err).toContain('Nothing to delete')
  })

  it('gives programs everything as JSON', async () => {
    const shown = JSON.parse((await troupe(folder, ['show', ids['order'] ?? '', '--json'])).out) as Record<
      string,
      unknown
    >
    expect(shown).toMatchObject({
      name: 'order',
      state: 'succeeded',
      output: { price: 20 },
      steps: [{ path: 'price', value: 20 }, { path: 'pack', attempt: 2 }, { path: 'label' }],
      failedAttempts: [{ path: 'pack', attempt: 1, error: { message: 'tape is out:\n\n  1 | tape' } }],
    })
  })
})

describe('a run that failed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('forks, cancels and resumes what a filter finds, and previews that', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const store = `sqlite:${join(folder, '.troupe/troupe.db')}`
    const order = workflow('order', {}, (ctx) => ctx.receive('paid'))
    await using engine = await Troupe.open({ store, definitions: [order], logLevel: 'silent' })
    const handles = await engine.callMany(order, [undefined, undefined])
    const [last] = handles.toReversed()
    const preview = await troupe(folder, ['fork', '--name', 'order', '--state', 'ready', '--dry-run'])
    expect(preview.err).toBe(`2 runs would be forked.\n  ${last?.id}\n  ${handles[0]?.id}\n`)
    const none = await troupe(folder, ['fork', '--name', 'order', '--dry-run'])
    expect(none.err).toBe(
      "0 runs would be forked.\n2 runs in state ready would be left: meant only when state says 'ready'.\n",
    )
    const keyed = ['fork', '--name', 'order', '--state', 'ready', '--key', 'ticket 7']
    expect((await troupe(folder, keyed)).err).toBe('2 runs are forked.\n')
    expect((await troupe(folder, keyed)).err).toBe(
      '0 runs are forked. 4 runs have no such step, were forked under that key, or changed meanwhile.\n',
    )
    expect((await troupe(folder, ['resume', '--name', 'order'])).err).toContain('no such run was set aside')
    expect((await troupe(folder, ['resume', last?.id ?? ''])).err).toContain('[resume_refused]')
    const dry = await troupe(folder, ['cancel', '--name', 'order', '--dry-run'])
    expect(dry.err).toContain('4 runs would be asked to end.\n')
    expect((await troupe(folder, ['cancel', '--name', 'order', '--reason', 'no need'])).err).toBe(
      '4 runs are asked to end.\n',
    )
    expect(await engine.runs({ state: 'cancelled' })).toHaveLength(4)
    for (const argv of [['cancel'], ['fork'], ['cancel', 'x', '--dry-run'], ['fork', '--name', 'x', '--input', '1']])
      expect((await troupe(folder, argv)).code).toBe(2)
  })

  it('resolves a step by hand, and shows that it was', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const store = `sqlite:${join(folder, '.troupe/troupe.db')}`
    const order = workflow('order', {}, (ctx) =>
      ctx.step('charge', () => Promise.reject(new Error('the bank is closed')), { retry: { attempts: 1 } }),
    )
    await using engine = await Troupe.open({ store, definitions: [order], logLevel: 'silent' })
    await engine.start()
    const handle = await engine.call(order)
    await handle.result().catch(() => {})
    expect((await troupe(folder, ['resolve', handle.id, 'charge'])).code).toBe(2)
    const slip = await troupe(folder, ['resolve', handle.id, 'chrge', '--output', '1'])
    expect([slip.code, slip.err]).toEqual([2, expect.stringContaining("Did you mean 'charge'?")])
    const told = await troupe(folder, ['resolve', handle.id, 'charge', '--output', '{"receipt":17}', '--by', 'ann'])
    expect([told.code, told.err]).toEqual([0, `Step 'charge' of run ${handle.id} is resolved, and the run goes on.\n`])
    expect(await handle.result()).toEqual({ receipt: 17 })
    expect((await troupe(folder, ['show', handle.id])).out).toMatch(/charge +step +by hand/)
    const late = await troupe(folder, ['resolve', handle.id, 'charge', '--error', 'no', '--json'])
    expect([late.code, late.err]).toEqual([1, expect.stringContaining('resolve_refused')])
  })

  it('forks a run, also with another input, and shows where it comes from', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const store = `sqlite:${join(folder, '.troupe/troupe.db')}`
    const order = workflow('order', {}, async (ctx, item: string) => {
      const receipt = await ctx.step('charge', () => 'receipt 1')
      return ctx.step('ship', () => `${item}, ${receipt}`)
    })
    await using engine = await Troupe.open({ store, definitions: [order], logLevel: 'silent' })
    await engine.start()
    const { id } = await engine.call(order, 'a book')
    await (await engine.handle(id)).result()
    const told = await troupe(folder, ['fork', id, '--from', 'ship', '--input', '"a pen"', '--by', 'ann'])
    const fork = await engine.handle(told.out.trim())
    expect([told.code, await fork.result()]).toEqual([0, 'a pen, receipt 1'])
    expect((await troupe(folder, ['show', fork.id])).out).toContain(`forked from ${id}`)
    const json = await troupe(folder, ['fork', id, '--json'])
    expect(JSON.parse(json.out)).toMatchObject({ forkedFrom: id })
    const keyed = ['--key', 'ticket 7']
    const first = await troupe(folder, ['fork', id, ...keyed])
    expect((await troupe(folder, ['fork', id, '--from', 'ship', ...keyed])).out).toBe(first.out)
    expect((await troupe(folder, ['fork', id, '--key', ''])).code).toBe(2)
    const slip = await troupe(folder, ['fork', id, '--from', 'shipp'])
    expect([slip.code, slip.err]).toEqual([2, expect.stringContaining("Did you mean 'ship'?")])
    expect((await troupe(folder, ['fork', id, '--input', '{x'])).code).toBe(2)
    expect((await troupe(folder, ['audit', '--json'])).out).toContain('"action":"fork"')
  })

  it('is tried again by its id, and by whom is kept', async () => {
    const store = `sqlite:${join(folder, '.troupe/troupe.db')}`
    const refuse = worker('refuse', {}, () => {
      throw new Error('no')
    })
    await using engine = await Troupe.open({ store, definitions: [refuse], logLevel: 'silent' })
    await engine.start()
    const { id } = await engine.call(refuse)
    await (await engine.handle(id)).result().catch(() => {})
    await engine.pause('default')
    const told = await troupe(folder, ['retry', id, '--by', 'ann'])
    expect([told.code, told.err]).toEqual([0, '1 run is ready to be tried again.\n'])
    expect(await engine.get(id)).toMatchObject({ state: 'ready', generation: 2 })
    expect((await troupe(folder, ['audit'])).out).toMatch(
      new RegExp(`^AT .*BY .*WHAT\\n\\S+ \\S+ {2}ann +retry {2}${id}\\n.*pause queue {2}default\\n$`),
    )
    expect(JSON.parse((await troupe(folder, ['audit', '--json'])).out)).toMatchObject([{ by: 'ann', target: id }, {}])
    expect((await troupe(folder, ['retry', id])).err).toContain('is ready to run')
    const cancelled = await troupe(folder, ['cancel', id, '--reason', 'no need', '--by', 'ann'])
    expect([cancelled.code, cancelled.err]).toEqual([0, `Run ${id} is cancelled.\n`])
    const again = await troupe(folder, ['cancel', id])
    expect([again.code, again.err]).toEqual([0, `Run ${id} was cancelled already.\n`])
    expect((await engine.audit({ limit: 1 }))[0]).toMatchObject({
      by: 'ann',
      action: 'cancel',
      target: id,
      details: { reason: 'no need' },
    })
    const deleted = await troupe(folder, ['delete', id, '--by', 'ann'])
    expect([deleted.code, deleted.err]).toEqual([0, '1 run is deleted.\n'])
    expect(await engine.get(id)).toBeUndefined()
  })
})

describe('a run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
  const from = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)))
  const workers = `
import { worker } from ${from('../worker/worker.ts')}
export const quick = worker('quick', {}, () => 1)
export const flaky = worker('flaky', { retry: { attempts: 2, base: '150ms', jitter: 0 } }, (ctx) => {
  if (ctx.attempt === 1) throw new Error('no disk')
})
`

  beforeAll(() => {
    mkdirSync(join(folder, 'workers'))
    writeFileSync(join(folder, 'workers/all.ts'), workers)
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  it('that ends at once is not drawn as waiting', async () => {
    const { code, out, err } = await troupe(folder, ['run', 'quick'], 80)
    expect([code, out]).toEqual([0, '1\n'])
    expect(err).toContain('✓ succeeded in ')
    expect(err).not.toContain('waiting for a free actor')
  })

  it('is called with all that a call takes, and runs tell when it starts', async () => {
    const at = new Date(systemClock.now() + 3_600_000).toISOString()
    const what = ['--at', at, '--priority', '7', '--tag', 'a', 'b', '--expires', '1h', '--attempts', '3']
    const called = await troupe(folder, ['call', 'quick', ...what, '--correlation-id', 'req-1'])
    expect(called.code).toBe(0)
    const id = called.out.trim()
    const [run] = JSON.parse((await troupe(folder, ['runs', '--tag', 'b', '--json'])).out) as object[]
    expect(run).toMatchObject({
      id,
      state: 'scheduled',
      dueAt: Date.parse(at),
      tags: ['a', 'b'],
      correlationId: 'req-1',
    })
    const [head, row] = (await troupe(folder, ['runs', '--tag', 'b'])).out.split('\n')
    expect(head).toMatch(/STATE +STARTS +AGE/)
    expect(row).toMatch(/scheduled +in (59m|1h)/)
    for (const wrong of [
      ['--at', 'soon'],
      ['--priority', '101'],
      ['--expires', 'soon'],
      ['--on-conflict', 'x'],
    ])
      expect((await troupe(folder, ['call', 'quick', ...wrong])).code).toBe(2)
    await troupe(folder, ['cancel', id, '--by', 'ann'])
    expect((await troupe(folder, ['audit', '--limit', '1'])).out).toContain(`ann  cancel  ${id}\n`)
  })

  it('that was there under its key is told to be the earlier one, and that its input differs', async () => {
    const first = await troupe(folder, ['run', 'quick', '1', '--key', 'r'])
    expect(first.err).not.toContain('Key')
    const same = await troupe(folder, ['run', 'quick', '1', '--key', 'r'])
    expect([same.code, same.out]).toEqual([0, '1\n'])
    expect(same.err).toMatch(/^Key 'r' is that of run \S+, started [^.]*\. It has ended: nothing is started\.$/m)
    const other = await troupe(folder, ['run', 'quick', '2', '--key', 'r'])
    expect(other.err).toMatch(
      /^Key 'r' is that of run .* with the input 1: what is given now is not used\. It has ended: nothing is started\.$/m,
    )
    await troupe(folder, ['call', 'quick', '--key', 'w'])
    expect((await troupe(folder, ['run', 'quick', '--key', 'w'])).err).toMatch(/^Key 'w' is [^.]*\. It goes on\.$/m)
  })

  it('is called again with other input under its key, and that is told', async () => {
    const first = await troupe(folder, ['call', 'quick', '1', '--key', 'k', '--delay', '1h'])
    const same = await troupe(folder, ['call', 'quick', '1', '--key', 'k', '--delay', '1h'])
    expect([first.err, same.err, same.out]).toEqual(['', '', first.out])
    const other = await troupe(folder, ['call', 'quick', '2', '--key', 'k'])
    expect(other.out).toBe(first.out)
    expect(other.err).toMatch(
      /^Key 'k' is that of run \S+, started .* with the input 1: what is given now is not used\.\n$/,
    )
    const refused = await troupe(folder, ['call', 'quick', '2', '--key', 'k', '--on-conflict', 'reject'])
    expect(refused.err).toContain('[idempotency_conflict]')
    await troupe(folder, ['cancel', first.out.trim()])
  })

  it('tells why an attempt failed, and leaves others to whoever serves their queue', async () => {
    const known: Record<string, unknown> = await import(join(folder, 'workers/all.ts'))
    await using client = await Troupe.open({
      store: `sqlite:${join(folder, '.troupe/troupe.db')}`,
      definitions: [known['flaky'] as Definition],
      logLevel: 'silent',
    })
    const other = await client.call('flaky')
    const { err } = await troupe(folder, ['run', 'flaky'])
    const told = err.split('\n').filter((text) => text.startsWith('info: '))
    expect(told).toEqual(["info: worker 'flaky' failed (attempt 1 of 2): no disk; again in 150ms"])
    expect(await other.status()).toMatchObject({ state: 'ready', attempt: 1 })
  })
})
