// What the types say of definitions, calls and steps; checked by the compiler, never executed.
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import {
  type Definition,
  type RunHandle,
  type StepContext,
  Troupe,
  worker,
  workflow,
  type WorkflowContext,
  type WorkerContext,
} from 'troupe'

declare const troupe: Troupe
declare const ctx: WorkflowContext

// A worker's input and output, in every spelling.

const annotated = worker('a', {}, (_ctx, n: number) => `${n}`)
expectTypeOf(annotated).toEqualTypeOf<Definition<number, string>>()

const asynchronous = worker('a', {}, async (_ctx, text: string) => ({ length: text.length }))
expectTypeOf(asynchronous).toEqualTypeOf<Definition<string, { length: number }>>()

const Email = z.object({
  to: z.string(),
  copies: z.number().default(1),
  at: z.string().transform((text) => new Date(text)),
})
const withSchema = worker('a', { input: Email, timeout: '30s' }, (ctx, email) => {
  expectTypeOf(ctx).toEqualTypeOf<WorkerContext<{ to: string; copies: number; at: Date }>>()
  expectTypeOf(ctx.payload).toEqualTypeOf<{ to: string; copies: number; at: Date }>()
  expectTypeOf(email.at).toEqualTypeOf<Date>()
  return email.copies
})
expectTypeOf(withSchema).toEqualTypeOf<Definition<{ to: string; copies?: number | undefined; at: string }, number>>()

const nothing = worker('a', {}, () => 5)
const onlyContext = worker('a', {}, (ctx) => ctx.runId)
expectTypeOf(onlyContext).toEqualTypeOf<Definition<void, string>>()
const optional = worker('a', {}, (_ctx, n?: number) => n ?? 0)
const anything = worker('a', {}, (_ctx, value: unknown) => value)
const contextOnlyInput = worker('a', {}, (ctx: WorkerContext<{ id: string }>) => ctx.payload.id)
expectTypeOf(contextOnlyInput).toEqualTypeOf<Definition<{ id: string }, string>>()

// The same for workflows.

const flow = workflow('f', {}, async (_ctx, items: string[]) => items.length)
expectTypeOf(flow).toEqualTypeOf<Definition<string[], number>>()
const schemaFlow = workflow('f', { input: z.object({ id: z.coerce.number() }) }, (ctx, order) => {
  expectTypeOf(ctx).toEqualTypeOf<WorkflowContext<{ id: number }>>()
  return ctx.step('s', () => order.id)
})
expectTypeOf(schemaFlow).toExtend<Definition<{ id: unknown }, number>>()
const inputless = workflow('f', {}, async () => true)
expectTypeOf(inputless).toEqualTypeOf<Definition<void, boolean>>()

// Calls.

expectTypeOf(troupe.call(annotated, 1)).resolves.toEqualTypeOf<RunHandle<string>>()
expectTypeOf(troupe.run(annotated, 1)).resolves.toEqualTypeOf<string>()
expectTypeOf(troupe.run(asynchronous, 'x', { delay: '1s' })).resolves.toEqualTypeOf<{ length: number }>()
expectTypeOf(troupe.run(withSchema, { to: 'a', at: '2020-01-01' })).resolves.toEqualTypeOf<number>()
expectTypeOf(troupe.run(nothing)).resolves.toEqualTypeOf<number>()
expectTypeOf(troupe.run(nothing, undefined, { priority: 1 })).resolves.toEqualTypeOf<number>()
expectTypeOf(troupe.run(optional)).resolves.toEqualTypeOf<number>()
expectTypeOf(troupe.run(optional, 5)).resolves.toEqualTypeOf<number>()
expectTypeOf(troupe.run(anything)).resolves.toEqualTypeOf<unknown>()
expectTypeOf(troupe.run(anything, { any: 'thing' })).resolves.toEqualTypeOf<unknown>()
expectTypeOf(troupe.run(flow, ['a'])).resolves.toEqualTypeOf<number>()
expectTypeOf(troupe.run(inputless)).resolves.toEqualTypeOf<boolean>()
expectTypeOf(troupe.run('by-name', { any: 'thing' })).resolves.toEqualTypeOf<unknown>()
expectTypeOf(troupe.call('by-name')).resolves.toEqualTypeOf<RunHandle<unknown>>()

// @ts-expect-error -- the input is missing
void troupe.run(annotated)
// @ts-expect-error -- the input is of another type
void troupe.run(annotated, 'text')
// @ts-expect-error -- a field is missing
void troupe.run(withSchema, { to: 'a' })
// @ts-expect-error -- it takes nothing
void troupe.run(nothing, 5)
// @ts-expect-error -- no such option
void troupe.run(annotated, 1, { dealy: 5 })
// @ts-expect-error -- an item is of another type
void troupe.run(flow, [1])
// @ts-expect-error -- no such option
worker('a', { retries: 5 }, () => 1)
// @ts-expect-error -- a handler is needed
workflow('a', {})
// @ts-expect-error -- the input of the handler is not what the schema gives
worker('a', { input: z.object({ id: z.string() }) }, (_ctx, input: { id: number }) => input)

// Messages.

const Paid = z.object({ cents: z.number(), at: z.string().transform((text) => new Date(text)) })
const talkative = workflow('t', { messages: { paid: Paid, stop: z.void(), keep: 5 } }, async (ctx, id: string) => {
  expectTypeOf(await ctx.receive('paid')).toEqualTypeOf<{ cents: number; at: Date } | null>()
  expectTypeOf(await ctx.scope('s', (inner) => inner.receive('paid'))).toEqualTypeOf<{
    cents: number
    at: Date
  } | null>()
  // @ts-expect-error -- it is not declared
  void ctx.receive('payd')
  ctx.answer('paid', (paid) => expectTypeOf(paid).toEqualTypeOf<{ cents: number; at: Date }>())
  // @ts-expect-error -- it is not declared
  ctx.answer('payd', () => 1)
  // @ts-expect-error -- the payload is of another type
  ctx.answer('paid', (paid: string) => paid)
  return id
})
const talk = await troupe.call(talkative, 'x')
expectTypeOf(talk.tell('paid', { cents: 5, at: '2026-01-01' }, { key: '7' })).toEqualTypeOf<Promise<true>>()
void talk.tell('stop')
expectTypeOf(talk.ask('paid', { cents: 5, at: '2026-01-01' }, { timeout: '1s' })).toEqualTypeOf<Promise<unknown>>()
expectTypeOf(talk.ask<number>('stop')).toEqualTypeOf<Promise<number>>()
// @ts-expect-error -- a field is missing
void talk.ask('paid', { cents: 5 })
// @ts-expect-error -- it is not declared
void talk.ask('payd')
expectTypeOf(troupe.ask<string>('id', 'name', { any: 'thing' })).toEqualTypeOf<Promise<string>>()
ctx.answer('any', (n: number, inner) => inner.step('s', () => n))
const asked = workflow(
  'q',
  { messages: { price: { payload: z.string(), reply: z.date() }, left: { reply: Paid } } },
  (ctx) => {
    ctx.answer('price', (item) => {
      expectTypeOf(item).toEqualTypeOf<string>()
      return new Date(item)
    })
    ctx.answer('left', async () => ({ cents: 5, at: '2026-01-01' }))
    // @ts-expect-error -- it answers with another type
    ctx.answer('price', () => 5)
  },
)
const question = await troupe.call(asked)
expectTypeOf(question.ask('price', 'book')).toEqualTypeOf<Promise<Date>>()
expectTypeOf(question.ask('left')).toEqualTypeOf<Promise<{ cents: number; at: Date }>>()
// @ts-expect-error -- the payload is of another type
void question.ask('price', 5)
// @ts-expect-error -- a reply is a schema
workflow('q', { messages: { price: { reply: 5 } } }, () => 1)
// @ts-expect-error -- a field is missing
void talk.tell('paid', { cents: 5 })
// @ts-expect-error -- it is not declared
void talk.tell('keep', 5)
// @ts-expect-error -- no schema
workflow('t', { messages: { paid: true } }, async () => 1)
expectTypeOf(ctx.receive('any')).toEqualTypeOf<Promise<unknown>>()
expectTypeOf(ctx.receive<number>('any', { key: 'k' })).toEqualTypeOf<Promise<number | null>>()
const quiet = await troupe.call(flow, ['a'])
void quiet.tell('any', { thing: 1 })
void quiet.tell('any')
void quiet.tell('any', { thing: 1 } as unknown, { key: '7' })
// @ts-expect-error -- a function cannot be stored
void quiet.tell('any', { thing: () => 1 })
// @ts-expect-error -- a promise cannot be stored
void quiet.ask('any', Promise.resolve(1))
// @ts-expect-error -- a function cannot be stored
void troupe.ask('id', 'any', () => 1)
expectTypeOf(quiet.ask('any', { thing: 1 }, { timeout: '1s' })).toEqualTypeOf<Promise<unknown>>()

// Lists of definitions of all kinds.

void Troupe.open({ definitions: [annotated, withSchema, nothing, optional, anything, flow, inputless, talkative] })

// Steps.

expectTypeOf(ctx.step('s', () => 1)).toEqualTypeOf<Promise<number>>()
expectTypeOf(ctx.step('s', async () => 'x')).toEqualTypeOf<Promise<string>>()
expectTypeOf(ctx.step('s', () => Promise.resolve([1]))).toEqualTypeOf<Promise<number[]>>()
expectTypeOf(ctx.step('s', () => {})).toEqualTypeOf<Promise<void>>()
expectTypeOf(
  ctx.step(
    's',
    (step) => {
      expectTypeOf(step).toEqualTypeOf<StepContext>()
      return step.attempt
    },
    { retry: { attempts: 2, backoff: 'linear', retryIf: (error) => error.name === 'x' }, timeout: 5 },
  ),
).toEqualTypeOf<Promise<number>>()
// @ts-expect-error -- no such option
void ctx.step('s', () => 1, { attempts: 3 })
// @ts-expect-error -- no such backoff
void ctx.step('s', () => 1, { retry: { backoff: 'random' } })

// Maps.

expectTypeOf(ctx.map('m', [1, 2], (item) => `${item}`)).toEqualTypeOf<Promise<string[]>>()
expectTypeOf(ctx.map('m', ['a'] as const, async (item) => item.length)).toEqualTypeOf<Promise<number[]>>()
expectTypeOf(ctx.map('m', [1], (item, ctx) => ctx.step('s', () => item))).toEqualTypeOf<Promise<number[]>>()
expectTypeOf(ctx.map('m', [1], async (item) => item, { onError: 'collect', key: (item) => item })).toEqualTypeOf<
  Promise<PromiseSettledResult<number>[]>
>()
expectTypeOf(ctx.map('m', [1], async (item) => item, { onError: 'fail', concurrency: 5 })).toEqualTypeOf<
  Promise<number[]>
>()
// @ts-expect-error -- a key is a text or a number
void ctx.map('m', [{ a: 1 }], (item) => item, { key: (item) => item })

// A handle.

declare const handle: RunHandle<{ id: string }>
expectTypeOf(handle.result()).resolves.toEqualTypeOf<{ id: string }>()
expectTypeOf(handle.recv()).resolves.toEqualTypeOf<unknown>()
expectTypeOf(handle.cancel('why')).resolves.toEqualTypeOf<boolean>()
expectTypeOf(handle).toExtend<AsyncIterable<unknown>>()

// Keys made of the input.

worker('keyed', { input: z.object({ id: z.number() }), idempotencyKey: (order) => `${order.id}` }, () => 1)
worker('keyed', { idempotencyKey: (order: { id: number }) => `${order.id}` }, (_ctx, order: { id: number }) => order)
// @ts-expect-error -- a key is a text
worker('keyed', { input: z.number(), idempotencyKey: (n) => n }, () => 1)
