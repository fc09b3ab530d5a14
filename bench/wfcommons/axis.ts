// An axis of time: where its marks stand, and how times are written.

const mostMarks = 10
const nice = [1, 2, 5, 10]

/** Milliseconds, from 0 to `untilMs` at most, evenly and at round places. */
export function axisOf(untilMs: number): readonly number[] {
  if (!(untilMs > 0)) return [0]
  const least = untilMs / mostMarks
  const power = 10 ** Math.floor(Math.log10(least))
  const step = power * (nice.find((factor) => factor * power >= least) ?? 10)
  return Array.from({ length: Math.floor(untilMs / step) + 1 }, (_, index) => index * step)
}

/** In milliseconds, above ten thousand in seconds; with three figures. */
export function timeText(ms: number): string {
  return ms < 10_000 ? `${figuresOf(ms)} ms` : `${figuresOf(ms / 1_000)} s`
}

function figuresOf(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}
