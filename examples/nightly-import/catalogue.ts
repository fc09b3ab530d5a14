// The world of the import, small enough for memory: what the supplier sends, and the prices that shops sell for.

export interface Row {
  readonly sku: string
  readonly cents: number
}

/** Prices that are in force, and those that were loaded and are not yet. */
export class Catalogue {
  readonly prices = new Map<string, number>()
  readonly #loaded = new Map<string, readonly Row[]>()
  #before: ReadonlyMap<string, number> | undefined

  /** To load a batch twice is to load it once. */
  load(batch: string, rows: readonly Row[]): void {
    this.#loaded.set(batch, rows)
  }

  unload(batch: string): void {
    this.#loaded.delete(batch)
  }

  release(): void {
    this.#before ??= new Map(this.prices)
    for (const { sku, cents } of [...this.#loaded.values()].flat()) this.prices.set(sku, cents)
  }

  /** What was in force before the last release is in force again. */
  restore(): void {
    for (const [sku, cents] of this.#before ?? []) this.prices.set(sku, cents)
  }

  /** The night is over: what was loaded in it is done with. */
  close(): void {
    this.#loaded.clear()
    this.#before = undefined
  }

  get loaded(): number {
    return [...this.#loaded.values()].reduce((sum, rows) => sum + rows.length, 0)
  }
}

const rowsOfList = 1_000

/** By how much prices are off from what they were: on Wednesday the supplier wrote euros where cents belong. */
const nights: Readonly<Record<string, (cents: number, n: number) => number>> = {
  Monday: (cents, n) => cents + (n % 30),
  Tuesday: (cents, n) => Math.round(cents * (n % 2 === 0 ? 1.18 : 1)),
  Wednesday: (cents) => Math.round(cents / 100),
}

/** What the supplier sends in a night, as text: one line a row. */
export function listOf(night: string): string {
  const priceOf = nights[night] ?? ((cents: number) => cents)
  const lines = Array.from({ length: rowsOfList }, (_, n) => `SKU-${1_000 + n},${priceOf(500 + ((n * 37) % 9_000), n)}`)
  return ['sku,cents', ...lines, ''].join('\n')
}

export function rowsIn(list: string): readonly Row[] {
  const lines = list.trimEnd().split('\n').slice(1)
  return lines.map((line) => {
    const [sku = '', cents = ''] = line.split(',')
    return { sku, cents: Number(cents) }
  })
}
