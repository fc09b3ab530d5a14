import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { TemplateError } from './load/problems.ts'
import type { LoadTemplateOptions } from './load/load.ts'
import type { Scope } from './model/template.ts'
import { checkTemplate, loadTemplate } from './template.ts'

const fulfilment = `
name: order_fulfillment
namespace: default
version: 1.0.0
input: { type: object, required: [order] }
failure: finish_independent
steps:
  - name: validate
    uses: validate_order
  - name: reserve
    uses: reserve_stock
    needs: [validate]
    forEach: \${{ input.order.items }}
    concurrency: 8
    retry: { attempts: 3, backoff: exponential, base: 1s, max: 30s }
    timeout: 30s
  - name: score
    needs: [validate]
    script: |
      return { risk: input.order.total > 1000 ? 'high' : 'low' }
  - name: approve
    wait: { message: approve, timeout: 2d }
    needs: [score]
    if: \${{ steps.score.risk == 'high' }}
  - name: ship
    uses: ship_order
    needs: [reserve, approve]
    when: none_failed
    with: { address: \${{ input.order.address }} }
output: \${{ steps.ship }}
`

const scope: Scope = {
  input: { order: { items: [1, 2], address: 'Hill 1' } },
  steps: { score: { risk: 'high' }, ship: { id: 7 }, reserve: 'r', other: 'o' },
  errors: {},
  config: {},
  run: { id: 'r', attempt: 1, correlationId: null },
}

describe('a template', () => {
  it('is what its text says', () => {
    const { template, warnings } = loadTemplate(fulfilment, { file: 'fulfil.yaml' })
    expect(warnings).toEqual([])
    expect(template).toMatchObject({
      name: 'order_fulfillment',
      namespace: 'default',
      version: '1.0.0',
      failure: 'finish_independent',
      input: { type: 'object', required: ['order'] },
      limiters: {},
      environments: [],
    })
    const [validate, reserve, score, approve, ship] = template.steps
    expect(validate).toEqual({
      name: 'validate',
      description: undefined,
      work: {
        kind: 'worker',
        uses: 'validate_order',
        method: undefined,
        resolver: undefined,
        place: { file: 'fulfil.yaml', line: 9, column: 11 },
      },
      role: 'standard',
      needs: [],
      when: 'all_succeeded',
      if: undefined,
      with: undefined,
      config: {},
      forEach: undefined,
      retry: undefined,
      timeout: { attemptMs: undefined, queueMs: undefined, totalMs: undefined },
      onError: 'fail',
      undo: undefined,
      limits: [],
      cache: undefined,
      priority: undefined,
      queue: undefined,
      batch: undefined,
      publishes: [],
      result: undefined,
    })
    expect(reserve).toMatchObject({
      needs: ['validate'],
      forEach: { concurrency: 8, key: undefined },
      retry: { attempts: 3, backoff: 'exponential', base: '1s', max: '30s' },
      timeout: { attemptMs: 30_000 },
    })
    expect(reserve?.forEach?.items.make(scope)).toEqual([1, 2])
    expect(score?.work).toEqual({
      kind: 'script',
      script: "return { risk: input.order.total > 1000 ? 'high' : 'low' }\n",
      limits: { timeoutMs: undefined, memoryBytes: undefined },
      place: { file: 'fulfil.yaml', line: 20 },
    })
    expect(approve?.work).toEqual({ kind: 'message', message: 'approve', key: undefined, timeoutMs: 172_800_000 })
    expect([approve?.if?.steps, approve?.if?.make(scope)]).toEqual([['score'], true])
    expect([ship?.when, ship?.with?.make(scope)]).toEqual(['none_failed', { address: 'Hill 1' }])
    expect([template.output?.steps, template.output?.make(scope)]).toEqual([['ship'], { id: 7 }])
  })

  it('is the same in JSON, and has the same hash, whatever the order of its keys', () => {
    const { template } = loadTemplate(fulfilment)
    const json = loadTemplate(JSON.stringify(template.form, null, 2)).template
    const reversed = loadTemplate(
      JSON.stringify(Object.fromEntries(Object.entries(template.form ?? {}).reverse())),
    ).template
    expect(template.hash).toMatch(/^[0-9a-f]{64}$/)
    expect([json.hash, reversed.hash]).toEqual([template.hash, template.hash])
    expect(loadTemplate(fulfilment.replace('30s', '31s')).template.hash).not.toBe(template.hash)
  })

  const step = (more: string): string =>
    `name: t\nsteps:\n  - name: a\n    uses: w\n  - name: b\n    needs: [a, a]\n${more}`
  const second = (more: string, options?: LoadTemplateOptions) => loadTemplate(step(more), options).template.steps[1]

  it('has each edge once', () => {
    expect(second('    uses: w')?.needs).toEqual(['a'])
    expect(loadTemplate(step('    uses: w').replace('[a, a]', 'a')).template.steps[1]?.needs).toEqual(['a'])
  })

  it.each<[string, object]>([
    ['uses: w\n    onError: continue', { onError: 'continue' }],
    [
      'uses: w\n    limits: [x, { name: y, key: "${{ input.order.address }}" }]\n    limit: x',
      { limits: [{ name: 'x' }, { name: 'y' }] },
    ],
    ['uses: w\n    cache: 10m', { cache: { ttlMs: 600_000, key: undefined } }],
    ['uses: w\n    queue: gpu\n    priority: -5', { queue: 'gpu', priority: -5 }],
    [
      'uses: w\n    timeout: { attempt: 1s, queue: 1m, total: 1h }',
      { timeout: { attemptMs: 1_000, queueMs: 60_000, totalMs: 3_600_000 } },
    ],
    ['uses: w\n    undo: unw', { undo: { uses: 'unw', with: undefined } }],
    ['wait: completion', { work: { kind: 'completion', timeoutMs: undefined } }],
    ['wait: { completion: true, timeout: 5m }', { work: { kind: 'completion', timeoutMs: 300_000 } }],
    ['wait: 90s', { work: { kind: 'time', forMs: 90_000, until: undefined } }],
    ['wait: { for: 1500 }', { work: { kind: 'time', forMs: 1_500 } }],
    [
      'script: { code: return 1, timeout: 2s, memory: 16MB }',
      { work: { kind: 'script', script: 'return 1', limits: { timeoutMs: 2_000, memoryBytes: 16_777_216 } } },
    ],
    ['uses: w\n    forEach: [1, 2]', { forEach: { concurrency: 10 } }],
    ['uses: w\n    if: false', {}],
  ])('may say of a step: %s', (more, expected) => {
    expect(second(`    ${more}`)).toMatchObject(expected)
  })

  it('makes keys, durations and dates of expressions', () => {
    const limited = second('    uses: w\n    limit: { name: y, key: "t-${{ input.order.address }}" }')
    expect(limited?.limits[0]?.key?.make(scope)).toBe('t-Hill 1')
    const wait = second('    wait: { for: "${{ 2 + 3 }}s" }')?.work
    expect(wait?.kind === 'time' && typeof wait.forMs === 'object' && wait.forMs.make(scope)).toBe(5_000)
    const until = second('    wait: { until: "2030-01-0${{ 1 }}" }')?.work
    expect(until?.kind === 'time' && until.until?.make(scope)).toBe('2030-01-01')
    expect(second('    uses: w\n    if: false')?.if?.make(scope)).toBe(false)
  })

  it('may take its own output where it has ended', () => {
    const after = second(
      '    uses: w\n    undo: { uses: u, with: "${{ steps.b.id }}" }\n    publishes: [{ event: b.done, payload: "${{ steps.b }}" }]',
    )
    const ended: Scope = { ...scope, steps: { b: { id: 3 } } }
    expect(after?.undo?.with?.make(ended)).toBe(3)
    expect(after?.publishes[0]?.payload?.make(ended)).toEqual({ id: 3 })
  })

  it('sees only the steps that are needed where it is not said which', () => {
    const made = second('    uses: w\n    with: "${{ keys(steps) }}"')?.with
    expect(made?.steps).toEqual(['a'])
    expect(made?.make({ ...scope, steps: { a: 1, other: 2 } })).toEqual(['a'])
  })

  it('warns of an expression in plain data', () => {
    const { template, warnings } = loadTemplate(step('    uses: w\n    config: { a: [{ b: "${{ input.x }}" }] }'))
    expect(template.steps[1]?.config).toEqual({ a: [{ b: '${{ input.x }}' }] })
    expect(warnings).toMatchObject([
      { line: 8, column: 24, severity: 'warning', message: expect.stringContaining("Put it into 'with'") as string },
    ])
  })

  it('warns of what is said of items where there are none', () => {
    const { warnings } = loadTemplate(step('    uses: w\n    concurrency: 3'))
    expect(warnings).toMatchObject([
      {
        line: 8,
        column: 5,
        severity: 'warning',
        message: "'concurrency' has no effect here: it is for steps with 'forEach'.",
      },
    ])
    expect(loadTemplate(step('    uses: w\n    forEach: [1]\n    concurrency: 3')).warnings).toEqual([])
  })

  it('may be called like what objects inherit', () => {
    const { template } = loadTemplate(
      'name: constructor\nsteps:\n  - { name: toString, uses: valueOf }\n  - { name: hasOwnProperty, uses: w, needs: [toString], with: "${{ steps.toString }}" }',
      { handlers: { valueOf: {}, w: {} } },
    )
    expect(template.steps[1]?.with?.make({ ...scope, steps: { toString: 5 } })).toBe(5)
    expect(template.steps[1]?.with?.make(scope)).toBe(null)
  })

  it('says otherwise in an environment', () => {
    const text = `${step('    uses: w\n    config: { a: 1 }')}\nenvironments:\n  test:\n    steps:\n      - { name: b, timeout: 1s, config: { b: 2 } }\n      - { name: ALL, retry: { attempts: 1 } }\n`
    expect(loadTemplate(text).template.steps[1]).toMatchObject({ config: { a: 1 }, retry: undefined })
    const { template } = loadTemplate(text, { environment: 'test' })
    expect(template.environments).toEqual(['test'])
    expect(template.steps[0]).toMatchObject({ retry: { attempts: 1 }, timeout: { attemptMs: undefined } })
    expect(template.steps[1]).toMatchObject({
      config: { a: 1, b: 2 },
      retry: { attempts: 1 },
      timeout: { attemptMs: 1_000 },
    })
  })
})

it.each([
  ['an if', '{ name: b, uses: t, if: input }'],
  ['a list', '{ name: b, uses: t, forEach: [] }'],
  ['a condition before it', '{ name: a, uses: w, if: input }\n  - { name: b, uses: t, needs: [a] }'],
  ['a decision', '{ name: a, uses: w, type: decision }\n  - { name: b, uses: t, needs: [a] }'],
  ['the failure of another', '{ name: a, uses: w, onError: { fallback: b } }\n  - { name: b, uses: t }'],
])('a template may start itself behind %s', (_what, steps) => {
  expect(checkTemplate(`name: t\nsteps:\n  - ${steps}\n`)).toEqual([])
})

describe('what is wrong', () => {
  const steps = (...more: readonly string[]): string =>
    `name: t\nsteps:\n${more.map((each) => `  - ${each}`).join('\n')}\n`

  it.each<[string, number, number, string]>([
    // C11: what a check of templates that always says yes lets pass; D8: circles, unknown names
    [
      steps('{ name: a, uses: w, needs: [c] }', '{ name: b, uses: w, needs: [a] }', '{ name: c, uses: w, needs: [b] }'),
      3,
      33,
      'The steps stand in a circle: a → b → c → a. None of them could ever begin.',
    ],
    [steps('{ name: a, uses: w, needs: [a] }'), 3, 33, 'a → a. It would wait for itself.'],
    [
      steps('{ name: a, uses: w, needs: [b, reserv] }', '{ name: reserve, uses: w }', '{ name: b, uses: w }'),
      3,
      36,
      "Step 'a' needs 'reserv', which is no step. Did you mean 'reserve'?",
    ],
    [steps('{ name: a, uses: w }', '{ name: a, uses: w }'), 4, 13, "Another step is named 'a'"],
    [
      steps(
        '{ name: d, uses: w, type: batchable }',
        '{ name: b, uses: w, type: batch_worker, needs: [d] }',
        '{ name: b_001, uses: w }',
      ),
      5,
      13,
      "A batch of step 'b' is named 'b_001'",
    ],
    [steps('{ name: a, use: w }'), 3, 16, "'use' is not known here. It is called 'uses' here."],
    [
      steps('{ name: a, uses: w, depends_on: [] }'),
      3,
      25,
      "'depends_on' is not known here. It is called 'needs' here.",
    ],
    [steps('{ name: a, uses: w, retyr: 1 }'), 3, 25, "'retyr' is not known here. Did you mean 'retry'"],
    [steps('{ name: a, uses: w, retries: 3 }'), 3, 25, "'retries' is not known here. It is called 'retry' here."],
    [
      steps('{ name: a, uses: w }', '{ name: b, type: batch_worker, needs: [a], uses: w }'),
      4,
      22,
      "Nothing says what the batches of step 'b' are: let it need a step of type 'batchable'.",
    ],
    [steps('{ name: a }'), 3, 13, "It does nothing: give it one of 'uses', 'script' and 'wait'."],
    [steps('{ name: a, uses: w, script: x }'), 3, 25, "A step does one thing: 'uses' or 'script'."],
    [steps('{ name: a, script: x, cache: 1h }'), 3, 27, "'cache' is for steps that use a worker, not beside 'script'."],
    [
      steps('{ name: a, wait: { message: m }, timeout: { queue: 5s } }'),
      3,
      49,
      "'timeout.queue' is for steps that use a worker, not beside 'wait'.",
    ],
    [steps('{ name: a, script: x, queue: q }'), 3, 27, "'queue' is for steps that use a worker"],
    [steps('{ name: a, uses: w, timeout: 5 minutes }'), 3, 34, '\'timeout\': "5 minutes" is not a duration'],
    [steps('{ name: a, uses: w, timeout: { totl: 5s } }'), 3, 36, "'totl' is not known here. Did you mean 'total'"],
    [steps('{ name: a, wait: 5 minutes }'), 3, 22, '\'wait\': "5 minutes" is not a duration'],
    [
      steps('{ name: a, wait: { message: m, for: 5s } }'),
      3,
      22,
      'A wait is for one of message, for, until, completion.',
    ],
    [steps('{ name: a, wait: { for: 5s, timeout: 1s } }'), 3, 33, "'timeout' has no meaning in a wait with 'for'."],
    [steps('{ name: a, script: { code: x, memory: lots } }'), 3, 43, "'memory' is bytes"],
    [steps('{ name: a, uses: w, retry: { attempts: 0 } }'), 3, 44, "'attempts' is 0: expected a whole number from 1."],
    [steps('{ name: a, uses: w, when: all_suceeded }'), 3, 31, 'expected one of all_succeeded'],
    [steps('{ name: a, uses: w, if: input.x = 1 }'), 3, 37, "Write '==' to compare."],
    [steps('{ name: a, uses: w, with: { x: ["a ${{ inptu.x }}"] } }'), 3, 44, "'inptu' is not known."],
    [steps('{ name: a, uses: w, with: ${{ input. }} }'), 3, 42, "A name comes after '.'"],
    [steps("{ name: a, uses: w, if: '${{ x' }"), 3, 30, "'${{' has no '}}' after it."],
    [
      steps('{ name: a, uses: w }', '{ name: b, uses: w, with: ${{ steps.a }} }'),
      4,
      35,
      "Step 'b' takes the output of 'a', which does not come before it: add 'a' to its 'needs'.",
    ],
    [
      steps('{ name: a, uses: w }', '{ name: b, uses: w, if: ${{ errors.aa.code }} }'),
      4,
      33,
      "There is no step 'aa'. Did you mean 'a'?",
    ],
    [steps('{ name: a, uses: w, with: ${{ steps.a }} }'), 3, 35, "Step 'a' takes its own output"],
    [
      steps('{ name: a, uses: w, with: ${{ item.x }} }'),
      3,
      35,
      "'item' and 'index' are there in a step with 'forEach', after",
    ],
    [
      steps('{ name: a, uses: w, with: ${{ output.x }} }'),
      3,
      35,
      "'output' is there in the 'with' of 'undo' and the 'payload' of 'publishes'",
    ],
    [`${steps('{ name: a, uses: w }')}output: { x: \${{ steps.b }} }`, 4, 18, "There is no step 'b'."],
    [steps('{ name: a, uses: w, onError: { fallback: b } }'), 3, 34, "The fallback of 'a' is 'b', which is no step."],
    [
      steps(
        '{ name: a, uses: w, onError: { fallback: b } }',
        '{ name: b, uses: w, needs: [c] }',
        '{ name: c, uses: w }',
      ),
      4,
      32,
      "'b' is started when 'a' fails, and by nothing else",
    ],
    [
      steps(
        '{ name: a, uses: w, onError: { fallback: b } }',
        '{ name: b, uses: w }',
        '{ name: c, uses: w, needs: [b] }',
      ),
      5,
      33,
      "'b' stands in for 'a' when that fails",
    ],
    [
      steps('{ name: a, uses: w, onError: { fallback: b } }', '{ name: b, uses: w, onError: { fallback: a } }'),
      3,
      5,
      'The steps stand in a circle',
    ],
    [
      steps('{ name: a, uses: w, result: { type: nothing } }'),
      3,
      41,
      "'result' is no JSON Schema: 'type': expected one of",
    ],
    [
      steps('{ name: a, uses: w }, { name: b, uses: t, needs: [a] }').replace('}, {', '}\n  - {'),
      4,
      22,
      'without end: t → t.',
    ],
    [steps('{ name: a, uses: w, result: { pattern: "(?=a)" } }'), 3, 33, 'the pattern (?=a) is none that takes a time'],
    [
      'name: t\ninput: { patternProperties: { "(a)\\\\1": true } }\nsteps: [{ name: a, uses: w }]',
      2,
      8,
      'is none that takes a time in proportion',
    ],
    ['name: t\ninput: { pattern: "x{1,2000}" }\nsteps: [{ name: a, uses: w }]', 2, 8, 'or count above 1,000'],
    [
      `${steps('{ name: a, uses: w }')}environments: { test: { steps: [{ name: aa }] } }`,
      4,
      41,
      "An environment says something of step 'aa', which there is not. Did you mean 'a'?",
    ],
    ['name: t\nsteps: []', 2, 8, 'A template has at least one step.'],
    ['name: t', 1, 1, "'steps' is missing."],
    ['steps: [{ name: a, uses: w }]', 1, 1, "'name' is missing."],
    [
      'name: t\nversion: 1.10\nsteps: [{ name: a, uses: w }]',
      2,
      10,
      "'version' is 1.1: expected a text: put a number in quotes.",
    ],
    [
      'name: t\ninput: { type: objekt }\nsteps: [{ name: a, uses: w }]',
      2,
      16,
      "'input' is no JSON Schema: 'type': expected one of object, ",
    ],
    [
      'name: t\ninput: { $ref: https://example.com/x.json }\nsteps: [{ name: a, uses: w }]',
      2,
      8,
      "'input' is no JSON Schema: it refers to 'https://example.com/x.json', where nothing is.",
    ],
    ['name: t\nlimits: { x: { rate: { limit: 5 } } }\nsteps: [{ name: a, uses: w }]', 2, 22, "'per' is missing."],
    ['- a', 1, 1, 'A template is an object with name and steps; this is a list.'],
    ['', 1, 1, 'A template is an object with name and steps; this is null.'],
    ['name: t\nsteps: { a: 1 }', 2, 8, "'steps' is an object: expected a list."],
    ['name: t\nsteps: [1, null, { uses: w }]', 2, 9, 'Item 1 is 1: expected an object'],
    [steps('{ name: __proto__, uses: w }'), 3, 13, '\'name\' is "__proto__": expected'],
  ])('in %j is told with its place', (text, line, column, message) => {
    const problems = checkTemplate(text)
    expect(problems).toContainEqual({
      file: 'template.yaml',
      line,
      column,
      severity: 'error',
      message: expect.stringContaining(message) as string,
    })
  })

  it('tells once of a batch worker whose batches may be meant by what is mistaken', () => {
    const text = steps(
      '{ name: a, type: batchible, uses: w }',
      '{ name: b, type: batch_worker, needs: [a], uses: w }',
      '{ name: c, type: batch_worker, needs: [d], uses: w }',
    )
    expect(checkTemplate(text).map(({ line, message }) => `${line} ${message.split(/[.:]/)[0]}`)).toEqual([
      `3 'type' is "batchible"`,
      "5 Step 'c' needs 'd', which is no step",
    ])
  })

  it('is told all at once', () => {
    const text = steps(
      '{ name: a, uses: w, needs: [nobody], timeout: soon }',
      '{ name: a, if: "1 +", uses: w }',
      '{ name: c, needs: [d], script: x }',
      '{ name: d, needs: [c], wait: 1h, timeout: { attempt: -1 } }',
    )
    expect(checkTemplate(text).map(({ line, message }) => `${line} ${message.split(/[.:]/)[0]}`)).toEqual([
      "3 Step 'a' needs 'nobody', which is no step",
      "3 'timeout'",
      "4 Another step is named 'a'",
      '4 A value is missing here, before the end',
      '5 The steps stand in a circle',
      "6 'attempt'",
    ])
  })

  it('is told once where nobody catches the error', () => {
    const text = 'name: t\nsteps:\n  - { name: a, uses: w, needs: [b] }\n  - { name: c, uses: w, timeout: soon }\n'
    const error = thrownBy(text)
    expect(error.problems.map(({ line, column }) => [line, column])).toEqual([
      [3, 33],
      [4, 34],
    ])
    const printed = inspect(error)
    for (const { message } of error.problems) expect(printed.split(message)).toHaveLength(2)
    expect(printed).toContain(
      '    4 |   - { name: c, uses: w, timeout: soon }\n      |                                  ^\n',
    )
  })

  it('reads well in a terminal', () => {
    const text = 'name: t\nsteps:\n  - name: ship\n    uses: w\n\tneeds: [reserv]\n'
    const wrong = 'name: t\nsteps:\n  - name: ship\n    uses: w\n    needs: [reserv]\n  - name: reserve\n    use: w\n'
    expect(() => loadTemplate(text, { file: 'a.yaml' })).toThrow(
      /^Template a\.yaml does not load: it has one error\.\n\na\.yaml:5:/,
    )
    const error = thrownBy(wrong, 'orders.yaml')
    expect(error.code).toBe('template_invalid')
    expect(error.problems).toHaveLength(2)
    expect(error.message).toBe(
      [
        'Template orders.yaml does not load: it has 2 errors.',
        '',
        "orders.yaml:5:13: error: Step 'ship' needs 'reserv', which is no step. Did you mean 'reserve'?",
        '    5 |     needs: [reserv]',
        '      |             ^',
        '',
        "orders.yaml:7:5: error: 'use' is not known here. It is called 'uses' here.",
        '    7 |     use: w',
        '      |     ^',
      ].join('\n'),
    )
  })
})

function thrownBy(text: string, file = 'a.yaml'): TemplateError {
  try {
    loadTemplate(text, { file })
  } catch (error) {
    expect(error).toBeInstanceOf(TemplateError)
    return error as TemplateError
  }
  throw new Error('It loads')
}

it('what is wrong with long texts is told in short', () => {
  const long = 'x'.repeat(1_000_000)
  const text = JSON.stringify({
    name: long,
    version: long,
    [long]: 1,
    steps: [
      { name: 'a', uses: long, needs: [long], timeout: long, type: long, if: `\${{ ${long} }}`, with: `\${{ '${long}` },
    ],
  })
  const problems = checkTemplate(text)
  expect(problems.length).toBeGreaterThan(6)
  for (const { message } of problems) expect(message.length).toBeLessThanOrEqual(1_000)
  expect(() => loadTemplate(text)).toThrow(/^.{1,20000}$/s)
})

describe('the handlers of steps', () => {
  const handlers = {
    charge: {
      input: {
        type: 'object',
        required: ['amount', 'card'],
        properties: {
          amount: { type: 'number', minimum: 1 },
          card: { $ref: '#/$defs/card' },
          tags: { type: 'array', items: { type: 'string' } },
          way: { enum: ['fast', 'slow'] },
          either: { anyOf: [{ required: ['id'], properties: { id: { type: 'string' } } }, { type: 'number' }] },
        },
        additionalProperties: false,
        $defs: { card: { type: 'object', required: ['number'], properties: { number: { type: 'string' } } } },
      },
      output: { type: 'object', properties: { id: { type: 'string' }, fee: { type: 'integer' }, any: {} } },
    },
    free: {},
  }
  const input = '{ type: object, properties: { total: { type: integer }, name: { type: string } } }'
  const problemsOf = (given: string, more = ''): string[] =>
    checkTemplate(
      `name: t\ninput: ${input}\nsteps:\n  - { name: first, uses: charge }\n  - name: b\n    uses: charge\n    needs: first\n${more}    with: ${given}\n`,
      { handlers },
    ).map(({ line, message }) => `${line}: ${message}`)

  it.each([
    '{ amount: 5, card: { number: "4" }, tags: [a], way: fast }',
    '{ amount: ${{ input.total }}, card: ${{ input.card }}, tags: ["n ${{ input.total }}"] }',
    '{ amount: ${{ steps.first.fee }}, card: { number: ${{ steps.first.id }} } }',
    '{ amount: ${{ steps.first.any }}, card: ${{ default(steps.first.any, 1) }} }',
    '${{ steps.first }}',
    '${{ input }}',
    '{ amount: 5, card: { number: "4" }, either: { id: ${{ input.name }} } }',
  ])('take %s', (given) => {
    expect(problemsOf(given)).toEqual([])
  })

  it.each([
    [
      '{ amount: "5", card: { number: "4" } }',
      "8: Worker 'charge' does not take this: 'amount': expected a number, not \"5\".",
    ],
    [
      '{ amount: 0, card: { number: "4" } }',
      "8: Worker 'charge' does not take this: 'amount': expected 1 or more, not 0.",
    ],
    ['{ amount: 5 }', "8: Worker 'charge' does not take this: 'card' is missing."],
    [
      '{ amount: 5, card: { number: "4" }, color: 1 }',
      "8: Worker 'charge' does not take this: 'color' is not known here.",
    ],
    [
      '{ amount: 5, card: { number: "4" }, way: never }',
      "8: Worker 'charge' does not take this: 'way': expected one of fast, slow, not \"never\".",
    ],
    [
      '{ amount: ${{ input.name }}, card: { number: "4" } }',
      "8: Worker 'charge' does not take this: 'amount' is a text, and it takes a number.",
    ],
    [
      '{ amount: "${{ input.total }} euro", card: { number: "4" } }',
      "8: Worker 'charge' does not take this: 'amount' is a text, and it takes a number.",
    ],
    [
      '{ amount: 5, card: { number: ${{ steps.first.fee }} } }',
      "8: Worker 'charge' does not take this: 'card.number' is a whole number, and it takes a text.",
    ],
    [
      '{ amount: 5, card: ${{ [1] }} }',
      "8: Worker 'charge' does not take this: 'card' is a list, and it takes an object.",
    ],
    [
      '{ amount: ${{ input.total > 5 }}, card: { number: "4" } }',
      "8: Worker 'charge' does not take this: 'amount' is true or false, and it takes a number.",
    ],
    ['{ amount: ${{ input.total }} }', "8: Worker 'charge' does not take this: 'card' is missing."],
    ['[1]', "8: Worker 'charge' does not take this: 'with': expected an object, not a list."],
  ])('do not take %s', (given, problem) => {
    expect(problemsOf(given)).toContainEqual(problem)
  })

  it('are known, or said to be unknown', () => {
    const text = 'name: t\nsteps:\n  - { name: a, uses: chrage, undo: fre }\n'
    expect(checkTemplate(text, { handlers }).map(({ column, message }) => [column, message])).toEqual([
      [22, "Step 'a' uses 'chrage', which is no worker, workflow or template here. Did you mean 'charge'?"],
      [36, "Step 'a' uses 'fre', which is no worker, workflow or template here. Did you mean 'free'?"],
    ])
    expect(checkTemplate(text, { handlers, allowUnknownHandlers: true })).toEqual([])
    expect(checkTemplate(text)).toEqual([])
  })
})

describe('a large template', () => {
  const most = 10_000
  const step = (index: number): object => ({
    name: `step_${index}`,
    uses: 'work',
    ...(index > 0 && { needs: [`step_${index - 1}`] }),
    with: { before: index > 0 ? `\${{ steps.step_${Math.floor(index / 2)}.out }}` : null },
    retry: { attempts: 3, backoff: 'exponential', base: '1s' },
  })
  const form = { name: 'large', steps: Array.from({ length: most }, (_, index) => step(index)) }

  it('loads, also as one chain with outputs taken from far before', () => {
    const { template } = loadTemplate(JSON.stringify(form))
    expect(template.steps).toHaveLength(most)
    expect(template.steps.at(-1)?.with?.steps).toEqual(['step_4999'])
  })

  it('tells of a circle through all of it, and of thousands of mistakes', () => {
    const [first, ...rest] = form.steps
    const circle = { ...form, steps: [{ ...first, needs: ['step_9999'] }, ...rest] }
    expect(checkTemplate(JSON.stringify(circle))[0]?.message).toMatch(
      /^The steps stand in a circle: step_0 → step_1 → .* 9988 more .* → step_9999 → step_0\./,
    )
    const wrong = { ...form, steps: form.steps.map((each, index) => ({ ...each, nedds: 1, needs: [`stpe_${index}`] })) }
    expect(checkTemplate(JSON.stringify(wrong))).toHaveLength(1_000)
  })

  it('has at most 50,000 steps and 1,000,000 edges', () => {
    const many = { name: 't', steps: Array.from({ length: 50_001 }, () => ({})) }
    expect(checkTemplate(JSON.stringify(many)).map(({ message }) => message)).toEqual([
      'A template has at most 50,000 steps; here are 50,001.',
    ])
    const names = Array.from({ length: 1_500 }, (_, index) => `s${index}`)
    const dense = { name: 't', steps: names.map((name, index) => ({ name, uses: 'w', needs: names.slice(0, index) })) }
    expect(checkTemplate(JSON.stringify(dense))[0]?.message).toBe(
      'The steps need each other 1,124,250 times: at most 1,000,000 are allowed.',
    )
  })
})
