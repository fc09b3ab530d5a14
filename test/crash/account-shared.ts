// The account of what all nodes share: counters, purses, keys, a limiter and the ticks of a schedule.
import type { Books } from './books.ts'
import { faultsOfCounter } from './counter-history.ts'
import { groupBy, ofKind, type Entry } from './ledger.ts'
import { centsOfPurse, mostInside, type Purse } from './shared-work.ts'

/** Nothing where no work of that kind was done. */
export function checkShared(books: Books, isFaulty: (entry: { pid: number; run: string }) => boolean): string[] {
  return [
    ...checkTallies(books),
    ...checkPurses(books),
    ...checkKeys(books),
    ...checkLimiter(books, isFaulty),
    ...checkTicks(books),
  ]
}

/** I7: the answers of a counter could be those of one that handles one message at a time, and none is lost. */
function checkTallies({ entries }: Books): string[] {
  const asks = groupBy(ofKind(entries, 'counted'), ({ key }) => key)
  return [...asks].flatMap(([key, history]) => {
    const kept = stateOf<{ n: number }>(entries, 'tally', key)
    if (kept === undefined) return [`I7: nobody knows what tally ${key} has come to`]
    return faultsOfCounter(history, kept.n).map((fault) => `I7: of tally ${key}: ${fault}`)
  })
}

/** I16: each payment that was acknowledged was paid and got once, none that was refused was, and no cent is lost or made. */
function checkPurses({ entries }: Books): string[] {
  const pays = ofKind(entries, 'pays')
  if (pays.length === 0) return []
  const kept = new Map(
    ofKind(entries, 'kept').flatMap(({ entity, key, state }) => (entity === 'purse' ? [[key, state as Purse]] : [])),
  )
  const all = [...kept.values()]
  const sum = all.reduce((cents, purse) => cents + purse.cents, 0)
  const paid = all.flatMap((purse) => purse.paid)
  const got = all.flatMap((purse) => purse.got)
  const isIn = { paid: new Set(paid), got: new Set(got) }
  const wrong = pays.filter(({ id, purse, isPaid }) => {
    const isThere = kept.get(purse)?.paid.includes(id) ?? false
    return isPaid === null ? false : isPaid !== isThere
  })
  return [
    ...(sum === all.length * centsOfPurse ? [] : [`there are ${sum} cents in ${all.length} purses`]),
    ...(isIn.paid.size === paid.length && isIn.got.size === got.length ? [] : ['I16: a payment was made twice']),
    ...paid.filter((id) => !isIn.got.has(id)).map((id) => `I16: payment ${id} was paid and nobody got it`),
    ...got.filter((id) => !isIn.paid.has(id)).map((id) => `I16: payment ${id} was got and nobody paid it`),
    ...all.filter(({ cents }) => cents < 0).map(({ cents }) => `a purse has ${cents} cents`),
    ...wrong.map(({ id, isPaid }) => `I16: payment ${id} was ${isPaid ? 'paid' : 'refused'}, says who asked for it`),
  ]
}

function stateOf<State>(entries: readonly Entry[], entity: string, key: string): State | undefined {
  return ofKind(entries, 'kept').find((entry) => entry.entity === entity && entry.key === key)?.state as
    | State
    | undefined
}

/** I2: a key has one run, whoever asks for it. */
function checkKeys({ entries }: Books): string[] {
  const keyed = groupBy(ofKind(entries, 'keyed'), ({ key }) => key)
  return [...keyed].flatMap(([key, calls]) => {
    const runs = new Set(calls.map(({ run }) => run))
    return runs.size === 1 ? [] : [`I2: key ${key} has ${runs.size} runs`]
  })
}

/** Never more pass at a time than may. Whoever lost a run may not know of it yet, and does not count. */
function checkLimiter({ entries }: Books, isFaulty: (entry: { pid: number; run: string }) => boolean): string[] {
  const leaves = new Map(ofKind(entries, 'leaves').map(({ pid, run, at }) => [`${pid} ${run}`, at]))
  const stays = ofKind(entries, 'enters').flatMap((entry) => {
    const left = leaves.get(`${entry.pid} ${entry.run}`)
    return left === undefined || isFaulty(entry) ? [] : [{ from: entry.at, to: left }]
  })
  const moves = stays.flatMap(({ from, to }) => [
    { at: from, step: 1 },
    { at: to, step: -1 },
  ])
  let inside = 0
  let most = 0
  for (const { step } of moves.toSorted((one, other) => one.at - other.at || one.step - other.step)) {
    inside += step
    most = Math.max(most, inside)
  }
  return most > mostInside ? [`${most} had passed a limiter of ${mostInside} at one time`] : []
}

/** I14: a tick has one run. */
function checkTicks({ entries }: Books): string[] {
  const ticks = groupBy(ofKind(entries, 'ticked'), ({ at }) => String(at))
  return [...ticks].flatMap(([at, ticked]) => {
    const runs = new Set(ticked.map(({ run }) => run))
    return runs.size === 1 ? [] : [`I14: tick ${at} has ${runs.size} runs`]
  })
}
