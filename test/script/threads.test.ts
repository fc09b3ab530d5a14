// The threads of a sandbox: none until they are needed, ended when they crash, replaced, and never in the way of the main loop.
import { spawnSync } from 'node:child_process'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { noUnhandledRejections, rejection } from '../engine/stage.ts'
import { now, sandboxed } from './sandbox.ts'

noUnhandledRejections()

const crashing = new URL('./thread/crashing.ts', import.meta.url)

describe('a sandbox', () => {
  const { run, failure, sandbox, log } = sandboxed({ max: 2 })

  it('leaves the main loop alone while fifty scripts never end, and others come to their turn', async () => {
    await Promise.all([run('return 1'), run('return 2')])
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const fifty = Array.from({ length: 50 }, () => run('for (;;);', { timeoutMs: 40 }))
    const mine = run('return "mine"')
    delay.enable()
    const results = await Promise.allSettled(fifty)
    delay.disable()
    expect(results.map((one) => (one as PromiseRejectedResult).reason.code)).toEqual(Array(50).fill('script_timed_out'))
    expect(await mine).toBe('mine')
    expect(delay.percentile(50) / 1e6).toBeLessThan(5)
    expect(log.lines).toEqual([])
  })

  it('ends a script at once when its signal aborts, under way or waiting, and keeps its thread', async () => {
    const abort = new AbortController()
    const reason = new Error('no longer needed')
    const ends = Promise.all([1, 2, 3, 4].map(() => rejection(run('for (;;);', { signal: abort.signal }))))
    const last = run('return "after"')
    await nextTurn()
    const before = performance.now()
    abort.abort(reason)
    expect(await ends).toEqual([reason, reason, reason, reason])
    expect(await last).toBe('after')
    expect(performance.now() - before).toBeLessThan(2_500)
    expect(log.lines).toEqual([])
  })

  it('D13: gives a thread up that does not hear that its script is to stop', async () => {
    const script = `return 'a'.repeat(2e6).indexOf('a'.repeat(1e6) + 'b')`
    expect(await failure(script, { timeoutMs: 20 })).toMatchObject({ code: 'script_timed_out', retryable: true })
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { timeoutMs: 20 } }])
    expect(await Promise.all([run('return 1'), run('return 2'), run('return 3')])).toEqual([1, 2, 3])
  })

  it('takes nothing more once it is closed, and ends what is under way or waits', async () => {
    const ends = [1, 2, 3].map(() => rejection(run('for (;;);')))
    await nextTurn()
    await sandbox.close()
    expect((await Promise.all(ends)).map(({ code }) => code)).toEqual(Array(3).fill('engine_stopped'))
    expect(await failure('return 1')).toMatchObject({ code: 'engine_stopped' })
  })
})

describe('scripts that wait', () => {
  const { run } = sandboxed({ max: 1 })

  it('are performed in the order they came in', async () => {
    const names = Array.from({ length: 12 }, (_, n) => `script ${n}`)
    const ended: unknown[] = []
    const runs = names.map(async (name) => ended.push(await run('return input', { globals: { input: name } })))
    await Promise.all(runs)
    expect(ended).toEqual(names)
  })
})

describe('a thread that crashes', () => {
  const { run, failure } = sandboxed({ max: 2, host: crashing })

  it('D14: fails its script alone, which may be tried again, and is replaced', async () => {
    const [crash, other] = await Promise.all([failure('exit'), run('other')])
    expect(crash).toMatchObject({ code: 'thread_ended', retryable: true, details: { exitCode: 7 } })
    expect(other).toBe('other')
    const thrown = await failure('throw')
    expect(thrown).toMatchObject({
      code: 'thread_ended',
      retryable: true,
      message: expect.stringContaining('not caught') as string,
    })
    expect(await Promise.all([run('a'), run('b'), run('c')])).toEqual(['a', 'b', 'c'])
  })

  it('is ended when it hears nothing, a little after its time', async () => {
    expect(await failure('hang', { timeoutMs: 10 })).toMatchObject({ code: 'script_timed_out' })
    expect(await run('a')).toBe('a')
  })

  it('fails its script with what it ran out of', async () => {
    expect(await failure('heap')).toMatchObject({ code: 'script_out_of_memory' })
  })
})

describe('the compiled library', () => {
  it('performs scripts in JavaScript and TypeScript, says nothing else, sees no environment, and lets the process end', () => {
    const module = new URL('../../dist/script/script.js', import.meta.url).href
    const script = `const n: number = 20; return [n + new Date(2026, 0, 1).getHours(), new Date(2026, 0, 1).getTimezoneOffset()]`
    const program = `import { Sandbox } from ${JSON.stringify(module)}
      const log = { debug() {}, info() {}, warn: console.error, error: console.error }
      const sandbox = new Sandbox({ log })
      console.log(JSON.stringify(await sandbox.run(${JSON.stringify(script)}, { now: ${now}, seed: 'x' })))`
    const env = { PATH: process.env['PATH'], TZ: 'America/New_York', NODE_OPTIONS: '--no-deprecation' }
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      env,
      encoding: 'utf8',
    })
    expect({ stdout, stderr, status }).toEqual({ stdout: '[20,0]\n', stderr: '', status: 0 })
  })
})
