// What runs wait for that go on: whoever claims one next has the times of its waits, and nothing else comes of them.
import assert from 'node:assert/strict'
import type { Held } from '../../store/store.ts'
import type { WaitRecord } from '../../store/waits.ts'
import { attempt, park, same, settle, startMs, step, type Cases, type Part, type Scene } from './scene.ts'

const dueAt = startMs + 60_000
const nap: WaitRecord = { path: 'nap', kind: 'sleep', name: null, dueAt }
const mail: WaitRecord = { path: 'mail', kind: 'message', name: 'go', key: 'one', dueAt }

export const waitCases: Cases = {
  'are there for the next claim, when their node dies and when it gives them back': async (scene) => {
    const { held } = await scene.startAndClaim()
    await scene.node.commit({ waits: [{ held, waits: [nap, mail] }] })
    const other = await scene.addNode()
    await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], { maxDeliveries: 4, value: '{}' })
    const again = await other.claimOne()
    same(again.waits, [mail, nap])
    await other.commit({ releases: [again.held] })
    same((await other.claimOne()).waits, [mail, nap])
  },

  'move nothing: neither their time nor what they wait for wakes the run': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ waits: [{ held, waits: [nap, mail] }] })
    await scene.clock.advance(60_000)
    same(await scene.store.wakeRuns(9), { woken: 0, nextDueAt: null, nextScheduleAt: null })
    const told = await scene.client.commit({ tells: [{ id: 'm', name: 'go', key: 'one', value: 'j1' }] })
    assert.equal(told.woken, 0)
    same([await scene.stateOf(id), await scene.node.holds(held)], ['running', true])
  },

  'take the place of what was waited for under the same path': async (scene) => {
    const { held } = await scene.startAndClaim()
    const pause: WaitRecord = { path: 'nap', kind: 'backoff', name: null, dueAt: dueAt + 1 }
    await scene.node.commit({ waits: [{ held, waits: [nap] }] })
    await scene.node.commit({ waits: [{ held, waits: [pause] }] })
    same(await nextWaits(scene, held), [pause])
  },

  'give way to those of a park': async (scene) => {
    const { held } = await scene.startAndClaim()
    await scene.node.commit({ waits: [{ held, waits: [nap, mail] }] })
    await scene.node.commit({ parks: [{ ...park(held, startMs), waits: [{ ...nap, path: 'other' }] }] })
    await scene.store.wakeRuns(9)
    same(
      (await scene.node.claimOne()).waits.map(({ path }) => path),
      ['other'],
    )
  },

  'go with the record of what they brought, also in one batch': async (scene) => {
    const { held } = await scene.startAndClaim()
    await scene.node.commit({ waits: [{ held, waits: [nap] }] })
    const came = [step(held, 'nap', { hadWait: true }), step(held, 'mail', { seq: 2, hadWait: true })]
    await scene.node.commit({ steps: came, waits: [{ held, waits: [mail, { ...nap, path: 'kept' }] }] })
    same(await nextWaits(scene, held), [{ ...nap, path: 'kept' }])
  },

  'go with the turn of a loop that is over, and no others': async (scene) => {
    const { held } = await scene.startAndClaim()
    const paths = ['loop[1]/nap', 'loop[1]/in/nap', 'loop[10]/nap', 'loop[2]/nap', 'nap']
    const waits = paths.map((path) => ({ ...nap, path }))
    await scene.node.commit({ waits: [{ held, waits }] })
    const times = { startedAt: startMs, finishedAt: startMs }
    const turn = { held, path: 'loop', seq: 1, value: 'j1', over: 'loop[1]', hadWaits: true, ...times }
    await scene.node.commit({ turns: [turn] })
    same(
      (await nextWaits(scene, held)).map(({ path }) => path),
      ['loop[10]/nap', 'loop[2]/nap', 'nap'],
    )
  },

  'of an attempt that has ended do not let the token of the next pass for one that was given out': async (scene) => {
    const { held } = await scene.startAndClaim()
    const waits: WaitRecord[] = [{ path: 'ask', kind: 'completion', name: null, dueAt: null }]
    await scene.node.commit({ tokens: [tokenOf(held, 'first')] })
    await scene.node.commit({ waits: [{ held, waits }] })
    await scene.node.commit({ attempts: [{ ...attempt(held, 'ask', 1), hadToken: true }] })
    await scene.node.commit({ tokens: [tokenOf(held, 'second')] })
    await scene.node.commit({ releases: [held] })
    const { awaitingSteps, waits: left } = await scene.node.claimOne()
    same([awaitingSteps, left], [[], []])
    const { completions } = await scene.client.commit({
      completions: [{ hash: 'second', result: { isError: false, value: 'j1' } }],
    })
    same(completions, ['superseded'])
  },

  'with a token: it stays good through the next claim': async (scene) => {
    const { held } = await scene.startAndClaim()
    const waits: WaitRecord[] = [{ path: 'ask', kind: 'completion', name: null, dueAt: null }]
    await scene.node.commit({ tokens: [tokenOf(held, 'first')] })
    await scene.node.commit({ waits: [{ held, waits }] })
    await scene.node.commit({ releases: [held] })
    const { awaitingSteps } = await scene.node.claimOne()
    same(awaitingSteps, [{ path: 'ask', startedAt: startMs, timeoutAt: null, result: null }])
    const { completions } = await scene.client.commit({
      completions: [{ hash: 'first', result: { isError: false, value: 'j1' } }],
    })
    same(completions, ['accepted'])
  },

  'are gone when the run has ended': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ waits: [{ held, waits: [nap] }] })
    await scene.node.commit({ settles: [settle(held, 'failed')] })
    await scene.store.operating.reopenRuns([id], undefined)
    same((await scene.node.claimOne()).waits, [])
  },

  'for the end of a run do not end its pause': async (scene) => {
    const child = await scene.startAndClaim()
    const { id, held } = await scene.startAndClaim()
    const waits: WaitRecord[] = [{ path: 'child/result', kind: 'run', name: child.id, dueAt: null }]
    await scene.node.commit({ parks: [{ held, dueAt: startMs, waits }] })
    await scene.store.wakeRuns(9)
    const again = await scene.node.claimOne()
    await scene.node.commit({ retries: [{ held: again.held, attempt: 2, dueAt }] })
    await scene.node.commit({ settles: [settle(child.held)] })
    assert.equal(await scene.stateOf(id), 'scheduled')
  },
}

function tokenOf(held: Held, hash: string): NonNullable<Part['tokens']>[number] {
  return { held, hash, path: 'ask', startedAt: startMs, timeoutAt: null, heartbeatMs: null }
}

async function nextWaits({ node }: Scene, held: Held): Promise<readonly WaitRecord[]> {
  await node.commit({ releases: [held] })
  return (await node.claimOne()).waits
}
