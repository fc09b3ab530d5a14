// Templates as text: loaded, performed, and told apart by what they say.
import { describe, expect, it } from 'vitest'
import { loadTemplate, template, worker } from '../../src/index.ts'
import type { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

const fulfilment = `
name: order_fulfillment
version: 1.0.0
input: { type: object, required: [order], properties: { order: { type: object } } }
failure: finish_independent
steps:
  - name: validate
    uses: validate_order
  - name: reserve
    uses: reserve_stock
    needs: [validate]
    forEach: \${{ input.order.items }}
    key: \${{ item.sku }}
    with: { sku: '\${{ item.sku }}', count: '\${{ item.count }}' }
    concurrency: 8
    retry: { attempts: 3, base: 1ms }
  - name: score
    needs: [validate]
    script: |
      const risk: string = input.order.total > 1000 ? 'high' : 'low'
      return { risk }
  - name: approve
    wait: { message: approve, timeout: 2d }
    needs: [score]
    if: \${{ steps.score.risk == 'high' }}
  - name: ship
    uses: ship_order
    needs: [reserve, approve]
    when: none_failed
    with: { address: '\${{ input.order.address }}', parcels: '\${{ steps.reserve }}' }
output: \${{ steps.ship }}
`

const validate = worker('validate_order', {}, (_ctx, { input }: { input: { order: object } }) => 'order' in input)
const reserve = worker('reserve_stock', {}, (ctx, { sku, count }: { sku: string; count: number }) => {
  if (sku === 'b' && ctx.attempt === 1) throw new Error('not yet')
  return `${count} of ${sku}`
})
const ship = worker(
  'ship_order',
  {},
  (_ctx, { address, parcels }: { address: string; parcels: string[] }) => `${parcels.join(' and ')} to ${address}`,
)
const workers = [validate, reserve, ship]

const order = (total: number) => ({
  order: {
    total,
    address: 'Rome',
    items: [
      { sku: 'a', count: 1 },
      { sku: 'b', count: 2 },
    ],
  },
})

/** Threads take real time, also on a clock that is moved by hand. */
async function until(clock: ManualClock, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) {
    await clock.advance(1)
    await turns(1)
  }
}

describe('a template that was loaded', () => {
  it('is performed: items, a script, a condition', async () => {
    const definition = template(loadTemplate(fulfilment).template)
    const { troupe, clock } = await onStage({ definitions: [...workers, definition] })
    const run = await troupe.call('order_fulfillment', order(10))
    await until(clock, async () => (await run.status()).state === 'succeeded')
    expect(await run.result()).toBe('1 of a and 2 of b to Rome')
    const paths = (await troupe.steps(run.id)).map(({ path }) => path)
    expect(paths.toSorted()).toEqual(['reserve[a]', 'reserve[b]', 'score', 'ship', 'validate'])
  })

  it('waits for a message where its condition says so', async () => {
    const definition = template(loadTemplate(fulfilment).template)
    const { troupe, clock } = await onStage({ definitions: [...workers, definition] })
    const run = await troupe.call('order_fulfillment', order(5_000))
    await until(clock, async () => (await run.status()).state === 'parked')
    await run.tell('approve', { by: 'ann' })
    expect(await run.result()).toBe('1 of a and 2 of b to Rome')
  })

  it('undoes each piece with what it gave, and gives each batch its cursor', async () => {
    const undone: unknown[] = []
    const book = worker('book', {}, (_ctx, seat: string) => ({ ticket: `t-${seat}` }))
    const cancel = worker('cancel', {}, (_ctx, what: unknown) => void undone.push(what))
    const fail = worker('fail', { retry: { attempts: 1 } }, () => {
      throw new Error('no')
    })
    const text = `
name: trip
steps:
  - { name: seats, uses: book, forEach: [a, b], with: '\${{ item }}', undo: { uses: cancel, with: { seat: '\${{ item }}', ticket: '\${{ output.ticket }}' } } }
  - { name: divide, type: batchable, script: 'return ["x", "y"]' }
  - { name: rows, type: batch_worker, needs: [divide], uses: book, with: '\${{ item }}', undo: { uses: cancel, with: '\${{ index }} \${{ output.ticket }}' } }
  - { name: last, needs: [seats, rows], uses: fail }
`
    const definitions = [book, cancel, fail, template(loadTemplate(text).template)]
    const { troupe, clock } = await onStage({ definitions })
    const run = await troupe.call('trip')
    await until(clock, async () => (await run.status()).state === 'failed')
    expect(undone).toEqual(
      expect.arrayContaining(['1 t-y', '0 t-x', { seat: 'b', ticket: 't-b' }, { seat: 'a', ticket: 't-a' }]),
    )
    expect(undone).toHaveLength(4)
  })

  it('gives the worker of a batch its cursor, and what its step says of batches', async () => {
    const given = worker('given', {}, (_ctx, { batch }: { batch: object }) => batch)
    const text = `
name: rows
steps:
  - { name: divide, type: batchable, script: 'return ["x"]' }
  - { name: row, type: batch_worker, needs: [divide], uses: given, batch: { size: 2, failureStrategy: isolate } }
output: \${{ steps.row }}
`
    const { troupe, clock } = await onStage({ definitions: [given, template(loadTemplate(text).template)] })
    const run = await troupe.call('rows')
    await until(clock, async () => (await run.status()).state === 'succeeded')
    const rules = { size: 2, failureStrategy: 'isolate', cursorField: 'id', checkpointInterval: null }
    expect(await run.result()).toEqual([{ name: 'row_001', cursor: 'x', index: 0, count: 1, ...rules }])
  })

  it('refuses an input that does not fit its schema', async () => {
    const definition = template(loadTemplate(fulfilment).template)
    const { troupe } = await onStage({ definitions: [...workers, definition] })
    const error = await rejection(troupe.call('order_fulfillment', { orders: 1 }))
    expect(error).toMatchObject({ code: 'validation_failed' })
    expect(error.message).toContain('schema: order: it is missing')
  })

  it('tells of an input which field is wrong, what was expected and what came', async () => {
    const text = `name: pay
input:
  required: [total]
  properties: { total: { type: integer, minimum: 1 }, way: { enum: [card, cash] }, to: { properties: { iban: { type: string } } } }
steps: [{ name: a, script: return 1 }]`
    const { troupe } = await onStage({ definitions: [template(loadTemplate(text).template)] })
    const refused = async (input: unknown) => (await rejection(troupe.call('pay', input))).message
    const what = "The input of 'pay' does not fit its schema: "
    expect(await refused({ total: 0, way: 'crd', to: { iban: 7 } })).toBe(
      `${what}total: expected 1 or more, not 0; way: expected one of card, cash, not "crd"; to.iban: expected a text, not 7`,
    )
    expect(await refused({})).toBe(`${what}total: it is missing`)
  })

  it('fails with the place in its text when a script fails', async () => {
    const text = 'name: bad\nsteps:\n  - name: sum\n    script: |\n      const list = null\n      return list.length\n'
    const definition = template(loadTemplate(text, { file: 'bad.yaml' }).template)
    const { troupe } = await onStage({ definitions: [definition] })
    const error = await rejection(troupe.run('bad'))
    expect(error).toMatchObject({ code: 'script_failed' })
    expect(error.message).toContain('bad.yaml:6')
  })

  it('keeps a run on the text it was started with, beside runs of a newer one', async () => {
    const text = (word: string): string =>
      `name: greet\nsteps:\n  - name: go\n    wait: { message: go }\n  - name: say\n    needs: [go]\n    script: return '${word}'\n`
    const store = storeFile()
    const before = template(loadTemplate(text('hello')).template)
    const after = template(loadTemplate(text('goodbye')).template)
    expect([before.version, after.version].map((version) => /^\S+\+[0-9a-f]{12}$/.test(version))).toEqual([true, true])
    const first = await onStage({ definitions: [before], store, node: 'first' })
    const old = await first.troupe.call('greet')
    await eventually(async () => (await old.status()).state === 'parked')
    await first.stop()
    const { troupe } = await onStage({ definitions: [before, after], store, node: 'second' })
    const young = await troupe.call('greet')
    for (const id of [old.id, young.id]) await troupe.tell(id, 'go')
    expect(await (await troupe.handle(old.id)).result()).toEqual({ say: 'hello' })
    expect(await young.result()).toEqual({ say: 'goodbye' })
  })
})

const tasker = `
name: halves
namespace_name: numbers
version: 2.1.0
steps:
  - name: start
    handler: { callable: 'numbers::Start' }
  - name: evens
    dependencies: [start]
    handler: { callable: 'numbers::Pick', initialization: { rest: 0 } }
  - name: odds
    depends_on: [start]
    handler: { callable: 'numbers::Pick', initialization: { rest: 1 } }
  - name: route
    type: decision
    dependencies: [evens, odds]
    handler: { callable: 'numbers::Route' }
  - name: analyse_evens
    type: batchable
    dependencies: [route]
    handler: { callable: 'numbers::Analyse', initialization: { of: evens } }
  - name: add_evens
    type: batch_worker
    dependencies: [analyse_evens]
    handler: { callable: 'numbers::Add' }
    batch_config: { batch_size: 2, parallelism: 10, cursor_field: id, worker_template: add_evens, failure_strategy: fail_fast }
  - name: analyse_odds
    type: batchable
    dependencies: [route]
    handler: { callable: 'numbers::Analyse', initialization: { of: odds } }
  - name: add_odds
    type: batch_worker
    dependencies: [analyse_odds]
    handler: { callable: 'numbers::Add' }
    batch_config: { batch_size: 2, worker_template: add_odds }
  - name: sum
    type: deferred_convergence
    dependencies: [add_evens, add_odds]
    handler: { callable: 'numbers::Sum' }
`

interface Given {
  readonly input: { readonly numbers: readonly number[] }
  readonly steps: Readonly<Record<string, unknown>>
  readonly config: { readonly rest?: number; readonly of?: string }
  readonly batch?: { readonly cursor: { readonly numbers: readonly number[] } }
}

describe('a template in the form of Tasker', () => {
  const handlers = [
    worker('numbers::Start', {}, (_ctx, { input }: Given) => input.numbers as number[]),
    worker('numbers::Pick', {}, (_ctx, { steps, config }: Given) =>
      (steps['start'] as number[]).filter((n) => n % 2 === config.rest),
    ),
    worker('numbers::Route', {}, (_ctx, { steps }: Given) => {
      const most = (steps['evens'] as number[]).length >= (steps['odds'] as number[]).length ? 'evens' : 'odds'
      return { most, decision_point_outcome: { type: 'create_steps', step_names: [`analyse_${most}`] } }
    }),
    worker('numbers::Analyse', {}, (_ctx, { input, config }: Given) => {
      const own = input.numbers.filter((n) => n % 2 === (config.of === 'evens' ? 0 : 1))
      const cursors = Array.from({ length: Math.ceil(own.length / 2) }, (_, index) => ({
        batch_id: String(index + 1).padStart(3, '0'),
        numbers: own.slice(index * 2, index * 2 + 2),
      }))
      return {
        batch_processing_outcome: {
          type: 'create_batches',
          worker_template_name: `add_${config.of}`,
          worker_count: cursors.length,
          cursor_configs: cursors,
          total_items: own.length,
        },
      }
    }),
    worker('numbers::Add', {}, (_ctx, { batch }: Given) =>
      (batch?.cursor.numbers ?? []).reduce((sum, n) => sum + n, 0),
    ),
    worker('numbers::Sum', {}, (_ctx, { steps }: Given) =>
      Object.values(steps)
        .flatMap((each) => (Array.isArray(each) ? (each as number[]) : []))
        .reduce((sum, n) => sum + n, 0),
    ),
  ]

  it('goes by its decision and its batches, and joins those that are there', async () => {
    const { template: loaded, warnings } = loadTemplate(tasker)
    expect(warnings).toEqual([])
    const { troupe } = await onStage({ definitions: [...handlers, template(loaded)] })
    const run = await troupe.call('numbers/halves', { numbers: [1, 2, 3, 4, 6, 8, 10] })
    const paths = await run.result().then(async () => (await troupe.steps(run.id)).map(({ path }) => path))
    expect(paths.toSorted()).toEqual([
      'add_evens_001',
      'add_evens_002',
      'add_evens_003',
      'analyse_evens',
      'evens',
      'odds',
      'route',
      'start',
      'sum',
    ])
    expect(await run.result()).toEqual({ sum: 30 })
  })

  it('gives the same input the same run, as its identity is strict', async () => {
    const { troupe } = await onStage({ definitions: [...handlers, template(loadTemplate(tasker).template)] })
    const [one, again, other] = [
      await troupe.call('numbers/halves', { numbers: [2] }),
      await troupe.call('numbers/halves', { numbers: [2] }),
      await troupe.call('numbers/halves', { numbers: [3] }),
    ]
    expect([again.id === one.id, other.id === one.id]).toEqual([true, false])
    const of = async (input: object): Promise<string> => (await troupe.call('numbers/halves', input)).id
    expect(await of({ numbers: [4], by: 1 })).toBe(await of({ by: 1, numbers: [4] }))
    expect(await of({ numbers: [], on: new Date(1) })).not.toBe(await of({ numbers: [], on: new Date(2) }))
  })
})
