// The program as people start it: a process in a project with TypeScript workers.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPackage, makeProject, startTroupe, troupe } from './installed.ts'

const workers = `
import { appendFileSync } from 'node:fs'
import { PermanentError, worker, workflow } from 'troupe'

const isName = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: (value: unknown) => (typeof value === 'string' ? { value } : { issues: [{ message: 'expected a text' }] }),
  },
}

export const greet = worker('greet', { input: isName }, (ctx, name) => {
  ctx.emit({ greeting: 'hello', name })
  ctx.progress(1, 1)
  return \`hello \${name}\`
})

export const refuse = worker('refuse', { retry: { attempts: 3 } }, () => {
  throw new PermanentError('no seat left', { cause: new TypeError('row 7') })
})

export const trip = workflow('trip', {}, async (ctx, place: string) => {
  const mark = (what: string) => appendFileSync('marks.txt', what + '\\n')
  await ctx.step('pack', () => mark('pack'))
  ctx.emit('packed')
  await ctx.sleep('1500ms')
  await ctx.step('go', () => mark('go'))
  return place
})

export const endless = workflow('endless', {}, async (ctx) => {
  await ctx.step('first', () => {
    appendFileSync('endless.txt', 'first\\n')
    ctx.emit('begun')
    return new Promise(() => {})
  })
})

export const nap = worker('nap', {}, () => new Promise((resolve) => setTimeout(resolve, 400)))
`

let project = ''

beforeAll(() => {
  buildPackage()
  project = makeProject({ 'workers/all.ts': workers })
}, 120_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

describe('troupe run', () => {
  it('refuses an unknown name, naming the nearest and where it looked', async () => {
    const { code, out, err } = await troupe(project, ['run', 'gret', '"ann"'])
    expect([code, out]).toEqual([2, ''])
    expect(err).toBe(
      "troupe: There is no worker, workflow or template 'gret'. Did you mean 'greet'? [worker_not_registered]\n\nLooked in workers/ and found: endless, greet, nap, refuse, trip\n",
    )
  })

  it('refuses input that does not fit its schema, and starts nothing', async () => {
    const { code, err } = await troupe(project, ['run', 'greet', '7'])
    expect(code).toBe(2)
    expect(err).toBe(
      "troupe: The input of 'greet' does not fit its schema: the value: expected a text [validation_failed]\n",
    )
    expect((await troupe(project, ['runs', '--json'])).out).toBe('[]\n')
  })

  it('prints the result as JSON into a pipe and tells the rest on standard error, without escape codes', async () => {
    const { code, out, err } = await troupe(project, ['run', 'greet', '-'], '"ann"')
    expect([code, out]).toEqual([0, '"hello ann"\n'])
    expect(err).toMatch(
      /^run [0-9a-f-]{36} of greet\n\{"greeting":"hello","name":"ann"\}\n(progress 100% \(1 of 1\)\n)?succeeded in \S+\n$/,
    )
  })

  it('exits 1 when the run failed, with its error and what caused it', async () => {
    const { code, out, err } = await troupe(project, ['run', 'refuse'])
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(
      /^PermanentError permanent: no seat left\n {2}at workers\/all\.ts:20:\d+\ncaused by TypeError: row 7\nsee it with: troupe show /m,
    )
    expect(err).not.toContain('    at ')
    expect((await troupe(project, ['run', 'refuse', '--verbose'])).err).toMatch(/ {2}at .*all\.ts/)
  })

  it('stops at the first signal, keeps the run, and goes on with it under the same key', async () => {
    const args = ['run', 'trip', '"rome"', '--key', 'rome-1']
    const first = startTroupe(project, args)
    await first.told('packed')
    first.signal('SIGINT')
    const { code, out, err } = await first.ended
    expect([code, out]).toEqual([130, ''])
    expect(err).toContain('Go on with it:  troupe run trip \'"rome"\' --key rome-1\n')
    const second = await troupe(project, args)
    expect([second.code, second.out]).toEqual([0, '"rome"\n'])
    expect(readFileSync(join(project, 'marks.txt'), 'utf8')).toBe('pack\ngo\n')
  })
})

describe('other runs of the queue', () => {
  it('are left alone, those too whose process died', async () => {
    const dying = startTroupe(project, ['run', 'endless'])
    await dying.told('begun')
    dying.signal('SIGKILL')
    await dying.ended
    const called = await troupe(project, ['call', 'greet', '"bob"'])
    const { code, err } = await troupe(project, ['run', 'nap'])
    expect([code, err]).toEqual([0, expect.not.stringMatching(/other|endless|Lets|bob/)])
    expect(readFileSync(join(project, 'endless.txt'), 'utf8')).toBe('first\n')
    const left = await troupe(project, ['runs', '--name', 'endless', '--state', 'ready', '--json'])
    expect(left.out).toContain('"endless"')
    const waiting = await troupe(project, ['runs', '--name', 'greet', '--state', 'ready', '--json'])
    expect(waiting.out).toContain(called.out.trim())
  })
})

describe('a config file', () => {
  it('says where definitions and the store are', async () => {
    const files = {
      'troupe.config.ts':
        "import { worker } from 'troupe'\nexport default { store: 'sqlite:my.db', definitions: [worker('add', {}, (ctx, n: number) => n + 1)] }\n",
    }
    const configured = makeProject(files)
    expect(await troupe(configured, ['run', 'add', '41'])).toMatchObject({ code: 0, out: '42\n' })
    expect((await troupe(configured, ['runs'])).out).toContain('add   succeeded')
    expect([existsSync(join(configured, 'my.db')), existsSync(join(configured, '.troupe'))]).toEqual([true, false])
    rmSync(configured, { recursive: true })
  })

  it('is refused with 78 when an option is not known', async () => {
    const configured = makeProject({ 'troupe.config.ts': "export default { workers: './workers', stor: 'x' }\n" })
    const { code, err } = await troupe(configured, ['run', 'add'])
    expect(code).toBe(78)
    expect(err).toContain("Option 'stor' of Troupe.open is not known")
    rmSync(configured, { recursive: true })
  })

  it('names the worker file that does not load', async () => {
    const broken = makeProject({ 'workers/a.ts': "import { gone } from './gone.ts'\nexport const x = gone\n" })
    const { code, err } = await troupe(broken, ['run', 'add'])
    expect(code).toBe(78)
    expect(err).toContain("troupe: workers/a.ts could not be loaded: Cannot find module './gone.ts' (workers/a.ts:1) [")
    rmSync(broken, { recursive: true })
  })
})

describe('the package in a project', () => {
  it('compiles with the settings that the README gives, its own types looked at too', () => {
    const settings = /```json\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8'))?.[1] ?? ''
    const shop = makeProject({ 'tsconfig.json': settings, 'workers/all.ts': workers })
    mkdirSync(join(shop, 'node_modules/@types'))
    symlinkSync(resolve('node_modules/@types/node'), join(shop, 'node_modules/@types/node'), 'junction')
    const { stdout } = spawnSync(process.execPath, [resolve('node_modules/typescript/bin/tsc')], {
      cwd: shop,
      encoding: 'utf8',
    })
    rmSync(shop, { recursive: true, force: true })
    expect(stdout).toBe('')
  }, 60_000)
})
