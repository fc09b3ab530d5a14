// The journal: what a claim brings back of what was done before (I1, I12).
import assert from 'node:assert/strict'
import { attach, attempt, park, same, settle, startMs, step, type Cases } from './scene.ts'

export const journalCases: Cases = {
  'returns steps with the next claim, in the order they finished': async (scene) => {
    const { held } = await scene.startAndClaim()
    await scene.node.commit({ steps: [step(held, 'z', { seq: 1 }), step(held, 'a', { seq: 2, kind: 'sleep' })] })
    const failed = step(held, 'm', { seq: 3, attempt: 3, isError: true, value: '{"name":"Error"}' })
    await scene.node.commit({ steps: [failed], releases: [held] })
    const { steps } = await scene.node.claimOne()
    same(steps, [
      { path: 'z', seq: 1, kind: 'step', isError: false, value: 'j"z"' },
      { path: 'a', seq: 2, kind: 'sleep', isError: false, value: 'j"a"' },
      { path: 'm', seq: 3, kind: 'step', isError: true, value: '{"name":"Error"}' },
    ])
  },

  'publishes what comes with a step, and nothing of what is stale': async (scene) => {
    const subscription = await scene.store.events.addSubscription({
      pattern: 'order.*',
      group: 'shop',
      takes: 'durable',
      until: null,
    })
    const { held } = await scene.startAndClaim()
    const published = (path: string) => ({
      ...step(held, path),
      kind: 'value' as const,
      events: [{ name: 'order.paid', value: `j"${path}"`, mode: 'durable' as const }],
    })
    await scene.node.commit({ steps: [published('a')], releases: [held] })
    await scene.node.claimOne()
    await scene.node.commit({ steps: [{ ...published('b'), seq: 2 }] })
    const taken = await scene.store.events.take({ subscriptions: [subscription], limit: 9, until: 0 })
    same(
      taken.map(({ name, value }) => [name, value]),
      [['order.paid', 'j"a"']],
    )
  },

  'lists the unfinished runs with their journals, page by page, and moves nothing': async (scene) => {
    const parked = await scene.startAndClaim()
    await scene.node.commit({ steps: [step(parked.held, 'a')], attempts: [attempt(parked.held, 'b', 1)] })
    await scene.node.commit({ parks: [park(parked.held, startMs + 500)] })
    const over = await scene.startAndClaim()
    await scene.node.commit({ settles: [settle(over.held)] })
    const running = await scene.startAndClaim()
    const ready = await scene.start()
    const all = await scene.store.definitions.listUnfinished({ after: 0, limit: 10 })
    same(
      all.map(({ state, claimed }) => [claimed.id, state]),
      [
        [parked.id, 'parked'],
        [running.id, 'running'],
        [ready, 'ready'],
      ],
    )
    const [first] = all
    same(
      first?.claimed.steps.map(({ path }) => path),
      ['a'],
    )
    same(
      first?.claimed.failedAttempts.map(({ path, failed }) => [path, failed]),
      [['b', 1]],
    )
    same(first?.claimed.waits.length, 1)
    const after = first?.runId ?? 0
    const next = await scene.store.definitions.listUnfinished({ after, limit: 1 })
    same(
      next.map(({ claimed }) => claimed.id),
      [running.id],
    )
    assert.equal(await scene.node.isTaken(running.held, { settles: [settle(running.held)] }), true)
  },

  'shows steps with their attempts and times': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ steps: [step(held, 'a', { attempt: 2 })] })
    const rest = { isError: false, value: 'j"a"', startedAt: startMs, finishedAt: startMs + 5 }
    same(await scene.store.listSteps(id), [{ path: 'a', seq: 1, kind: 'step', attempt: 2, ...rest }])
  },

  'lets one result of a step in, and refuses the whole batch of a second': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ steps: [step(held, 'a', { value: 'j1' })] })
    const again = step(held, 'a', { seq: 2, value: 'j2' })
    await assert.rejects(scene.node.commit({ steps: [step(held, 'b', { seq: 3 }), again], settles: [settle(held)] }))
    same(
      (await scene.store.listSteps(id)).map(({ path, value }) => [path, value]),
      [['a', 'j1']],
    )
    assert.equal(await scene.stateOf(id), 'running')
  },

  'counts the failed attempts of each step and of the run itself': async (scene) => {
    const { held } = await scene.startAndClaim()
    await scene.node.commit({ attempts: [attempt(held, 'pay', 1), attempt(held, 'pay', 2), attempt(held, '', 1)] })
    await scene.node.commit({ attempts: [attempt(held, 'pay', 3)], releases: [held] })
    const { failedAttempts } = await scene.node.claimOne()
    same(
      failedAttempts.toSorted((a, b) => a.failed - b.failed),
      [
        { path: '', failed: 1, firstStartedAt: startMs + 1 },
        { path: 'pay', failed: 3, firstStartedAt: startMs + 1 },
      ],
    )
  },

  'shows the failed attempts of a run, in the order in which they ended': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const other = await scene.startAndClaim()
    await scene.node.commit({ attempts: [attempt(held, 'pay', 2), attempt(held, 'pay', 1), attempt(held, '', 1)] })
    await scene.node.commit({ attempts: [attempt(other.held, 'pay', 1)] })
    const { error, startedAt, finishedAt } = attempt(held, 'pay', 1)
    same(
      (await scene.store.listAttempts(id)).map(({ path, attempt: n }) => `${path} ${n}`),
      [' 1', 'pay 1', 'pay 2'],
    )
    same(await scene.store.listAttempts(other.id), [
      { path: 'pay', generation: 1, attempt: 1, error, startedAt, finishedAt },
    ])
    same(await scene.store.listAttempts('none'), [])
  },

  'returns the waits of a parked run until it parks on others or ends': async (scene) => {
    const { held } = await scene.startAndClaim()
    const waits = [
      { path: 'nap', kind: 'sleep', name: null, dueAt: startMs + 10 },
      { path: 'pay', kind: 'backoff', name: null, dueAt: startMs + 20 },
    ] as const
    await scene.node.commit({ parks: [{ held, waits, dueAt: startMs + 10 }] })
    await scene.clock.advance(10)
    await scene.store.wakeRuns(1)
    const woken = await scene.node.claimOne()
    same(woken.waits, waits)

    await scene.node.commit({ parks: [park(woken.held, startMs + 30)] })
    await scene.clock.advance(30)
    await scene.store.wakeRuns(1)
    same((await scene.node.claimOne()).waits, [{ path: 'nap', kind: 'sleep', name: null, dueAt: startMs + 30 }])
  },

  'shows all that a parked run waits for, the earliest first, and until when it waits for the thing it names': async (
    scene,
  ) => {
    const { id, held } = await scene.startAndClaim()
    const nap = { path: 'nap', kind: 'sleep', name: null, dueAt: startMs + 20 } as const
    const go = { path: 'receive go', kind: 'message', name: 'go', key: 'k', dueAt: null } as const
    const pay = { path: 'pay', kind: 'backoff', name: null, dueAt: startMs + 10 } as const
    await scene.node.commit({ parks: [{ held, waits: [nap, go, pay], dueAt: startMs + 10 }] })
    same(await scene.store.listWaits(id), [pay, nap, go])
    same((await scene.store.findRun(id))?.reason, { kind: 'message', name: 'go', until: undefined })
    same(await scene.store.listWaits('none'), [])
  },

  'keeps the journals of different runs apart': async (scene) => {
    const left = await scene.startAndClaim()
    const right = await scene.startAndClaim()
    await scene.node.commit({ steps: [step(left.held, 'a'), step(right.held, 'a', { value: 'j"other"' })] })
    await scene.node.commit({ releases: [left.held, right.held] })
    const claimed = await scene.node.claim(2)
    same(
      claimed.map(({ steps }) => steps[0]?.value),
      ['j"a"', 'j"other"'],
    )
  },

  'keeps the journal of a run that finished': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ steps: [step(held, 'a')], settles: [settle(held)] })
    same(
      (await scene.store.listSteps(id)).map(({ path }) => path),
      ['a'],
    )
    const row = await scene.store.findRun(id)
    same([row?.startedAt, row?.finishedAt, row?.value], [startMs, startMs, 'j"succeeded by its node"'])
  },

  'writes nothing of a batch with one bad row': async (scene) => {
    const good = await scene.startAndClaim()
    const bad = await scene.startAndClaim()
    const part = {
      starts: [scene.startRecord({ id: 'new', key: attach('k') })],
      steps: [step(good.held, 'a'), step(bad.held, 'b'), step(bad.held, 'b', { seq: 2 })],
      emits: [{ held: good.held, n: 1, value: 'j1' }],
      attempts: [attempt(good.held, 'a', 1)],
      settles: [settle(good.held)],
      claims: [scene.claimRequest()],
    }
    const batch = scene.node.batch(part)
    await assert.rejects(scene.store.commit(batch))

    assert.equal(await scene.store.findRun('new'), undefined)
    assert.equal(await scene.stateOf(good.id), 'running')
    same(await scene.store.listSteps(good.id), [])
    same(await scene.store.listSteps(bad.id), [])
    same(await scene.store.listEmitted(good.id, { epoch: 0, n: 0 }, 9), [])
    // Its number is free again: what was good in it may be tried once more under it.
    const { lost, started } = await scene.store.commit({ ...batch, steps: [step(good.held, 'a')], claims: [] })
    assert.equal(lost.size, 0)
    same([started[0]?.id, started[0]?.isNew], ['new', true])
    assert.equal(await scene.stateOf(good.id), 'succeeded')
  },
}
