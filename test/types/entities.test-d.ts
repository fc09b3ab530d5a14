// What the compiler knows of entities: names, arguments and replies.
import { expectTypeOf, it } from 'vitest'
import { entity, Troupe, workflow, type EntityContext, type EntityRef } from '../../src/index.ts'

const counter = entity(
  'counter',
  { state: () => ({ n: 0 }) },
  {
    add(ctx, by: number) {
      expectTypeOf(ctx).toEqualTypeOf<EntityContext<{ n: number }>>()
      return (ctx.state.n += by)
    },
    async rename(_ctx, name: string, isNew?: boolean) {
      return `${name}${String(isNew)}`
    },
    get: (ctx) => ctx.state,
  },
)

declare const troupe: Troupe

it('knows what a ref may be told and asked', () => {
  const ref = troupe.entity(counter, 'a')
  expectTypeOf(ref.ask('add', 2)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(ref.ask('rename', 'x')).toEqualTypeOf<Promise<string>>()
  expectTypeOf(ref.ask('rename', 'x', true)).toEqualTypeOf<Promise<string>>()
  expectTypeOf(ref.ask('get')).toEqualTypeOf<Promise<{ n: number }>>()
  expectTypeOf(ref.tell('add', 2)).toEqualTypeOf<Promise<true>>()
  expectTypeOf(ref.send('add', 2)).toEqualTypeOf<Promise<true>>()
  // @ts-expect-error: there is no such handler
  void ref.ask('ad', 2)
  // @ts-expect-error: it takes a number
  void ref.tell('add', '2')
  // @ts-expect-error: it takes an argument
  void ref.ask('add')
  // @ts-expect-error: it takes no more
  void ref.ask('get', 1)
})

it('is told and asked, and not called, run or scheduled', () => {
  // @ts-expect-error: it begins with its first message
  void troupe.call(counter)
  // @ts-expect-error: neither with an input
  void troupe.call(counter, { entity: 'counter', key: 'a' })
  // @ts-expect-error: nor as one of many
  void troupe.callMany(counter, [{}])
  // @ts-expect-error: nor for its result
  void troupe.run(counter)
  // @ts-expect-error: nor by a schedule
  void troupe.schedule('often', { every: '1h' }, counter)
  void workflow('parent', {}, async (ctx) => {
    // @ts-expect-error: nor by a run
    await ctx.call(counter)
  })
  void Troupe.open({ definitions: [counter] })
})

it('knows nothing of an entity by its name alone', () => {
  expectTypeOf(troupe.entity('counter', 'a')).toEqualTypeOf<EntityRef>()
  expectTypeOf(troupe.entity('counter', 'a').ask('x', 1, 2)).toEqualTypeOf<Promise<unknown>>()
})

it('may name itself in a handler whose types are written', () => {
  const account = entity(
    'account',
    { state: () => 0 },
    {
      deposit: (ctx, amount: number): number => (ctx.state += amount),
      give(ctx, to: string, amount: number): void {
        void ctx.entity(account, to).tell('deposit', amount)
      },
    },
  )
  expectTypeOf(troupe.entity(account, 'a').ask('deposit', 1)).toEqualTypeOf<Promise<number>>()
})
