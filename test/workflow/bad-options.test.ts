// What a workflow's code passes by mistake: the run fails with what would be right, and nothing is lost in silence.
import { expect, it } from 'vitest'
import { workflow, type WorkflowContext } from '../../src/index.ts'
import { noUnhandledRejections, onStage, rejection } from '../engine/stage.ts'

noUnhandledRejections()

type Loose = Record<'step' | 'map' | 'sleepUntil', (...args: unknown[]) => Promise<unknown>>
type Body = (ctx: Loose) => Promise<unknown>

const one = (): number => 1

async function failureOf(body: Body): Promise<Error> {
  const flow = workflow('flow', {}, (ctx: WorkflowContext<void>) => body(ctx as unknown as Loose))
  const { troupe } = await onStage({ definitions: [flow] })
  return rejection(troupe.run(flow))
}

it.each<[string, Body]>([
  [
    "Option 'retires' of step 'a' is not known: expected one of retry, timeout, limits, undo.",
    (ctx) => ctx.step('a', one, { retires: 5 }),
  ],
  ["The options object of step 'a' is null", (ctx) => ctx.step('a', one, null)],
  [
    "Option 'attemps' of retry of step 'a' is not known: expected one of attempts, ",
    (ctx) => ctx.step('a', one, { retry: { attemps: 5 } }),
  ],
  ["The options object of retry of step 'a' is 5", (ctx) => ctx.step('a', one, { retry: 5 })],
  ["retryIf of step 'a' is 5: expected a function.", (ctx) => ctx.step('a', one, { retry: { retryIf: 5 } })],
  ['The name of a step is "a\\u0000b": expected a text without NUL', (ctx) => ctx.step('a\0b', one)],
  ['The name of a step is "\\ud800"', (ctx) => ctx.step('\ud800', one)],
  ['expected a text of 1 to 255 characters.', (ctx) => ctx.step('x'.repeat(256), one)],
  [
    "Option 'concurency' of ctx.map('m') is not known: expected one of concurrency, ",
    (ctx) => ctx.map('m', [1], one, { concurency: 5 }),
  ],
  [
    `onError of ctx.map('m') is "colect": expected one of collect, fail.`,
    (ctx) => ctx.map('m', [1], one, { onError: 'colect' }),
  ],
  ["What ctx.map('m') goes through is {}: expected a list", (ctx) => ctx.map('m', new Set([1]), one)],
  ["What ctx.map('m') goes through is null: expected a list", (ctx) => ctx.map('m', null, one)],
  ["The function of ctx.map('m') is 5: expected a function.", (ctx) => ctx.map('m', [1], 5)],
  ['key of ctx.map(\'m\') is "sku": expected a function.', (ctx) => ctx.map('m', [1], one, { key: 'sku' })],
  ['The key of ctx.map(\'m\') is "\\ud800"', (ctx) => ctx.map('m', [1], one, { key: () => '\ud800' })],
  ["The key of ctx.map('m') is {}", (ctx) => ctx.map('m', [1], one, { key: () => ({}) })],
  ['expected a text of 1 to 1,024 characters.', (ctx) => ctx.map('m', [1], one, { key: () => 'x'.repeat(1_025) })],
  ['The time of ctx.sleepUntil is null: expected a Date', (ctx) => ctx.sleepUntil(null)],
])('is refused: %s', async (message, body) => {
  expect(await failureOf(body)).toMatchObject({
    code: 'option_invalid',
    message: expect.stringContaining(message) as string,
  })
})

it('an answer of retryIf that is a promise fails the step', async () => {
  const fail = (): never => {
    throw new Error('oops')
  }
  const retry = { attempts: 2, base: 0, retryIf: () => Promise.resolve(false) }
  expect(await failureOf((ctx) => ctx.step('a', fail, { retry }))).toMatchObject({
    code: 'option_invalid',
    message: expect.stringContaining('retryIf of step \'a\' is "a promise"') as string,
  })
})

it('holes in the list of a map are items', async () => {
  const flow = workflow('flow', {}, (ctx) =>
    ctx.map('m', Array.from<number>({ length: 0 }).concat(new Array<number>(2)), (_item, inner, index) =>
      inner.step('s', () => index),
    ),
  )
  const { troupe } = await onStage({ definitions: [flow] })
  expect(await troupe.run(flow)).toEqual([0, 1])
})
