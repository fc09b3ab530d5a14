// Workers for the tests of threads, in a file that the threads load too.
import { threadId } from 'node:worker_threads'
import { PermanentError, RetryAfterError, ValidationError } from '../../../src/model/error-classes.ts'
import type { WorkerContext } from '../../../src/worker/context.ts'
import { worker } from '../../../src/worker/worker.ts'

const thread = import.meta.url

export const double = worker('double', { thread }, (_ctx, n: number) => n * 2)
export const local = worker('local', { thread, durable: false }, (_ctx, n: number) => n * 2)
export const where = worker('where', { thread }, () => threadId)

export interface Seen {
  readonly [name: string]: unknown
}

export const look = worker(
  'look',
  { thread, retry: { attempts: 2, base: 0 } },
  async (ctx, payload: Date): Promise<Seen> => {
    const { workerName, runId, attempt, idempotencyKey, isDevelopment, isProduction } = ctx
    const found = { same: payload === ctx.payload, year: payload.getFullYear(), base: ctx.config.get('api.base') }
    ctx.setState('n', ctx.getState('n', 0) + 1)
    ctx.setState('gone', 1)
    ctx.clearState('gone')
    ctx.info(`attempt ${attempt}`, { attempt, big: 2n })
    ctx.emit({ at: new Map([[attempt, 'now']]) })
    ctx.progress(attempt, 2)
    await ctx.sleep(1)
    if (attempt === 1) throw new RangeError('not yet')
    return {
      workerName,
      runId,
      attempt,
      key: idempotencyKey,
      isDevelopment,
      isProduction,
      ...found,
      n: ctx.getState('n'),
    }
  },
)

/** A loop that never yields, told with a message that it has begun. */
export const spin = worker('spin', { thread, timeout: '1s' }, (ctx) => {
  ctx.emit('begun')
  for (;;);
})

/** A loop that never yields and looks at its signal. */
export const polite = worker('polite', { thread }, (ctx) => {
  ctx.emit('begun')
  while (!ctx.signal.aborted);
  throw ctx.signal.reason
})

export const waiting = worker('waiting', { thread, timeout: '1s' }, async (ctx, ending: string) => {
  ctx.defer(() => ctx.emit('first deferred'))
  ctx.defer(() => {
    ctx.emit('last deferred')
    if (ending === 'dirty') throw new Error('could not tidy up')
  })
  if (ending === 'ignores') ctx.signal.addEventListener('abort', () => ctx.emit('told'))
  ctx.emit('begun')
  if (ending === 'returns' || ending === 'dirty') return threadId
  if (ending === 'throws') throw new Error('no')
  if (ending === 'ignores') await new Promise(() => {})
  return ctx.sleep('1h')
})

export const crash = worker('crash', { thread, retry: { attempts: 2, base: 0 } }, async (ctx, how: string) => {
  ctx.emit(ctx.attempt)
  if (ctx.attempt === 2 && how.endsWith(' once')) return threadId
  if (how.startsWith('exit')) process.exit(3)
  if (how.startsWith('rejection')) void Promise.reject(new RangeError('nobody awaits me'))
  if (how.startsWith('throw'))
    setImmediate(() => {
      throw new RangeError('nobody catches me')
    })
  return ctx.sleep('1h')
})

export const hungry = worker(
  'hungry',
  { thread: { url: thread, resourceLimits: { maxOldGenerationSizeMb: 16 } } },
  () => {
    const all: unknown[] = []
    for (;;) all.push(Array.from({ length: 1_000 }, (_, n) => ({ n })))
  },
)

export const failing = worker('failing', { thread, retry: { attempts: 3, base: 0 } }, (_ctx, kind: string): unknown => {
  const cause = Object.assign(new TypeError('root'), { code: 'E_ROOT' })
  if (kind === 'permanent') throw new PermanentError('never', { cause })
  if (kind === 'validation') throw new ValidationError('wrong')
  if (kind === 'later') throw new RetryAfterError('busy', '2m')
  if (kind === 'function') return () => 1
  throw Object.assign(new SyntaxError('odd'), { code: 'E_ODD', cause })
})

export const snoozing = worker('snoozing', { thread }, async (ctx) => {
  const n = ctx.getState('n', 0)
  ctx.setState('n', n + 1)
  ctx.defer(() => ctx.emit(`tidied ${n}`))
  if (n === 0) await ctx.snooze('1m')
  return ctx.attempt
})

export const quiet = worker('quiet', { thread, heartbeat: '1s' }, async (ctx) => {
  ctx.emit('begun')
  await new Promise(() => {})
})

export const outside = worker('outside', { thread }, async (ctx) => {
  ctx.emit(await ctx.later())
  return (await ctx.later()) === (await ctx.later())
})

/** Says more than anyone takes in at a time, without a pause. */
export const talkative = worker('talkative', { thread, messages: { keep: 3_000 } }, (ctx, count: number) => {
  let taken = 0
  for (let n = 1; n <= count; n++) if (ctx.emit(n)) taken += 1
  return taken
})

/** What a definition that names this file, and is not exported by it, runs. */
export function handler(ctx: WorkerContext, n: number): string {
  return `${ctx.workerName} ${n}`
}

export function named(_ctx: WorkerContext, n: number): number {
  return n + 1
}

/** Goes on from where it was. */
export const walk = worker('walk', { thread }, async (ctx, end: number) => {
  const { cursor = 0, results = [] } = ctx.lastCheckpoint<number, number[]>() ?? {}
  if (cursor < end) await ctx.checkpoint(cursor + 1, { results: [...results, cursor] })
  return [ctx.attempt, results]
})
