// The templates that Tasker has for its own tests, where they are there: unchanged, from their text to their outputs.
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkTemplate, loadTemplate } from '../../src/index.ts'
import {
  approval,
  failing,
  halves,
  nothing,
  order,
  rows,
  square,
  told,
  type Handler,
} from '../template/tasker-handlers.ts'
import { goods, performed, type Left } from '../template/tasker-stage.ts'
import { dataFiles } from './data.ts'

const files = new Map(dataFiles('tasker-templates', '.yaml').map((file) => [basename(file, '.yaml'), file]))
const isThere = files.size > 0

const textOf = (name: string): string => readFileSync(files.get(name) ?? '', 'utf8')

function perform(name: string, handlers: Readonly<Record<string, Handler>>, input: unknown): Promise<Left> {
  return performed({ text: textOf(name), file: `${name}.yaml`, environment: 'test' }, handlers, input)
}

const squares = (...names: string[]): Record<string, Handler> => Object.fromEntries(names.map((name) => [name, square]))

describe.skipIf(!isThere)('the templates of Tasker', () => {
  it.each([...files])('%s loads without a problem that is an error', (name) => {
    expect(checkTemplate(textOf(name)).filter(({ severity }) => severity === 'error')).toEqual([])
  })

  it('mathematical_sequence', async () => {
    const handlers = squares('LinearStep1Handler', 'LinearStep2Handler', 'LinearStep3Handler', 'LinearStep4Handler')
    expect(await perform('mathematical_sequence', handlers, { even_number: 6 })).toEqual({
      state: 'succeeded',
      output: { linear_step_4: 6 ** 16 },
      message: undefined,
      steps: { linear_step_1: 36, linear_step_2: 6 ** 4, linear_step_3: 6 ** 8, linear_step_4: 6 ** 16 },
      failed: [],
      attempts: {},
      events: [],
    })
    const [first] = loadTemplate(textOf('mathematical_sequence'), { environment: 'test' }).template.steps
    expect([first?.timeout.attemptMs, first?.retry?.attempts]).toEqual([10_000, 2])
  })

  it('diamond_pattern', async () => {
    const handlers = squares(
      'DiamondStartHandler',
      'DiamondBranchBHandler',
      'DiamondBranchCHandler',
      'DiamondEndHandler',
    )
    const { steps } = await perform('diamond_pattern', handlers, { even_number: 2 })
    expect(steps).toEqual({ diamond_branch_b: 16, diamond_branch_c: 16, diamond_end: 2 ** 16, diamond_start: 4 })
  })

  it('hierarchical_tree', async () => {
    const leaves = ['D', 'E', 'F', 'G'].map((leaf) => `TreeLeaf${leaf}Handler`)
    const handlers = squares(
      'TreeRootHandler',
      'TreeBranchLeftHandler',
      'TreeBranchRightHandler',
      ...leaves,
      'TreeFinalConvergenceHandler',
    )
    const { steps, output } = await perform('hierarchical_tree', handlers, { even_number: 2 })
    expect(output).toEqual({ tree_final_convergence: 2 ** 64 })
    expect(Object.values(steps).toSorted((one, other) => Number(one) - Number(other))).toEqual([
      4,
      16,
      16,
      256,
      256,
      256,
      256,
      2 ** 64,
    ])
  })

  it('complex_dag', async () => {
    const handlers = squares(
      ...['Init', 'ProcessLeft', 'ProcessRight', 'Validate', 'Transform', 'Analyze', 'Finalize'].map(
        (name) => `Dag${name}Handler`,
      ),
    )
    const { steps } = await perform('complex_dag', handlers, { even_number: 2 })
    expect(steps).toEqual({
      dag_analyze: 256,
      dag_finalize: 2 ** 64,
      dag_init: 4,
      dag_process_left: 16,
      dag_process_right: 16,
      dag_transform: 256,
      dag_validate: 2 ** 16,
    })
  })

  it('refuses an input that its schema does not allow', async () => {
    await expect(
      perform(
        'diamond_pattern',
        squares('DiamondStartHandler', 'DiamondBranchBHandler', 'DiamondBranchCHandler', 'DiamondEndHandler'),
        { even_number: 101 },
      ),
    ).rejects.toMatchObject({ code: 'validation_failed' })
  })

  describe('business_workflow', () => {
    const handlers = {
      ValidateOrderHandler: order.validate,
      ReserveInventoryHandler: order.reserve,
      ProcessPaymentHandler: order.pay,
      ShipOrderHandler: order.ship,
    }
    const input = (token: string) => ({
      customer: { id: 1, name: 'Ann', email: 'ann@example.com' },
      items: [
        { sku: 'pen', quantity: 2, price: 3 },
        { sku: 'ink', quantity: 1, price: 10 },
      ],
      payment: { method: 'paypal', token },
      shipping: { method: 'express', address: {} },
    })

    it('is done, with the payment tried twice', async () => {
      expect(await perform('business_workflow', handlers, input('good'))).toEqual({
        state: 'succeeded',
        output: { ship_order: { by: 'express', of: ['process_payment', 'reserve_inventory', 'validate_order'] } },
        message: undefined,
        steps: {
          process_payment: { paid: { total: 16 }, by: 'paypal' },
          reserve_inventory: {
            reserved: ['2 × pen', '1 × ink'],
            config: [
              'error_handling',
              'external_services',
              'instant_reservations',
              'inventory_rules',
              'mock_inventory_service',
            ],
          },
          ship_order: { by: 'express', of: ['process_payment', 'reserve_inventory', 'validate_order'] },
          validate_order: { total: 16 },
        },
        failed: [],
        attempts: { process_payment: 2 },
        events: [],
      })
    })

    it('ends with a card that is refused for good, and ships nothing', async () => {
      const { state, message, steps, failed } = await perform('business_workflow', handlers, input('refused'))
      expect([state, message]).toEqual(['failed', 'The card was refused'])
      expect([Object.keys(steps), failed]).toEqual([['reserve_inventory', 'validate_order'], ['process_payment']])
    })
  })

  it('retry_mechanics_test', async () => {
    const { state, steps, attempts } = await perform('retry_mechanics_test', { FailNTimesHandler: failing }, {})
    expect([state, steps, attempts]).toEqual([
      'succeeded',
      { fail_twice_then_succeed: { attempts: 3 } },
      { fail_twice_then_succeed: 3 },
    ])
  })

  it('boundary_max_attempts_zero: one attempt, of which a warning tells', async () => {
    expect(checkTemplate(textOf('boundary_max_attempts_zero')).map(({ message }) => message)).toContain(
      "'max_attempts: 0' means the first attempt and no other, as 1 does: write 1.",
    )
    expect(await perform('boundary_max_attempts_zero', { NoOpHandler: nothing }, {})).toMatchObject({
      output: { boundary_test_step: 'nothing' },
      failed: [],
      attempts: {},
      events: [],
    })
    const once: Handler = (_given, ctx) => {
      throw new Error(`attempt ${ctx.attempt}`)
    }
    expect(await perform('boundary_max_attempts_zero', { NoOpHandler: once }, {})).toMatchObject({
      state: 'failed',
      message: 'attempt 1',
    })
  })

  it.each([
    [500, ['auto_approve'], ['signed by nobody']],
    [3_000, ['manager_approval'], ['signed by the manager']],
    [9_000, ['finance_review', 'manager_approval'], ['signed by the manager', 'signed by finance']],
  ])('conditional_approval_rust: %i', async (amount, created, signed) => {
    const handlers = {
      ValidateRequestHandler: approval.validate,
      RoutingDecisionHandler: approval.route({
        small: ['auto_approve'],
        middle: ['manager_approval'],
        large: ['manager_approval', 'finance_review'],
      }),
      AutoApproveHandler: approval.sign('nobody'),
      ManagerApprovalHandler: approval.sign('the manager'),
      FinanceReviewHandler: approval.sign('finance'),
      FinalizeApprovalHandler: approval.finalise,
    }
    const { output, steps } = await perform('conditional_approval_rust', handlers, { amount })
    expect(output).toEqual({ finalize_approval: signed })
    expect(Object.keys(steps)).toEqual(
      [...created, 'finalize_approval', 'routing_decision', 'validate_request'].toSorted(),
    )
  })

  describe('diamond_decision_batch', () => {
    const handlers = {
      DiamondStartHandler: halves.start,
      BranchEvensHandler: halves.pick(0),
      BranchOddsHandler: halves.pick(1),
      RoutingDecisionHandler: halves.route(['even_batch_analyzer', 'odd_batch_analyzer']),
      EvenBatchAnalyzerHandler: halves.analyse(0),
      OddBatchAnalyzerHandler: halves.analyse(1),
      ProcessEvenBatchHandler: halves.add,
      ProcessOddBatchHandler: halves.add,
      AggregateEvenResultsHandler: halves.total,
      AggregateOddResultsHandler: halves.total,
    }

    it.each([
      ['even', [2, 4, 6, 8, 10, 1], 30, 3],
      ['odd', [1, 3, 5, 2], 9, 2],
    ])('goes by the branch that is larger: %s', async (which, numbers, sum, workers) => {
      const { output, steps } = await perform('diamond_decision_batch', handlers, { numbers })
      expect(output).toEqual({ [`aggregate_${which}_results`]: sum })
      expect(Object.keys(steps)).toEqual(
        [
          ...Array.from({ length: workers }, (_, index) => `process_${which}_batch_00${index + 1}`),
          `aggregate_${which}_results`,
          'branch_evens',
          'branch_odds',
          'ddb_diamond_start',
          'ddb_routing_decision',
          `${which}_batch_analyzer`,
        ].toSorted(),
      )
    })
  })

  describe('batch_processing_products_csv', () => {
    const handlers = {
      CsvAnalyzerHandler: rows.analyse,
      CsvBatchProcessorHandler: rows.process,
      CsvResultsAggregatorHandler: rows.aggregate,
    }

    it.each([
      [1_000, ['001', '002', '003', '004', '005']],
      [450, ['001', '002', '003']],
      [0, ['000']],
    ])('adds up %i rows', async (count, workers) => {
      const folder = mkdtempSync(join(tmpdir(), 'troupe-goods-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const { text, value } = goods(count)
      const file = join(folder, 'products.csv')
      writeFileSync(file, text)
      const { output, steps } = await perform('batch_processing_products_csv', handlers, {
        csv_file_path: file,
        analysis_mode: 'inventory',
      })
      expect(output).toEqual({
        aggregate_csv_results: { rows: count, value, workers: count === 0 ? 0 : workers.length },
      })
      const names = workers.map((number) => `process_csv_batch_${number}`)
      expect(Object.keys(steps)).toEqual(['aggregate_csv_results', 'analyze_csv', ...names])
    })
  })

  describe('domain_event_publishing', () => {
    const handlers = {
      ValidateOrderHandler: told.validate,
      ProcessPaymentHandler: told.pay,
      UpdateInventoryHandler: told.update,
      SendNotificationHandler: told.notify,
    }
    const input = { order_id: '0197f3a2-5c1e-7000-8000-000000000000', customer_id: 'ann', amount: 12 }

    it('is done to its end, and tells of each step', async () => {
      const text = { text: textOf('domain_event_publishing'), environment: 'test', events: 4 }
      const { output, steps, events } = await performed(text, handlers, input)
      expect(output).toEqual({
        domain_events_send_notification: { notification_id: 'n-1', channel: 'email', recipient: 'ann' },
      })
      expect(Object.keys(steps)).toHaveLength(4)
      expect(events).toEqual(
        [
          ['inventory.updated', 'domain_events_update_inventory'],
          ['notification.sent', 'domain_events_send_notification'],
          ['order.validated', 'domain_events_validate_order'],
          ['payment.processed', 'domain_events_process_payment'],
        ].map(([event, step = '']) => ({ event, step, payload: steps[step] })),
      )
    })

    it('ends where the payment fails', async () => {
      const { state, message, steps, failed } = await perform('domain_event_publishing', handlers, {
        ...input,
        simulate_failure: true,
      })
      expect([state, message]).toEqual(['failed', 'The payment failed'])
      expect([Object.keys(steps), failed]).toEqual([
        ['domain_events_validate_order'],
        ['domain_events_process_payment'],
      ])
    })
  })
})
