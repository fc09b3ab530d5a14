// The commands that serve queues and that hand work to whoever serves them.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { freshDatabase } from '../postgres.ts'
import { buildPackage, makeProject, startTroupe, troupe, type Started } from './installed.ts'

const workers = (greeting: string) => `
import { worker } from 'troupe'
export const greet = worker('greet', {}, (ctx, name: string) => \`${greeting} \${name}\`)
export const hang = worker('hang', {}, () => new Promise((resolve) => setTimeout(resolve, 60_000)))
`

let project = ''

beforeAll(() => {
  buildPackage()
  project = makeProject({ 'workers/all.ts': workers('hello') })
}, 120_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

function serve(args: readonly string[], folder = project): Started {
  const service = startTroupe(folder, args)
  onTestFinished(() => service.signal('SIGKILL'))
  return service
}

/** Starts a run and waits until it shows one of the states. */
async function callUntil(states: RegExp, args: readonly string[], folder = project): Promise<Record<string, unknown>> {
  const id = (await troupe(folder, ['call', ...args])).out.trim()
  for (let look = 0; look < 100; look++) {
    const run = JSON.parse((await troupe(folder, ['show', id, '--json'])).out) as Record<string, unknown>
    if (states.test(String(run['state']))) return run
  }
  throw new Error(`Run ${id} never came to ${states.source}`)
}

describe('troupe start', () => {
  it('performs what others call, and stops gracefully on SIGTERM', async () => {
    const service = serve(['start'])
    await service.told('serving queue default')
    expect(await callUntil(/succeeded/, ['greet', '"ann"'])).toMatchObject({ output: 'hello ann' })
    service.signal('SIGTERM')
    const { code, err } = await service.ended
    expect(code).toBe(0)
    expect(err).toMatch(/with greet, hang \(from workers\/\); Ctrl-C stops\n.*Stopping, up to 30s/)
  }, 60_000)

  it('says on which store, and keeps its password to itself', async () => {
    const url = new URL(await freshDatabase())
    url.password = 'secret'
    const service = serve(['start', '--store', url.href])
    await service.told('Ctrl-C stops')
    service.signal('SIGTERM')
    const { code, err } = await service.ended
    expect(code).toBe(0)
    expect(err).toContain(`serving queue default of ${url.href.replace('secret', '***')} with greet, hang`)
    expect(err).not.toContain('secret')
  }, 60_000)

  it('stops when somebody drains it, and has done well', async () => {
    const service = serve(['start'])
    await service.told('serving queue default')
    const nodes = JSON.parse((await troupe(project, ['nodes', '--json'])).out) as { number: number }[]
    const asked = await troupe(project, ['drain', String(nodes.at(-1)?.number)])
    expect([asked.code, asked.err]).toEqual([0, expect.stringContaining('takes no more work')])
    const { code, err } = await service.ended
    expect(code).toBe(0)
    expect(err).toMatch(/this node is drained: it takes no more work, and stops.*\n.*stopped, as it was drained/)
  }, 60_000)

  it('gives back what does not end in time, and stops at once at the second signal', async () => {
    const service = serve(['start'])
    await service.told('serving')
    const { id } = await callUntil(/running/, ['hang'])
    service.signal('SIGINT')
    await service.told('Stopping')
    service.signal('SIGINT')
    expect((await service.ended).code).toBe(130)
    const other = serve(['start', '--within', '100ms'])
    await other.told('goes on with 1 run whose process died')
    const shown = async () =>
      JSON.parse((await troupe(project, ['show', String(id), '--json'])).out) as { state: string }
    for (let state = ''; state !== 'running';) state = (await shown()).state
    other.signal('SIGTERM')
    const ended = await other.ended
    expect([ended.code, ended.err]).toEqual([
      0,
      expect.stringMatching(
        /Stopping, up to 100ms for what is executing\.\n(.*\n)*.*stopped; 1 run goes on where the queue is served next\n$/,
      ),
    ])
    const { state, deliveries } = JSON.parse((await troupe(project, ['show', String(id), '--json'])).out) as {
      state: string
      deliveries: number
    }
    expect([state, deliveries]).toEqual(['ready', 1])
    expect(await troupe(project, ['cancel', String(id).slice(0, 13), '--reason', 'enough'])).toMatchObject({
      code: 0,
      err: `Run ${String(id)} is cancelled.\n`,
    })
    const again = await troupe(project, ['cancel', String(id)])
    expect([again.code, again.err]).toEqual([0, `Run ${String(id)} was cancelled already.\n`])
  }, 60_000)

  it('names a file that cannot be loaded, and refuses to start', async () => {
    const broken = makeProject({ 'workers/broken.ts': 'export const x = (' })
    onTestFinished(() => rmSync(broken, { recursive: true, force: true }))
    const { code, err } = await troupe(broken, ['start'])
    expect(code).toBe(78)
    expect(err).toContain('workers/broken.ts could not be loaded')
  }, 60_000)
})

describe('a file that ends the process while it is loaded', () => {
  it.each([
    ['await new Promise(() => {})', 13, 'a top-level await in it, or in what it imports, never settles'],
    ['process.exit(3)', 3, 'its code, or what that imports, ended the process with exit code 3'],
  ])(
    'is named: %s',
    async (code, exitCode, why) => {
      const folder = makeProject({
        'workers/all.ts': workers('hello'),
        'workers/hangs.ts': `${code}\nexport const x = 1`,
      })
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      for (const command of [['start'], ['run', 'greet']]) {
        const ended = await troupe(folder, command)
        expect(ended.code).toBe(exitCode)
        expect(ended.err).toContain(
          `troupe: The process ended while workers/hangs.ts was loaded: ${why}. [file_not_loaded]\n`,
        )
      }
    },
    60_000,
  )
})

describe('troupe call', () => {
  it('prints the id, also as JSON, and gives the same run to the same key', async () => {
    const first = await troupe(project, ['call', 'greet', '"bob"', '--key', 'bob', '--delay', '1h'])
    const second = await troupe(project, ['call', 'greet', '"bob"', '--key', 'bob', '--json'])
    expect([first.code, first.err]).toEqual([0, ''])
    expect(JSON.parse(second.out)).toEqual({ id: first.out.trim(), name: 'greet' })
    expect((await troupe(project, ['call', 'gret'])).err).toContain("Did you mean 'greet'?")
    expect((await troupe(project, ['call', 'greet', '--delay', 'soon'])).code).toBe(2)
  }, 60_000)
})

describe('troupe definitions', () => {
  it('lists what can be started, and makes no store', async () => {
    const fresh = makeProject({ 'workers/all.ts': workers('hello') })
    onTestFinished(() => rmSync(fresh, { recursive: true, force: true }))
    expect(await troupe(fresh, ['definitions'])).toEqual({ code: 0, out: 'greet\nhang\n', err: 'from workers/\n' })
    expect((await troupe(fresh, ['definitions', '--json'])).out).toBe('["greet","hang"]\n')
    expect((await troupe(fresh, ['runs'])).code).toBe(69)
  }, 60_000)
})

describe('troupe dev', () => {
  it('goes on with new code, and with the old when the new cannot be loaded', async () => {
    const folder = makeProject({ 'workers/all.ts': workers('hello') })
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const dev = serve(['dev'], folder)
    await dev.told('serving')
    expect(await callUntil(/succeeded/, ['greet', '"ann"'], folder)).toMatchObject({ output: 'hello ann' })
    writeFileSync(join(folder, 'workers/all.ts'), 'export const x = (')
    await dev.told('what runs goes on with the code before')
    await dev.told('troupe: workers/all.ts could not be loaded: ParseError: ')
    writeFileSync(join(folder, 'workers/all.ts'), workers('good morning'))
    await dev.told('serving queue default of sqlite')
    for (let look = 0; look < 50; look++) {
      const { output } = await callUntil(/succeeded/, ['greet', '"bob"'], folder)
      if (output === 'good morning bob') break
    }
    expect(await callUntil(/succeeded/, ['greet', '"eve"'], folder)).toMatchObject({ output: 'good morning eve' })
    dev.signal('SIGINT')
    const { code, err } = await dev.ended
    expect(code).toBe(0)
    expect(err).not.toMatch(/ended with exit code|from workers\/\n|"stack"/)
  }, 120_000)

  it('tells the signal that ended what it serves with', async () => {
    const text =
      "import { worker } from 'troupe'\nexport const kill = worker('kill', {}, () => process.kill(process.pid, 'SIGKILL'))\n"
    const folder = makeProject({ 'workers/all.ts': text })
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const dev = serve(['dev'], folder)
    await dev.told('serving')
    await troupe(folder, ['call', 'kill'])
    await dev.told('ended by SIGKILL: waiting for a change')
    dev.signal('SIGINT')
    expect((await dev.ended).code).toBe(0)
  }, 60_000)
})
