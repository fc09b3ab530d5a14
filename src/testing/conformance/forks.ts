// Forks: another run that remembers what one did before a step; that one, its key and its messages stay as they are (I1, I11, I13).
import assert from 'node:assert/strict'
import type { RunState } from '../../model/run.ts'
import type { ForkRecord, Forked } from '../../store/operating.ts'
import type { Claimed, Held } from '../../store/store.ts'
import {
  attach,
  attempt,
  cancel,
  errorValue,
  park,
  same,
  settle,
  startMs,
  step,
  type Cases,
  type Scene,
} from './scene.ts'

const audit = { actor: 'ann', action: 'fork', target: '', details: '{}' }
const keptShortly = {
  defaults: { succeeded: 10, failed: null, cancelled: null, logs: null },
  beside: { audit: 10, events: 10 },
  limit: 10,
  pauseMs: 1,
}

const ends: Readonly<Record<RunState, (scene: Scene, held: Held) => Promise<unknown>>> = {
  ready: (scene, held) => scene.node.commit({ releases: [held] }),
  scheduled: (scene, held) => scene.node.commit({ retries: [{ held, attempt: 2, dueAt: startMs + 60_000 }] }),
  running: async () => undefined,
  parked: (scene, held) => scene.node.commit({ parks: [park(held, startMs + 60_000)] }),
  succeeded: (scene, held) => scene.node.commit({ settles: [settle(held)] }),
  failed: (scene, held) => scene.node.commit({ settles: [settle(held, 'failed')] }),
  cancelled: (scene, held) => scene.node.commit({ settles: [settle(held, 'cancelled')] }),
}

export const forkCases: Cases = {
  ...Object.fromEntries(
    (Object.keys(ends) as RunState[]).map((state) => [
      `forks a run that is ${state}, which stays as it is`,
      (scene: Scene) => forksFrom(scene, state),
    ]),
  ),

  'remembers what was recorded before the step, whatever it was, and nothing after it': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const steps = [
      step(held, 'by card', { isError: true, value: '{}' }),
      step(held, 'by bill', { seq: 2 }),
      step(held, 'side', { seq: 4 }),
      step(held, 'ship', { seq: 3 }),
    ]
    await scene.node.commit({ steps, attempts: [attempt(held, 'ship', 1)], settles: [settle(held)] })
    const claimed = await forkAndClaim(scene, { from: id, step: 'ship' })
    same(
      claimed.steps.map(({ path, seq, isError }) => [path, seq, isError]),
      [
        ['by card', 1, true],
        ['by bill', 2, false],
      ],
    )
    same([claimed.failedAttempts, claimed.held.generation, claimed.attempt, claimed.deliveries], [[], 1, 1, 0])
  },

  'of a run that failed remembers without a step what succeeded, as in another generation': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const steps = [step(held, 'pay', { isError: true, value: '{}' }), step(held, 'note', { seq: 2 })]
    await scene.node.commit({ steps, settles: [settle(held, 'failed')] })
    const claimed = await forkAndClaim(scene, { from: id })
    same([claimed.steps.map(({ path }) => path), claimed.held.generation], [['note'], 2])
  },

  'keeps all before a step that was begun and has not been recorded': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ steps: [step(held, 'pay')], attempts: [attempt(held, 'ship', 1)] })
    await scene.node.commit({ parks: [park(held, startMs + 60_000)] })
    for (const begun of ['ship', 'nap']) {
      const claimed = await forkAndClaim(scene, { from: id, step: begun })
      same(
        claimed.steps.map(({ path }) => path),
        ['pay'],
      )
      same(claimed.waits, [])
    }
  },

  'names what there is when the step is not there, and makes nothing': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ steps: [step(held, 'pay')], attempts: [attempt(held, 'ship', 1)] })
    same(await fork(scene, { from: id, step: 'sip' }), { known: ['pay', 'ship'] })
    same(await fork(scene, { from: 'nobody' }), 'not_found')
    same((await scene.store.listRuns({ limit: 9 })).length, 1)
    same(await scene.store.operating.listAudit({ before: null, limit: 9 }), [])
  },

  'can undo nothing of what it remembers, and forgets what was undone': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const steps = [step(held, 'flight', { hasUndo: true }), step(held, 'pay', { seq: 2, hasUndo: true })]
    const value = errorValue('declined')
    await scene.node.commit({ steps, undoes: [{ held, outcome: 'failed', value }] })
    const early = await forkAndClaim(scene, { from: id })
    same([early.steps, early.held.generation], [[], 2])
    await scene.node.commit({ settles: [settle(early.held)] })
    const again = await scene.node.claimOne()
    const undone = [
      step(again.held, 'pay/undo', { seq: 3, kind: 'undo' }),
      step(again.held, 'flight/undo', { seq: 4, kind: 'undo', isError: true, value }),
    ]
    await scene.node.commit({ steps: undone, settles: [settle(again.held, 'failed')] })
    const late = await forkAndClaim(scene, { from: id })
    same(
      late.steps.map(({ path, hasUndo }) => [path, hasUndo]),
      [['flight', undefined]],
    )
    await scene.node.commit({ settles: [settle(late.held, 'failed')] })
    same(await scene.stateOf(late.id), 'failed')
  },

  'has nothing of what the other kept together with its success': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ states: [{ held, key: 'cursor', value: 'j7' }], settles: [settle(held)] })
    same((await forkAndClaim(scene, { from: id })).states, [])
  },

  'has what belongs to the other, but for its key, its messages and its parent': async (scene) => {
    const { id, held } = await scene.startAndClaim({
      key: attach('order-7'),
      priority: 9,
      tags: '["shop"]',
      correlationId: 'c-1',
      deadlineAt: startMs + 100,
      expiresAt: startMs + 50,
    })
    await scene.node.commit({ states: [{ held, key: 'cursor', value: 'j7' }] })
    await scene.client.commit({ tells: [{ id, name: 'approve', value: 'j1' }] })
    await scene.clock.advance(80)
    const claimed = await forkAndClaim(scene, { from: id })
    same([claimed.states, claimed.correlationId], [[{ key: 'cursor', value: 'j7' }], 'c-1'])
    same([claimed.deadlineAt, claimed.expiresAt], [startMs + 180, null])
    same(await scene.store.listMessages({ id: claimed.id, name: null, limit: 9 }), [])
    const seen = await scene.store.findRun(claimed.id)
    same([seen?.tags, seen?.forkedFrom, seen?.parent], ['["shop"]', id, null])
    const keyed = await scene.client.commit({ starts: [scene.startRecord({ key: attach('order-7') })] })
    same(keyed.started[0]?.id, id)
  },

  'begins with another input when one is given': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ settles: [settle(held)] })
    const input = { value: 'j"other"', limits: null, isUnchecked: true }
    const claimed = await forkAndClaim(scene, { from: id, input })
    same([claimed.input, claimed.isUnchecked], ['j"other"', true])
    same((await scene.store.findRun(id))?.input, 'j{}')
  },

  'waits in line for the limiters of the other': async (scene) => {
    const limiterId = await scene.store.internLimiter('one', { concurrency: 1, total: null, rate: null })
    const { id } = await scene.startAndClaim({ limits: [{ limiterId, key: '' }] })
    same(await fork(scene, { from: id }), 'forked')
    same(await scene.node.claim(), [])
    await scene.client.commit({ cancels: [cancel(id)] })
    const [held] = [await scene.store.findRun(id)]
    same(held?.state, 'running')
  },

  'shares a child that is under way, which then ends with neither': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const start = scene.startRecord()
    const child = { held, path: 'child', seq: 1, startedAt: startMs, start, isDetached: false }
    await scene.node.commit({ children: [child] })
    const claimed = await claimFork(scene, id)
    same(
      claimed.steps.map(({ kind, value }) => [kind, value]),
      [['child', `j"${start.id}"`]],
    )
    await scene.node.commit({ settles: [settle(held, 'failed'), settle(claimed.held, 'cancelled')] })
    same(await scene.stateOf(start.id), 'ready')
  },

  'starts a child anew that ended with the other, unless its result is kept': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const start = scene.startRecord()
    const child = { held, path: 'child', seq: 1, startedAt: startMs, start, isDetached: false }
    await scene.node.commit({ children: [child] })
    await scene.client.commit({ cancels: [cancel(start.id)] })
    const steps = [
      step(held, 'child/result', { seq: 2, kind: 'result', isError: true, value: errorValue('run_cancelled') }),
      step(held, 'note', { seq: 3 }),
    ]
    await scene.node.commit({ steps, settles: [settle(held, 'failed')] })
    const paths = async (from: string) =>
      (await forkAndClaim(scene, { from: id, step: from })).steps.map(({ path }) => path)
    same(await paths('note'), ['child', 'child/result'])
    same(await paths('child/result'), [])
  },

  'keeps the ended runs that the other one started, for as long as it may ask for their results': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const start = scene.startRecord({ id: 'kept child' })
    const child = { held, path: 'child', seq: 1, startedAt: startMs, start, isDetached: false }
    await scene.node.commit({ children: [child] })
    await scene.node.commit({ settles: [settle((await scene.node.claimOne()).held), settle(held)] })
    const first = await forkAndClaim(scene, { from: id })
    const second = await forkAndClaim(scene, { from: first.id })
    const deleted = async (): Promise<number> => {
      await scene.clock.advance(100)
      return (await scene.store.retention.deleteExpired(keptShortly)).runs
    }
    same([await deleted(), (await scene.store.findRun(start.id))?.state], [1, 'succeeded'])
    await scene.node.commit({ settles: [settle(first.held)] })
    same([await deleted(), (await scene.store.findRun(start.id))?.state], [1, 'succeeded'])
    await scene.node.commit({ settles: [settle(second.held)] })
    same([await deleted(), await scene.store.findRun(start.id)], [2, undefined])
  },

  'makes one run for each run and key, while that is kept': async (scene) => {
    const [one, other] = [await scene.startAndClaim(), await scene.startAndClaim()]
    const key = { text: 'van fixed', leavesOwn: false }
    same(await fork(scene, { from: one.id, id: 'first', key }), 'forked')
    same(await fork(scene, { from: one.id, id: 'again', step: 'nowhere', key }), { joined: 'first' })
    same(await fork(scene, { from: one.id, id: 'by another', key: { ...key, text: 'again' } }), 'forked')
    same(await fork(scene, { from: other.id, id: 'of another', key }), 'forked')
    same(await fork(scene, { from: 'first', key: { ...key, leavesOwn: true } }), { joined: 'first' })
    same(await fork(scene, { from: 'by another', id: 'of a fork', key: { ...key, leavesOwn: true } }), 'forked')
    same(await fork(scene, { from: 'first', id: 'of the first', key }), 'forked')
    same((await scene.store.operating.listAudit({ before: null, limit: 9 })).length, 5)
    await scene.client.commit({ cancels: [cancel('first')] })
    same(await scene.store.operating.deleteRuns(['first'], undefined), ['deleted'])
    same(await fork(scene, { from: one.id, id: 'anew', key }), 'forked')
  },

  'makes one run when two ask under one key at the same time': async (scene) => {
    const id = await scene.start()
    const stores = [await scene.connect(), await scene.connect(), scene.store]
    const key = { text: 'once', leavesOwn: false }
    const told = await Promise.all(
      stores.map((on, n) => on.operating.forkRun({ from: id, id: `rival-${n}`, step: null, input: null, key }, audit)),
    )
    same(told.filter((one) => one === 'forked').length, 1)
    const [made] = await scene.store.listRuns({ limit: 1 })
    same(
      told.filter((one) => one !== 'forked'),
      [{ joined: made?.id }, { joined: made?.id }],
    )
    same((await scene.store.listRuns({ limit: 9 })).length, 2)
  },

  'is counted as a run of its own': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ settles: [settle(held)] })
    const claimed = await forkAndClaim(scene, { from: id })
    await scene.node.commit({ settles: [settle(claimed.held)] })
    same(
      (await scene.store.countEnded('resize')).map(({ outcome, runs }) => [outcome, runs]),
      [['succeeded', 2]],
    )
  },

  'forks a run that is being deleted with all it remembers, or not at all': async (scene) => {
    for (let round = 0; round < 6; round += 1) {
      const { id, held } = await scene.startAndClaim()
      await scene.node.commit({ steps: [step(held, 'pay'), step(held, 'ship', { seq: 2 })], settles: [settle(held)] })
      const [one, other] = [await scene.connect(), await scene.connect()]
      const order = { from: id, id: `fork-of-${id}`, step: null, input: null }
      const deleted = (): Promise<unknown> => one.operating.deleteRuns([id], undefined)
      const forked = (): Promise<Forked> => other.operating.forkRun(order, audit)
      const [answer] =
        round % 2 === 0
          ? await Promise.all([forked(), deleted()])
          : (await Promise.all([deleted(), forked()])).toReversed()
      const paths = (await scene.store.listSteps(order.id)).map(({ path }) => path)
      same(paths, answer === 'forked' ? ['pay', 'ship'] : [])
      same((await scene.store.findRun(order.id)) !== undefined, answer === 'forked')
      if (answer === 'forked') await scene.node.commit({ settles: [settle((await scene.node.claimOne()).held)] })
    }
  },

  'keeps who did it': async (scene) => {
    const id = await scene.start()
    await fork(scene, { from: id })
    same(
      (await scene.store.operating.listAudit({ before: null, limit: 9 })).map(({ actor, action }) => [actor, action]),
      [['ann', 'fork']],
    )
  },
}

async function forksFrom(scene: Scene, state: RunState): Promise<void> {
  const { id, held } = await scene.startAndClaim()
  await scene.node.commit({ steps: [step(held, 'pay')] })
  await ends[state](scene, held)
  const before = await scene.rowOf(id)
  assert.equal(before?.state, state)
  assert.equal(await fork(scene, { from: id }), 'forked')
  same(await scene.rowOf(id), before)
  const rows = await scene.store.listRuns({ limit: 9 })
  same(
    rows.map((row) => [row.state, row.forkedFrom]),
    [
      ['ready', id],
      [state, null],
    ],
  )
}

let forks = 0

function fork(scene: Scene, values: Pick<ForkRecord, 'from'> & Partial<ForkRecord>): Promise<Forked> {
  forks += 1
  return scene.store.operating.forkRun({ id: `fork-${forks}`, step: null, input: null, ...values }, audit)
}

/** The other run does not wait to be claimed meanwhile. */
async function forkAndClaim(scene: Scene, values: Pick<ForkRecord, 'from'> & Partial<ForkRecord>): Promise<Claimed> {
  same(await fork(scene, values), 'forked')
  const only = [`fork-${forks}`]
  const { claimed } = await scene.node.commit({ claims: [scene.claimRequest({ only })] })
  const run = claimed[0]?.[0]
  assert.equal(run?.id, only[0])
  return run as Claimed
}

function claimFork(scene: Scene, from: string): Promise<Claimed> {
  return forkAndClaim(scene, { from })
}
