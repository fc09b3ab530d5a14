// A process that checks a deploy with a clock whose timers never fire: only the empty event loop tells it that code has settled.
import { setTimeout } from 'node:timers/promises'
import { workflow } from '../../src/index.ts'
import { checkTroupeOptions } from '../../src/engine/options/options.ts'
import { systemClock, type Clock } from '../../src/lib/clock.ts'
import { checkStore } from '../../src/workflow/check-deploy/check-deploy.ts'

const clock: Clock = { ...systemClock, after: () => ({ cancel: () => undefined }) }
const order = workflow('order', {}, async (ctx) => {
  // Work of its own, for which it is waited.
  await setTimeout(20)
  await ctx.step('first', () => 1)
  await ctx.step('card', () => 2)
})
const options = checkTroupeOptions({ store: process.argv[2] ?? '', definitions: [order] })
for await (const { verdict, text } of checkStore({ ...options, clock })) console.log(`${verdict}: ${text}`)
