import { describe, expect, it } from 'vitest'
import { box, layoutOf } from './layout.ts'
import { planOf } from './plan.ts'

const layoutFor = (steps: Readonly<Record<string, readonly string[]>>) =>
  layoutOf(planOf(Object.entries(steps).map(([name, needs]) => ({ name, needs }))))

describe('the layout of a graph', () => {
  it('leads an edge that passes a row beside the boxes there', () => {
    const { width, height, boxes, ways } = layoutFor({ a: [], b: ['a'], c: ['b', 'a'] })
    expect([width, height]).toEqual([256, 268])
    expect(boxes).toEqual([
      { x: 128, y: 20 },
      { x: 110, y: 112 },
      { x: 128, y: 204 },
    ])
    expect(ways).toEqual([
      { from: 0, to: 1, lanes: [] },
      { from: 1, to: 2, lanes: [] },
      { from: 0, to: 2, lanes: [{ x: 230, y: 112 }] },
    ])
  })

  it('has no edge behind a box, and none that skips a row', () => {
    const names = Array.from({ length: 40 }, (_, index) => `s${index}`)
    const steps = names.map((name, index): [string, string[]] => [
      name,
      names.filter((_, other) => other < index && (index * 7 + other * 11) % 9 === 0),
    ])
    const { boxes, ways } = layoutFor(Object.fromEntries(steps))
    const lanes = ways.flatMap((way) => way.lanes)
    expect(lanes.length).toBeGreaterThan(50)
    const isBehind = lanes.filter(({ x, y }) =>
      boxes.some((each) => each?.y === y && Math.abs(each.x - x) <= box.width / 2),
    )
    expect(isBehind).toEqual([])
    const rowHeight = box.height + box.below
    for (const { from, to, lanes: through } of ways) {
      const tops = [boxes[from], ...through, boxes[to]].map((each) => each?.y ?? 0)
      expect(tops.slice(1).map((y, index) => y - (tops[index] ?? 0))).toEqual(tops.slice(1).map(() => rowHeight))
    }
  })

  it('has the edges that leave one step take the same way', () => {
    const { ways } = layoutFor({ a: [], b: ['a'], c: ['b'], d: ['c', 'a'], e: ['d', 'a'] })
    const [short, long] = ways.filter(({ from, to }) => from === 0 && to > 2)
    expect(short?.lanes).toHaveLength(2)
    expect(long?.lanes.slice(0, 2)).toEqual(short?.lanes)
    expect(long?.lanes).toHaveLength(3)
  })

  it('goes straight where there would be more than 5,000 lanes', () => {
    const chain = Array.from({ length: 150 }, (_, index) => index)
    const steps = chain.map((index): [string, string[]] => [
      `s${index}`,
      chain.slice(0, index).map((each) => `s${each}`),
    ])
    const { width, ways } = layoutFor(Object.fromEntries(steps))
    expect(width).toBe(box.width + 2 * box.margin)
    expect(ways.filter(({ lanes }) => lanes.length > 0)).toEqual([])
  })
})
