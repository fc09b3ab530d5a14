// What failed for good: found by what it failed with, in groups of one reason each, until it is deleted or taken up again.
import assert from 'node:assert/strict'
import { fingerprintOf } from '../../model/fingerprint.ts'
import type { RunPage } from '../../store/views.ts'
import { cancel, errorValue, same, settle, startMs, type Cases, type Scene } from './scene.ts'

export const deadCases: Cases = {
  'shows with a run what it failed with': async (scene) => {
    const failed = await fails(scene, 'declined')
    const row = await scene.store.findRun(failed)
    same([row?.code, row?.fingerprint, row?.generation], ['declined', 'print-declined', 1])
  },

  'shows no fingerprint with what succeeded, was cancelled or is unfinished': async (scene) => {
    const succeeded = await scene.startAndClaim()
    await scene.node.commit({ settles: [settle(succeeded.held)] })
    const cancelled = await scene.start()
    await scene.client.commit({ cancels: [cancel(cancelled)] })
    const ids = [succeeded.id, cancelled, await scene.start()]
    const rows = await Promise.all(ids.map((id) => scene.store.findRun(id)))
    same(
      rows.map((row) => [row?.code, row?.fingerprint]),
      [
        [null, null],
        ['run_cancelled', null],
        [null, null],
      ],
    )
    same(await scene.store.listDead({ limit: 9 }), [])
  },

  'knows by its fingerprint what nobody settled: what expired and what killed its process': async (scene) => {
    const value = errorValue('timed_out')
    const expired = await scene.start({ deadlineAt: startMs + 5 })
    await scene.clock.advance(5)
    await scene.store.expireRuns(9, () => value)
    const { id } = await scene.startAndClaim()
    const lost = errorValue('run_lost')
    await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], { maxDeliveries: 1, value: lost })
    const prints = await Promise.all([expired, id].map(async (one) => (await scene.store.findRun(one))?.fingerprint))
    same(
      prints,
      [value, lost].map((text) => fingerprintOf('resize', JSON.parse(text) as object)),
    )
  },

  'counts what failed for one reason, and tells when it first and last did': async (scene) => {
    await fails(scene, 'declined')
    await scene.clock.advance(10)
    const gone = await fails(scene, 'gone')
    await scene.clock.advance(10)
    const newest = await fails(scene, 'declined')
    same(await scene.store.listDead({ limit: 9 }), [
      { fingerprint: 'print-declined', runs: 2, firstAt: startMs, lastAt: startMs + 20, newest },
      { fingerprint: 'print-gone', runs: 1, firstAt: startMs + 10, lastAt: startMs + 10, newest: gone },
    ])
    const groups = async (filter: object) =>
      (await scene.store.listDead({ limit: 9, ...filter })).map(({ fingerprint }) => fingerprint)
    same(await groups({ limit: 1 }), ['print-declined'])
    same(await groups({ fingerprint: 'print-gone' }), ['print-gone'])
    same(await groups({ fingerprint: 'print-' }), [])
  },

  'counts what failed of one name, in all its versions': async (scene) => {
    const [second, crop] = [
      await scene.store.internDefinition('resize', '2'),
      await scene.store.internDefinition('crop', '1'),
    ]
    const first = await fails(scene, 'declined', scene.definitionId)
    const newest = await fails(scene, 'declined', second)
    await scene.clock.advance(1)
    const cropped = await fails(scene, 'declined', crop)
    const group = { fingerprint: 'print-declined', firstAt: startMs, lastAt: startMs }
    same(await scene.store.listDead({ name: 'resize', limit: 9 }), [{ ...group, runs: 2, newest }])
    same(await scene.store.listDead({ name: 'crop', fingerprint: 'print-declined', limit: 9 }), [
      { ...group, runs: 1, firstAt: startMs + 1, lastAt: startMs + 1, newest: cropped },
    ])
    same(await scene.store.listDead({ name: 'crop', fingerprint: 'print-gone', limit: 9 }), [])
    same(await scene.store.listDead({ name: 'none', limit: 9 }), [])
    const all = await scene.store.listDead({ limit: 9 })
    same([all.length, all[0]?.runs, all[0]?.newest], [1, 3, cropped])
    assert.notEqual(first, newest)
  },

  'finds runs by their code, their fingerprint and their tags': async (scene) => {
    const tagged = await scene.start({ tags: '["shop","eu"]' })
    const half = await scene.start({ tags: '["shop"]' })
    await scene.client.commit({ cancels: [cancel(tagged), cancel(half)] })
    const [declined, gone] = [await fails(scene, 'declined'), await fails(scene, 'gone')]
    const list = async (filter: Partial<RunPage>) =>
      (await scene.store.listRuns({ limit: 9, ...filter })).map(({ id }) => id)
    same(await list({ code: 'gone' }), [gone])
    same(await list({ code: 'run_cancelled' }), [half, tagged])
    same(await list({ fingerprint: 'print-declined' }), [declined])
    same(await list({ fingerprint: 'print-declined', code: 'gone' }), [])
    same(await list({ tags: ['shop'] }), [half, tagged])
    same(await list({ tags: ['eu', 'shop'] }), [tagged])
    same(await list({ tags: ['shop', 'us'] }), [])
    same(await list({ tags: [], state: 'failed' }), [])
  },

  'pages through runs of any filter, the newest first': async (scene) => {
    const waiting = [await scene.start(), await scene.start(), await scene.start()]
    await scene.client.commit({ cancels: [cancel(waiting[1] as string)] })
    const pages = async (filter: Partial<RunPage>): Promise<string[]> => {
      const seen: string[] = []
      for (;;) {
        const after = seen.at(-1)
        const page = await scene.store.listRuns({ limit: 1, ...filter, ...(after !== undefined && { after }) })
        if (page.length === 0) return seen
        seen.push(...page.map(({ id }) => id))
      }
    }
    same(await pages({}), waiting.toReversed())
    same(await pages({ limit: 2 }), waiting.toReversed())
    same(await pages({ state: 'ready' }), [waiting[2], waiting[0]])
    same(await pages({ state: 'cancelled' }), [waiting[1]])
  },

  'pages through the runs of one fingerprint, also when they failed in another order': async (scene) => {
    const claimed = [await scene.startAndClaim(), await scene.startAndClaim(), await scene.startAndClaim()]
    for (const { held } of [claimed[1], claimed[2], claimed[0]] as typeof claimed) {
      await scene.node.commit({ settles: [{ ...settle(held, 'failed'), fingerprint: 'print' }] })
      await scene.clock.advance(1)
    }
    const [oldest, middle, newest] = claimed.map(({ id }) => id)
    const list = async (page: RunPage) => (await scene.store.listRuns(page)).map(({ id }) => id)
    same(await list({ fingerprint: 'print', limit: 2 }), [newest, middle])
    same(await list({ fingerprint: 'print', limit: 2, after: middle as string }), [oldest])
  },

  'refuses a page after a run that is not there': async (scene) => {
    await scene.start()
    await assert.rejects(scene.store.listRuns({ limit: 9, after: 'none' }), { code: 'run_not_found' })
  },
}

/** A run that fails with a code, and is known by `print-` and that code; returns its id. */
async function fails(scene: Scene, code: string, definitionId = scene.definitionId): Promise<string> {
  const id = await scene.start({ definitionId })
  const claims = [scene.claimRequest({ definitionIds: [definitionId] })]
  const held = (await scene.node.commit({ claims })).claimed[0]?.[0]?.held
  assert.ok(held !== undefined)
  const end = { ...settle(held, 'failed'), code, fingerprint: `print-${code}`, value: errorValue(code) }
  await scene.node.commit({ settles: [end] })
  return id
}
