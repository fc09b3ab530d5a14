// What stands behind the names that steps use: what the program says, what is registered, what resolvers find.
import { describe, expect, it } from 'vitest'
import { loadTemplate, template, TemplateError, worker, type HandlerResolver } from '../../src/index.ts'
import { onStage, rejection, storeFile } from '../engine/stage.ts'

/** One step, which uses what is said. */
const using = (step: string) =>
  template(
    loadTemplate(`name: t\nsteps:\n  - { name: a, ${step}, with: 7 }\noutput: \${{ steps.a }}\n`, { file: 't.yaml' })
      .template,
  )

class Payments {
  readonly #rate = 2
  call(_ctx: unknown, amount: number): string {
    return `charged ${amount * this.#rate}`
  }
  refund(_ctx: unknown, amount: number): string {
    return `paid back ${amount * this.#rate}`
  }
}

const charge = worker('charge', {}, (_ctx, amount: number) => `worker ${amount}`)

describe('troupe.handlers', () => {
  it('maps foreign names to workers, also to be called by', async () => {
    const { troupe } = await onStage()
    await troupe.handlers({ 'Shop::Charge': charge })
    expect(await troupe.run(using('uses: "Shop::Charge"'))).toBe('worker 7')
    expect(await troupe.run('Shop::Charge', 8)).toBe('worker 8')
    expect(troupe.definitions()).toEqual(['Shop::Charge', 'charge'])
  })

  it('takes functions, objects and instances, of which a step names a method', async () => {
    const { troupe } = await onStage({
      handlers: {
        'Shop::Payments': new Payments(),
        double: (_ctx: never, n: number) => n * 2,
        no: { call: () => 'no' },
      },
    })
    expect(await troupe.run(using('uses: "Shop::Payments"'))).toBe('charged 14')
    expect(await troupe.run(using('uses: "Shop::Payments", method: call'))).toBe('charged 14')
    expect(await troupe.run(using('uses: "Shop::Payments", method: refund'))).toBe('paid back 14')
    expect(await troupe.run(using('uses: double'))).toBe(14)
    expect(await troupe.run(using('uses: no'))).toBe('no')
    // A run of its own, in whatever queue.
    expect(await troupe.run(using('uses: "Shop::Payments", method: refund, priority: 3'))).toBe('paid back 14')
  })

  it('comes before what is registered, which comes before resolvers, the first that answers', async () => {
    const asked: string[] = []
    const finds = (name: string, known: string) => {
      const find: HandlerResolver = (wanted) => {
        asked.push(`${name} ${wanted}`)
        return wanted.startsWith(known) ? () => `${name} ${wanted}` : undefined
      }
      return [find, { name }] as const
    }
    const { troupe } = await onStage({ definitions: [charge, worker('pay', {}, () => 'registered')] })
    await troupe.handlers({ pay: charge })
    await troupe.handlers(...finds('one', 'order'))
    await troupe.handlers(...finds('two', 'or'))
    expect(await troupe.run(using('uses: pay'))).toBe('worker 7')
    expect(await troupe.run(using('uses: charge'))).toBe('worker 7')
    expect(asked).toEqual([])
    expect(await troupe.run(using('uses: order.ship'))).toBe('one order.ship')
    expect(await troupe.run(using('uses: origin'))).toBe('two origin')
    expect(asked).toEqual(['one order.ship', 'one origin', 'two origin'])
    // Asked once.
    expect(await troupe.run(using('uses: origin, priority: 1'))).toBe('two origin')
    expect(asked).toHaveLength(3)
  })

  it('does not take a second function for a name, which would never be called', async () => {
    const { troupe } = await onStage({ definitions: [charge] })
    await troupe.handlers({ pay: () => 'first' })
    for (const name of ['pay', 'charge'])
      expect(await rejection(troupe.handlers({ [name]: () => 'second' }))).toMatchObject({ code: 'definition_exists' })
  })

  it('asks the resolver that a step names, and no other', async () => {
    const { troupe } = await onStage({ definitions: [charge] })
    await troupe.handlers(() => () => 'first', { name: 'first' })
    await troupe.handlers(async function billing(_name, { method }) {
      return method === 'refund' ? new Payments() : undefined
    })
    expect(await troupe.run(using('uses: charge, method: refund, resolver: billing'))).toBe('paid back 14')
    const error = await rejection(troupe.run(using('uses: charge, resolver: billing')))
    expect(error.message).toContain(
      "t.yaml:3:22: error: Step 'a' uses 'charge', for which resolver 'billing' has nothing",
    )
    expect((await rejection(troupe.run(using('uses: charge, resolver: biling')))).message).toContain('or there is none')
  })

  it('D4: what nobody knows is an error where the template is registered, with the nearest', async () => {
    const { troupe } = await onStage({ handlers: { 'Shop::Payments': new Payments() } })
    const error = await rejection(troupe.register(using('uses: "Shop::Payment"')))
    if (!(error instanceof TemplateError)) throw error
    expect(error.problems).toMatchObject([{ file: 't.yaml', line: 3, column: 22 }])
    expect(error.message).toContain("Did you mean 'Shop::Payments'")
    const method = await rejection(troupe.register(using('uses: "Shop::Payments", method: refnd')))
    expect(method.message).toContain(
      "Step 'a' uses 'Shop::Payments', which has no method 'refnd' here. Did you mean 'refund'? It has: call, refund.",
    )
    const ofWorker = await rejection(onStage({ definitions: [charge, using('uses: charge, method: refund')] }))
    expect(ofWorker.message).toContain("which has no method 'refund' here. It has: call.")
    expect(await troupe.runs()).toEqual([])
  })

  it('is there before the folder of templates is read, and on other nodes for what is kept', async () => {
    const store = storeFile()
    const first = await onStage({ handlers: { 'Shop::Payments': new Payments() }, store, node: 'first', starts: false })
    const run = await first.troupe.call(using('uses: "Shop::Payments", method: refund'))
    await first.stop()
    const { troupe, clock } = await onStage({ store, node: 'second' })
    await clock.advance(2_000)
    expect((await troupe.get(run.id))?.state).toBe('ready')
    await troupe.handlers(() => new Payments(), { name: 'late' })
    expect(await (await troupe.handle(run.id)).result()).toBe('paid back 14')
  })

  it('refuses what can do nothing', async () => {
    const { troupe } = await onStage()
    const refused = async (given: unknown, options?: object) =>
      (await rejection(troupe.handlers(given as never, options))).message
    expect(await refused({ a: Payments })).toMatch(
      /^The handler of 'a' is .*expected an instance of the class: new …\(\)\.$/s,
    )
    expect(await refused({ a: {} })).toContain('expected a worker, a function (ctx, input), or an object with methods')
    expect(await refused({ a: 7 })).toContain("The handler of 'a' is 7")
    expect(await refused({ a: [charge] })).toContain("The handler of 'a' is")
    expect(await refused({ a: Promise.resolve(charge) })).toContain("The handler of 'a' is")
    expect(await refused(7)).toContain('handlers is 7')
    expect(await refused(() => undefined)).toContain("handlers(find, { name: 'billing' })")
    await troupe.handlers(() => undefined, { name: 'a' })
    expect(await refused(() => undefined, { name: 'a' })).toContain('one that no other resolver has')
    expect(await refused(() => undefined, { nam: 'a' })).toContain("'nam'")
    await troupe.handlers(() => ({}), { name: 'b' })
    expect((await rejection(troupe.register(using('uses: some')))).message).toContain(
      "What resolver 'b' gave for 'some'",
    )
  })
})
