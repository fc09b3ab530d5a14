// Accounts that transfer money to each other, and a standing order: each transfer is there as a whole, whatever crashes.
import { entity, type EntityContext } from 'troupe'

interface Account {
  balance: number
  /** What came and went, the newest last. */
  readonly entries: string[]
}

type Context = EntityContext<Account>

export const account = entity(
  'account',
  { state: (): Account => ({ balance: 0, entries: [] }) },
  {
    deposit(ctx, from: string, amount: number): number {
      return book(ctx, `${from} +${amount}`, amount)
    },

    transfer(ctx, to: string, amount: number): number {
      const balance = book(ctx, `${to} -${amount}`, -amount)
      if (balance < 0) throw new Error(`${ctx.key} has too little for ${amount} to ${to}`)
      // Goes with the commit that takes the money away, or not at all.
      void ctx.entity(account, to).tell('deposit', ctx.key, amount)
      return balance
    },

    /** Transfers the same again and again, for as long as there is enough. */
    standingOrder(ctx, to: string, { amount, every }: { amount: number; every: string }): void {
      ctx.remind(`standing order to ${to}`, { every }, ['transferIfEnough', to, amount])
    },

    transferIfEnough(ctx, to: string, amount: number): void {
      if (ctx.state.balance < amount) return ctx.forget(`standing order to ${to}`)
      book(ctx, `${to} -${amount}`, -amount)
      void ctx.entity(account, to).tell('deposit', ctx.key, amount)
    },

    statement: (ctx) => ctx.state,
  },
)

function book({ state }: Context, entry: string, amount: number): number {
  state.entries.push(entry)
  state.balance += amount
  return state.balance
}
