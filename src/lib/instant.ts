// Times as people write them.

/** Milliseconds since 1970 of a date and time as in ISO 8601; undefined for what is none. */
export function instantOf(text: string): number | undefined {
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}
