import { describe, expect, it } from 'vitest'
import { backoffMs, type Backoff } from '../../lib/backoff.ts'
import { retryPolicy } from '../../model/retry.ts'
import { checkTemplate, loadTemplate } from '../template.ts'

const whole = `
---
name: invoice_import
namespace_name: billing
version: "2.1.0"
description: Imports invoices
metadata:
  author: ann
  tags: [namespace:billing]
  documentation_url:
system_dependencies:
  primary: default
  secondary: []
domain_events:
  - { name: invoice.imported, description: one, schema: { type: object } }
input_schema:
  $schema: http://json-schema.org/draft-07/schema#
  type: object
  required: [file]
  properties:
    file: { type: string, format: uri-reference }
identity_strategy: caller_provided
lifecycle:
  max_duration_minutes: 1440
  max_waiting_for_retry_minutes: 30
  staleness_action: error
  auto_fail_on_timeout: true
steps:
  - name: open
    type: standard
    handler:
      callable: Billing::OpenHandler
      method: open
      resolver: ruby
      initialization:
        strict: true
        modes: { a: 1, b: 2 }
        text: "\${{ not an expression }}"
    system_dependency:
    dependencies: []
    retry:
      retryable: true
      max_attempts: 5
      backoff: linear
      backoff_base_ms: 200
      max_backoff_ms: 9000
    timeout_seconds: 45
    publishes_events: []
  - name: route
    step_type: decision
    depends_on: [open]
    handler: { callable: Billing::Route, initialization: }
    retry:
  - name: plan
    type: batchable
    dependencies: [route, route]
    handler: { callable: Billing::Plan }
    retry: { retryable: false, max_attempts: 9 }
  - name: work
    type: batch_worker
    dependencies: [plan]
    handler: { callable: Billing::Work }
    batch_config:
      batch_size: 200
      parallelism: 5
      cursor_field: row
      worker_template: work
      failure_strategy: isolate_failed
      checkpoint_interval: 50
    result_schema: { type: object }
  - name: close
    type: deferred_convergence
    dependencies: [work]
    handler: { callable: Billing::Close }
    publishes_events:
      - { name: invoice.imported, condition: always, delivery_mode: broadcast, publisher: Billing::Publisher }
      - { name: invoice.closed, schema: { type: object } }
environments:
  test:
    steps:
      - name: ALL
        timeout_seconds: 5
      - name: open
        timeout_seconds: 2
        retry: { max_attempts: 1 }
        handler: { initialization: { modes: { c: 3 }, fast: true } }
  development:
    steps:
      - { name: close, handler: { initialization: { debug: true } } }
`

describe("a template of Tasker's form", () => {
  it('means what it says', () => {
    const { template, warnings } = loadTemplate(whole, { file: 'invoice.yaml' })
    expect(warnings).toEqual([])
    expect(template).toMatchObject({
      name: 'invoice_import',
      namespace: 'billing',
      version: '2.1.0',
      identity: 'caller_provided',
      failure: 'fail_fast',
      environments: ['test', 'development'],
      metadata: { author: 'ann', tags: ['namespace:billing'] },
      input: { required: ['file'] },
      lifecycle: {
        maxDurationMs: 86_400_000,
        maxWaitingForDependenciesMs: undefined,
        maxWaitingForRetryMs: 1_800_000,
        stalenessAction: 'error',
        autoFailOnTimeout: true,
        autoDlqOnTimeout: false,
      },
    })
    const [open, route, plan, work, close] = template.steps
    expect(open).toMatchObject({
      name: 'open',
      role: 'standard',
      work: { kind: 'worker', uses: 'Billing::OpenHandler', method: 'open', resolver: 'ruby' },
      needs: [],
      with: undefined,
      config: { strict: true, modes: { a: 1, b: 2 }, text: '${{ not an expression }}' },
      retry: { attempts: 5, backoff: 'linear', base: 200, max: 9_000 },
      timeout: { attemptMs: 45_000, queueMs: undefined, totalMs: undefined },
    })
    expect(route).toMatchObject({ role: 'decision', needs: ['open'], config: {}, retry: { attempts: 1 } })
    expect(plan).toMatchObject({
      role: 'batchable',
      needs: ['route'],
      retry: { attempts: 1, backoff: 'exponential', base: 1_000, max: 30_000 },
    })
    expect(work).toMatchObject({
      role: 'batch_worker',
      batch: {
        size: 200,
        parallelism: 5,
        cursorField: 'row',
        worker: 'work',
        failureStrategy: 'isolate',
        checkpointInterval: 50,
      },
      result: { type: 'object' },
      retry: { attempts: 3 },
    })
    expect(close?.publishes).toEqual([
      {
        event: 'invoice.imported',
        condition: 'always',
        mode: 'broadcast',
        payload: undefined,
        publisher: 'Billing::Publisher',
        schema: { type: 'object' },
      },
      {
        event: 'invoice.closed',
        condition: 'success',
        mode: 'durable',
        payload: undefined,
        publisher: undefined,
        schema: { type: 'object' },
      },
    ])
  })

  it('is otherwise in an environment: what is said of all steps first', () => {
    const { template } = loadTemplate(whole, { environment: 'test' })
    const [open, route] = template.steps
    expect(open).toMatchObject({
      timeout: { attemptMs: 2_000 },
      retry: { attempts: 1, backoff: 'exponential', base: 1_000, max: 30_000 },
      config: { strict: true, fast: true, modes: { c: 3 } },
      work: { uses: 'Billing::OpenHandler', method: 'open' },
    })
    expect(route?.timeout.attemptMs).toBe(5_000)
    expect(template.steps[4]?.config).toEqual({})
    expect(loadTemplate(whole, { environment: 'development' }).template.steps[4]?.config).toEqual({ debug: true })
    expect(loadTemplate(whole, { environment: 'elsewhere' }).template.hash).toBe(loadTemplate(whole).template.hash)
    expect(template.hash).not.toBe(loadTemplate(whole).template.hash)
  })

  it('is the same as its native form, with the same hash', () => {
    const { template } = loadTemplate(whole)
    const again = loadTemplate(JSON.stringify(template.form)).template
    expect(again.hash).toBe(template.hash)
    expect(again.steps.map(({ name, role, needs, retry }) => ({ name, role, needs, retry }))).toEqual(
      template.steps.map(({ name, role, needs, retry }) => ({ name, role, needs, retry })),
    )
  })

  const head = 'name: n\nnamespace_name: s\nversion: 1.0.0\n'
  const step = (more: string): string => `${head}steps:\n  - name: a\n    handler: { callable: X }\n${more}`

  it.each<[string, string, number]>([
    [step('    retry: { max_attempts: 0 }'), "'max_attempts: 0' means the first attempt", 7],
    [step('    retry: { limit: 4 }'), "'limit' is taken for 'max_attempts'.", 7],
    [step('    retry: { backoff_multiplier: 2 }'), "'backoff_multiplier' is not known here.", 7],
    [step('    type: deferred\n    dependencies: []'), "'deferred' is taken for 'deferred_convergence'.", 7],
    [step('    dependencies: []\n    depends_on: [a]'), "'depends_on' has no effect beside 'dependencies'.", 8],
    [step('    system_dependency: primary'), "'system_dependency' has no effect", 7],
    [step('    composition: { grammar: x }'), "'composition' has no effect", 7],
    [step('    timeout: 5'), "'timeout' is not known here. Did you mean 'timeout_seconds'", 7],
    [`${step('')}task_handler: { callable: X }`, "'task_handler' has no effect", 7],
    [`${step('')}system_dependencies: { primary: stripe }`, "'system_dependencies' has no effect", 7],
    [
      step('environments: { test: { steps: [{ name: b }] } }'),
      "An environment says something of step 'b', which there is not.",
      7,
    ],
    [`${step('')}custom: 1`, "'custom' is not known here.", 7],
    [`${step('')}input_schema: { type: nothing }`, "'input_schema' is no JSON Schema, so inputs are not checked", 7],
  ])('warns of what has no effect: %j', (text, message, line) => {
    const { warnings } = loadTemplate(text)
    expect(warnings).toMatchObject([{ line, severity: 'warning', message: expect.stringContaining(message) as string }])
  })

  it('C8: has the retry of each step as it says, and the cap', () => {
    const { template } = loadTemplate(
      step('    retry: { backoff: fibonacci, backoff_base_ms: 20, max_backoff_ms: 70 }'),
    )
    const policy = retryPolicy(template.steps[0]?.retry, 1)
    expect(policy.attempts).toBe(3)
    const waits = [1, 2, 3, 4, 5].map((failed) => backoffMs(policy.backoff as Backoff, failed, () => 0.5))
    expect(waits).toEqual([20, 20, 40, 60, 70])
    expect(backoffMs(policy.backoff as Backoff, 9, () => 0.999)).toBe(70)
  })

  it('C9: has the timeout of each step as its own', () => {
    const steps = [0.5, 7].map(
      (seconds) => `  - { name: s${seconds}, handler: { callable: X }, timeout_seconds: ${seconds} }`,
    )
    const { template } = loadTemplate(`${head}steps:\n${steps.join('\n')}`)
    expect(template.steps.map(({ timeout }) => timeout.attemptMs)).toEqual([500, 7_000])
  })

  it('C11: is checked when it is loaded: circles, versions, steps that are not there', () => {
    const text = `name: n\nnamespace_name: s\nversion: latest\nsteps:\n  - { name: a, dependencies: [b, nowhere], handler: { callable: X } }\n  - { name: b, depends_on: [a], handler: { callable: X } }\n`
    expect(checkTemplate(text).map(({ line, message }) => `${line}: ${message}`)).toEqual([
      '3: \'version\' is "latest": expected three numbers, as in 1.0.0.',
      '5: The steps stand in a circle: a → b → a. None of them could ever begin.',
      "5: Step 'a' needs 'nowhere', which is no step.",
    ])
  })

  it('reads max_attempts: 0 as the first attempt and no other', () => {
    expect(loadTemplate(step('    retry: { max_attempts: 0 }')).template.steps[0]?.retry?.attempts).toBe(1)
  })

  it.each<[string, string, number]>([
    [`${head}steps:\n  - name: a\n    dependencies: []`, "'handler' is missing.", 5],
    [step('    dependencies: [b]'), "Step 'a' needs 'b', which is no step.", 7],
    [step('    type: decision'), 'A decision depends on at least one step.', 5],
    [step('    timeout_seconds: -5'), "'timeout_seconds' is -5", 7],
    [step('    retry: { max_attempts: -1 }'), "'max_attempts' is -1", 7],
    [step('    retry: { backoff: quadratic }'), '\'backoff\' is "quadratic"', 7],
    [step('    publishes_events: [{ name: done }]'), "'done' is no name of an event", 7],
    [step('    publishes_events: [{ name: Order.Done }]'), "'Order.Done' is no name of an event", 7],
    [step('    publishes_events: [{ name: a..b }]'), "'a..b' is no name of an event", 7],
    [step('    batch_config: { worker_template: b }'), "are done by 'b', which is no step.", 7],
    [
      `${step('')}lifecycle: { max_duration_minutes: 43201 }`,
      "'max_duration_minutes' is 43201: expected a whole number from 1 to 43200",
      7,
    ],
    [step('').replace('1.0.0', '"1.0"'), '\'version\' is "1.0": expected three numbers', 3],
    [step('').replace('1.0.0', '1.0'), "'version' is 1", 3],
  ])('does not load with %j', (text, message, line) => {
    const problems = checkTemplate(text)
    expect(problems).toContainEqual(
      expect.objectContaining({ line, severity: 'error', message: expect.stringContaining(message) as string }),
    )
  })
})
