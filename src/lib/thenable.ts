// Values that may be promises, or behave like one.

/** Never throws: an object whose `then` cannot be read is none. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false
  try {
    return typeof (value as { then?: unknown }).then === 'function'
  } catch {
    return false
  }
}

/** Calls `fn` and hands what comes of it to `onValue` or `onError`: at once, unless it is a promise. */
export function settle(fn: () => unknown, onValue: (value: unknown) => void, onError: (error: unknown) => void): void {
  let outcome: unknown
  try {
    outcome = fn()
  } catch (error) {
    onError(error)
    return
  }
  if (isThenable(outcome)) void Promise.resolve(outcome).then(onValue, onError)
  else onValue(outcome)
}
