import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comeBefore, type Pair } from './ancestors.ts'
import { circlesOf, criticalPath, levelsOf, planOf, type PlannedStep } from './plan.ts'

const steps = (graph: Readonly<Record<string, readonly string[]>>): PlannedStep[] =>
  Object.entries(graph).map(([name, needs]) => ({ name, needs }))

const diamond = steps({ d: ['b', 'c'], a: [], b: ['a'], c: ['a'], e: [] })

describe('the plan of a diamond', () => {
  const plan = planOf(diamond)

  it('has levels', () => {
    expect(levelsOf(plan)).toEqual([['a', 'e'], ['b', 'c'], ['d']])
  })

  it('has a longest way, by steps or by what they weigh', () => {
    expect(criticalPath(plan)).toEqual({ steps: ['a', 'b', 'd'], sum: 3 })
    expect(criticalPath(plan, (name) => (name === 'c' ? 5 : 1))).toEqual({ steps: ['a', 'c', 'd'], sum: 7 })
    expect(criticalPath(plan, (name) => (name === 'e' ? 50 : 1))).toEqual({ steps: ['e'], sum: 50 })
    expect(criticalPath(planOf([]))).toEqual({ steps: [], sum: 0 })
  })

  it('D8: takes an edge that is there twice for one', () => {
    const twice = planOf(steps({ a: [], b: ['a', 'a', 'a'] }))
    expect([twice.before, twice.order, circlesOf(twice)]).toEqual([[[], [0]], [0, 1], []])
  })
})

it('a fallback comes after the step it stands in for', () => {
  const plan = planOf([
    { name: 'other', needs: [] },
    { name: 'a', needs: [], onError: { fallback: 'other' } },
  ])
  expect(levelsOf(plan)).toEqual([['a'], ['other']])
})

describe('circles', () => {
  it.each([
    [{ a: ['a'] }, [['a']]],
    [{ a: ['c'], b: ['a'], c: ['b'], d: ['c'], e: [] }, [['a', 'b', 'c']]],
    [
      { a: ['b'], b: ['a'], c: ['d'], d: ['c'] },
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [{ a: [], b: ['a'] }, []],
    [{ a: ['nobody'] }, []],
  ])('of %j are %j', (graph, expected) => {
    const turned = (circle: readonly string[]): readonly string[] => {
      const first = circle.indexOf([...circle].sort()[0] as string)
      return [...circle.slice(first), ...circle.slice(0, first)]
    }
    expect(circlesOf(planOf(steps(graph as Record<string, string[]>))).map(turned)).toEqual(expected)
  })

  it('are found in a chain of 10,000 steps', () => {
    const chain = Array.from({ length: 10_000 }, (_, index) => ({
      name: `${index}`,
      needs: [`${(index + 9_999) % 10_000}`],
    }))
    expect(circlesOf(planOf(chain))[0]).toHaveLength(10_000)
    const open = planOf(chain.map((step, index) => (index === 0 ? { ...step, needs: [] } : step)))
    expect([circlesOf(open), levelsOf(open).length, criticalPath(open).sum]).toEqual([[], 10_000, 10_000])
  })
})

/** Each step needs some of those before it; then they are shuffled. */
const graph = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 80 })
  .map((all) =>
    all.map((needs, index) => ({ name: `${index}`, needs: index === 0 ? [] : needs.map((each) => `${each % index}`) })),
  )
  .chain((all) => fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }))

it('an order comes after all it needs, a level above all of theirs', () => {
  fc.assert(
    fc.property(graph, (all) => {
      const plan = planOf(all)
      const positions = new Map(plan.order.map((place, position) => [place, position]))
      expect(positions.size).toBe(all.length)
      for (const [place, before] of plan.before.entries()) {
        const highest = Math.max(-1, ...before.map((each) => plan.levels[each] ?? 0))
        expect(plan.levels[place]).toBe(highest + 1)
        for (const each of before) expect(positions.get(each)).toBeLessThan(positions.get(place) ?? -1)
      }
    }),
  )
})

it('who comes before whom is what walking says', () => {
  fc.assert(
    fc.property(graph, fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 200 }), (all, asked) => {
      const plan = planOf(all)
      const pairs: Pair[] = asked.map(([one, other]) => ({ step: one % all.length, earlier: other % all.length }))
      expect(comeBefore(plan, pairs)).toEqual(pairs.map((pair) => isBefore(plan.before, pair)))
    }),
    { numRuns: 300 },
  )
})

it('steps of one chain do not come before those of another, however many are asked for', () => {
  const length = 100
  const all = ['a', 'b'].flatMap((chain) =>
    Array.from({ length }, (_, index) => ({
      name: `${chain}${index}`,
      needs: index === 0 ? [] : [`${chain}${index - 1}`],
    })),
  )
  const plan = planOf(all)
  const pairs = all.flatMap((_, step) => [...all.keys()].map((earlier) => ({ step, earlier })))
  const expected = pairs.map(({ step, earlier }) => earlier < step && step < length === earlier < length)
  expect(comeBefore(plan, pairs)).toEqual(expected)
})

function isBefore(before: readonly (readonly number[])[], { step, earlier }: Pair): boolean {
  const seen = new Set(before[step])
  for (const place of seen) for (const each of before[place] ?? []) seen.add(each)
  return seen.has(earlier)
}
