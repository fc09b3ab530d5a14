// What the types say of workers that are registered by name, and of WORKER; checked by the compiler, never executed.
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import {
  type Definition,
  discover,
  type RunHandle,
  type RunStats,
  Troupe,
  worker,
  WORKER,
  type WorkerContext,
  type WorkerVerbs,
} from 'troupe'

declare const troupe: Troupe

// An engine has the verbs of WORKER, in the same spelling.

expectTypeOf(troupe).toExtend<WorkerVerbs>()
expectTypeOf(WORKER).toEqualTypeOf<WorkerVerbs>()

for (const engine of [troupe, WORKER]) {
  // A definition by its handler, with and without options.

  const plain = await engine.register('plain', (ctx, n: number) => `${ctx.runId} ${n}`)
  expectTypeOf(plain).toEqualTypeOf<Definition<number, string>>()
  const asynchronous = await engine.register('later', { retry: { attempts: 2 }, replace: true }, async () => 5)
  expectTypeOf(asynchronous).toEqualTypeOf<Definition<unknown, number>>()

  // The schema says what comes in.

  const input = z.object({ to: z.string(), copies: z.number().default(1) })
  const checked = await engine.register('checked', { input }, (ctx, email) => {
    expectTypeOf(ctx).toEqualTypeOf<WorkerContext<{ to: string; copies: number }>>()
    return email.copies
  })
  expectTypeOf(checked).toEqualTypeOf<Definition<{ to: string; copies?: number | undefined }, number>>()

  // Without one the payload is unknown.

  await engine.register('unknown', (ctx) => {
    expectTypeOf(ctx.payload).toEqualTypeOf<unknown>()
  })

  // A definition.

  const double = worker('double', {}, (_ctx, n: number) => n * 2)
  expectTypeOf(await engine.register(double, { replace: true })).toEqualTypeOf<void>()
  expectTypeOf(await engine.run(double, 2)).toEqualTypeOf<number>()
  expectTypeOf(await engine.call(double, 2, { delay: '1s' })).toEqualTypeOf<RunHandle<number>>()
  expectTypeOf(await engine.run('double', 2)).toEqualTypeOf<unknown>()

  // @ts-expect-error what it takes is a number
  await engine.run(double, 'two')
  // @ts-expect-error it is given nothing
  await engine.run(double)
  // @ts-expect-error there is no such option
  await engine.register('typo', { rety: { attempts: 2 } }, () => 1)

  expectTypeOf(await engine.stats('double')).toEqualTypeOf<RunStats | undefined>()
  expectTypeOf(await engine.running()).toEqualTypeOf<string[]>()
}

const found = await discover('./workers')
expectTypeOf(found.files).toEqualTypeOf<readonly string[]>()
expectTypeOf(found.skipped[0]?.why).toEqualTypeOf<string | undefined>()
