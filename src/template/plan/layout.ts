// Where the boxes of a picture stand, and which way its edges go between them.
import type { Plan } from './plan.ts'

export const box = { width: 180, height: 44, between: 24, below: 48, margin: 20 } as const

// An edge that passes a row of boxes has a lane of its own there.
const laneWidth = 12
// Beyond that edges go straight, and behind boxes: nobody follows them with the eye any more.
const mostLanes = 5_000

export interface Point {
  /** Of its middle. */
  readonly x: number
  /** Of its top. */
  readonly y: number
}

export interface Layout {
  readonly width: number
  readonly height: number
  /** Where the box of each step stands; none for what is not in the order of the plan. */
  readonly boxes: readonly (Point | undefined)[]
  readonly ways: readonly Way[]
}

/** An edge, and the lanes it takes through the rows between, from above to below. */
export interface Way {
  readonly from: number
  readonly to: number
  readonly lanes: readonly Point[]
}

/** A step or a lane. */
interface Standing {
  readonly width: number
  readonly before: number[]
}

interface Drawn {
  /** Steps by their place, then lanes. */
  readonly all: Standing[]
  readonly rows: number[][]
  readonly ways: { readonly from: number; readonly to: number; readonly lanes: readonly number[] }[]
}

/** A row for each level; each row stands in the middle, and within it what comes after what is to the left is to the left. */
export function layoutOf(plan: Plan): Layout {
  const { all, rows, ways } = drawnOf(plan)
  const widths = rows.map((row) => row.reduce((sum, each) => sum + (all[each]?.width ?? 0) + box.between, -box.between))
  const inner = Math.max(box.width, ...widths)
  const middles: number[] = []
  const tops: number[] = []
  for (const [level, row] of rows.entries()) {
    const wanted = new Map(row.map((each) => [each, middle(all[each]?.before ?? [], middles, inner / 2)]))
    row.sort((one, other) => (wanted.get(one) ?? 0) - (wanted.get(other) ?? 0) || one - other)
    let left = (inner - (widths[level] ?? 0)) / 2
    for (const each of row) {
      const width = all[each]?.width ?? 0
      middles[each] = left + width / 2
      tops[each] = level
      left += width + box.between
    }
  }
  const pointOf = (each: number): Point => ({
    x: box.margin + (middles[each] ?? 0),
    y: box.margin + (tops[each] ?? 0) * (box.height + box.below),
  })
  return {
    width: 2 * box.margin + inner,
    height: 2 * box.margin + rows.length * (box.height + box.below) - box.below,
    boxes: plan.names.map((_name, place) => (middles[place] === undefined ? undefined : pointOf(place))),
    ways: ways.map(({ from, to, lanes }) => ({ from, to, lanes: lanes.map(pointOf) })),
  }
}

function middle(before: readonly number[], middles: readonly number[], otherwise: number): number {
  if (before.length === 0) return otherwise
  return before.reduce((sum, each) => sum + (middles[each] ?? otherwise), 0) / before.length
}

/** All that leaves one step takes the same lanes, as far as it goes the same way. */
function drawnOf(plan: Plan): Drawn {
  const levelOf = (place: number): number => plan.levels[place] ?? 0
  const drawn: Drawn = { all: plan.names.map(() => ({ width: box.width, before: [] })), rows: [], ways: [] }
  for (const place of plan.order) (drawn.rows[levelOf(place)] ??= []).push(place)
  const hasLanes = lanesOf(plan) <= mostLanes
  const lanesFrom = new Map<number, number[]>()
  for (const to of plan.order) {
    for (const from of plan.before[to] ?? []) {
      const count = hasLanes ? levelOf(to) - levelOf(from) - 1 : 0
      const known = lanesFrom.get(from) ?? []
      lanesFrom.set(from, known)
      while (known.length < count) {
        const lane = drawn.all.push({ width: laneWidth, before: [known.at(-1) ?? from] }) - 1
        drawn.rows[levelOf(from) + known.length + 1]?.push(lane)
        known.push(lane)
      }
      const lanes = known.slice(0, count)
      drawn.all[to]?.before.push(lanes.at(-1) ?? from)
      drawn.ways.push({ from, to, lanes })
    }
  }
  return drawn
}

function lanesOf({ after, levels }: Plan): number {
  return after.reduce((sum, all, place) => {
    const longest = all.reduce((most, each) => Math.max(most, (levels[each] ?? 0) - (levels[place] ?? 0) - 1), 0)
    return sum + longest
  }, 0)
}
