// Publishers of programs: each event goes through its own, and one that fails loses nothing.
import { describe, expect, it } from 'vitest'
import {
  loadTemplate,
  template,
  worker,
  type Definition,
  type EventToPublish,
  type Publisher,
  type TemplateBuilder,
} from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

const echo = worker('echo', {}, (_ctx, input: unknown) => input as string)

type Publishes = NonNullable<NonNullable<Parameters<TemplateBuilder<unknown>['step']>[2]>['publishes']>

function order(publishes: Publishes): Definition<unknown> {
  return template('order', {}, (t: TemplateBuilder<unknown>) => {
    t.step('a', echo, { with: ({ input }) => input as never, publishes })
  })
}

async function played(publishers: Record<string, Publisher<never>>, publishes: Publishes) {
  const definition = order(publishes)
  const stage = await onStage({ definitions: [echo, definition], publishers })
  const heard: unknown[] = []
  await stage.troupe.subscribe('*', (payload, { name, step }) => {
    if (!name.startsWith('run.')) heard.push([name, payload, step])
  })
  return { ...stage, heard, definition }
}

describe('C7: events of one step', () => {
  it('go each through its own publisher, which decides what is published', async () => {
    const seen: EventToPublish[] = []
    const audit: Publisher = (event, publish) => {
      seen.push(event)
      publish(event.name, { audited: event.payload })
      publish('audit.log', event.name, { mode: 'broadcast' })
    }
    const silence: Publisher = () => {}
    const publishes = [
      { event: 'one', publisher: 'audit' },
      { event: 'two', publisher: 'silence' },
      { event: 'three' },
      { event: 'four', publisher: 'audit', mode: 'fast' },
    ] as const
    const { troupe, heard, definition, clock } = await played({ audit, silence }, publishes)
    const run = await troupe.call(definition, 'x', { correlationId: 'c-1' })
    await run.result()
    await moving(
      clock,
      eventually(() => heard.length >= 5),
    )
    await moving(clock, turns())
    expect(heard.toSorted()).toEqual([
      ['audit.log', 'four', 'a'],
      ['audit.log', 'one', 'a'],
      ['four', { audited: 'x' }, 'a'],
      ['one', { audited: 'x' }, 'a'],
      ['three', 'x', 'a'],
    ])
    const from = { runId: run.id, correlationId: 'c-1', step: 'a', attempt: 1, payload: 'x' }
    expect(seen.map(({ name, mode }) => [name, mode]).toSorted()).toEqual([
      ['four', 'fast'],
      ['one', 'durable'],
    ])
    for (const event of seen) expect(event).toMatchObject(from)
  })
})

describe('C5: a publisher that fails', () => {
  it('loses nothing: its breaker opens, events wait, and each is published once when it works again', async () => {
    let isBroken = true
    let calls = 0
    const gate = deferred<void>()
    const audit: Publisher<number> = async ({ name, payload }, publish) => {
      calls += 1
      await gate.promise
      publish(name, payload)
      if (isBroken) throw new Error('down')
    }
    const { troupe, clock, heard, definition } = await played({ audit }, [{ event: 'paid', publisher: 'audit' }])
    for (let n = 0; n < 10; n++) await troupe.run(definition, n)
    // All are at hand when the first one fails.
    await eventually(async () => (await troupe.status()).events.depth === 9)
    gate.resolve()
    await eventually(() => calls === 5)
    await turns()
    await clock.advance(25_000)
    await turns()
    expect(calls).toBe(5)
    isBroken = false
    for (let n = 10; n < 12; n++) await troupe.run(definition, n)
    await moving(
      clock,
      eventually(() => heard.length === 12),
    )
    await clock.advance(60_000)
    await turns()
    expect(heard.toSorted()).toEqual(Array.from({ length: 12 }, (_, n) => ['paid', n, 'a']).toSorted())
    expect((await troupe.status()).events).toMatchObject({ failed: 5, dead: 0, dropped: 0, depth: 0 })
  })

  it('is called again with what it cannot take, for as long as that is kept', async () => {
    let calls = 0
    const audit: Publisher<string> = ({ name, payload }, publish) => {
      calls += 1
      if (payload === 'bad' && calls < 20) throw new Error('bad')
      publish(name, payload)
    }
    const { troupe, clock, heard, definition } = await played({ audit }, [{ event: 'paid', publisher: 'audit' }])
    await troupe.run(definition, 'bad')
    for (let hour = 0; hour < 40 && heard.length === 0; hour++) {
      await clock.advance(3_600_000)
      await turns()
    }
    expect([calls, heard]).toEqual([20, [['paid', 'bad', 'a']]])
  })

  it('publishes nothing after it has returned', async () => {
    const late: unknown[] = []
    const audit: Publisher = (event, publish) => {
      setImmediate(() => {
        try {
          publish(event.name)
        } catch (error) {
          late.push((error as Error).message)
        }
      })
    }
    const { troupe, heard, definition } = await played({ audit }, [{ event: 'paid', publisher: 'audit' }])
    await troupe.run(definition, 1)
    await eventually(() => late.length === 1)
    expect([late, heard]).toEqual([
      ["'paid' was published after the publisher had returned: await what comes before."],
      [],
    ])
  })
})

describe('a template that names a publisher', () => {
  it('nobody has is refused when it is registered, with the nearest name', async () => {
    const { troupe } = await onStage({ publishers: { audit: () => {} } })
    const error = await rejection(troupe.register(order([{ event: 'paid', publisher: 'audti' }])))
    expect(error).toMatchObject({ code: 'definition_invalid' })
    expect(error.message).toBe(
      "Step 'a' of template 'order' publishes through 'audti', which is no publisher here: pass it to Troupe.open({ publishers }). Did you mean 'audit'?",
    )
  })

  it('nobody has is refused where it is posted too: what goes through it would wait for ever', async () => {
    const text = `name: order
steps:
  - { name: a, script: return 1, publishes: [{ event: paid, publisher: audti }] }
`
    const { troupe } = await onStage({ publishers: { audit: () => {} } })
    const error = await rejection(troupe.call(template(loadTemplate(text).template)))
    expect(error).toMatchObject({ code: 'definition_invalid' })
    expect(error.message).toContain("publishes through 'audti', which is no publisher here")
    const right = template(loadTemplate(text.replace('audti', 'audit')).template)
    expect(await troupe.run(right)).toEqual({ a: 1 })
  })

  it('another process has leaves its events to that', async () => {
    const store = storeFile()
    const heard: unknown[] = []
    const first = await onStage({
      store,
      starts: false,
      publishers: { audit: ({ name, payload }, publish) => publish(name, payload) },
    })
    await first.stop()
    const definition = order([{ event: 'paid', publisher: 'audit' }])
    const second = await onStage({ store, node: 'second', definitions: [echo, definition] })
    await second.troupe.subscribe('paid', (payload) => void heard.push(payload), { group: 'all' })
    await second.troupe.run(definition, 7)
    await turns()
    expect(heard).toEqual([])
    await onStage({
      store,
      node: 'third',
      starts: false,
      publishers: { audit: ({ name, payload }, publish) => publish(name, payload) },
    })
    await moving(
      second.clock,
      eventually(() => heard.length === 1),
    )
    expect(heard).toEqual([7])
  })
})

describe('publishers', () => {
  it('are functions by name', async () => {
    expect(await rejection(onStage({ publishers: { audit: 7 as never } }))).toMatchObject({ code: 'option_invalid' })
  })
})
