// Entities: one for each key, one message at a time, and nothing of a handler that failed.
import { expect, it } from 'vitest'
import { entity } from '../../src/index.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection } from '../engine/stage.ts'

noUnhandledRejections()

const counter = entity(
  'counter',
  { state: () => ({ n: 0 }) },
  {
    add(ctx, by: number) {
      return (ctx.state.n += by)
    },
    get(ctx) {
      return ctx.state.n
    },
    fail(ctx, by: number): number {
      ctx.state.n += by
      throw new TypeError(`no ${by}`)
    },
    async slow(ctx, by: number) {
      const { n } = ctx.state
      await Promise.resolve()
      ctx.state = { n: n + by }
    },
  },
)

it('keeps a state for each key, and replies', async () => {
  const { troupe } = await onStage({ definitions: [counter] })
  const ann = troupe.entity(counter, 'ann')
  expect(await ann.ask('add', 2)).toBe(2)
  expect(await ann.ask('add', 3)).toBe(5)
  await ann.tell('add', 10)
  expect(await ann.ask('get')).toBe(15)
  expect(await troupe.entity(counter, 'bob').ask('get')).toBe(0)
})
