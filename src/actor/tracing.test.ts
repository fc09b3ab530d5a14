import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { testSystem } from '../testing/test-system.ts'
import { Actor } from './actor.ts'
import type { Ref } from './ref.ts'
import { ActorSystem } from './system.ts'
import { loadOpenTelemetry, tracingOf } from './tracing.ts'
import type { OpenTelemetry } from './tracing.ts'

interface RecordedSpan {
  readonly name: string
  readonly kind: number
  readonly attributes: object
  readonly parent: string | undefined
  exception?: Error
  status?: { code: number; message?: string }
  ended: boolean
}

/** Stands in for the API and an SDK behind it: spans are kept, contexts follow promises. */
function recorder() {
  const spans: RecordedSpan[] = []
  const storage = new AsyncLocalStorage<object>()
  const root = {}
  const spanOf = new WeakMap<object, RecordedSpan>()
  const api: OpenTelemetry = {
    trace: {
      getTracer: () => ({
        startSpan: (name, { kind, attributes } = { kind: 0, attributes: {} }, context = root) => {
          const span: RecordedSpan = { name, kind, attributes, parent: spanOf.get(context)?.name, ended: false }
          spans.push(span)
          return Object.assign(span, {
            recordException: (error: Error) => void (span.exception = error),
            setStatus: (status: { code: number; message?: string }) => void (span.status = status),
            end: () => void (span.ended = true),
          })
        },
      }),
      setSpan: (_context, span) => {
        const context = {}
        spanOf.set(context, span as unknown as RecordedSpan)
        return context
      },
    },
    context: { active: () => storage.getStore() ?? root, with: (context, fn) => storage.run(context, fn) },
  }
  const summary = (): string[] => spans.map(({ name, parent }) => `${parent ?? '-'} > ${name}`)
  return { api, spans, summary }
}

class Store extends Actor {
  read(key: string): string {
    if (key === 'lost') throw new Error('lost')
    return `value of ${key}`
  }
}

class Shop extends Actor {
  readonly #store: Ref<Store>
  constructor(store: Ref<Store>) {
    super()
    this.#store = store
  }
  async sell(key: string): Promise<string> {
    await Promise.resolve()
    return this.#store.ask('read', key)
  }
}

function shop() {
  const { api, spans, summary } = recorder()
  const kit = testSystem({ tracing: api })
  const [store] = kit.system.spawn(Store)
  const [ref] = kit.system.spawn(() => new Shop(store))
  return { ...kit, api, spans, summary, store, shop: ref }
}

describe('tracing', () => {
  it('makes one span of each message, below that of the handler that sent it', async () => {
    const { shop: ref, store, spans, summary } = shop()
    expect(await ref.ask('sell', 'a')).toBe('value of a')
    store.tell('read', 'b')
    await store.ask('read', 'c')
    expect(summary()).toEqual(['- > Shop sell', 'Shop sell > Store read', '- > Store read', '- > Store read'])
    expect({ ...spans[1], recordException: undefined, setStatus: undefined, end: undefined }).toEqual({
      name: 'Store read',
      kind: 4,
      attributes: { 'troupe.actor': 'Store(#1)', 'troupe.message': 'read', 'troupe.operation': 'ask' },
      parent: 'Shop sell',
      ended: true,
    })
    expect(spans.map(({ ended }) => ended)).toEqual([true, true, true, true])
  })

  it('keeps apart what is handled at the same time', async () => {
    const { shop: ref, system, summary, api } = shop()
    const tracer = api.trace.getTracer('test')
    const request = (name: string): Promise<unknown> => {
      const root = api.context.active()
      const context = api.trace.setSpan(root, tracer.startSpan(name))
      return api.context.with(context, () => ref.ask('sell', name))
    }
    await Promise.all([request('first'), request('second')])
    expect(summary().slice(2)).toEqual([
      'first > Shop sell',
      'Shop sell > Store read',
      'second > Shop sell',
      'Shop sell > Store read',
    ])
    await system.stop()
  })

  it('records what a handler threw, at once or later', async () => {
    const { shop: ref, spans } = shop()
    await ref.ask('sell', 'lost').catch(() => undefined)
    expect(spans.map(({ name, exception, status, ended }) => [name, exception, status, ended])).toEqual(
      ['Shop sell', 'Store read'].map((name) => [name, new Error('lost'), { code: 2, message: 'Error: lost' }, true]),
    )
  })

  it('ends the span of a handler that is cut off', async () => {
    const { api, spans } = recorder()
    const { system, settle } = testSystem({ tracing: api })
    class Stuck extends Actor {
      hang(): Promise<void> {
        return deferred<void>().promise
      }
    }
    const [ref, handle] = system.spawn(Stuck)
    ref.tell('hang')
    await settle()
    expect(spans.map(({ ended }) => ended)).toEqual([false])
    await handle.kill()
    expect(spans.map(({ ended, status }) => [ended, status])).toEqual([
      [true, { code: 2, message: 'It became a dead letter: discarded' }],
    ])
  })

  it('goes on in the timers and results that a handler left behind', async () => {
    const { api, summary } = recorder()
    const { system, settle, advance } = testSystem({ tracing: api })
    const [store] = system.spawn(Store)
    class Later extends Actor {
      piped(): void {
        this.ctx.pipe(Promise.resolve('b'), (key) => store.tell('read', key))
      }
      timed(): void {
        this.ctx.after('1s', () => store.tell('read', 'c'))
      }
    }
    const [ref] = system.spawn(Later)
    ref.tell('timed')
    ref.tell('piped')
    await settle()
    await advance('1s')
    expect(summary()).toEqual([
      '- > Later timed',
      '- > Later piped',
      'Later piped > Store read',
      'Later timed > Store read',
    ])
  })

  it('makes no span of a message that is never handled', async () => {
    const { spans, store } = shop()
    await (store as unknown as { ask(name: string): Promise<unknown> }).ask('burn').catch(() => undefined)
    expect(spans).toEqual([])
  })

  it('leaves other systems of the process alone', async () => {
    const { spans, store } = shop()
    const other = new ActorSystem()
    const [ref] = other.spawn(Store)
    await ref.ask('read', 'a')
    expect(spans).toEqual([])
    await store.ask('read', 'a')
    expect(spans.map(({ name }) => name)).toEqual(['Store read'])
  })

  it('says which package to install when there is none', () => {
    const load = (): OpenTelemetry => loadOpenTelemetry('file:///nowhere/actor.js')
    expect(() => tracingOf(true, load)).toThrow(
      expect.objectContaining({
        code: 'package_missing',
        message: expect.stringContaining('run `npm install @opentelemetry/api`') as string,
      }),
    )
    expect(tracingOf(false, load)).toBe(undefined)
  })
})
