import { expect, it } from 'vitest'
import { answerNow, filterEach, mapEach, performLater, performNow, together, type Query } from './query.ts'

/** A query that tells when it is performed. */
function told<T>(log: string[], value: T): Query<T> {
  return answerNow(() => {
    log.push(String(value))
    return value
  })
}

it('does nothing until it is performed', () => {
  const log: string[] = []
  const query = told(log, 'a')
  expect(log).toEqual([])
  expect(performNow(query)).toBe('a')
  expect(log).toEqual(['a'])
})

it('performs what others are made of, each in its place', () => {
  const log: string[] = []
  function* both(): Query<string> {
    const first = yield* told(log, 'first')
    log.push('between')
    const rest = yield* mapEach(['b', 'c'], (one, place) => told(log, `${one}${place}`))
    return [first, ...rest].join(' ')
  }
  expect(performNow(both())).toBe('first b0 c1')
  expect(log).toEqual(['first', 'between', 'b0', 'c1'])
})

it('keeps those for which a query gives true, asked in their order', () => {
  const log: string[] = []
  const isOdd = function* (one: number): Query<boolean> {
    return (yield* told(log, one)) % 2 === 1
  }
  expect(performNow(filterEach([3, 4, 5], isOdd))).toEqual([3, 5])
  expect(log).toEqual(['3', '4', '5'])
})

it('refuses one that is not answered at once', () => {
  const later: Query<number> = (function* (): Query<number> {
    const [answer] = yield [{ sql: 'select 1', values: [] }]
    return answer?.changes ?? 0
  })()
  expect(() => performNow(later)).toThrow('This is not answered at once: select 1')
})

/** Asks for each of these in turn, and gives what was answered. */
function* asked(...texts: string[]): Query<number[]> {
  const found: number[] = []
  for (const sql of texts) {
    const [answer] = yield [{ sql, values: [] }]
    found.push(answer?.changes ?? 0)
  }
  return found
}

it('asks at once for what does not depend on each other, and gives each its own answers', async () => {
  const waves: string[][] = []
  const all = together([asked('a1', 'a2', 'a3'), answerNow(() => 'at once'), asked('b1'), asked('c1', 'c2')])
  const results = await performLater(all, (requests) => {
    waves.push(requests.map(({ sql }) => sql))
    return requests.map(({ sql }) => ({ rows: [], changes: Number(sql.slice(1)) }))
  })
  expect(waves).toEqual([['a1', 'b1', 'c1'], ['a2', 'c2'], ['a3']])
  expect(results).toEqual([[1, 2, 3], 'at once', [1], [1, 2]])
})
