// Whether steps come before others, asked of many pairs at once.
import type { Plan } from './plan.ts'

export interface Pair {
  readonly step: number
  /** Does it come before the step, on whatever way? */
  readonly earlier: number
}

const bits = 32

/**
 * One answer for each pair.
 *
 * Neighbours are answered by looking. For the others, 32 earlier steps at a time each have a bit that is handed on along the order:
 * room in proportion to the steps, and time to steps and edges for each 32.
 */
export function comeBefore(plan: Plan, pairs: readonly Pair[]): readonly boolean[] {
  const neighbours = plan.before.map((all) => (all.length > bits ? new Set(all) : all))
  const answers = pairs.map(({ step, earlier }) => isAmong(neighbours[step], earlier))
  const places = positions(plan)
  const open = [...pairs.keys()]
    .filter((index) => answers[index] === false)
    .sort((one, other) => placeOf(places, pairs[one]?.earlier) - placeOf(places, pairs[other]?.earlier))
  const room = { bit: new Int32Array(plan.names.length), seen: new Int32Array(plan.names.length) }
  let from = 0
  while (from < open.length) {
    const chunk = chunkFrom(open, from, pairs)
    answerChunk(plan, { chunk, pairs, answers, places, ...room })
    from += chunk.length
  }
  return answers
}

function isAmong(all: ReadonlySet<number> | readonly number[] | undefined, place: number): boolean {
  if (all === undefined) return false
  return all instanceof Set ? all.has(place) : (all as readonly number[]).includes(place)
}

function positions({ order, names }: Plan): Int32Array {
  const places = new Int32Array(names.length).fill(-1)
  for (const [position, place] of order.entries()) places[place] = position
  return places
}

function placeOf(places: Int32Array, step: number | undefined): number {
  return places[step ?? -1] ?? -1
}

/** As many as ask for 32 earlier steps. */
function chunkFrom(open: readonly number[], from: number, pairs: readonly Pair[]): readonly number[] {
  const earlier = new Set<number>()
  let end = from
  for (; end < open.length; end += 1) {
    earlier.add(pairs[open[end] ?? 0]?.earlier ?? 0)
    if (earlier.size > bits) break
  }
  return open.slice(from, end)
}

interface Chunk {
  readonly chunk: readonly number[]
  readonly pairs: readonly Pair[]
  readonly answers: boolean[]
  readonly places: Int32Array
  /** The bit of each earlier step that is asked for; all 0 before and after. */
  readonly bit: Int32Array
  /** The bits of those that come before each step. */
  readonly seen: Int32Array
}

function answerChunk(plan: Plan, { chunk, pairs, answers, places, bit, seen }: Chunk): void {
  const asked = chunk.map((index) => pairs[index] as Pair)
  let next = 0
  for (const { earlier } of asked) if (bit[earlier] === 0) bit[earlier] = 1 << next++
  // They are sorted by the earlier step.
  const first = Math.max(0, placeOf(places, asked[0]?.earlier))
  const last = asked.reduce((most, { step }) => Math.max(most, placeOf(places, step)), -1)
  seen.fill(0)
  for (let position = first; position <= last; position += 1) {
    const place = plan.order[position] as number
    let mask = 0
    for (const earlier of plan.before[place] ?? []) mask |= (seen[earlier] ?? 0) | (bit[earlier] ?? 0)
    seen[place] = mask
  }
  for (const [index, { step, earlier }] of asked.entries())
    answers[chunk[index] as number] = ((seen[step] ?? 0) & (bit[earlier] ?? 0)) !== 0
  for (const { earlier } of asked) bit[earlier] = 0
}
