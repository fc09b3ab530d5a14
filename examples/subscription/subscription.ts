// A subscription: thirty days for nothing with a reminder, then a bill each month, until somebody cancels or a card is refused.
import { PermanentError, worker, workflow } from 'troupe'

export interface Customer {
  readonly email: string
  readonly card: string
}

/** What charges cards; a test puts mocks in the place of the steps that call it. */
async function charge(card: string, key: string): Promise<string> {
  if (card.startsWith('stolen')) throw new PermanentError(`card ${card} is refused`)
  return `receipt ${key.length}`
}

export const sendMail = worker(
  'send-mail',
  { retry: { attempts: 5 } },
  async (ctx, mail: { to: string; text: string }) => {
    ctx.info(mail.text, { to: mail.to })
  },
)

export const subscription = workflow('subscription', {}, async (ctx, { email, card }: Customer) => {
  await ctx.run(sendMail, { to: email, text: 'welcome' }, { name: 'welcome' })
  const early = await ctx.receive('cancel', { timeout: '27d' })
  if (early !== null) return 'cancelled before it cost anything'
  await ctx.run(sendMail, { to: email, text: 'three days are left' }, { name: 'reminder' })
  const inTime = await ctx.receive('cancel', { timeout: '3d' })
  if (inTime !== null) return 'cancelled before it cost anything'

  return ctx.loop('months', 1, async (month, ctx) => {
    try {
      await ctx.step('charge', ({ idempotencyKey }) => charge(card, idempotencyKey), {
        retry: { attempts: 4, base: '1d' },
      })
    } catch (error) {
      await ctx.run(sendMail, { to: email, text: (error as Error).message }, { name: 'refused' })
      return { done: `ended in month ${month}: ${(error as Error).message}` }
    }
    await ctx.run(sendMail, { to: email, text: `month ${month} is paid` }, { name: 'receipt' })
    const cancelled = await ctx.receive('cancel', { timeout: '30d' })
    return cancelled === null ? { again: month + 1 } : { done: `cancelled after ${month} months` }
  })
})
