// What the ends of steps publish: once, in the commit that records them, whatever becomes of the process.
import { describe, expect, it } from 'vitest'
import {
  loadTemplate,
  PermanentError,
  template,
  worker,
  workflow,
  type Definition,
  type EventInfo,
  type TemplateBuilder,
} from '../../src/index.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, onStage, rejection, turns, type Stage } from '../engine/stage.ts'
import { dyingStore, kept, type Moment } from '../workflow/dying-store.ts'

const echo = worker('echo', {}, (_ctx, input: unknown) => input as string)
const failing = worker('failing', {}, (): string => {
  throw new PermanentError('no')
})
const flaky = worker('flaky', { retry: { attempts: 3, base: 1, jitter: 0 } }, (ctx, input: unknown): string => {
  if (ctx.attempt < 3) throw new Error(`not yet ${ctx.attempt}`)
  return input as string
})
const hopeless = worker('hopeless', { retry: { attempts: 2, base: 1, jitter: 0 } }, (ctx): string => {
  throw new Error(`never ${ctx.attempt}`)
})
const workers = [echo, failing, flaky, hopeless]

const conditions = ['success', 'failure', 'retryable_failure', 'permanent_failure', 'always'] as const
const all = conditions.map((condition) => ({ event: `a.${condition}`, condition }))

interface Heard {
  readonly name: string
  readonly payload: unknown
  readonly info: EventInfo
}

interface Played {
  readonly heard: Heard[]
  readonly stage: Stage
  readonly id: string
}

/** Performs a run to its end, and tells what was heard of it. */
async function played(
  definition: Definition<never>,
  { events, input = {}, call = {} }: { events: number; input?: unknown; call?: object },
): Promise<Played> {
  const stage = await onStage({ definitions: [...workers, definition] })
  const heard: Heard[] = []
  await stage.troupe.subscribe('*', (payload, info) => void heard.push({ name: info.name, payload, info }))
  const run = await stage.troupe.call(definition, input as never, call)
  await moving(stage.clock, run.result()).catch(() => undefined)
  await moving(
    stage.clock,
    eventually(() => heard.filter(({ name }) => !name.startsWith('run.')).length >= events),
  )
  await moving(stage.clock, turns())
  return { heard: heard.filter(({ name }) => !name.startsWith('run.')), stage, id: run.id }
}

function built(build: (t: TemplateBuilder<unknown>) => unknown): Definition<never> {
  return template('order', {}, build as (t: TemplateBuilder<unknown>) => void) as Definition<never>
}

const namesOf = ({ heard }: Played): string[] => heard.map(({ name }) => name).toSorted()

describe('C6: the end of a step publishes by its condition:', () => {
  it.each([
    ['one that succeeds', echo, ['a.always', 'a.success']],
    ['one that fails for good', failing, ['a.always', 'a.failure', 'a.permanent_failure']],
    [
      'one that succeeds after two attempts',
      flaky,
      ['a.always', 'a.retryable_failure', 'a.retryable_failure', 'a.success'],
    ],
    [
      'one whose attempts are used up',
      hopeless,
      ['a.always', 'a.failure', 'a.permanent_failure', 'a.retryable_failure'],
    ],
  ])('%s', async (_what, uses, expected) => {
    const order = built((t) => t.step('a', uses as typeof echo, { with: () => 'x', publishes: all }))
    const names = namesOf(await played(order, { events: expected.length }))
    expect(names).toEqual(expected)
  })

  it('nothing of one that is skipped', async () => {
    const order = built((t) => {
      t.step('a', echo, { if: () => false, with: () => 'x', publishes: all })
      t.step('b', echo, { with: () => 'x', publishes: [{ event: 'b.done' }] })
    })
    expect(namesOf(await played(order, { events: 1 }))).toEqual(['b.done'])
  })

  it('also of one that fails before it begins, and of one that goes on after its failure', async () => {
    const order = built((t) => {
      const a = t.step('a', failing, { onError: 'continue', publishes: [{ event: 'a.failed', condition: 'failure' }] })
      t.step('b', echo, {
        needs: [a],
        if: () => {
          throw new Error('what?')
        },
        with: () => 'x',
        publishes: [{ event: 'b.failed', condition: 'failure' }],
      })
    })
    const { heard } = await played(order, { events: 2 })
    expect(heard.map(({ name, payload }) => [name, payload])).toEqual([
      ['a.failed', { name: 'PermanentError', message: 'no', code: 'permanent' }],
      ['b.failed', { name: 'Error', message: 'what?', code: null }],
    ])
  })
})

describe('C7: each event of a step has its own condition, mode and payload', () => {
  it('as the template says', async () => {
    const text = `
name: order
namespace: shop
steps:
  - name: charge
    uses: echo
    with: { id: 7, by: \${{ input.by }} }
    publishes:
      - { event: order.paid, payload: { id: '\${{ steps.charge.id }}' } }
      - { event: order.seen, condition: always, mode: fast }
      - { event: order.told, mode: broadcast, payload: 'by \${{ steps.charge.by }}' }
      - { event: order.failed, condition: failure }
`
    const { heard } = await played(template(loadTemplate(text).template) as Definition<never>, {
      events: 3,
      input: { by: 'ann' },
    })
    expect(heard.map(({ name, payload }) => [name, payload]).toSorted()).toEqual([
      ['order.paid', { id: 7 }],
      ['order.seen', { id: 7, by: 'ann' }],
      ['order.told', 'by ann'],
    ])
  })

  it('refuses names and conditions that cannot be', () => {
    const wrong = (publishes: object) => () => built((t) => t.step('a', echo, { publishes: [publishes as never] }))
    expect(wrong({ event: 'a.*' })).toThrow('without *')
    expect(wrong({ event: 'a', condition: 'sucess' })).toThrow('condition in publishes of step')
    expect(wrong({ evnt: 'a' })).toThrow("Option 'evnt' of publishes of step 'a'")
    const loaded = 'name: a\nsteps:\n  - { name: s, uses: echo, publishes: [{ event: order.* }] }\n'
    expect(() => loadTemplate(loaded)).toThrow('without *')
  })
})

describe('C2: what hears an event knows the run it comes from', () => {
  it('by its own correlation id, in templates and in workflows', async () => {
    const text = `
name: order
namespace: shop
steps:
  - { name: charge, uses: flaky, with: x, publishes: [{ event: paid }, { event: late, condition: retryable_failure }] }
`
    const order = template(loadTemplate(text).template) as Definition<never>
    const { heard, id } = await played(order, { events: 3, call: { correlationId: 'request-7' } })
    const from = { runId: id, correlationId: 'request-7', definition: 'shop/order', namespace: 'shop', step: 'charge' }
    expect(heard.map(({ name, info }) => [name, info.stepAttempt])).toEqual([
      ['late', 1],
      ['late', 2],
      ['paid', 3],
    ])
    for (const { info } of heard) expect(info).toMatchObject({ ...from, attempt: 1 })

    const flow = workflow('flow', {}, (ctx) => ctx.publish('said', 1)) as Definition<never>
    const said = await played(flow, { events: 1, call: { correlationId: 'request-8' } })
    expect(said.heard[0]?.info).toMatchObject({ runId: said.id, correlationId: 'request-8', definition: 'flow' })
  })
})

describe('a payload that cannot be published', () => {
  it('neither fails the step nor keeps its other events, and is logged and counted', async () => {
    const order = built((t) =>
      t.step('a', echo, {
        with: () => 'x',
        publishes: [
          { event: 'misfit', schema: { type: 'object' } },
          {
            event: 'thrown',
            payload: () => {
              throw new Error('oh')
            },
          },
          { event: 'large', payload: () => 'x'.repeat(300_000) },
          { event: 'fits', schema: { type: 'string' } },
        ],
      }),
    )
    const { heard, stage, id } = await played(order, { events: 1 })
    expect(heard.map(({ name }) => name)).toEqual(['fits'])
    expect((await stage.troupe.get(id))?.state).toBe('succeeded')
    expect((await stage.troupe.status()).events).toMatchObject({ dropped: 3 })
    const told = stage.log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
    expect(told).toEqual(['misfit', 'thrown', 'large'].map((name) => `event '${name}' is not published`))
  })
})

describe('a step of many pieces', () => {
  it('publishes once, with all its outputs, and each attempt that is followed by another', async () => {
    const order = built((t) =>
      t.step('pack', flaky, { forEach: () => ['x', 'y'], with: ({ item }) => item as never, publishes: all }),
    )
    const { heard } = await played(order, { events: 6 })
    expect(heard.map(({ name }) => name).toSorted()).toEqual([
      'a.always',
      ...Array.from({ length: 4 }, () => 'a.retryable_failure'),
      'a.success',
    ])
    expect(heard.find(({ name }) => name === 'a.success')?.payload).toEqual(['x', 'y'])
  })
})

describe('a step that is a run of its own', () => {
  it('publishes with the end of that', async () => {
    const order = built((t) => {
      t.step('a', echo, { priority: 1, with: () => 'x', publishes: all })
      t.step('b', failing, { priority: 1, onError: 'continue', publishes: [{ event: 'b', condition: 'failure' }] })
    })
    expect(namesOf(await played(order, { events: 3 }))).toEqual(['a.always', 'a.success', 'b'])
  })
})

describe('a decision that chooses what it may not', () => {
  const decided = (decision: string): Definition<never> =>
    template(
      loadTemplate(`
name: order
steps:
  - name: a
    type: decision
    onError: continue
${decision}
    publishes:
${all.map(({ event, condition }) => `      - { event: ${event}, condition: ${condition} }`).join('\n')}
  - { name: b, needs: [a], uses: echo, with: 1 }
`).template,
    ) as Definition<never>

  it.each([
    ['a run of its own', '    uses: echo\n    with: elsewhere\n    priority: 1'],
    ['a step of the run', '    uses: echo\n    with: elsewhere'],
    ['what a message brought', '    wait: { message: go, timeout: 20s }'],
    ['a list of pieces', '    uses: echo\n    with: elsewhere\n    forEach: [1]'],
  ])('publishes that it has failed, and nothing else: %s', async (_what, decision) => {
    const { heard } = await played(decided(decision), { events: 3 })
    expect(heard.map(({ name }) => name).toSorted()).toEqual(['a.always', 'a.failure', 'a.permanent_failure'])
    expect(heard.map(({ payload }) => payload)).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ code: 'decision_invalid' })),
    )
  })

  it('publishes nothing where a person recorded it', async () => {
    const { troupe, clock } = await onStage({
      definitions: [
        template(
          loadTemplate(
            'name: order\nsteps: [{ name: a, type: decision, wait: completion, publishes: [{ event: told, condition: always }] }]',
          ).template,
        ),
      ],
    })
    const heard: string[] = []
    await troupe.subscribe('*', (_payload, { name }) => void heard.push(name))
    const run = await troupe.call('order')
    await eventually(async () => (await run.status()).state === 'parked')
    await run.resolve('a', { output: 'elsewhere' })
    expect(await moving(clock, rejection(run.result()))).toMatchObject({ code: 'decision_invalid' })
    await eventually(() => heard.includes('run.failed'))
    expect(heard.filter((name) => name !== 'run.started')).toEqual(['run.failed'])
  })
})

describe('a step that waits', () => {
  it('publishes when that has come', async () => {
    const order = built((t) => {
      t.wait('pause', { for: '10s', publishes: [{ event: 'rested' }] })
      t.wait('answer', { message: 'go', timeout: '20s', publishes: [{ event: 'answered' }] })
    })
    const { heard } = await played(order, { events: 2 })
    expect(heard.map(({ name, payload }) => [name, payload])).toEqual([
      ['rested', null],
      ['answered', null],
    ])
  })
})

describe('a run that is tried again', () => {
  it('publishes of what is done again, and not of what is remembered', async () => {
    let isBroken = true
    const mending = worker('mending', { retry: { attempts: 1 } }, (_ctx, name: string): string => {
      if (isBroken) throw new Error(`broken ${name}`)
      return name
    })
    const order = built((t) => {
      const a = t.step('a', echo, { with: () => 'a', publishes: [{ event: 'a.done' }] })
      const each = t.step('each', mending, {
        needs: [a],
        forEach: () => ['x'],
        with: ({ item }) => item as never,
        publishes: [{ event: 'each.done' }, { event: 'each.failed', condition: 'failure' }],
      })
      t.step('b', echo, { needs: [each], with: () => 'b' })
    })
    const { troupe, clock } = await onStage({ definitions: [echo, mending, order] })
    const heard: string[] = []
    await troupe.subscribe('*.done', (_payload, { name }) => void heard.push(name))
    await troupe.subscribe('*.failed', (_payload, { name }) => void heard.push(name))
    const run = await troupe.call(order, {} as never)
    await rejection(moving(clock, run.result()))
    await rejection(moving(clock, (await troupe.retry(run.id)).result()))
    isBroken = false
    await moving(clock, (await troupe.retry(run.id)).result())
    await eventually(() => heard.includes('each.done'))
    expect(heard.filter((name) => name !== 'run.failed')).toEqual(['a.done', 'each.failed', 'each.failed', 'each.done'])
  })
})

const killed = built((t) => {
  const a = t.step('a', flaky, {
    with: () => 'a',
    publishes: [
      { event: 'order.a', condition: 'always' },
      { event: 'order.again', condition: 'retryable_failure' },
    ],
  })
  const each = t.step('each', echo, {
    needs: [a],
    forEach: () => ['x', 'y'],
    with: ({ item }) => item as never,
    publishes: [{ event: 'order.each' }],
  })
  const child = t.step('child', echo, {
    needs: [each],
    priority: 1,
    with: () => 'child',
    publishes: [{ event: 'order.child' }],
  })
  t.step('last', failing, {
    needs: [child],
    onError: 'continue',
    publishes: [{ event: 'order.last', condition: 'permanent_failure' }],
  })
})

describe('I1: a durable event of a step', () => {
  it.each(['before', 'after'] as const)('is published once, whichever commit its process dies %s', async (moment) => {
    let cut = 1
    while (await isCutAt(cut, moment)) cut += 1
    expect(cut).toBeGreaterThan(7)
  })
})

/** Plays the whole with a process that dies at a commit; false when it did not live to make so many. */
async function isCutAt(cut: number, moment: Moment): Promise<boolean> {
  const clock = new ManualClock(1_000)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  const mail = { pattern: 'order.*', group: 'mail', takes: 'durable', until: null } as const
  const subscription = await store.events.addSubscription(mail)
  const { dying, isDead } = dyingStore(store, cut, moment)
  const first = await engineOn(dying, { clock, node: 'first' })
  let isOver = false
  const started = first.troupe.run(killed, {} as never, { idempotencyKey: 'one' })
  started.then(
    () => (isOver = true),
    () => undefined,
  )
  for (let turn = 0; turn < 300 && !isDead() && !isOver; turn++) {
    await clock.advance(1)
    await turns(2)
  }
  const isCut = isDead()
  const second = await engineOn(store, { clock, node: 'second' })
  const handle = await second.troupe.call(killed, {} as never, { idempotencyKey: 'one' })
  await moving(clock, handle.result())
  const events = await store.events.take({ subscriptions: [subscription], limit: 99, until: 0 })
  expect(
    events.map(({ name }) => name),
    `died ${moment} commit ${cut}`,
  ).toEqual(['order.again', 'order.again', 'order.a', 'order.each', 'order.child', 'order.last'])
  for (const stage of [second, first]) await stage.stop()
  return isCut
}

function engineOn(store: Store, { clock, node }: { clock: ManualClock; node: string }): Promise<Stage> {
  return onStage({ definitions: [...workers, killed], clock, node, global: false, world: { store: kept(store) } })
}
