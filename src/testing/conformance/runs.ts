// How runs start and are claimed: states, keys, order, limits, and values that come back as they went in (I2, I6, I17).
import assert from 'node:assert/strict'
import { decode, encode } from '../../lib/codec.ts'
import { attach, cancel, same, settle, startMs, type Cases, type Scene } from './scene.ts'

export const runCases: Cases = {
  'claims given runs alone, from whatever queue, those of limiters as the first of their line, and none of a paused queue':
    async (scene) => {
      const { store, node } = scene
      const mail = await store.internQueue('mail')
      const limiterId = await store.internLimiter('one', { concurrency: 1, total: null, rate: null })
      const limits = [{ limiterId, key: '' }]
      const other = await scene.start()
      const late = await scene.start({ queueId: mail })
      const urgent = await scene.start({ priority: 5 })
      const [first, second] = [await scene.start({ limits }), await scene.start({ limits })]
      const claim = async (only: string[]) => {
        const { claimed } = await node.commit({ claims: [scene.claimRequest({ only, want: 9 })] })
        return claimed[0]?.map(({ id }) => id)
      }
      same(await claim([]), [])
      same(await claim([second]), [])
      await store.pauseQueue(mail)
      same(await claim([late, urgent]), [urgent])
      await store.unpauseQueue(mail)
      same(await claim([late, urgent, first, second]), [late, first])
      same([await scene.stateOf(other), await scene.stateOf(second)], ['ready', 'ready'])
    },

  'starts a run that is ready': async (scene) => {
    const record = scene.startRecord({ tags: '["a"]', priority: 3, input: 'j[1]' })
    const { started } = await scene.client.commit({ starts: [record] })
    const [start] = started
    const fate = { isNew: true, isAmended: false, replacedId: undefined, held: undefined }
    same(started, [{ id: record.id, runId: start?.runId, ...fate, createdAt: startMs }])
    same(await scene.store.findRun(record.id), {
      id: record.id,
      name: 'resize',
      version: '1',
      queue: 'default',
      state: 'ready',
      code: null,
      fingerprint: null,
      generation: 1,
      attempt: 1,
      deliveries: 0,
      createdAt: startMs,
      startedAt: null,
      finishedAt: null,
      dueAt: null,
      node: null,
      tags: '["a"]',
      correlationId: null,
      parent: null,
      forkedFrom: null,
      schedule: null,
      scheduledAt: null,
      input: 'j[1]',
      value: null,
      done: null,
      total: null,
      undoingOutcome: null,
      undoingValue: null,
      reason: { kind: 'not_served', missing: 'queue', queue: 'default', name: 'resize', version: '1' },
    })
  },

  'starts a run that is scheduled and claims it only once it is due': async (scene) => {
    const id = await scene.start({ dueAt: startMs + 50 })
    assert.equal(await scene.stateOf(id), 'scheduled')
    same(await scene.node.claim(), [])
    await scene.clock.advance(50)
    same(await scene.store.wakeRuns(10), { woken: 1, nextDueAt: null, nextScheduleAt: null })
    assert.equal((await scene.node.claimOne()).id, id)
  },

  'starts a run directly on its node, under the epoch of the batch': async (scene) => {
    const record = scene.startRecord({ directly: true })
    const { started } = await scene.node.commit({ starts: [record] })
    const held = started[0]?.held
    assert.ok(held !== undefined && held.epoch > 0 && held.generation === 1)
    assert.equal((await scene.store.findRun(record.id))?.node, 'first')
    same(await (await scene.addNode()).claim(), [])
    assert.equal(await scene.node.isTaken(held, { settles: [settle(held)] }), true)
    assert.equal(await scene.stateOf(record.id), 'succeeded')
  },

  'leaves nothing to wake for a run that was started directly': async (scene) => {
    await scene.node.commit({ starts: [scene.startRecord({ directly: true, dueAt: startMs })] })
    same(await scene.store.wakeRuns(10), { woken: 0, nextDueAt: null, nextScheduleAt: null })
  },

  'returns what is needed to perform a run with its claim': async (scene) => {
    const id = await scene.start({ input: 'j{"n":1}', deadlineAt: startMs + 9 })
    const { held, ...rest } = await scene.node.claimOne()
    same(rest, {
      id,
      definitionId: scene.definitionId,
      input: 'j{"n":1}',
      attempt: 1,
      deliveries: 0,
      hasBegun: true,
      createdAt: startMs,
      startedAt: startMs,
      deadlineAt: startMs + 9,
      expiresAt: null,
      correlationId: null,
      depth: 0,
      retry: null,
      isUnchecked: false,
      undoing: undefined,
      steps: [],
      formerSteps: undefined,
      failedAttempts: [],
      lives: undefined,
      scheduledAt: null,
      waits: [],
      states: [],
      awaiting: undefined,
      awaitingSteps: [],
    })
    assert.equal(await scene.node.holds(held), true)
  },

  'gives one run to an idempotency key that is used twice in a batch': async (scene) => {
    const starts = ['left', 'right'].map((id) => scene.startRecord({ id, key: attach('order-7') }))
    const { started } = await scene.client.commit({ starts })
    same(
      started.map(({ id, isNew }) => ({ id, isNew })),
      [
        { id: 'left', isNew: true },
        { id: 'left', isNew: false },
      ],
    )
    assert.equal(started[1]?.runId, started[0]?.runId)
    assert.equal(await scene.store.findRun('right'), undefined)
  },

  'attaches a later start with the same key, also to a run that finished': async (scene) => {
    const first = await scene.start({ key: attach('order-7') })
    await scene.clock.advance(5)
    const again = () =>
      scene.client.commit({ starts: [scene.startRecord({ key: attach('order-7'), directly: false })] })
    const unfinished = (await again()).started[0]
    same([unfinished?.id, unfinished?.isNew, unfinished?.createdAt], [first, false, startMs])
    await scene.client.commit({ cancels: [cancel(first)] })
    assert.equal((await again()).started[0]?.id, first)
  },

  'holds nothing of a direct start that was attached': async (scene) => {
    const id = await scene.start({ key: attach('order-7') })
    const starts = [scene.startRecord({ key: attach('order-7'), directly: true })]
    const { started } = await scene.node.commit({ starts })
    same([started[0]?.id, started[0]?.held], [id, undefined])
    assert.equal(await scene.stateOf(id), 'ready')
  },

  'keeps the same key apart for different names': async (scene) => {
    const other = await scene.store.internDefinition('crop', '1')
    const first = await scene.start({ key: attach('k') })
    assert.notEqual(await scene.start({ key: attach('k'), definitionId: other }), first)
  },

  'gives one run to a key that many connections use at the same time': async (scene) => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => scene.addClient()))
    const answers = await Promise.all(
      clients.map((client) => client.commit({ starts: [scene.startRecord({ key: attach('k') })] })),
    )
    const started = answers.flatMap((answer) => answer.started)
    assert.equal(new Set(started.map(({ id }) => id)).size, 1)
    assert.equal(started.filter(({ isNew }) => isNew).length, 1)
    assert.equal((await scene.store.listRuns({ limit: 10 })).length, 1)
  },

  'refuses a second run of the same id, and with it the whole batch': async (scene) => {
    await scene.start({ id: 'same' })
    const starts = [scene.startRecord({ id: 'fresh' }), scene.startRecord({ id: 'same' })]
    await assert.rejects(scene.client.commit({ starts }))
    assert.equal(await scene.store.findRun('fresh'), undefined)
  },

  'claims the highest priority first and then the oldest': async (scene) => {
    await startAll(scene, ['b1', 'b2'], { priority: 0 })
    await startAll(scene, ['c'], { priority: -1 })
    await startAll(scene, ['a1', 'a2'], { priority: 10 })
    const claimed = await scene.node.claim(5)
    same(
      claimed.map(({ id }) => id),
      ['a1', 'a2', 'b1', 'b2', 'c'],
    )
  },

  'keeps the age of a run that comes back': async (scene) => {
    await startAll(scene, ['old', 'young'])
    const old = await scene.node.claimOne()
    await scene.node.commit({ releases: [old.held] })
    assert.equal((await scene.node.claimOne()).id, 'old')
  },

  'claims no more than wanted and nothing for none': async (scene) => {
    await startAll(scene, ['a', 'b', 'c'])
    same(await scene.node.claim(0), [])
    same(
      (await scene.node.claim(2)).map(({ id }) => id),
      ['a', 'b'],
    )
    same(
      (await scene.node.claim(2)).map(({ id }) => id),
      ['c'],
    )
    same(await scene.node.claim(2), [])
  },

  'claims only runs of the definitions it is asked for': async (scene) => {
    const other = await scene.store.internDefinition('crop', '1')
    await startAll(scene, ['crop-1'], { definitionId: other, priority: 9 })
    await startAll(scene, ['resize-1'])
    const claim = async (definitionIds: number[]) =>
      idsOf(await scene.node.commit({ claims: [scene.claimRequest({ definitionIds, want: 9 })] }))
    same(await claim([]), [[]])
    same(await claim([scene.definitionId]), [['resize-1']])
    same(await claim([scene.definitionId, other]), [['crop-1']])
  },

  'claims from its queues in the order given until there are enough': async (scene) => {
    const urgent = await scene.store.internQueue('urgent')
    await startAll(scene, ['d1', 'd2'], { priority: 9 })
    await startAll(scene, ['u1', 'u2'], { queueId: urgent })
    await startAll(scene, ['elsewhere'], { queueId: await scene.store.internQueue('elsewhere') })
    const claims = [scene.claimRequest({ queueIds: [urgent, scene.queueId], want: 3 })]
    same(idsOf(await scene.node.commit({ claims })), [['u1', 'u2', 'd1']])
  },

  'gives no run to two claims of one batch, nor to two nodes': async (scene) => {
    await startAll(scene, ['a', 'b', 'c', 'd'])
    const claims = [scene.claimRequest({ want: 2 }), scene.claimRequest({ want: 1 })]
    same(idsOf(await scene.node.commit({ claims })), [['a', 'b'], ['c']])
    const second = await scene.addNode()
    const both = await Promise.all([scene.node.claim(4), second.claim(4)])
    same(
      both.flat().map(({ id }) => id),
      ['d'],
    )
  },

  'claims in the same batch what that batch makes ready': async (scene) => {
    const { held } = await scene.startAndClaim({ id: 'back' })
    const starts = [scene.startRecord({ id: 'new' })]
    const answer = await scene.node.commit({ releases: [held], starts, claims: [scene.claimRequest({ want: 5 })] })
    same(idsOf(answer), [['back', 'new']])
  },

  'gives the same number to the same name, on every connection': async (scene) => {
    const other = await scene.connect()
    assert.equal(await other.internQueue('default'), scene.queueId)
    assert.equal(await other.internDefinition('resize', '1'), scene.definitionId)
    assert.notEqual(await other.internDefinition('resize', '2'), scene.definitionId)
    const names = await Promise.all([scene.store.internQueue('new'), other.internQueue('new')])
    assert.equal(names[0], names[1])
  },

  'lists the newest runs first, by name, state and number': async (scene) => {
    const other = await scene.store.internDefinition('crop', '1')
    await startAll(scene, ['a', 'b', 'c'])
    await startAll(scene, ['d'], { definitionId: other })
    await scene.client.commit({ cancels: [cancel('b')] })
    const list = async (filter: object) => (await scene.store.listRuns({ limit: 9, ...filter })).map(({ id }) => id)
    same(await list({}), ['d', 'c', 'b', 'a'])
    same(await list({ limit: 2 }), ['d', 'c'])
    same(await list({ name: 'resize' }), ['c', 'b', 'a'])
    same(await list({ state: 'cancelled' }), ['b'])
    same(await list({ state: 'ready', name: 'crop' }), ['d'])
  },

  'knows nothing of a run that was never started': async (scene) => {
    assert.equal(await scene.store.findRun('none'), undefined)
    await assert.rejects(scene.store.findFinished('none'), { code: 'run_not_found' })
    same(await scene.store.listSteps('none'), [])
  },

  ...Object.fromEntries(
    Object.entries(valuesThatSurvive()).map(([name, value]) => [
      `gives back ${name}`,
      (scene: Scene) => survives(scene, value),
    ]),
  ),
}

async function startAll(
  scene: Scene,
  ids: readonly string[],
  values: Parameters<Scene['start']>[0] = {},
): Promise<void> {
  await scene.client.commit({ starts: ids.map((id) => scene.startRecord({ ...values, id })) })
}

function idsOf({ claimed }: { readonly claimed: readonly (readonly { readonly id: string }[])[] }): string[][] {
  return claimed.map((list) => list.map(({ id }) => id))
}

function valuesThatSurvive(): Record<string, unknown> {
  return {
    'text of every plane': 'Zürich 東京 🦆 é e\u0301 \u202e\ufeff\u{10ffff}',
    'quotes, line breaks and SQL': `'; drop table run; -- "\\" \r\n\t ? :a @b $c`,
    'a NUL and lone surrogates': 'a\u0000b\ud800c\udfff',
    'a long text': '1é🦆'.repeat(200_000),
    'numbers at the edges': [0, -0, 2 ** 53, -(2 ** 53), 1e308, 5e-324, 0.1, Number.NaN, Infinity],
    'types that JSON lacks': [
      undefined,
      10n ** 40n,
      new Date(0),
      new Map([['a', new Set([1])]]),
      new Uint8Array([0, 255]),
    ],
    'nothing at all': undefined,
  }
}

async function survives(scene: Scene, value: unknown): Promise<void> {
  const text = encode(value)
  const id = await scene.start({ input: text, tags: text, key: attach('ключ 🗝 \' "') })
  const { held, input } = await scene.node.claimOne()
  const step = { path: `ship[${'Zürich 🦆'}]`, seq: 1, kind: 'step', attempt: 1, isError: false, value: text } as const
  const times = { startedAt: startMs, finishedAt: startMs }
  await scene.node.commit({
    steps: [{ held, ...step, ...times }],
    emits: [{ held, n: 1, value: text }],
    releases: [held],
  })
  const again = await scene.node.claimOne()
  await scene.node.commit({ settles: [{ ...settle(again.held), value: text }] })

  const row = await scene.store.findRun(id)
  const emitted = await scene.store.listEmitted(id, { epoch: 0, n: 0 }, 10)
  const texts = [input, again.input, again.steps[0]?.value, row?.input, row?.tags, row?.value, emitted[0]?.value]
  same(new Set(texts), new Set([text]))
  assert.equal((await scene.store.findFinished(id))?.value, text)
  same(decode(text), value)
  assert.equal(again.steps[0]?.path, step.path)
}
