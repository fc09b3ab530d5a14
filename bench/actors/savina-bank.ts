// Bank transaction: a teller has accounts pay each other, and an account is paid only once the other has answered.
import { Actor, ActorSystem } from 'troupe/actor'
import type { Ref } from 'troupe/actor'
import { check } from './row.ts'

const accounts = 1000
const opening = 1_000_000

interface Payment {
  readonly to: Ref<Account>
  readonly amount: number
}

class Account extends Actor {
  #balance = opening

  /** Pays only to accounts with a higher number, so that two never wait for each other. */
  async pay({ to, amount }: Payment): Promise<void> {
    this.#balance -= amount
    await to.ask('deposit', amount)
  }
  deposit(amount: number): void {
    this.#balance += amount
  }
  balance(): number {
    return this.#balance
  }
}

export async function bankTransactions(count: number): Promise<void> {
  const system = new ActorSystem()
  const bank = Array.from({ length: accounts }, () => system.spawn(Account, { mailbox: 1000 })[0])
  let seed = 42
  const random = (below: number): number => (seed = (seed * 16_807) % 2_147_483_647) % below
  let paid = 0
  const payments: Promise<void>[] = []
  for (let done = 0; done < count; done++) {
    const from = random(accounts - 1)
    const to = from + 1 + random(accounts - 1 - from)
    const amount = 1 + random(10)
    paid += amount * (to - from)
    payments.push(bank[from]?.ask('pay', { to: bank[to] as Ref<Account>, amount }) ?? Promise.reject(new Error()))
    if (payments.length === 1000) await Promise.all(payments.splice(0))
  }
  await Promise.all(payments)
  check(system.metrics().processed, 2 * count)
  const balances = await Promise.all(bank.map((account) => account.ask('balance')))
  check(
    balances.reduce((sum, balance) => sum + balance, 0),
    accounts * opening,
  )
  // Money moved up by as many places as was booked.
  check(
    balances.reduce((sum, balance, place) => sum + (balance - opening) * place, 0),
    paid,
  )
  await system.stop()
}
