// A small company of actors, each a thin shell around plain functions: a ledger on disk, a stock, and a front desk that uses both.
import { appendFile, readFile } from 'node:fs/promises'
import { Actor, Message, type Handler, type Recipient, type Ref } from 'troupe/actor'

export interface Order {
  readonly item: string
  readonly count: number
}

export class Booked extends Message('Booked')<{ line: string }>() {}

/** Pure: what an order leaves in stock; undefined when there is not enough. */
export function take(stock: ReadonlyMap<string, number>, { item, count }: Order): number | undefined {
  const left = (stock.get(item) ?? 0) - count
  return left < 0 ? undefined : left
}

/** Keeps what was booked in a file; its `started` fails when the file cannot be read, and the whole company with it. */
export class Ledger extends Actor implements Handler<typeof Booked> {
  readonly #path: string
  lines = 0

  constructor(path: string) {
    super()
    this.#path = path
  }

  override async started(): Promise<void> {
    const text = await readFile(this.#path, 'utf8')
    this.lines = text.split('\n').filter(Boolean).length
  }

  async Booked({ line }: Booked): Promise<void> {
    await appendFile(this.#path, `${line}\n`)
    this.lines++
  }
}

export class Stock extends Actor {
  readonly #stock: Map<string, number>

  constructor(stock: Iterable<readonly [string, number]>) {
    super()
    this.#stock = new Map(stock)
  }

  /** Takes the goods out and tells what is left. */
  take(order: Order): number {
    const left = take(this.#stock, order)
    if (left === undefined) throw new Error(`not ${order.count} of ${order.item} in stock`)
    this.#stock.set(order.item, left)
    return left
  }
}

export class FrontDesk extends Actor {
  readonly #stock: Ref<Stock>
  readonly #ledger: Recipient<Booked>

  constructor(stock: Ref<Stock>, ledger: Recipient<Booked>) {
    super()
    this.#stock = stock
    this.#ledger = ledger
  }

  async order(order: Order): Promise<string> {
    const left = await this.#stock.ask('take', order)
    await this.#ledger.send(new Booked({ line: `${order.count} ${order.item}` }))
    return `${order.count} ${order.item} sold, ${left} left`
  }
}
