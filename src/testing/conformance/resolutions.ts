// Results that people record by hand: one result for a step, whoever is first; what its node still writes is refused (I1, I5, I8, I11).
import assert from 'node:assert/strict'
import type { ResolveRecord, Resolved } from '../../store/operating.ts'
import type { Claimed, Held, Store } from '../../store/store.ts'
import type { WaitRecord } from '../../store/waits.ts'
import { attempt, cancel, errorValue, park, same, settle, startMs, step, type Cases, type Scene } from './scene.ts'

const audit = { actor: 'ann', action: 'resolve', target: '', details: '{}' }
const dueAt = startMs + 60_000
const pause: WaitRecord = { path: 'pay', kind: 'backoff', name: null, dueAt }
const awaited: WaitRecord = { path: 'pay', kind: 'completion', name: null, dueAt: null }

export const resolutionCases: Cases = {
  'records the result of a step that backs off, and makes its run ready': async (scene) => {
    const { id, held } = await failing(scene)
    await scene.node.commit({ parks: [{ held, dueAt, waits: [pause] }] })
    same(await resolve(scene, id), 'resolved')
    const claimed = await scene.node.claimOne()
    same(shown(claimed), [['pay', 1, false, 'j"by hand"']])
    same([claimed.waits, claimed.deliveries, claimed.held.generation], [[], 0, 1])
    same(await stepsOf(scene, id), [['pay', 0, 'step']])
  },

  'records a failure as well': async (scene) => {
    const { id, held } = await failing(scene)
    await scene.node.commit({ parks: [{ held, dueAt, waits: [pause] }] })
    same(await resolve(scene, id, { isError: true, value: errorValue('declined') }), 'resolved')
    same(shown(await scene.node.claimOne()), [['pay', 1, true, errorValue('declined')]])
  },

  'I1: takes the run away from who executes the step: what that still writes is refused, and it is told so once':
    async (scene) => {
      const { id, held } = await failing(scene)
      same(await resolve(scene, id), 'resolved')
      const told = await scene.node.commit({ steps: [step(held, 'pay')] })
      same([...told.lost], [held])
      same([told.taken, told.cancelRequests], [[{ runId: held.runId, epoch: held.epoch }], []])
      same((await scene.node.commit({})).taken, [])
      const again = await scene.node.claimOne()
      assert.ok(again.held.epoch > held.epoch)
      same(shown(again), [['pay', 1, false, 'j"by hand"']])
    },

  'I1: comes too late for a step that has its result': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ steps: [step(held, 'pay')] })
    same(await resolve(scene, id, { isForced: true }), 'recorded')
    same([await scene.node.holds(held), await stepsOf(scene, id)], [true, [['pay', 1, 'step']]])
  },

  'opens the next generation of a run that failed at the step': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const steps = [step(held, 'first'), step(held, 'pay', { seq: 2, isError: true, value: '{}' })]
    await scene.node.commit({ steps, settles: [settle(held, 'failed')] })
    same(await resolve(scene, id), 'resolved')
    const claimed = await scene.node.claimOne()
    same(
      [claimed.held.generation, shown(claimed).map(([path, seq]) => [path, seq])],
      [
        2,
        [
          ['first', 1],
          ['pay', 2],
        ],
      ],
    )
    same((await scene.store.findRun(id))?.fingerprint, null)
  },

  'opens the next generation of a run that was cancelled while the step was tried again': async (scene) => {
    const { id, held } = await failing(scene)
    await scene.node.commit({ parks: [{ held, dueAt, waits: [pause] }] })
    await scene.client.commit({ cancels: [cancel(id)] })
    same(await scene.stateOf(id), 'cancelled')
    same(await resolve(scene, id), 'resolved')
    same(shown(await scene.node.claimOne()), [['pay', 1, false, 'j"by hand"']])
  },

  'leaves alone a run that has succeeded, one of which the step is not known, and one that waits for something else':
    async (scene) => {
      const { id, held } = await failing(scene)
      await scene.node.commit({ steps: [step(held, 'first')], attempts: [attempt(held, 'ship', 1)] })
      const before = await scene.rowOf(id)
      same(await resolve(scene, id, { path: 'pya' }), { open: ['pay', 'ship'] })
      same([await scene.rowOf(id), await scene.node.holds(held)], [before, true])
      await scene.node.commit({ parks: [park(held, dueAt)] })
      same(await resolve(scene, id, { path: 'nap', isForced: true }), { waits: 'sleep' })
      same(await scene.stateOf(id), 'parked')
      await scene.clock.advance(60_000)
      await scene.store.wakeRuns(1)
      await scene.node.commit({ settles: [settle((await scene.node.claimOne()).held)] })
      same(await resolve(scene, id), 'succeeded')
      same(await resolve(scene, 'nobody'), 'not_found')
      same(await scene.store.operating.listAudit({ before: null, limit: 9 }), [])
    },

  'may be undone as its code says, and marks its run so': async (scene) => {
    const { id, held } = await failing(scene)
    await scene.node.commit({ parks: [{ held, dueAt, waits: [pause] }] })
    await resolve(scene, id)
    const { held: again, steps } = await scene.node.claimOne()
    same([steps[0]?.hasUndo, steps[0]?.isByHand], [true, true])
    await scene.node.commit({ releases: [again] })
    const { cancels } = await scene.client.commit({ cancels: [cancel(id)] })
    same([cancels, await scene.stateOf(id)], [['asked'], 'ready'])
  },

  'of a run that undoes takes the steps that undo, and no others': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const steps = [step(held, 'pay', { hasUndo: true })]
    const value = errorValue('declined')
    await scene.node.commit({ steps, undoes: [{ held, outcome: 'failed', value }] })
    same(await resolve(scene, id, { path: 'ship', isForced: true }), 'undoing')
    same(await resolve(scene, id, { path: 'pay/undo', value: 'u' }), 'resolved')
    same(await resolve(scene, id, { path: 'pay/undo' }), 'recorded')
    same(await stepsOf(scene, id), [
      ['pay', 1, 'step'],
      ['pay/undo', 0, 'undo'],
    ])
  },

  'I8: comes too late for what somebody told with the token, and makes the token mean nothing otherwise': async (
    scene,
  ) => {
    const first = await waiting(scene, 'one')
    const told = await scene.client.commit({ completions: [completion('one')] })
    same([told.completions, await resolve(scene, first.id)], [['accepted'], 'completed'])
    same((await scene.node.claimOne()).awaitingSteps[0]?.result, { isError: false, value: 'j"told"' })
    const second = await waiting(scene, 'two')
    same(await resolve(scene, second.id), 'resolved')
    same((await scene.client.commit({ completions: [completion('two')] })).completions, ['resolved'])
  },

  'of a completion and a resolution at one time one is the result': (scene) =>
    raced(scene, {
      make: (on, n) => waiting(on, `token-${n}`),
      rival: (_on, n) =>
        scene.client
          .commit({ completions: [completion(`token-${n}`)] })
          .then(({ completions }) => completions[0] === 'accepted'),
    }),

  'of the own result of a step and a resolution at one time one is recorded': (scene) =>
    raced(scene, {
      make: failing,
      rival: async (_on, _n, held) => scene.node.isTaken(held, { steps: [step(held, 'pay')] }),
    }),

  'of the end of a run and a resolution at one time one comes first': (scene) =>
    raced(scene, {
      make: failing,
      rival: async (_on, _n, held) => scene.node.isTaken(held, { settles: [settle(held)] }),
    }),

  'keeps who did it, and only when it was done': async (scene) => {
    const { id } = await failing(scene)
    same([await resolve(scene, id), await resolve(scene, id)], ['resolved', 'recorded'])
    same(
      (await scene.store.operating.listAudit({ before: null, limit: 9 })).map(({ actor, action }) => [actor, action]),
      [['ann', 'resolve']],
    )
  },
}

interface Race {
  make(scene: Scene, n: number): Promise<Claimed>
  /** Tells whether it was taken. */
  rival(scene: Scene, n: number, held: Held): Promise<boolean>
}

/** Both orders, several times, on two connections where there can be two: exactly one of the two is taken. */
async function raced(scene: Scene, { make, rival }: Race): Promise<void> {
  for (let round = 0; round < 6; round += 1) {
    const { id, held } = await make(scene, round)
    const on = await scene.connect()
    const resolved = async (): Promise<boolean> => (await resolve(scene, id, { on })) === 'resolved'
    const both =
      round % 2 === 0 ? [resolved(), rival(scene, round, held)] : [rival(scene, round, held), resolved()].toReversed()
    const [byHand, byItself] = await Promise.all(both)
    assert.notEqual(byHand, byItself)
    const paths = (await scene.store.listSteps(id)).filter(({ path }) => path === 'pay')
    assert.ok(paths.length <= 1)
    if (byHand === true) same(paths[0]?.attempt, 0)
    // Nothing is left that the next round would claim.
    await scene.client.commit({ cancels: [{ ...cancel(id), skipsUndo: true }] })
    await scene.node.commit({ settles: [settle(held, 'cancelled')] })
  }
}

/** A run that a node holds, of which a step has failed once. */
async function failing(scene: Scene): Promise<Claimed> {
  const claimed = await scene.startAndClaim()
  await scene.node.commit({ attempts: [attempt(claimed.held, 'pay', 1)] })
  return claimed
}

/** A run that is parked with a token of a step. */
async function waiting(scene: Scene, hash: string): Promise<Claimed> {
  const claimed = await scene.startAndClaim()
  const { held } = claimed
  const token = { held, hash, path: 'pay', startedAt: startMs, timeoutAt: null, heartbeatMs: null }
  await scene.node.commit({ tokens: [token], parks: [{ held, dueAt: null, waits: [awaited] }] })
  return claimed
}

function completion(hash: string) {
  return { hash, result: { isError: false, value: 'j"told"' } }
}

function resolve(
  scene: Scene,
  id: string,
  { on = scene.store, ...values }: Partial<ResolveRecord> & { readonly on?: Store } = {},
): Promise<Resolved> {
  const result = { id, path: 'pay', isError: false, value: 'j"by hand"', isForced: false, ...values }
  return on.operating.resolveStep(result, audit)
}

function shown({ steps }: Claimed): [string, number, boolean, string][] {
  return steps.map(({ path, seq, isError, value }) => [path, seq, isError, value])
}

async function stepsOf(scene: Scene, id: string): Promise<[string, number, string][]> {
  return (await scene.store.listSteps(id)).map(({ path, attempt: tries, kind }) => [path, tries, kind])
}
