// Adds up sales, row by row, in whole cents.

export interface Totals {
  readonly rows: number
  readonly badRows: number
  readonly cents: number
  readonly byMonth: Readonly<Record<string, number>>
  readonly byProduct: Readonly<Record<string, ProductTotal>>
}

export interface ProductTotal {
  readonly quantity: number
  readonly cents: number
  readonly byRegion: Readonly<Record<string, number>>
}

interface Product {
  quantity: number
  cents: number
  readonly byRegion: Map<string, number>
}

const columns = 'date,region,product,quantity,unit_price'

export class Adder {
  #isFirst = true
  #badRows = 0
  #rows = 0
  readonly #byMonth = new Map<string, number>()
  readonly #byProduct = new Map<string, Product>()

  get rows(): number {
    return this.#rows
  }

  /** Throws when the first row does not name the columns. */
  add(row: readonly string[]): void {
    if (this.#isFirst) {
      const head = row.join(',').replace('\uFEFF', '')
      if (head !== columns) throw new Error(`The columns are ${head}: expected ${columns}`)
      this.#isFirst = false
      return
    }
    this.#rows += 1
    const [date = '', region = '', product = '', quantity = '', price = ''] = row
    const isGood =
      row.length === 5 && /^\d{4}-\d\d-\d\d$/.test(date) && /^\d+$/.test(quantity) && /^\d+\.\d\d$/.test(price)
    if (!isGood) return void (this.#badRows += 1)
    const cents = Number(quantity) * Number(price.replace('.', ''))
    const month = date.slice(0, 7)
    this.#byMonth.set(month, (this.#byMonth.get(month) ?? 0) + cents)
    const sold = this.#productNamed(product)
    sold.quantity += Number(quantity)
    sold.cents += cents
    sold.byRegion.set(region, (sold.byRegion.get(region) ?? 0) + cents)
  }

  totals(): Totals {
    const sold = [...this.#byProduct].map(([name, { quantity, cents, byRegion }]): [string, ProductTotal] => {
      return [name, { quantity, cents, byRegion: inOrder(byRegion) }]
    })
    return {
      rows: this.#rows,
      badRows: this.#badRows,
      cents: sold.reduce((sum, [, { cents }]) => sum + cents, 0),
      byMonth: inOrder(this.#byMonth),
      byProduct: Object.fromEntries(sold.sort(([, left], [, right]) => right.cents - left.cents)),
    }
  }

  #productNamed(name: string): Product {
    const known = this.#byProduct.get(name)
    if (known !== undefined) return known
    const product: Product = { quantity: 0, cents: 0, byRegion: new Map() }
    this.#byProduct.set(name, product)
    return product
  }
}

function inOrder(amounts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...amounts].sort(([left], [right]) => (left < right ? -1 : 1)))
}
