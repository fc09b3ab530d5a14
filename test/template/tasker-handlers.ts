// Handlers for templates in Tasker's form, written for the tests: what each does is told by what it is given, not by its name.
import { readFileSync } from 'node:fs'
import { PermanentError, worker, type Definition, type WorkerContext } from '../../src/index.ts'

/** What a step is given that says nothing of it. */
export interface Given {
  readonly input: Readonly<Record<string, unknown>>
  readonly steps: Readonly<Record<string, unknown>>
  readonly config: Readonly<Record<string, unknown>>
  readonly batch?: { readonly name: string; readonly cursor: Readonly<Record<string, unknown>> }
}

export type Handler = (given: Given, ctx: WorkerContext) => unknown

/** Multiplies what it needs, or takes the number of the run, and squares that. */
export const square: Handler = ({ input, steps }) => {
  const needed = Object.values(steps) as number[]
  return (
    (needed.length === 0 ? [input['even_number'] as number] : needed).reduce((product, one) => product * one, 1) ** 2
  )
}

/** Fails as often as its template says. */
export const failing: Handler = ({ config }, ctx) => {
  if (ctx.attempt <= (config['fail_count'] as number)) throw new Error(`failure ${ctx.attempt}`)
  return { attempts: ctx.attempt }
}

interface Item {
  readonly sku: string
  readonly quantity: number
  readonly price: number
}

export const order = {
  validate: (({ input }) => {
    const items = input['items'] as readonly Item[]
    return { total: items.reduce((sum, { quantity, price }) => sum + quantity * price, 0) }
  }) as Handler,
  reserve: (({ input, config }) => {
    const items = input['items'] as readonly Item[]
    return {
      reserved: items.map(({ sku, quantity }) => `${quantity} × ${sku}`),
      config: Object.keys(config).toSorted(),
    }
  }) as Handler,
  /** The provider does not answer at first, and refuses some for good. */
  pay: (({ input, steps }, ctx) => {
    const { method, token } = input['payment'] as { readonly method: string; readonly token: string }
    if (token === 'refused') throw new PermanentError('The card was refused')
    if (ctx.attempt === 1) throw new Error('The provider does not answer')
    return { paid: (steps['validate_order'] ?? steps['check']) as object, by: method }
  }) as Handler,
  ship: (({ input, steps }) => {
    const { method } = input['shipping'] as { readonly method: string }
    return { by: method, of: Object.keys(steps).toSorted() }
  }) as Handler,
}

/** Who has to approve what costs so much. */
export const approval = {
  validate: (({ input }) => input['amount']) as Handler,
  route:
    (steps: Readonly<Record<'small' | 'middle' | 'large', readonly string[]>>): Handler =>
    ({ input }) => {
      const amount = input['amount'] as number
      const chosen = amount < 1_000 ? steps.small : amount < 5_000 ? steps.middle : steps.large
      if (amount === 0) return { decision_point_outcome: { type: 'no_branches' } }
      return { decision_point_outcome: { type: 'create_steps', step_names: chosen } }
    },
  sign:
    (by: string): Handler =>
    () =>
      `signed by ${by}`,
  finalise: (({ steps }) => Object.values(steps).filter((signed) => signed !== null)) as Handler,
}

const numbersIn = ({ input }: Given): number[] => input['numbers'] as number[]

/** Numbers in two branches, of which the larger is added up in batches. */
export const halves = {
  start: ((given) => numbersIn(given).length) as Handler,
  pick:
    (rest: number): Handler =>
    (given) =>
      numbersIn(given).filter((n) => n % 2 === rest),
  route:
    (branches: readonly [string, string]): Handler =>
    ({ steps }) => {
      const [evens = [], odds = []] = Object.values(steps) as number[][]
      const chosen = evens.length >= odds.length ? branches[0] : branches[1]
      return { decision_point_outcome: { type: 'create_steps', step_names: [chosen] } }
    },
  analyse:
    (rest: number): Handler =>
    (given) => {
      const own = numbersIn(given).filter((n) => n % 2 === rest)
      const size = given.config['batch_size'] as number
      return batches(given, own.length, (from) => ({ numbers: own.slice(from, from + size) }))
    },
  add: (({ batch }) => ((batch?.cursor['numbers'] ?? []) as number[]).reduce((sum, n) => sum + n, 0)) as Handler,
  total: (({ steps }) => (Object.values(steps).flat() as number[]).reduce((sum, n) => sum + n, 0)) as Handler,
}

/** The rows of a file, added up in batches; the first row is the head, and rows count from 1. */
export const rows = {
  analyse: ((given) => {
    const count = linesOf(given).length - 1
    const size = given.config['batch_size'] as number
    return batches(given, count, (from) => ({ start_cursor: from + 1, end_cursor: Math.min(from + size, count) + 1 }))
  }) as Handler,
  process: ((given) => {
    const { cursor = {}, name } = given.batch ?? {}
    const [from, to] = [Number(cursor['start_cursor']), Number(cursor['end_cursor'])]
    const cells = linesOf(given)
      .slice(from, to)
      .map((line) => line.split(','))
    const value = cells.reduce((sum, [, price, stock]) => sum + Number(price) * Number(stock), 0)
    return { processed_count: cells.length, value, worker: name }
  }) as Handler,
  aggregate: (({ steps }) => {
    const [all = []] = Object.values(steps) as { processed_count: number; value: number }[][]
    const sum = (key: 'processed_count' | 'value'): number => all.reduce((total, each) => total + each[key], 0)
    return { rows: sum('processed_count'), value: sum('value'), workers: all.length }
  }) as Handler,
}

function linesOf({ input }: Given): string[] {
  return readFileSync(input['csv_file_path'] as string, 'utf8')
    .trimEnd()
    .split('\n')
}

/** What Tasker's handlers give who divide the work. */
function batches({ config }: Given, count: number, cursorFrom: (from: number) => object): object {
  if (count === 0) return { batch_processing_outcome: { type: 'no_batches' } }
  const size = config['batch_size'] as number
  const cursors = Array.from({ length: Math.ceil(count / size) }, (_, index) => ({
    batch_id: String(index + 1).padStart(3, '0'),
    batch_size: size,
    ...cursorFrom(index * size),
  }))
  return {
    batch_processing_outcome: {
      type: 'create_batches',
      worker_template_name: config['worker_template_name'],
      worker_count: cursors.length,
      cursor_configs: cursors,
      total_items: count,
    },
  }
}

/** What is done for an order, of which others are told. */
export const told = {
  validate: (({ input }) => ({
    order_id: input['order_id'],
    validation_timestamp: '2026-01-02T03:04:05Z',
    validation_checks: ['amount'],
  })) as Handler,
  pay: (({ input }) => {
    if (input['simulate_failure'] === true) throw new PermanentError('The payment failed')
    return { transaction_id: 'tx-1', amount: input['amount'], payment_method: 'card' }
  }) as Handler,
  update: (({ input }) => ({
    order_id: input['order_id'],
    items: [{ sku: 'pen', quantity: 1 }],
    success: true,
  })) as Handler,
  notify: (({ input }) => ({ notification_id: 'n-1', channel: 'email', recipient: input['customer_id'] })) as Handler,
}

export const nothing: Handler = () => 'nothing'

/** One worker for each handler, under its name. */
export function workersOf(handlers: Readonly<Record<string, Handler>>): Definition[] {
  return Object.entries(handlers).map(([name, handler]) => worker(name, {}, (ctx, given: Given) => handler(given, ctx)))
}
