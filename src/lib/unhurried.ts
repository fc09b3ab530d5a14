// Promises whose failure may wait until somebody awaits them.

/**
 * Begins work whose failure is no unhandled rejection: whoever began two things and awaits the first has yet to come to the second,
 * and must not lose the process by that.
 */
export function unhurried<T>(work: () => Promise<T>): Promise<T> {
  const promise = work()
  promise.catch(() => undefined)
  return promise
}
