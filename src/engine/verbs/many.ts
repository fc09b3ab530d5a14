// Many inputs of one call, slice by slice: the event loop has its turns in between, and an input that is refused is named by its place.
import type { Clock } from '../../lib/clock.ts'
import { toError } from '../../lib/errors.ts'
import { isThenable } from '../../lib/thenable.ts'
import { inputRefused } from '../../model/start-errors.ts'

// Measured: larger transactions start no more runs a second, and this one holds the loop for 3 ms.
export const sliceSize = 1_000

/** What `make` makes of each input, in their order. Throws what it throws for one of them, with the place of that one. */
export async function makeOfEach<T>(
  inputs: readonly unknown[],
  make: (input: unknown, index: number) => T | Promise<T>,
  clock: Clock,
): Promise<T[]> {
  const made: T[] = []
  for (let from = 0; from < inputs.length; from += sliceSize) {
    if (from > 0) await new Promise<void>((resolve) => clock.soon(resolve))
    const to = Math.min(from + sliceSize, inputs.length)
    const slice = makeOfSlice(inputs, make, { from, to })
    for (const one of slice.some(isThenable) ? await Promise.all(slice) : (slice as T[])) made.push(one)
  }
  return made
}

function makeOfSlice<T>(
  inputs: readonly unknown[],
  make: (input: unknown, index: number) => T | Promise<T>,
  { from, to }: { readonly from: number; readonly to: number },
): (T | Promise<T>)[] {
  const made: (T | Promise<T>)[] = []
  let index = from
  const refuse = (error: unknown, at: number): never => {
    throw inputRefused(at, toError(error))
  }
  try {
    for (; index < to; index++) {
      const at = index
      const one = make(inputs[at], at)
      made.push(isThenable(one) ? Promise.resolve(one).catch((error: unknown) => refuse(error, at)) : one)
    }
  } catch (error) {
    // What is still being checked is nobody's any more.
    for (const one of made) if (isThenable(one)) Promise.resolve(one).catch(() => undefined)
    refuse(error, index)
  }
  return made
}
