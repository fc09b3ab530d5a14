// Actors in worker threads: the same ref, the same rules, and nothing lost when a thread dies.
import { threadId } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ActorSystem } from '../../src/actor/system.ts'
import type { SpawnOptions } from '../../src/actor/spawn.ts'
import { RecordedLog } from '../../src/testing/recorded-log.ts'
import { Calculator, Multiply } from './thread/calculator.ts'
import type { CalculatorOptions } from './thread/calculator.ts'

const thread = new URL('./thread/calculator.ts', import.meta.url)
// The library is read from its sources here, also in the thread.
const worker = { execArgv: ['--import', 'jiti/register'] }

function calculator({ args = {}, ...options }: SpawnOptions & { args?: CalculatorOptions } = {}) {
  const log = new RecordedLog()
  const system = new ActorSystem({ log })
  onTestFinished(() => system.stop({ within: 1 }))
  const [ref, handle] = system.spawn(Calculator, { thread, worker, args: [args], ...options })
  const buried = () => system.deadLetters.recent.map(({ message, reason }) => `${message}: ${reason}`)
  const messages = () => log.lines.map(({ message }) => message)
  return { system, ref, handle, buried, messages }
}

describe('an actor in a thread', () => {
  it('lives there, and is told and asked as any other', async () => {
    const { ref, handle, messages } = calculator({ args: { start: 10 } })
    expect(String(ref)).toBe('Calculator(#1)')
    ref.tell('add', 5)
    await ref.send('add', 5)
    expect(await ref.ask('add', 1)).toBe(21)
    expect(await ref.ask(new Multiply({ by: 2 }))).toBe(42)
    expect(await ref.ask('addLater', 1)).toBe(43)
    expect(await ref.ask('thread')).not.toBe(threadId)
    expect((await handle.stop()).kind).toBe('stopped')
    expect(messages()).toEqual(['stopped: stopped'])
  })

  it('keeps the order of a sender and loses nothing, also past the window', async () => {
    const { ref, handle, system } = calculator({ mailbox: 50 })
    let expected = 0
    for (let n = 1; n <= 5000; n++) {
      expected = n % 1000 === 0 ? expected * 2 : expected + n
      await (n % 1000 === 0 ? ref.send(new Multiply({ by: 2 })) : ref.send('add', n))
    }
    expect(await ref.ask('total')).toBe(expected)
    await handle.stop()
    expect(system.metrics()).toMatchObject({ processed: 5001, failed: 0, deadLetters: 0 })
  })

  it('hands errors to the asker, with name, code and message, and lives on', async () => {
    const { ref } = calculator()
    const error: unknown = await ref.ask('divide', 0).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'RangeError', message: 'divided by zero', code: 'E_ZERO' })
    expect((error as Error).stack).toContain('calculator')
    await expect((ref as unknown as { ask(name: string): Promise<unknown> }).ask('burn')).rejects.toMatchObject({
      code: 'message_unknown',
    })
    expect(await ref.ask('total')).toBe(0)
  })

  it('fails when nobody asked, and is made anew in another thread with its mail', async () => {
    const { ref, handle, buried } = calculator({ restart: 'transient', args: { start: 1 } })
    const first = await ref.ask('thread')
    ref.tell('add', 5)
    ref.tell('divide', 0)
    expect(await ref.ask('thread').catch((error: unknown) => (error as { code: string }).code)).toBe('actor_restarted')
    expect(await ref.ask('total')).toBe(1)
    expect(await ref.ask('thread')).not.toBe(first)
    expect(buried()).toEqual(['thread: restart'])
    await handle.stop()
  })

  it('fails when a turn of its own does, when its thread exits, and when it leaves it stops', async () => {
    for (const [name, payload, expected] of [
      [
        'failLater',
        undefined,
        { kind: 'failed', error: expect.objectContaining({ message: 'failed in a timer' }) as Error },
      ],
      [
        'exit',
        3,
        {
          kind: 'failed',
          error: expect.objectContaining({
            code: 'thread_ended',
            details: expect.objectContaining({ exitCode: 3 }) as object,
          }) as Error,
        },
      ],
      ['leave', undefined, { kind: 'stopped' }],
    ] as const) {
      const { ref, handle } = calculator()
      ref.tell(name, payload as never)
      expect(await handle.done, name).toMatchObject(expected)
    }
  })

  it('is killed also in an endless loop, and what it had is dead letters', async () => {
    const { ref, handle, buried } = calculator()
    await ref.ask('total')
    const asked = ref.ask('spin').catch((error: unknown) => (error as { code: string }).code)
    ref.tell('add', 1)
    await new Promise((resolve) => setImmediate(resolve))
    expect((await handle.kill()).kind).toBe('killed')
    expect(await asked).toBe('actor_killed')
    expect(buried().sort()).toEqual(['add: discarded', 'spin: reply-dropped'])
  })

  it('lets asks overlap where the class says so', async () => {
    const { ref } = calculator()
    const waits = [ref.ask('wait'), ref.ask('wait')]
    expect(await ref.ask('go')).toBe(0)
    expect(await Promise.all(waits)).toEqual([undefined, undefined])
  })

  it('refuses what cannot be copied, and names it', async () => {
    const { ref, system } = calculator()
    const other = system.spawn(Calculator, { thread, worker })[0]
    const asking = ref as unknown as { ask(name: string, payload?: unknown): Promise<unknown> }
    const codeAndText = (error: unknown): [string, string] => [
      (error as { code: string }).code,
      (error as Error).message,
    ]
    const refusalOf = async (name: string, payload?: unknown): Promise<[string, string]> =>
      asking.ask(name, payload).then(() => ['taken', ''], codeAndText)
    expect((await refusalOf('add', () => 1))[1]).toMatch(
      /^The payload of add cannot be copied into the thread of Calculator in .*: send plain data, without refs and functions\.$/,
    )
    expect((await refusalOf('add', { to: new Map([['other', other]]) }))[1]).toContain(
      'Symbol(a ref) could not be cloned',
    )
    expect(await refusalOf('makeFunction')).toEqual([
      'value_not_copied',
      expect.stringContaining('The reply cannot be copied out of its thread'),
    ])
    expect(await ref.ask('total')).toBe(0)
  })

  it('fails to start when its started does, when its module is not there, or exports no such class', async () => {
    const failing = calculator({ args: { failsToStart: true } })
    const asked = failing.ref.ask('total').catch((error: unknown) => (error as { code: string }).code)
    expect(await failing.handle.done).toMatchObject({
      kind: 'failed',
      phase: 'start',
      error: { name: 'RangeError', message: 'no calculator today' },
    })
    expect(await asked).toBe('actor_failed')

    const { system } = failing
    class Elsewhere extends Calculator {}
    const missing = system.spawn(Calculator, { thread: new URL('./thread/nowhere.ts', import.meta.url), worker })[1]
    expect((await missing.done).error?.message).toContain('nowhere.ts')
    const unnamed = system.spawn(Elsewhere, { thread, worker })[1]
    expect((await unnamed.done).error).toMatchObject({
      code: 'definition_invalid',
      message: expect.stringMatching(/calculator\.ts exports no class Elsewhere: export it/) as string,
    })
  })

  it('refuses what is no module or no class before it starts anything', () => {
    const { system } = calculator()
    const options = (more: object) => ({ thread, worker, ...more })
    const spawning = (type: unknown, more: object) => () => system.spawn(type as typeof Calculator, options(more))
    expect(spawning(Calculator, { thread: './calculator.ts' })).toThrow('give new URL')
    expect(spawning(() => new Calculator(), {})).toThrow('give its class')
    expect(spawning(Calculator, { args: { start: 1 } })).toThrow('The args is')
    expect(system.metrics().actors).toBe(1)
  })

  it('lives on when it is told what it has no method for', async () => {
    const { ref, system, buried } = calculator()
    ref.tell('burn' as 'add', 1)
    expect(await ref.ask('total')).toBe(0)
    expect(buried()).toEqual(['burn: unknown'])
    expect(system.metrics()).toMatchObject({ processed: 1, failed: 0, deadLetters: 1 })
  })

  it('lives on when it is told what cannot be copied', async () => {
    const { ref, buried } = calculator()
    ref.tell('add', (() => 1) as unknown as number)
    expect(await ref.ask('total')).toBe(0)
    expect(buried()).toEqual(['add: not-copied'])
  })

  it('refuses args that cannot be copied', async () => {
    const { handle } = calculator({ args: { start: Symbol('start') as unknown as number } })
    expect(await handle.done).toMatchObject({ kind: 'failed', phase: 'start', error: { code: 'value_not_copied' } })
  })

  it('handles nothing after a tell that failed', async () => {
    const { ref, handle, messages } = calculator()
    ref.tell('divide', 0)
    for (let n = 0; n < 10; n++) ref.tell('shout', 'after')
    expect(await handle.done).toMatchObject({ kind: 'failed', error: { message: 'divided by zero' } })
    expect(messages().filter((message) => message === 'after')).toEqual([])
  })

  it('handles what was let in before it leaves', async () => {
    const { ref, handle, messages, buried } = calculator({ mailbox: 1000 })
    await ref.ask('total')
    ref.tell('leave')
    for (let n = 0; n < 500; n++) ref.tell('shout', 'late')
    expect(await handle.done).toMatchObject({ kind: 'stopped' })
    expect([messages().filter((message) => message === 'late').length, buried()]).toEqual([500, []])
  })

  it('may put aside as many messages as fit into its mailbox', async () => {
    const { ref, handle } = calculator({ mailbox: 2000 })
    for (let n = 0; n < 2000; n++) ref.tell('later', 1)
    await ref.send('now')
    expect(await ref.ask('total')).toBe(2000)
    await Promise.allSettled(Array.from({ length: 2001 }, () => ref.send('again', 1)))
    expect(await handle.done).toMatchObject({ kind: 'failed', error: { code: 'mailbox_full' } })
  })

  it('stops also with messages put aside, which are dead letters', async () => {
    const { ref, handle, buried } = calculator()
    await ref.ask('total')
    ref.tell('later', 1)
    ref.tell('add', 1)
    expect((await handle.stop()).kind).toBe('stopped')
    expect(buried()).toEqual(['later: discarded'])
  })

  it('ends as failed when its stopped throws', async () => {
    const { ref, handle } = calculator({ args: { failsToStop: true } })
    await ref.ask('total')
    expect(await handle.stop()).toMatchObject({ kind: 'failed', phase: 'stop', error: { message: 'no end' } })
  })

  it('brings the causes of an error along, and all of its log', async () => {
    const { ref, messages } = calculator()
    const error = await ref.ask('because', 'root').catch((thrown: unknown) => thrown as Error)
    expect([(error as Error).message, ((error as Error).cause as Error).message]).toEqual(['because of it', 'root'])
    await ref.ask('shout', 'loud')
    expect(messages()).toEqual(['loud'])
  })

  it('hands over an error that cannot be read', async () => {
    const { ref, handle } = calculator()
    await expect(ref.ask('fog')).rejects.toBeInstanceOf(Error)
    expect(await ref.ask('total')).toBe(0)
    ref.tell('fog')
    expect(await handle.done).toMatchObject({ kind: 'failed' })
  })

  it('is found by its name and its class', async () => {
    const { system, ref, handle } = calculator({ name: 'calculator' })
    class Other extends Calculator {}
    expect([system.lookup('calculator', Calculator), system.lookup('calculator', Other)]).toEqual([ref, undefined])
    expect((await handle.stop()).actor).toBe(undefined)
  })

  it('is killed while it starts', async () => {
    const { ref, handle, buried, messages } = calculator({ args: { hangsAtStart: true } })
    ref.tell('add', 1)
    while (!messages().includes('hangs')) await new Promise((resolve) => setImmediate(resolve))
    expect((await handle.kill()).kind).toBe('killed')
    expect(buried()).toEqual(['add: discarded'])
  })
})
