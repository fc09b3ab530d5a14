// What of some settings another thread can be given.

/** A copy of a tree of plain data; a branch that no thread can be given, such as a function, is left out. */
export function copyable(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return isPlain(value) ? withoutHoles(value) : undefined
  }
}

function withoutHoles(object: object): object {
  const kept = Object.entries(object).map(([key, value]) => [key, copyable(value)] as const)
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined))
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
