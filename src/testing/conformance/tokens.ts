// Tokens: a run that waits is finished from outside once, by the one token of its latest claim (I8, I11).
import assert from 'node:assert/strict'
import type { Claimed, Held } from '../../store/store.ts'
import type { CompletionAnswer, CompletionResult, ParkRecord, TokenRecord } from '../../store/waits.ts'
import { attempt, cancel, same, settle, startMs, step, type Cases, type Scene } from './scene.ts'

const good: CompletionResult = { isError: false, value: 'j"from outside"' }
const bad: CompletionResult = { isError: true, value: '{"name":"Error","message":"from outside"}' }

const laterMs = startMs + 60_000

/** How an attempt that asked for a token ends by itself. */
const ends: Readonly<Record<string, (held: Held) => Parameters<Scene['node']['commit']>[0]>> = {
  fails: (held) => ({ settles: [{ ...settle(held, 'failed'), token: 'open' }] }),
  'is cancelled': (held) => ({ settles: [{ ...settle(held, 'cancelled'), token: 'open' }] }),
  'is to be tried again': (held) => ({
    attempts: [attempt(held, '', 1)],
    retries: [{ held, attempt: 2, dueAt: laterMs, token: 'open' }],
  }),
}

export const tokenCases: Cases = {
  'I8: takes what comes for a run that waits once, and makes the run ready with it': async (scene) => {
    const { held } = await waiting(scene)
    assert.equal(await tell(scene, 'secret', good), 'accepted')
    assert.equal(await tell(scene, 'secret', bad), 'used')
    same(await scene.store.wakeRuns(9), { woken: 0, nextDueAt: null, nextScheduleAt: null })
    const claimed = await scene.node.claimOne()
    assert.ok(claimed.held.epoch > held.epoch)
    same(claimed.awaiting, { ...limits, heardAt: startMs, result: good })
    await scene.node.commit({ settles: [{ ...settle(claimed.held), token: 'taken' }] })
    assert.equal(await tell(scene, 'secret', good), 'used')
  },

  'tells how many runs it made ready, and tells it again': async (scene) => {
    await waiting(scene)
    const batch = scene.node.batch({ completions: [{ hash: 'secret', result: good }] })
    const answers = [await scene.store.commit(batch), await scene.store.commit(batch)]
    same(answers[1], answers[0])
    same([answers[0]?.woken, answers[0]?.completions], [1, ['accepted']])
  },

  'knows no other token': async (scene) => {
    const { id } = await waiting(scene)
    assert.equal(await tell(scene, 'guess', good), 'not_found')
    assert.equal(await scene.store.findToken('guess'), undefined)
    same(await scene.store.findToken('secret'), { id, definitionId: scene.definitionId, path: '' })
  },

  'takes what comes while the attempt is at work, and wakes the run as soon as it parks': async (scene) => {
    const { held } = await asked(scene)
    assert.equal(await tell(scene, 'secret', good), 'accepted')
    const { woken } = await scene.node.commit({ parks: [awaits(held)] })
    assert.equal(woken, 1)
    same((await scene.node.claimOne()).awaiting?.result, good)
  },

  'takes what comes in the batch in which the run parks, on whichever side': async (scene) => {
    const { id, held } = await asked(scene)
    const { woken } = await scene.node.commit({
      parks: [awaits(held)],
      completions: [{ hash: 'secret', result: good }],
    })
    same([woken, await scene.stateOf(id)], [1, 'ready'])
  },

  ...Object.fromEntries(
    Object.entries(ends).flatMap(([how, end]) => [
      [
        `I11: lets what came first win over an attempt that ${how}`,
        async (scene: Scene) => {
          const { id, held } = await asked(scene)
          assert.equal(await tell(scene, 'secret', good), 'accepted')
          const { lost, woken } = await scene.node.commit(end(held))
          same([lost, woken, await scene.stateOf(id)], [new Set([held]), 1, 'ready'])
          same((await scene.node.claimOne()).awaiting?.result, good)
        },
      ],
      [
        `I11: lets an attempt that ${how} win over what comes later`,
        async (scene: Scene) => {
          const { held } = await asked(scene)
          same((await scene.node.commit(end(held))).lost, new Set())
          const answer = await tell(scene, 'secret', good)
          assert.equal(answer, how === 'is to be tried again' ? 'superseded' : 'finished')
        },
      ],
    ]),
  ),

  'refuses the token of an attempt that was followed by another, which has its own': async (scene) => {
    const first = await asked(scene)
    await scene.node.commit({ retries: [{ held: first.held, attempt: 2, dueAt: startMs, token: 'open' }] })
    await scene.store.wakeRuns(1)
    const second = await scene.node.claimOne()
    same([second.awaiting, second.waits], [undefined, []])
    await scene.node.commit({ tokens: [token(second.held, 'second')], parks: [awaits(second.held)] })
    assert.equal(await tell(scene, 'secret', good), 'superseded')
    assert.equal(await tell(scene, 'second', bad), 'accepted')
    same((await scene.node.claimOne()).awaiting?.result, bad)
  },

  'forgets what an attempt has taken once the run is tried again': async (scene) => {
    await waiting(scene)
    await tell(scene, 'secret', bad)
    const { held } = await scene.node.claimOne()
    await scene.node.commit({ retries: [{ held, attempt: 2, dueAt: startMs, token: 'taken' }] })
    await scene.store.wakeRuns(1)
    const next = await scene.node.claimOne()
    same([next.awaiting, next.waits], [undefined, []])
  },

  'keeps what came when the node that claimed it gives it back or dies': async (scene) => {
    await waiting(scene)
    await tell(scene, 'secret', good)
    const first = await scene.node.claimOne()
    await scene.node.commit({ releases: [first.held] })
    same((await scene.node.claimOne()).awaiting?.result, good)
    await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], { maxDeliveries: 9, value: '{}' })
    same((await (await scene.addNode()).claimOne()).awaiting?.result, good)
  },

  'keeps what came while the node that ran it died': async (scene) => {
    await asked(scene)
    await tell(scene, 'secret', good)
    await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], { maxDeliveries: 9, value: '{}' })
    same((await (await scene.addNode()).claimOne()).awaiting?.result, good)
  },

  'takes what comes between the death of the node and the next claim': async (scene) => {
    await asked(scene)
    await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], { maxDeliveries: 9, value: '{}' })
    assert.equal(await tell(scene, 'secret', good), 'accepted')
    same((await (await scene.addNode()).claimOne()).awaiting?.result, good)
  },

  'refuses a token once the run was claimed anew without having waited': async (scene) => {
    const { held } = await asked(scene)
    await scene.node.commit({ releases: [held] })
    assert.equal((await scene.node.claimOne()).awaiting, undefined)
    assert.equal(await tell(scene, 'secret', good), 'superseded')
  },

  'wakes a run whose time to wait is up, and still takes what comes until its node has ended it': async (scene) => {
    await waiting(scene, { timeoutAt: startMs + 50 })
    await scene.clock.advance(50)
    same(await scene.store.wakeRuns(9), { woken: 1, nextDueAt: null, nextScheduleAt: null })
    const { held, awaiting } = await scene.node.claimOne()
    same(awaiting, { ...limits, timeoutAt: startMs + 50, heardAt: startMs, result: null })
    assert.equal(await tell(scene, 'secret', good), 'accepted')
    same((await scene.node.commit({ settles: [{ ...settle(held, 'failed'), token: 'open' }] })).lost, new Set([held]))
    same((await scene.node.claimOne()).awaiting?.result, good)
  },

  'puts the end of a silence off with every sign of life, up to the end of the time': async (scene) => {
    await waiting(scene, { timeoutAt: startMs + 120, heartbeatMs: 50 })
    await scene.clock.advance(40)
    assert.equal(await tell(scene, 'secret', null), 'accepted')
    same(await scene.store.wakeRuns(9), { woken: 0, nextDueAt: startMs + 90, nextScheduleAt: null })
    await scene.clock.advance(40)
    await tell(scene, 'secret', null)
    same(await scene.store.wakeRuns(9), { woken: 0, nextDueAt: startMs + 120, nextScheduleAt: null })
    await scene.clock.advance(40)
    assert.equal((await scene.store.wakeRuns(9)).woken, 1)
    assert.equal((await scene.node.claimOne()).awaiting?.heardAt, startMs + 80)
  },

  'puts nothing off past the end of the time of the whole run': async (scene) => {
    await waiting(scene, { heartbeatMs: 50 }, { deadlineAt: startMs + 60 })
    await scene.clock.advance(40)
    await tell(scene, 'secret', null)
    same(await scene.store.wakeRuns(9), { woken: 0, nextDueAt: startMs + 60, nextScheduleAt: null })
  },

  'lets a run that was told from outside not run out of time before somebody takes that in': async (scene) => {
    const { id } = await waiting(scene, {}, { deadlineAt: startMs + 60 })
    await tell(scene, 'secret', good)
    await scene.clock.advance(100)
    same(await scene.store.expireRuns(9, () => '{}'), [])
    same([await scene.stateOf(id), (await scene.node.claimOne()).awaiting?.result], ['ready', good])
  },

  'I11: a cancel comes too late for what was told to have succeeded, and not for what has failed': async (scene) => {
    const one = await waiting(scene)
    await tell(scene, 'secret', good)
    same((await scene.client.commit({ cancels: [cancel(one.id)] })).cancels, ['asked'])
    same([await scene.stateOf(one.id), (await scene.node.claimOne()).awaiting?.result], ['ready', good])
    const other = await waiting(scene, { hash: 'other' })
    await tell(scene, 'other', bad)
    same((await scene.client.commit({ cancels: [cancel(other.id)] })).cancels, ['cancelled'])
    assert.equal(await tell(scene, 'other', good), 'used')
  },

  'I11: a cancel of a run that waits wins over what comes later': async (scene) => {
    const { id } = await waiting(scene)
    same((await scene.client.commit({ cancels: [cancel(id)] })).cancels, ['cancelled'])
    assert.equal(await tell(scene, 'secret', good), 'finished')
    assert.equal(await tell(scene, 'secret', null), 'finished')
  },

  'I8: refuses a token of the generation before, also when nobody has claimed the run since': async (scene) => {
    const { id } = await waiting(scene)
    await scene.client.commit({ cancels: [cancel(id)] })
    same(await scene.store.operating.reopenRuns([id], undefined), ['reopened'])
    assert.equal(await tell(scene, 'secret', good), 'superseded')
    same([await scene.stateOf(id), (await scene.node.claimOne()).awaiting], ['ready', undefined])
  },

  'I11: what was told to have succeeded outlives the last death that is allowed, and the time of the run': async (
    scene,
  ) => {
    const { id } = await asked(scene, {}, { deadlineAt: startMs + 60 })
    await tell(scene, 'secret', good)
    await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], { maxDeliveries: 1, value: '{}' })
    await scene.clock.advance(100)
    same(await scene.store.expireRuns(9, () => '{}'), [])
    assert.equal(await scene.stateOf(id), 'ready')
    same((await (await scene.addNode()).claimOne()).awaiting?.result, good)
  },

  'does nothing to other runs of the same node': async (scene) => {
    const first = await waiting(scene)
    const second = await waiting(scene, { hash: 'other' })
    await tell(scene, 'secret', good)
    same([await scene.stateOf(first.id), await scene.stateOf(second.id)], ['ready', 'parked'])
  },

  'wakes a step that waits among others, and leaves its run what it remembers': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const inner = { path: 'pay', kind: 'completion', name: null, dueAt: null } as const
    await scene.node.commit({
      steps: [step(held, 'before')],
      tokens: [token(held, 'secret', { path: 'pay' })],
      parks: [{ held, dueAt: laterMs, waits: [inner, { path: 'nap', kind: 'sleep', name: null, dueAt: laterMs }] }],
    })
    assert.equal(await tell(scene, 'secret', good), 'accepted')
    const claimed = await scene.node.claimOne()
    same([claimed.id, claimed.awaiting, claimed.steps.map(({ path }) => path)], [id, undefined, ['before']])
    same(claimed.waits.map(({ path }) => path).toSorted(), ['nap', 'pay'])
    same(claimed.awaitingSteps, [{ path: 'pay', startedAt: startMs, timeoutAt: null, result: good }])
  },

  'lets a step that waits do so under every later claim, and forgets the token of one that was at work': async (
    scene,
  ) => {
    const { held } = await scene.startAndClaim()
    const waits = ['pay', 'ship'].map((path) => ({ path, kind: 'completion', name: null, dueAt: null }) as const)
    await scene.node.commit({
      tokens: [token(held, 'secret', { path: 'pay' }), token(held, 'other', { path: 'ship' })],
      parks: [{ held, dueAt: null, waits }],
    })
    assert.equal(await tell(scene, 'other', good), 'accepted')
    const second = await scene.node.claimOne()
    await scene.node.commit({ tokens: [token(second.held, 'at work', { path: 'pack' })] })
    await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], { maxDeliveries: 9, value: '{}' })
    const node = await scene.addNode()
    const third = await node.claimOne()
    same(third.awaitingSteps.map(({ path, result }) => [path, result]).toSorted(), [
      ['pay', null],
      ['ship', good],
    ])
    assert.equal(await tell(scene, 'at work', good), 'superseded')
    assert.equal(await tell(scene, 'secret', bad), 'accepted')
  },

  'tells of steps whose run goes on, until what came is recorded': async (scene) => {
    const { held } = await scene.startAndClaim()
    const tokens = ['pay', 'ship', ''].map((path) => token(held, `of ${path}`, { path }))
    await scene.node.commit({ tokens })
    same(await scene.store.listCompletions(held), [])
    for (const hash of ['of pay', 'of ']) assert.equal(await tell(scene, hash, good), 'accepted')
    same(await scene.store.listCompletions(held), [{ path: 'pay', startedAt: startMs, result: good }])
    assert.equal(await tell(scene, 'of ship', bad), 'accepted')
    await scene.node.commit({ steps: [step(held, 'pay', { hadToken: true })] })
    same(await scene.store.listCompletions(held), [{ path: 'ship', startedAt: startMs, result: bad }])
    same(await scene.store.listCompletions({ ...held, epoch: held.epoch + 1 }), [])
  },

  'I8: refuses the token of an attempt of a step that was followed by another, and of one that has ended': async (
    scene,
  ) => {
    const { held } = await scene.startAndClaim()
    await scene.node.commit({ tokens: [token(held, 'first', { path: 'pay' })] })
    await scene.node.commit({ attempts: [{ ...attempt(held, 'pay', 1), hadToken: true }] })
    assert.equal(await tell(scene, 'first', good), 'superseded')
    await scene.node.commit({ tokens: [token(held, 'second', { path: 'pay' })] })
    await scene.node.commit({ tokens: [token(held, 'third', { path: 'pay' })] })
    assert.equal(await tell(scene, 'second', good), 'superseded')
    await scene.node.commit({ steps: [step(held, 'pay', { hadToken: true })] })
    assert.equal(await tell(scene, 'third', good), 'superseded')
  },

  'I8: refuses the token of a step of a turn that is over, and of what a run did before it began anew': async (
    scene,
  ) => {
    const { id, held } = await scene.startAndClaim()
    const paths = ['loop[1]/pay', 'loop[2]/pay', 'loop[1]x']
    await scene.node.commit({ tokens: paths.map((path) => token(held, path, { path })) })
    assert.equal(await tell(scene, 'loop[1]x', null), 'accepted')
    const turn = { held, path: 'loop/state', seq: 1, value: 'j1', over: 'loop[1]', hadTokens: true }
    await scene.node.commit({ turns: [{ ...turn, startedAt: startMs, finishedAt: startMs }] })
    assert.equal(await tell(scene, 'loop[1]/pay', good), 'superseded')
    assert.equal(await tell(scene, 'loop[1]x', good), 'accepted')
    const { definitionId } = scene
    await scene.node.commit({ continues: [{ held, input: 'j1', limits: null, definitionId }] })
    assert.equal(await tell(scene, 'loop[2]/pay', good), 'superseded')
    const next = await scene.node.claimOne()
    same([next.id, next.waits, next.awaitingSteps], [id, [], []])
  },
}

const limits = { startedAt: startMs, timeoutAt: null, heartbeatMs: null }

function token(held: Held, hash: string, values: Partial<TokenRecord> = {}): TokenRecord {
  return { held, hash, path: '', ...limits, ...values }
}

function awaits(held: Held, { timeoutAt, heartbeatMs }: Partial<TokenRecord> = {}): ParkRecord {
  const until = Math.min(timeoutAt ?? Infinity, startMs + (heartbeatMs ?? Infinity))
  const dueAt = until === Infinity ? null : until
  return { held, dueAt, waits: [{ path: '', kind: 'completion', name: null, dueAt }] }
}

/** A run that runs and has asked for a token. */
async function asked(scene: Scene, values: Partial<TokenRecord> = {}, start = {}): Promise<Claimed> {
  const claimed = await scene.startAndClaim(start)
  await scene.node.commit({ tokens: [token(claimed.held, 'secret', values)] })
  return claimed
}

/** A run that waits with a token. */
async function waiting(scene: Scene, values: Partial<TokenRecord> = {}, start = {}): Promise<Claimed> {
  const claimed = await asked(scene, values, start)
  await scene.node.commit({ parks: [awaits(claimed.held, values)] })
  return claimed
}

async function tell(
  scene: Scene,
  hash: string,
  result: CompletionResult | null,
): Promise<CompletionAnswer | undefined> {
  return (await scene.client.commit({ completions: [{ hash, result }] })).completions[0]
}
