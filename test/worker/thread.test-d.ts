// What the compiler lets through where the code of a worker runs in a thread.
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { worker, workflow, type Definition, type WorkerContext } from '../../src/index.ts'

const url = new URL('./thread/work.ts', import.meta.url)

test('a worker of this file has its handler and its types as any other', () => {
  const resize = worker('resize', { thread: import.meta.url }, (ctx, photo: { width: number }) => {
    expectTypeOf(ctx).toEqualTypeOf<WorkerContext<{ width: number }>>()
    return photo.width / 2
  })
  expectTypeOf(resize).toEqualTypeOf<Definition<{ width: number }, number>>()
  const limits = { url: import.meta.url, resourceLimits: { maxOldGenerationSizeMb: 64 } }
  worker('limited', { thread: limits, input: z.object({ n: z.number() }) }, (_ctx, { n }) => n)
})

test('a worker of another file has none, and says its types', () => {
  expectTypeOf(worker<number, string>('other', { thread: url })).toEqualTypeOf<Definition<number, string>>()
  expectTypeOf(worker('unknown', { thread: url })).toEqualTypeOf<Definition<unknown, unknown>>()
  // @ts-expect-error its code is in the other file: a closure would not be there
  worker('closure', { thread: url }, () => 1)
  // @ts-expect-error without a thread there must be a handler
  worker('nothing', {})
})

test('a workflow has no thread', () => {
  // @ts-expect-error it is quick; its work is that of workers
  workflow('slow', { thread: import.meta.url }, () => 1)
})
