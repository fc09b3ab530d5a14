// Values that several pieces of code hold and none may change.

/** The same value, its lists and plain objects frozen at every depth; what a class made stays as it is. */
export function frozen<Value>(value: Value): Value {
  // Not by recursion: values may be deep.
  const open: unknown[] = [value]
  while (open.length > 0) {
    const each = open.pop()
    if (!isPlain(each) || Object.isFrozen(each)) continue
    Object.freeze(each)
    for (const inner of Object.values(each)) if (typeof inner === 'object') open.push(inner)
  }
  return value
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
