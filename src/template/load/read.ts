// What the readers of JSON and YAML have in common.

export interface Read {
  /** Plain data: objects, lists, texts, numbers, true, false, null. */
  readonly value: unknown
}

// Invariant: I15. Whoever walks over what was read may recurse, and does so over so many values at most.
export const deepest = 100
export const mostValues = 2_000_000
export const longestSource = 32 * 1_048_576

/** Why a key may not stand in an object; undefined when it may. */
export function keyRefused(object: object, key: string): string | undefined {
  if (key === '__proto__') return "'__proto__' is no name that data can have: leave it out."
  return Object.hasOwn(object, key) ? `'${key}' stands here twice: keep one of them.` : undefined
}
