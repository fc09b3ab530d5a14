// What the types say of values that cannot be stored; checked by the compiler, never executed.
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import { type RunHandle, type Troupe, worker, workflow, type WorkerContext, type WorkflowContext } from 'troupe'
import type { Storable } from '../../src/lib/storable.ts'

declare const troupe: Troupe
declare const ctx: WorkflowContext
declare const workerCtx: WorkerContext
declare const handle: RunHandle<unknown, { paid: z.ZodNumber }>

interface Node {
  readonly name: string
  readonly size?: number
  readonly inner: readonly Node[]
}
type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
declare enum Color {
  Red,
}
class Account {
  balance = 0
  pay(): void {}
}

/** Whether a type passes. */
type Passes<Value> = unknown extends Storable<Value> ? true : false

// What passes.

expectTypeOf<Passes<Node>>().toEqualTypeOf<true>()
expectTypeOf<Passes<Json>>().toEqualTypeOf<true>()
expectTypeOf<Passes<unknown>>().toEqualTypeOf<true>()
expectTypeOf<Passes<{ anything: unknown; all: any }>>().toEqualTypeOf<true>() // oxlint-disable-line no-explicit-any
expectTypeOf<Passes<never>>().toEqualTypeOf<true>()
expectTypeOf<Passes<void>>().toEqualTypeOf<true>()
expectTypeOf<Passes<object>>().toEqualTypeOf<true>()
expectTypeOf<Passes<Color | bigint | undefined | null>>().toEqualTypeOf<true>()
expectTypeOf<
  Passes<readonly [Date, RegExp, URL, TypeError, Uint8Array, Buffer, DataView, ArrayBuffer]>
>().toEqualTypeOf<true>()
expectTypeOf<Passes<Map<string, Set<{ at: Date }>>>>().toEqualTypeOf<true>()
expectTypeOf<
  Passes<{ a?: string; b: Readonly<Record<string, number>>; c: 'x' | { kind: 'y' } }>
>().toEqualTypeOf<true>()
expectTypeOf<Passes<string & { readonly __brand: 'id' }>>().toEqualTypeOf<true>()
expectTypeOf<Passes<z.output<z.ZodObject<{ id: z.core.$ZodBranded<z.ZodString, 'id'> }>>>>().toEqualTypeOf<true>()

// What does not is named.

expectTypeOf<Storable<() => void>>().toEqualTypeOf<{ readonly 'cannot be stored': 'value is a function' }>()
expectTypeOf<Storable<typeof Account>>().toEqualTypeOf<{ readonly 'cannot be stored': 'value is a function' }>()
expectTypeOf<Storable<symbol, 'result'>>().toEqualTypeOf<{ readonly 'cannot be stored': 'result is a symbol' }>()
// Another thread may change it while it is stored.
expectTypeOf<Storable<SharedArrayBuffer>>().not.toEqualTypeOf<unknown>()
expectTypeOf<Storable<{ a: { b: Promise<number>[] } }>>().toEqualTypeOf<{
  readonly 'cannot be stored': 'value.a.b[] is a promise'
}>()
expectTypeOf<Storable<{ on?: (() => void) | undefined }>>().toEqualTypeOf<{
  readonly 'cannot be stored': 'value.on is a function'
}>()
expectTypeOf<Storable<Map<string, Account>>>().toEqualTypeOf<{
  readonly 'cannot be stored': 'value.get().pay is a function'
}>()
expectTypeOf<Storable<{ a: symbol } | Node>>().toEqualTypeOf<{ readonly 'cannot be stored': 'value.a is a symbol' }>()

// Where values are stored.

const callbacks = { onClick: () => {} }
// @ts-expect-error -- result.onClick is a function
void ctx.step('s', () => callbacks)
// @ts-expect-error -- result.onClick is a function
void ctx.step('s', async () => callbacks)
// @ts-expect-error -- result.pay is a function
void ctx.step('s', () => new Account())
// @ts-expect-error -- state.onClick is a function
void ctx.loop('l', callbacks, (state) => ({ again: state }))
// @ts-expect-error -- result.onClick is a function
void ctx.tx('t', { exec: () => {}, prepare: () => ({ get: () => 1, run: () => 1 }) }, () => callbacks)
// @ts-expect-error -- message.onClick is a function
ctx.emit(callbacks)
// @ts-expect-error -- answer.onClick is a function
ctx.answer('a', () => callbacks)
// @ts-expect-error -- message.onClick is a function
workerCtx.emit(callbacks)
// @ts-expect-error -- state.onClick is a function
workerCtx.setState('s', callbacks)
// @ts-expect-error -- output.onClick is a function
worker('w', {}, () => callbacks)
// @ts-expect-error -- output.onClick is a function
workflow('w', {}, async () => callbacks)
// @ts-expect-error -- input.pay is a function
worker('w', {}, (_ctx, account: Account) => account.balance)
// @ts-expect-error -- input.pay is a function
workflow('w', { input: z.instanceof(Account) }, async (_ctx, account) => account.balance)
// @ts-expect-error -- output.onClick is a function
void troupe.register('w', () => callbacks)
// @ts-expect-error -- message.onClick is a function
void troupe.tell('id', 'name', callbacks)
// @ts-expect-error -- event.onClick is a function
void troupe.publish('event', callbacks)
// @ts-expect-error -- output.onClick is a function
void troupe.complete('token', callbacks)

// What is inferred stays as it was.

expectTypeOf(ctx.step('s', () => (handle.id === '' ? 'x' : { n: 1 }))).toEqualTypeOf<Promise<'x' | { n: number }>>()
expectTypeOf(ctx.step('s', (): Json => [])).toEqualTypeOf<Promise<Json>>()
expectTypeOf(
  ctx.step('s', (): never => {
    throw new Error('x')
  }),
).toEqualTypeOf<Promise<never>>()
expectTypeOf(ctx.loop('l', { n: 0 }, ({ n }) => (n > 5 ? { done: 'x' } : { again: { n: n + 1 } }))).toEqualTypeOf<
  Promise<string>
>()
ctx.emit({ at: new Date(), list: [1, 'a'] })
workerCtx.setState('s', { n: 1 })
void troupe.tell('id', 'name')
void troupe.complete('token')
void troupe.publish('event')
void handle.tell('paid', 5)

// Code that leaves a type open: it is looked at where it is known, and at run time.

const twice = <Result>(fn: () => Promise<Result>): Promise<Result> => ctx.step('s', fn) as Promise<Result>
expectTypeOf(twice(async () => 5)).toEqualTypeOf<Promise<number>>()
const tellAll = <Payload>(payload: Payload): Promise<true> => troupe.tell('id', 'name', payload)
void tellAll(5)
