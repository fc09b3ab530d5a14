// Templates by the hash of what they say, and what their names mean.
import type { Store } from '../../store/store.ts'
import type { TemplateRecord } from '../../store/templates.ts'
import { same, type Cases } from './scene.ts'

const dayMs = 86_400_000

const form = '{"name":"order","steps":[{"name":"a"},{"name":"b"}]}'

async function record(store: Store, hash: string, more: Partial<TemplateRecord> = {}): Promise<TemplateRecord> {
  const definitionId = await store.internDefinition('order', `1+${hash}`)
  const rest = { namespace: 'default', name: 'order', version: '1', form, needs: [{ uses: 'charge' }] }
  return { hash, definitionId, ...rest, ...more }
}

export const templateCases: Cases = {
  'are kept once, and tell what they say': async ({ store }) => {
    const one = await record(store, 'one')
    await store.templates.keep(one)
    await store.templates.keep({ ...one, form: '{}', needs: [] })
    same(await store.templates.findForm(one.definitionId), form)
    same(await store.templates.findForm(one.definitionId + 1), undefined)
    const { form: _, ...kept } = one
    same(await store.templates.listSince(0, 10), [{ ...kept, lifecycle: null, seq: 1, isRefreshed: false }])
    await store.templates.keep(await record(store, 'two', { form: '{"lifecycle":{"maxDuration":"1h"}}' }))
    same((await store.templates.listSince(1, 10))[0]?.lifecycle, '{"maxDuration":"1h"}')
  },

  'are told in the order of their changes, each with the last': async ({ store }) => {
    for (const hash of ['one', 'two', 'three']) await store.templates.keep(await record(store, hash))
    same(await hashesSince(store, 0), ['one', 'two', 'three'])
    same(await hashesSince(store, 2), ['three'])
    await store.templates.name([{ hash: 'one', isRefreshed: false }])
    same(await hashesSince(store, 2), ['three', 'one'])
    same(await store.templates.lastSeq(), 4)
    same((await store.templates.listSince(0, 1)).length, 1)
  },

  'have one that their name means: the last that was made so': async ({ store }) => {
    for (const hash of ['one', 'two']) await store.templates.keep(await record(store, hash))
    same(await meant(store), [])
    await store.templates.name([{ hash: 'one', isRefreshed: false }])
    await store.templates.name([{ hash: 'two', isRefreshed: false }])
    same(await meant(store), ['two'])
    const seq = await store.templates.lastSeq()
    await store.templates.name([{ hash: 'two', isRefreshed: false }])
    same(await store.templates.lastSeq(), seq)
    await store.templates.name([{ hash: 'two', isRefreshed: true }])
    same(
      (await store.templates.listSince(seq, 10)).map(({ hash, isRefreshed }) => [hash, isRefreshed]),
      [['two', true]],
    )
    await store.templates.name([{ hash: 'one', isRefreshed: false }])
    same(await meant(store), ['one'])
  },

  'are what their name alone starts, in the place of higher versions': async ({ store }) => {
    const [one, two] = [await record(store, 'one'), await record(store, 'two')]
    for (const each of [one, two]) {
      await store.templates.keep(each)
      await store.definitions.keep(each.definitionId, { retention: null, isTold: false, starts: '{}' })
    }
    for (const { hash, definitionId } of [one, two, one]) {
      await store.templates.name([{ hash, isRefreshed: false }])
      same((await store.definitions.find('order'))?.id, definitionId)
    }
  },

  'go once nobody has had them for long: those that nothing means, and of which there is no run': async (scene) => {
    const { store, clock } = scene
    const names = ['former', 'meant', 'posted', 'run', 'had', 'newest']
    for (const hash of names) {
      const own = hash === 'run' ? { definitionId: scene.definitionId } : {}
      await store.templates.keep(await record(store, hash, own))
    }
    for (const hash of ['former', 'meant']) await store.templates.name([{ hash, isRefreshed: false }])
    await store.templates.name([{ hash: 'former', isRefreshed: true }])
    await store.templates.name([{ hash: 'meant', isRefreshed: true }])
    await store.templates.keep(await record(store, 'last'))
    for (let n = 0; n < 3; n++) await scene.start()
    await clock.advance(2 * dayMs)
    await store.templates.keep(await record(store, 'had'))
    const rules = { before: store.now() - dayMs, limit: 100 }
    const hashes = async () => (await store.templates.list()).map(({ hash }) => hash).toSorted()
    let idle = await store.templates.findIdle(rules)
    same(idle.definitionIds.length, 4)
    const pieces = []
    for (; idle.definitionIds.length > 0; idle = await store.templates.deleteIdle(idle, { ...rules, limit: 2 }))
      pieces.push(idle.definitionIds.length)
    same(pieces, [4, 3])
    same(await hashes(), ['had', 'last', 'meant', 'run'])
    // A run of it was seen, so it is left alone for as long again.
    same((await store.templates.findIdle(rules)).definitionIds, [])
    const former = await record(store, 'former')
    await store.templates.keep(former)
    same(await store.templates.findForm(former.definitionId), form)
  },

  'are listed with their steps and the runs that have not ended': async (scene) => {
    const { store } = scene
    const one = await record(store, 'one', { definitionId: scene.definitionId })
    await store.templates.keep(one)
    same(await store.templates.listUnfinished(), [])
    await scene.start()
    same(await store.templates.listUnfinished(), [scene.definitionId])
    const [view] = await store.templates.list()
    same({ ...view, keptAt: 0 }, { ...listed, hash: 'one', steps: 2, runs: 1, isNamed: false })
  },
}

const listed = { namespace: 'default', name: 'order', version: '1', keptAt: 0 }

async function hashesSince({ templates }: Store, seq: number): Promise<string[]> {
  return (await templates.listSince(seq, 10)).map(({ hash }) => hash)
}

async function meant({ templates }: Store): Promise<string[]> {
  return (await templates.list()).flatMap(({ hash, isNamed }) => (isNamed ? [hash] : []))
}
