// Six programs of the Savina suite (Imam and Sarkar, AGERE 2014), each with its result checked.
import { bankTransactions } from './savina-bank.ts'
import { big } from './savina-big.ts'
import { chameneos } from './savina-chameneos.ts'
import { counting, pingPong, threadRing } from './savina-small.ts'
import type { Row } from './row.ts'

const row = (what: string, count: number, run: Row['run']): Row => ({
  what: `Savina ${what}`,
  who: 'troupe',
  count,
  run,
})

/** `count` is the number of messages, but for the bank, where it is that of transactions. */
export const savina: readonly Row[] = [
  row('ping-pong', 1_000_000, pingPong),
  row('counting', 2_000_000, counting),
  row('thread ring', 1_000_000, threadRing),
  row('chameneos', 1_000_000, chameneos),
  row('big', 1_000_000, big),
  row('bank transaction', 200_000, bankTransactions),
]
