// Which known names a mistyped one may have meant.

const mostNames = 3

/** The known names that are a few typing mistakes away from `name`, the nearest first. */
export function nearestNames(name: string, known: readonly string[]): string[] {
  const wanted = name.toLowerCase()
  const tolerance = Math.max(1, Math.floor(wanted.length / 3))
  return known
    .map((candidate) => ({ candidate, distance: distanceBetween(wanted, candidate.toLowerCase(), tolerance) }))
    .filter(({ distance }) => distance <= tolerance)
    .sort((left, right) => left.distance - right.distance || (left.candidate < right.candidate ? -1 : 1))
    .slice(0, mostNames)
    .map(({ candidate }) => candidate)
}

/** The question whether one of those was meant, to follow a sentence; nothing where none is near. */
export function meantText(name: string, known: readonly string[]): string {
  const nearest = nearestNames(name, known).map((each) => `'${each}'`)
  return nearest.length === 0 ? '' : ` Did you mean ${nearest.join(' or ')}?`
}

function distanceBetween(left: string, right: string, tolerance: number): number {
  // Part of a longer name, as `delays` of `flight-delays`, is as good as one mistake.
  if (left.length >= 3 && right.includes(left)) return left === right ? 0 : 1
  if (Math.abs(left.length - right.length) > tolerance) return Infinity
  return editDistance(left, right)
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editDistance(left: string, right: string): number {
  let older: number[] = []
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column)
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= right.length; column += 1) {
      current.push(cellOf({ left, right, row, column, current, previous, older }))
    }
    older = previous
    previous = current
  }
  return previous[right.length] ?? 0
}

interface Cell {
  readonly left: string
  readonly right: string
  readonly row: number
  readonly column: number
  readonly current: readonly number[]
  readonly previous: readonly number[]
  readonly older: readonly number[]
}

function cellOf({ left, right, row, column, current, previous, older }: Cell): number {
  const at = (line: readonly number[], index: number): number => line[index] ?? Infinity
  const isSame = left[row - 1] === right[column - 1]
  const best = Math.min(
    at(current, column - 1) + 1,
    at(previous, column) + 1,
    at(previous, column - 1) + (isSame ? 0 : 1),
  )
  const isSwap = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
  return isSwap ? Math.min(best, at(older, column - 2) + 1) : best
}
