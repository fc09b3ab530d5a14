// The shapes of Tasker's own templates, in its form: from their texts to their outputs.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkTemplate, loadTemplate } from '../../src/index.ts'
import { approval, failing, halves, nothing, order, rows, square, told, type Handler } from './tasker-handlers.ts'
import { goods, performed, type Left } from './tasker-stage.ts'

const textOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`tasker-shapes/${name}.yaml`, import.meta.url)), 'utf8')

function perform(name: string, handlers: Readonly<Record<string, Handler>>, input: unknown): Promise<Left> {
  return performed({ text: textOf(name), file: `${name}.yaml` }, handlers, input)
}

describe('a template in the form of Tasker', () => {
  it.each<[string, number, Readonly<Record<string, number>>]>([
    ['linear', 6, { eighth: 6 ** 8, fourth: 6 ** 4, second: 36, sixteenth: 6 ** 16 }],
    ['diamond', 6, { bottom: 6 ** 16, left: 6 ** 4, right: 6 ** 4, top: 36 }],
    ['tree', 2, { ash: 256, east: 16, elm: 256, fir: 256, oak: 256, root: 4, west: 16, wood: 2 ** 64 }],
    ['mixed', 2, { both: 2 ** 16, lower: 256, north: 16, open: 4, shut: 2 ** 64, south: 16, upper: 256 }],
  ])('is performed: %s', async (name, number, steps) => {
    const last = { linear: 'sixteenth', diamond: 'bottom', tree: 'wood', mixed: 'shut' }[name] ?? ''
    expect(await perform(name, { Square: square }, { even_number: number })).toEqual({
      state: 'succeeded',
      output: { [last]: steps[last] },
      message: undefined,
      steps,
      failed: [],
      attempts: {},
      events: [],
    })
  })

  it('takes what holds in its environment: of all steps, and of one', () => {
    const { template } = loadTemplate(textOf('linear'), { environment: 'test' })
    expect(template.steps.map(({ timeout, retry }) => [timeout.attemptMs, retry?.attempts])).toEqual([
      [5_000, 3],
      [5_000, 3],
      [5_000, 2],
      [5_000, 3],
    ])
  })

  it.each([[{ even_number: 101 }], [{}]])('refuses the input %j, which its schema does not allow', async (input) => {
    await expect(perform('linear', { Square: square }, input)).rejects.toMatchObject({ code: 'validation_failed' })
  })

  describe('for an order', () => {
    const handlers = { Validate: order.validate, Reserve: order.reserve, Pay: order.pay, Ship: order.ship }
    const input = (token: string) => ({
      items: [
        { sku: 'pen', quantity: 2, price: 3 },
        { sku: 'ink', quantity: 1, price: 10 },
      ],
      payment: { method: 'card', token },
      shipping: { method: 'express' },
    })

    it('tries the payment twice', async () => {
      expect(await perform('order', handlers, input('good'))).toEqual({
        state: 'succeeded',
        output: { ship: { by: 'express', of: ['check', 'pay', 'reserve'] } },
        message: undefined,
        steps: {
          check: { total: 16 },
          pay: { paid: { total: 16 }, by: 'card' },
          reserve: { reserved: ['2 × pen', '1 × ink'], config: ['strategy'] },
          ship: { by: 'express', of: ['check', 'pay', 'reserve'] },
        },
        failed: [],
        attempts: { pay: 2 },
        events: [],
      })
    })

    it('ends with a card that is refused for good, and ships nothing', async () => {
      const { state, message, steps, failed } = await perform('order', handlers, input('refused'))
      expect([state, message]).toEqual(['failed', 'The card was refused'])
      expect([Object.keys(steps), failed]).toEqual([['check', 'reserve'], ['pay']])
    })
  })

  it('tries as often as it may', async () => {
    const { state, attempts } = await perform('retry', { Fail: failing }, {})
    expect([state, attempts]).toEqual(['succeeded', { shaky: 4 }])
  })

  it('tries once with max_attempts: 0, and a warning says so', async () => {
    expect(checkTemplate(textOf('once')).map(({ severity, line }) => [severity, line])).toEqual([['warning', 8]])
    expect(await perform('once', { Nothing: nothing }, {})).toMatchObject({ output: { once: 'nothing' }, attempts: {} })
    const fails: Handler = (_given, ctx) => {
      throw new Error(`attempt ${ctx.attempt}`)
    }
    expect(await perform('once', { Nothing: fails }, {})).toMatchObject({ state: 'failed', message: 'attempt 1' })
  })

  it.each([
    [500, ['nobody'], ['signed by nobody']],
    [3_000, ['manager'], ['signed by the manager']],
    [9_000, ['finance', 'manager'], ['signed by the manager', 'signed by finance']],
  ])('has the steps that its decision chose, and no other: %i', async (amount, created, signed) => {
    const branches = { small: ['nobody'], middle: ['manager'], large: ['manager', 'finance'] }
    const handlers = {
      Read: approval.validate,
      Route: approval.route(branches),
      SignNobody: approval.sign('nobody'),
      SignManager: approval.sign('the manager'),
      SignFinance: approval.sign('finance'),
      Close: approval.finalise,
    }
    const { output, steps } = await perform('approval', handlers, { amount })
    expect(output).toEqual({ close: signed })
    expect(Object.keys(steps)).toEqual(['close', ...created, 'read', 'route'].toSorted())
  })

  it.each([
    ['evens', [2, 4, 6, 8, 10, 1], 30, 3],
    ['odds', [1, 3, 5, 2], 9, 2],
  ])('decides, divides and joins: %s', async (which, numbers, sum, workers) => {
    const handlers = {
      Count: halves.start,
      Evens: halves.pick(0),
      Odds: halves.pick(1),
      Larger: halves.route(['divide_evens', 'divide_odds']),
      DivideEvens: halves.analyse(0),
      DivideOdds: halves.analyse(1),
      Add: halves.add,
      Total: halves.total,
    }
    const { output, steps } = await perform('halves', handlers, { numbers })
    expect(output).toEqual({ [`sum_${which}`]: sum })
    const added = Array.from({ length: workers }, (_, index) => `add_${which}_00${index + 1}`)
    expect(Object.keys(steps)).toEqual(
      [...added, 'count', `divide_${which}`, 'evens', 'larger', 'odds', `sum_${which}`].toSorted(),
    )
  })

  it.each([
    [1_000, ['001', '002', '003', '004', '005']],
    [450, ['001', '002', '003']],
    [0, ['000']],
  ])('adds up %i rows of a file', async (count, workers) => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-goods-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const { text, value } = goods(count)
    const file = join(folder, 'goods.csv')
    writeFileSync(file, text)
    const handlers = { Look: rows.analyse, Read: rows.process, Total: rows.aggregate }
    const { output, steps } = await perform('goods', handlers, { csv_file_path: file })
    expect(output).toEqual({ total: { rows: count, value, workers: count === 0 ? 0 : workers.length } })
    expect(Object.keys(steps)).toEqual(['look', ...workers.map((number) => `read_${number}`), 'total'])
  })

  describe('that publishes', () => {
    const handlers = { Validate: told.validate, Pay: told.pay, Update: told.update, Notify: told.notify }
    const input = { order_id: '1', customer_id: 'ann', amount: 12 }
    const text = { text: textOf('told'), events: 4 }

    it('tells of each step that has ended, with what it gave', async () => {
      const { state, steps, events } = await performed(text, handlers, input)
      expect([state, Object.keys(steps)]).toEqual(['succeeded', ['check', 'notify', 'pay', 'update']])
      expect(events).toEqual([
        { event: 'customer.told', step: 'notify', payload: steps['notify'] },
        { event: 'order.checked', step: 'check', payload: steps['check'] },
        { event: 'order.paid', step: 'pay', payload: steps['pay'] },
        { event: 'stock.updated', step: 'update', payload: steps['update'] },
      ])
    })

    it('tells how a step has failed, and nothing of those behind it', async () => {
      const { state, failed, events } = await performed({ ...text, events: 2 }, handlers, {
        ...input,
        simulate_failure: true,
      })
      expect([state, failed]).toEqual(['failed', ['pay']])
      expect(
        events.map(({ event, step, payload }) => [event, step, (payload as { message?: string }).message]),
      ).toEqual([
        ['order.checked', 'check', undefined],
        ['order.unpaid', 'pay', 'The payment failed'],
      ])
    })
  })
})
