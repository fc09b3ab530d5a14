// Working through a list with a cap on how many items are under way.
import { optionInvalid } from '../model/errors.ts'

export interface MapOptions<Item> {
  /** Names an item for ever: its steps are remembered under it. The position in the list unless told. */
  readonly key?: (item: Item, index: number) => string | number
  /** How many items are under way at once; 10 unless told. */
  readonly concurrency?: number
  /** `fail` (default): the first failure rejects, once what is under way has ended. `collect`: every item tells how it ended. */
  readonly onError?: 'fail' | 'collect'
}

const defaultConcurrency = 10

/** The keys of all items; throws when two items have the same one. */
export function keysOf<Item>(name: string, items: readonly Item[], options: MapOptions<Item>): string[] {
  const { key = (_item: Item, index: number) => index } = options
  const keys = items.map((item, index) => String(key(item, index)))
  const seen = new Set<string>()
  for (const each of keys) {
    if (seen.has(each)) throw optionInvalid(`The key of ctx.map('${name}')`, each, 'a key of its own for each item')
    seen.add(each)
  }
  return keys
}

export function concurrencyOf(name: string, options: MapOptions<never>): number {
  const { concurrency = defaultConcurrency } = options
  if (!(concurrency === Infinity || (Number.isInteger(concurrency) && concurrency > 0))) {
    throw optionInvalid(`concurrency of ctx.map('${name}')`, concurrency, 'a whole number from 1, or Infinity')
  }
  return concurrency
}

/** How every item ended, in their order. After a failure no further item is begun, unless all are wanted. */
export async function mapSettled<Result>(
  count: number,
  work: (index: number) => Promise<Result>,
  options: { readonly concurrency: number; readonly stopsOnError: boolean },
): Promise<PromiseSettledResult<Result>[]> {
  const results: PromiseSettledResult<Result>[] = []
  let next = 0
  let hasFailed = false
  const lane = async (): Promise<void> => {
    while (next < count && !(hasFailed && options.stopsOnError)) {
      const index = next++
      try {
        results[index] = { status: 'fulfilled', value: await work(index) }
      } catch (reason) {
        hasFailed = true
        results[index] = { status: 'rejected', reason }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(options.concurrency, count) }, lane))
  return results
}
