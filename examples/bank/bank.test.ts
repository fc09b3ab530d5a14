import { Troupe } from 'troupe'
import { expect, it } from 'vitest'
import { printedBy } from '../printed.ts'
import { account } from './bank.ts'

it('is played in a second', { timeout: 60_000 }, async () => {
  expect(await printedBy(() => import('./main.ts'))).toEqual([
    'ann has 70',
    'Error: ann has too little for 1000 to bob',
    'ann has 0 after 9 entries',
    'bob has 100 after 8 entries',
    'ann has 0 messages to handle',
    'bob has 0 messages to handle',
  ])
})

it('has as much money after many transfers at once as before', { timeout: 60_000 }, async () => {
  await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [account] })
  await troupe.start()
  const keys = ['a', 'b', 'c', 'd']
  const accounts = keys.map((key) => troupe.entity(account, key))
  await Promise.all(accounts.map((one) => one.ask('deposit', 'cash', 50)))
  const transfers = Array.from({ length: 200 }, (_, n) =>
    troupe.entity(account, keys[n % 4] ?? '').ask('transfer', keys[(n * 7 + 1) % 4] ?? '', 1 + (n % 20)),
  )
  const failed = (await Promise.allSettled(transfers)).filter(({ status }) => status === 'rejected').length
  const entries = async (): Promise<number> => {
    const statements = await Promise.all(accounts.map((one) => one.ask('statement')))
    return statements.reduce((sum, one) => sum + one.entries.length, 0)
  }
  // What was told has yet to be handled.
  while ((await entries()) < 4 + 2 * (200 - failed)) await Promise.resolve()
  const statements = await Promise.all(accounts.map((one) => one.ask('statement')))
  expect(statements.reduce((sum, { balance }) => sum + balance, 0)).toBe(200)
  expect(Math.min(...statements.map(({ balance }) => balance))).toBeGreaterThanOrEqual(0)
})
