// Times as columns hold them.

/** A time as a column holds it: whole milliseconds, never early, within what JavaScript counts exactly. */
export function wholeMs(at: number): number {
  return Math.min(Math.ceil(at), Number.MAX_SAFE_INTEGER)
}

export function wholeOrNull(at: number | null): number | null {
  return at === null ? null : wholeMs(at)
}
