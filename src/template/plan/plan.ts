// The graph of a template's steps: edges without doubles, an order, levels, the longest way through, circles by their path.

/** What of a step the graph is made of. */
export interface PlannedStep {
  readonly name: string
  readonly needs: readonly string[]
  /** The step that stands in for it when it fails comes after it. */
  readonly onError?: 'fail' | 'continue' | { readonly fallback: string }
}

/** Steps by their place in the template. */
export interface Plan {
  readonly names: readonly string[]
  /** Which steps come right before each. */
  readonly before: readonly (readonly number[])[]
  /** Which come right after each. */
  readonly after: readonly (readonly number[])[]
  /** So that each comes after all it needs; what stands in a circle, or after one, is left out. */
  readonly order: readonly number[]
  /** How many steps stand before each on the longest way to it; -1 where there is a circle. */
  readonly levels: readonly number[]
}

/** Takes time and room in proportion to steps and edges. Names that no step has are left out; of two steps of one name the first counts. */
export function planOf(steps: readonly PlannedStep[]): Plan {
  const places = new Map<string, number>()
  for (const [place, { name }] of steps.entries()) if (!places.has(name)) places.set(name, place)
  const edges: number[][] = steps.map(() => [])
  for (const [place, { needs, onError }] of steps.entries()) {
    for (const need of needs) addEdge(edges, places.get(need), place)
    if (typeof onError === 'object') addEdge(edges, place, places.get(onError.fallback))
  }
  const before = edges.map((all) => (all.length > 1 ? [...new Set(all)] : all))
  const after: number[][] = steps.map(() => [])
  for (const [place, all] of before.entries()) for (const earlier of all) after[earlier]?.push(place)
  return {
    names: steps.map(({ name }) => name),
    before,
    after,
    ...sorted(before, after),
  }
}

function addEdge(edges: readonly number[][], from: number | undefined, to: number | undefined): void {
  if (from !== undefined && to !== undefined) edges[to]?.push(from)
}

function sorted(
  before: readonly (readonly number[])[],
  after: readonly (readonly number[])[],
): Pick<Plan, 'order' | 'levels'> {
  const missing = before.map(({ length }) => length)
  const levels: number[] = missing.map((count) => (count === 0 ? 0 : -1))
  const order: number[] = [...missing.keys()].filter((place) => missing[place] === 0)
  // It grows while it is walked.
  for (const place of order) {
    for (const later of after[place] ?? []) {
      missing[later] = (missing[later] ?? 0) - 1
      if (missing[later] !== 0) continue
      order.push(later)
      // Those before it are in the order of their levels, so the last one is the highest.
      levels[later] = (levels[place] ?? 0) + 1
    }
  }
  return { order, levels }
}

/** Steps by level: those of one level may be under way at once. */
export function levelsOf(plan: Plan): readonly (readonly string[])[] {
  const levels: string[][] = []
  for (const place of plan.order) {
    const level = plan.levels[place] ?? 0
    const steps = (levels[level] ??= [])
    steps.push(plan.names[place] ?? '')
  }
  return levels
}

export interface CriticalPath {
  readonly steps: readonly string[]
  /** Of their weights. */
  readonly sum: number
}

/** The heaviest way through; each step weighs 1 unless told. */
export function criticalPath(plan: Plan, weightOf: (step: string) => number = () => 1): CriticalPath {
  const sums: number[] = []
  const previous: (number | undefined)[] = []
  let last: number | undefined
  for (const place of plan.order) {
    const heaviest = heaviestOf(plan.before[place] ?? [], sums)
    previous[place] = heaviest
    sums[place] = weightOf(plan.names[place] ?? '') + (heaviest === undefined ? 0 : (sums[heaviest] ?? 0))
    if (last === undefined || (sums[place] ?? 0) > (sums[last] ?? 0)) last = place
  }
  const steps: string[] = []
  for (let place = last; place !== undefined; place = previous[place]) steps.push(plan.names[place] ?? '')
  steps.reverse()
  return { steps, sum: last === undefined ? 0 : (sums[last] ?? 0) }
}

function heaviestOf(places: readonly number[], sums: readonly number[]): number | undefined {
  let heaviest: number | undefined
  for (const place of places) {
    if (heaviest === undefined || (sums[place] ?? 0) > (sums[heaviest] ?? 0)) heaviest = place
  }
  return heaviest
}

/** Circles, each by its steps in the order in which they would come, each step in one of them at most. */
export function circlesOf(plan: Plan): readonly (readonly string[])[] {
  const sortedOnes = new Set(plan.order)
  const walk = new Map<number, number>()
  const circles: string[][] = []
  for (const start of plan.names.keys()) {
    if (sortedOnes.has(start) || walk.has(start)) continue
    const circle = [...walkFrom(start, { plan, sortedOnes, walk })].reverse()
    // It begins with the step that the template names first.
    const first = circle.reduce((best, place, index) => (place < (circle[best] ?? 0) ? index : best), 0)
    const turned = [...circle.slice(first), ...circle.slice(0, first)]
    if (turned.length > 0) circles.push(turned.map((place) => plan.names[place] ?? ''))
  }
  return circles
}

interface Walk {
  readonly plan: Plan
  readonly sortedOnes: ReadonlySet<number>
  /** In which walk each step was seen. */
  readonly walk: Map<number, number>
}

/** What is left out of the order needs something that is left out too: going back comes round, or to where another walk has been. */
function walkFrom(start: number, { plan, sortedOnes, walk }: Walk): readonly number[] {
  const path: number[] = []
  let place: number | undefined = start
  while (place !== undefined && !walk.has(place)) {
    walk.set(place, start)
    path.push(place)
    place = plan.before[place]?.find((earlier) => !sortedOnes.has(earlier))
  }
  return place !== undefined && walk.get(place) === start ? path.slice(path.indexOf(place)) : []
}
