// A transfer, one that fails, and a standing order of a year, played in a second.
//
//   node --import jiti/register examples/bank/main.ts
import { testTroupe } from 'troupe/testing'
import { account } from './bank.ts'

await using kit = await testTroupe({ definitions: [account] })
const [ann, bob] = [kit.troupe.entity(account, 'ann'), kit.troupe.entity(account, 'bob')]
await ann.ask('deposit', 'cash', 100)
console.log(`ann has ${await ann.ask('transfer', 'bob', 30)}`)
try {
  await ann.ask('transfer', 'bob', 1_000)
} catch (error) {
  console.log(String(error))
}
await ann.ask('standingOrder', 'bob', { amount: 10, every: '30d' })
await kit.clock.advance('365d')
for (const one of [ann, bob]) {
  const { balance, entries } = await one.ask('statement')
  console.log(`${one.key} has ${balance} after ${entries.length} entries`)
}
for (const { key, waiting } of await kit.troupe.entities(account))
  console.log(`${key} has ${waiting} messages to handle`)
