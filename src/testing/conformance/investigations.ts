// Runs that somebody has to look at: found, said something of, declared stale once for each time, and failed where that is wanted.
import { cancel, errorValue, same, settle, startMs, step, type Cases, type Scene } from './scene.ts'

const audit = { actor: 'ann', action: 'investigate', target: '', details: '{}' }

export const investigationCases: Cases = {
  'finds what failed for good until it is tried again, and closes what was said of it': async (scene) => {
    const id = await fails(scene)
    same(await found(scene), [[id, null, 'declined', 'pending', 'failed', null]])
    same(await scene.store.investigations.keep({ id, state: 'pending', notes: 'look' }, audit), 'kept')
    await scene.store.operating.reopenRuns([id], { ...audit, actor: 'bob' })
    same(await found(scene), [[id, null, null, 'manually_resolved', 'failed', 'bob']])
  },

  'closes a record once, and refuses what has none': async (scene) => {
    const { investigations } = scene.store
    const id = await scene.start()
    same(await investigations.keep({ id, state: 'cancelled', notes: null }, audit), 'missing')
    same(await investigations.keep({ id: 'none', state: 'pending', notes: null }, audit), 'not_found')
    same(await investigations.keep({ id, state: 'pending', notes: 'slow' }, audit), 'kept')
    same(await investigations.keep({ id, state: 'cancelled', notes: null }, audit), 'kept')
    same(await investigations.keep({ id, state: 'cancelled', notes: null }, audit), 'cancelled')
    same(await found(scene), [[id, 'manual_dlq', null, 'cancelled', 'ready', 'ann']])
    same((await scene.store.operating.listAudit({ before: null, limit: 9 })).length, 2)
  },

  'tells the last sign of a run: its start, a step, a failed attempt': async (scene) => {
    const { investigations } = scene.store
    const { held } = await scene.startAndClaim()
    const signs = async () => [...(await investigations.listSigns([held.runId])).values()]
    same(await signs(), [startMs])
    await scene.clock.advance(5)
    await scene.node.commit({ steps: [step(held, 'a', { finishedAt: startMs + 5 })] })
    same(await signs(), [startMs + 5])
    const slice = { definitionIds: [scene.definitionId], after: 0, limit: 9 }
    const { runs, through } = await investigations.listAgeing(slice)
    same(
      [runs.map(({ runId, state, hasBegun }) => [runId, state, hasBegun]), through],
      [[[held.runId, 'running', true]], 0],
    )
    same((await investigations.listAgeing({ ...slice, definitionIds: [] })).runs, [])
  },

  'I5: takes a stale run from its node, which then writes nothing of it': async (scene) => {
    const { held, id } = await scene.startAndClaim()
    const stale = { runId: held.runId, generation: 1, state: 'running', since: startMs, limit: 'maxDuration' } as const
    const record = { ...stale, isInvestigated: true, value: errorValue('stale') }
    same(await scene.store.investigations.declareStale([record, record]), [true, false])
    same((await scene.store.findFinished(id))?.outcome, 'failed')
    const { lost } = await scene.node.commit({ settles: [settle(held)] })
    same(lost.has(held), true)
    same(await found(scene), [[id, 'staleness_timeout', 'stale', 'pending', 'running', null]])
  },

  'leaves what has gone on since it was looked at': async (scene) => {
    const id = await scene.start()
    const slice = { definitionIds: [scene.definitionId], after: 0, limit: 9 }
    const runId = (await scene.store.investigations.listAgeing(slice)).runs[0]?.runId ?? 0
    const record = { runId, generation: 1, since: startMs, limit: 'maxDuration', isInvestigated: false, value: null }
    const declare = async (state: 'ready' | 'parked') =>
      (await scene.store.investigations.declareStale([{ ...record, state }]))[0]
    same([await declare('parked'), await declare('ready'), await declare('ready')], [false, true, false])
    same(await found(scene), [])
    await scene.client.commit({ cancels: [cancel(id)] })
    same(await declare('ready'), false)
  },
}

async function fails(scene: Scene): Promise<string> {
  const { held, id } = await scene.startAndClaim()
  const value = errorValue('declined')
  const failed = { ...settle(held, 'failed'), code: 'declined', fingerprint: 'print', value }
  await scene.node.commit({ settles: [failed] })
  return id
}

async function found({ store }: Scene) {
  const rows = await store.investigations.list({ limit: 9 })
  return rows.map(({ id, reason, code, state, originalState, resolvedBy }) => [
    id,
    reason,
    code,
    state,
    originalState,
    resolvedBy,
  ])
}
