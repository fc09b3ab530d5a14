// Identity: a step is known by its path of names, whatever order things arrive in, and a clash of names says what to do.
import { describe, expect, it } from 'vitest'
import { workflow, type Definition, type WorkflowContext } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

const arrivals = ['a', 'b', 'c', 'x', 'y', 'fine', 'fails', 'p1', 'p2', 'q1', 'q2', 'deep'] as const
type Arrival = (typeof arrivals)[number]

/** Everything that goes on at once in one workflow, each part of it done when it is let in. */
class Program {
  readonly #gates = new Map<string, ReturnType<typeof deferred<void>>>(arrivals.map((name) => [name, deferred<void>()]))
  readonly executed: string[] = []
  readonly definition: Definition<void>

  constructor() {
    this.definition = workflow('program', {}, (ctx) => this.#perform(ctx))
  }

  letIn(name: Arrival): void {
    this.#gates.get(name)?.resolve()
  }

  async #perform(ctx: WorkflowContext<void>): Promise<unknown> {
    const step = (ctx: WorkflowContext<void>, name: string, as = name): Promise<string> =>
      ctx.step(as, () => this.#arrive(name), { retry: { attempts: 1 } })
    const [all, first, settled, nested, deep] = await Promise.all([
      Promise.all(['a', 'b', 'c'].map((name) => step(ctx, name))),
      Promise.race(['x', 'y'].map((name) => step(ctx, name))),
      Promise.allSettled(['fine', 'fails'].map((name) => step(ctx, name))),
      ctx.map('outer', ['p', 'q'], (outer, ctx) =>
        ctx.map('inner', [1, 2], (inner, ctx) => step(ctx, `${outer}${inner}`, 'work'), { key: String }),
      ),
      ctx.scope('one', (ctx) => ctx.scope('two', (ctx) => step(ctx, 'deep', 'work'))),
    ])
    const last = await ctx.step('last', () => this.executed.push('last') > 0)
    return { all, first, settled: settled.map(({ status }) => status), nested, deep, last }
  }

  async #arrive(name: string): Promise<string> {
    await this.#gates.get(name)?.promise
    this.executed.push(name)
    if (name === 'fails') throw new Error('no')
    return name
  }
}

/** An order that is another for each seed, and the same each time. */
function shuffled(seed: number): Arrival[] {
  let state = seed * 2_654_435_761
  const next = (): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648)
  return arrivals
    .map((name) => ({ name, at: next() }))
    .sort((left, right) => left.at - right.at)
    .map(({ name }) => name)
}

describe('what goes on at the same time', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed + 1))(
    'comes to the same whatever order it arrives in, and is led there again from any point (order %i)',
    async (seed) => {
      const store = storeFile()
      const order = shuffled(seed)
      const program = new Program()
      const one = await onStage({ store, definitions: [program.definition] })
      const { id } = await one.troupe.call(program.definition)
      const before = seed % arrivals.length
      for (const [place, name] of order.slice(0, before).entries()) {
        program.letIn(name)
        await eventually(async () => (await one.troupe.steps(id)).length === place + 1)
      }
      await one.stop()
      const executedBefore = [...program.executed]
      expect(executedBefore).toEqual(order.slice(0, before))

      const two = await onStage({ store, definitions: [program.definition] })
      await turns()
      for (const name of order.slice(before)) {
        program.letIn(name)
        await eventually(() => program.executed.includes(name))
      }
      expect(await moving(two.clock, (await two.troupe.handle(id)).result())).toEqual({
        all: ['a', 'b', 'c'],
        first: order.find((name) => name === 'x' || name === 'y'),
        settled: ['fulfilled', 'rejected'],
        nested: [
          ['p1', 'p2'],
          ['q1', 'q2'],
        ],
        deep: 'deep',
        last: true,
      })
      // What the first one remembered was not done again.
      for (const name of executedBefore) expect(program.executed.filter((each) => each === name)).toEqual([name])
      expect((await two.troupe.steps(id)).map(({ path }) => path).sort()).toEqual(
        [
          'a',
          'b',
          'c',
          'fails',
          'fine',
          'last',
          'one/two/work',
          'x',
          'y',
          ...['p', 'q'].flatMap((_, outer) => [1, 2].map((inner) => `outer[${outer}]/inner[${inner}]/work`)),
        ].sort(),
      )
    },
  )
})

describe('a clash of names in one scope', () => {
  const clashOf = async (body: (ctx: WorkflowContext<void>, gate: Promise<void>) => Promise<unknown>) => {
    const gate = deferred<void>()
    const flow = workflow('flow', {}, async (ctx) => {
      const clash = await rejection(body(ctx, gate.promise))
      gate.resolve()
      throw clash
    })
    const child = workflow('child', {}, () => gate.promise)
    const { troupe, clock } = await onStage({ definitions: [flow, child] })
    return rejection(moving(clock, troupe.run(flow)))
  }

  it.each([
    ['two steps', 'same', (ctx, gate) => Promise.all([ctx.step('same', () => gate), ctx.step('same', () => 1)])],
    [
      'a step and a scope',
      'same',
      (ctx, gate) => Promise.all([ctx.step('same', () => gate), ctx.scope('same', () => 1)]),
    ],
    ['two scopes', 'same', (ctx, gate) => Promise.all([ctx.scope('same', () => gate), ctx.scope('same', () => 1)])],
    ['two maps', 'same', (ctx, gate) => Promise.all([ctx.map('same', [1], () => gate), ctx.map('same', [1], () => 1)])],
    [
      'a loop and a map',
      'same',
      (ctx, gate) =>
        Promise.all([ctx.loop('same', 1, async () => ({ done: await gate })), ctx.map('same', [1], () => 1)]),
    ],
    [
      'two steps of one item',
      'items[k]/same',
      (ctx, gate) =>
        ctx.map('items', ['k'], (_, ctx) => Promise.all([ctx.step('same', () => gate), ctx.step('same', () => 1)]), {
          key: String,
        }),
    ],
  ] satisfies [string, string, (ctx: WorkflowContext<void>, gate: Promise<void>) => Promise<unknown>][])(
    'of %s is an error that says how to fix it',
    async (_, path, body) => {
      expect(await clashOf(body)).toMatchObject({
        code: 'step_name_taken',
        details: { path },
        message: `Step '${path}' is already under way in this scope: use ctx.map with a key, or give each of the parallel steps its own name; runs that are started get one with the option { name }.`,
      })
    },
  )

  it('of two children is an error, unless they have names of their own', async () => {
    const child = workflow('child', {}, (_, n: number) => n)
    const clashing = workflow('clashing', {}, (ctx) => Promise.all([ctx.run(child, 1), ctx.run(child, 2)]))
    const named = workflow('named', {}, (ctx) =>
      Promise.all([ctx.run(child, 1, { name: 'one' }), ctx.run(child, 2, { name: 'two' })]),
    )
    const { troupe, clock } = await onStage({ definitions: [child, clashing, named] })
    expect(await rejection(moving(clock, troupe.run(clashing)))).toMatchObject({ code: 'step_name_taken' })
    expect(await moving(clock, troupe.run(named))).toEqual([1, 2])
  })

  it('is none of equal names in two scopes, and none of names one after another', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      const both = await Promise.all(
        ['left', 'right'].map((side) => ctx.scope(side, (ctx) => ctx.step('same', () => side))),
      )
      return [...both, await ctx.step('same', () => 'first'), await ctx.step('same', () => 'second')]
    })
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    expect(await handle.result()).toEqual(['left', 'right', 'first', 'second'])
    expect((await troupe.steps(handle.id)).map(({ path }) => path).sort()).toEqual([
      'left/same',
      'right/same',
      'same',
      'same#2',
    ])
  })

  it('of unnamed waits is none: they are told apart by their order', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      await Promise.all([ctx.sleep(10), ctx.sleep(20), ctx.sleepUntil(1_030)])
      return Promise.all([ctx.receive('m', { timeout: 10 }), ctx.receive('m', { timeout: 10 }), ctx.uuid(), ctx.uuid()])
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    const output = (await moving(clock, handle.result())) as unknown[]
    expect(output.slice(0, 2)).toEqual([null, null])
    expect(new Set(output.slice(2)).size).toBe(2)
    expect((await troupe.steps(handle.id)).map(({ path }) => path).sort()).toEqual(
      ['receive m', 'receive m#2', 'sleep', 'sleep#2', 'sleep#3', 'uuid', 'uuid#2'].sort(),
    )
  })
})

describe('a step that is named like', () => {
  it('a patch is a step of its own, before it and behind it', async () => {
    let done = 0
    const order = workflow('order', {}, async (ctx) => {
      await ctx.step('patch early', () => void done++)
      const patches = [await ctx.patch('early'), await ctx.patch('late')]
      await ctx.step('patch late', () => void done++)
      await ctx.receive('go')
      return patches
    })
    const store = storeFile()
    const first = await onStage({ definitions: [order], store })
    const { id } = await first.troupe.call(order)
    await eventually(async () => (await first.troupe.get(id))?.state === 'parked')
    await first.stop()
    const { troupe } = await onStage({ definitions: [order], store })
    await troupe.tell(id, 'go')
    expect(await (await troupe.handle(id)).result()).toEqual([true, true])
    expect(done).toBe(2)
    expect((await troupe.steps(id)).map(({ path, kind }) => [kind, path])).toEqual([
      ['step', '\\patch early'],
      ['patch', 'patch early'],
      ['patch', 'patch late'],
      ['step', '\\patch late'],
      ['receive', 'receive go'],
    ])
  })

  it('an answer is a step of its own, and the answer is given', async () => {
    let done = 0
    const order = workflow('order', {}, async (ctx) => {
      ctx.answer('price', () => 5)
      await ctx.step('answer price', () => void done++)
      await ctx.receive('go')
      return ctx.step('answer price', () => ++done)
    })
    const store = storeFile()
    const first = await onStage({ definitions: [order], store })
    const handle = await first.troupe.call(order)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(await handle.ask('price')).toBe(5)
    await first.stop()
    const { troupe } = await onStage({ definitions: [order], store })
    expect(await troupe.ask(handle.id, 'price')).toBe(5)
    await troupe.tell(handle.id, 'go')
    expect(await (await troupe.handle(handle.id)).result()).toBe(2)
    expect((await troupe.steps(handle.id)).filter(({ kind }) => kind === 'step').map(({ path }) => path)).toEqual([
      '\\answer price',
      '\\answer price#2',
    ])
  })
})
