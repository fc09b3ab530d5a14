// Runs that go on for ever: turns of which only the newest state stays, and runs that begin anew with another input.
import assert from 'node:assert/strict'
import { unbounded } from '../../model/limiter.ts'
import type { Held } from '../../store/store.ts'
import type { ContinueRecord, TurnRecord } from '../../store/waits.ts'
import { attempt, same, startMs, step, type Cases, type Scene } from './scene.ts'

export const continueCases: Cases = {
  'keeps the newest state of a loop, and forgets what was in the turn before and nothing beside': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const paths = ['loop[1]/a', 'loop[1]/b/c', 'loop[10]/a', 'loop[1]x', 'loop', 'm']
    await scene.node.commit({
      steps: paths.map((path, seq) => step(held, path, { seq })),
      attempts: [attempt(held, 'loop[1]/a', 1), attempt(held, 'm', 1)],
    })
    await scene.node.commit({ turns: [turnOf(held, { value: 'j1', over: 'loop[1]' })] })
    await scene.node.commit({ turns: [turnOf(held, { value: 'j2', over: 'loop[2]', seq: 21 })] })
    const steps = await scene.store.listSteps(id)
    same(
      steps.map(({ path }) => path),
      ['loop[10]/a', 'loop[1]x', 'loop', 'm', 'loop/state'],
    )
    const state = steps.at(-1)
    same([state?.kind, state?.value, state?.seq], ['loop', 'j2', 21])
    same(
      (await scene.store.listAttempts(id)).map(({ path }) => path),
      ['m'],
    )
  },

  'lets another version take a run over, with its input and what it remembers changed': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ steps: ['a', 'b'].map((path, seq) => step(held, path, { seq })) })
    const definitionId = await scene.store.internDefinition('job', '2')
    const upgrade = { held, definitionId, input: 'j"new"', steps: [{ path: 'b', value: 'j"changed"' }] }
    assert.equal(await scene.node.isTaken(held, { upgrades: [upgrade], releases: [held] }), true)
    same((await scene.store.findRun(id))?.input, 'j"new"')
    same(
      (await scene.store.listSteps(id)).map(({ value }) => value),
      ['j"a"', 'j"changed"'],
    )
    same(await scene.node.claim(), [])
    const claims = [{ ...scene.claimRequest(), definitionIds: [definitionId] }]
    const { claimed } = await scene.node.commit({ claims })
    same(
      claimed[0]?.map((run) => [run.id, run.definitionId, run.input]),
      [[id, definitionId, 'j"new"']],
    )
  },

  'begins a run anew with another input, in its next generation, without its journal and its waits': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ parks: [{ held, dueAt: startMs, waits: [sleepUntil(startMs)] }] })
    await scene.store.wakeRuns(9)
    const again = await scene.node.claimOne()
    const tells = [{ id, name: 'go', value: 'j1' }]
    await scene.node.commit({ steps: [step(again.held, 'a')], tells })
    await scene.node.commit({ continues: [anew(scene, again.held)] })
    assert.equal(await scene.stateOf(id), 'ready')
    const next = await scene.node.claimOne()
    same(
      [next.id, next.input, next.held.generation, next.attempt, next.deliveries, next.steps, next.waits],
      [id, 'j"next"', held.generation + 1, 1, 0, [], []],
    )
    same((await scene.store.listMessages({ id, name: 'go', limit: 9 })).length, 1)
  },

  'begins nothing anew for who lost the run, and once when the batch is issued twice': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const stale: Held = { ...held, epoch: held.epoch - 1 }
    const { lost } = await scene.node.commit({ continues: [anew(scene, stale)] })
    same([lost.has(stale), await scene.stateOf(id)], [true, 'running'])
    const batch = scene.node.batch({ continues: [anew(scene, held)] })
    await scene.node.store.commit(batch)
    await scene.node.store.commit(batch)
    same((await scene.node.claimOne()).held.generation, held.generation + 1)
  },

  'frees the slots of a run that begins anew, which waits by the key of its new input': async (scene) => {
    const limiter = await scene.store.internLimiter('one', { ...unbounded, concurrency: 1 })
    const limits = (key: string) => [{ limiterId: limiter, key }]
    const first = await scene.startAndClaim({ limits: limits('a') })
    const second = await scene.start({ limits: limits('a') })
    same((await scene.node.claim()).length, 0)
    await scene.node.commit({ continues: [{ ...anew(scene, first.held), limits: limits('b') }] })
    same((await scene.node.claim(2)).map(({ id }) => id).sort(), [first.id, second].sort())
  },
}

function turnOf(held: Held, values: Partial<TurnRecord>): TurnRecord {
  const times = { startedAt: startMs, finishedAt: startMs }
  return { held, path: 'loop/state', seq: 20, value: 'j0', over: 'loop[0]', ...times, ...values }
}

function anew({ definitionId }: Scene, held: Held): ContinueRecord {
  return { held, input: 'j"next"', limits: null, definitionId }
}

function sleepUntil(dueAt: number) {
  return { path: 'nap', kind: 'sleep', name: null, dueAt } as const
}
