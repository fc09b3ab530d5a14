// Working through a list with a cap on how many items are under way.
import { checkChoice, checkFunction, checkKey, checkList, checkOptions } from '../engine/checks.ts'
import { optionInvalid } from '../model/errors.ts'
import { keyedPath } from '../model/path.ts'
import type { Steps } from './steps/steps.ts'

export interface MapOptions<Item> {
  /** Names an item for ever: its steps are remembered under it. The position in the list unless told. */
  readonly key?: (item: Item, index: number) => string | number
  /** How many items are under way at once; 10 unless told. */
  readonly concurrency?: number
  /** `fail` (default): the first failure rejects, once what is under way has ended. `collect`: every item tells how it ended. */
  readonly onError?: 'fail' | 'collect'
  /** Says with each item that ends how many have, as `ctx.progress` does. */
  readonly progress?: boolean
}

const defaultConcurrency = 10

/** What `ctx.map` was given, and what it is called in errors. */
export interface MapWork {
  readonly what: string
  readonly path: string
  readonly items: readonly unknown[]
  readonly options: MapOptions<unknown>
}

/** Performs each item in a scope of its own; all is checked before anything is begun. */
export function performMap(
  steps: Steps,
  { what, path, items, options }: MapWork,
  perform: (index: number, scope: string) => Promise<unknown>,
): Promise<unknown[]> {
  checkMap(what, items, options)
  const concurrency = concurrencyOf(what, options)
  const keys = keysOf(what, items, options)
  const stopsOnError = options.onError !== 'collect'
  return steps.scoped(path, async (scope) => {
    const each = (index: number): Promise<unknown> => perform(index, keyedPath(scope, keys[index] ?? ''))
    const settled = await mapSettled(items.length, each, { concurrency, stopsOnError })
    if (!stopsOnError) return settled
    return settled.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
  })
}

function checkMap(what: string, items: unknown, options: MapOptions<never>): void {
  checkList(`What ${what} goes through`, items, 'a list: spread what can be iterated into one, as in [...set]')
  checkOptions(what, options, ['key', 'concurrency', 'onError', 'progress'])
  const { key, onError, progress } = options
  if (key !== undefined) checkFunction(`key of ${what}`, key)
  if (onError !== undefined) checkChoice(`onError of ${what}`, onError, ['fail', 'collect'])
  if (progress !== undefined && typeof progress !== 'boolean')
    throw optionInvalid(`progress of ${what}`, progress, 'true or false')
}

/** The keys of all items; throws when two items have the same one. */
function keysOf<Item>(what: string, items: readonly Item[], options: MapOptions<Item>): string[] {
  const { key } = options
  if (key === undefined) return Array.from(items, (_, index) => String(index))
  const keys = Array.from(items, (item, index) => keyText(what, key(item, index)))
  const seen = new Set<string>()
  for (const each of keys) {
    if (seen.has(each)) throw optionInvalid(`The key of ${what}`, each, 'a key of its own for each item')
    seen.add(each)
  }
  return keys
}

function concurrencyOf(what: string, options: MapOptions<never>): number {
  const { concurrency = defaultConcurrency } = options
  if (!(concurrency === Infinity || (Number.isInteger(concurrency) && concurrency > 0))) {
    throw optionInvalid(`concurrency of ${what}`, concurrency, 'a whole number from 1, or Infinity')
  }
  return concurrency
}

function keyText(what: string, key: string | number): string {
  if (typeof key === 'number') return String(key)
  if (key !== '') checkKey(`The key of ${what}`, key)
  return key
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
