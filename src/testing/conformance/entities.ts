// Entities: found by their key, begun by their first message, and woken by any; what they handled is gone in the commit that makes it so.
import assert from 'node:assert/strict'
import type { Claimed, Held } from '../../store/store.ts'
import type { EntityPage } from '../../store/views.ts'
import type { HandledRecord, ParkRecord, TellAnswer, TellRecord } from '../../store/waits.ts'
import { cancel, same, settle, startMs, type Cases, type Scene } from './scene.ts'

const laterMs = startMs + 60_000

export const entityCases: Cases = {
  'begins an entity with its first message, and once': async (scene) => {
    same(await tell(scene, told(scene, 'a', 'j1'), told(scene, 'a', 'j2'), told(scene, 'b', 'j3')), [
      'told',
      'told',
      'told',
    ])
    same(await tell(scene, told(scene, 'a', 'j4')), ['told'])
    same((await scene.store.listRuns({ limit: 9 })).length, 2)
    const [first, second] = await scene.node.claim(2)
    same([await mailOf(scene, first), await mailOf(scene, second)], [['j1', 'j2', 'j4'], ['j3']])
  },

  'tells that runs have become ready, so that somebody claims them': async (scene) => {
    const { woken } = await scene.client.commit({ tells: [told(scene, 'a', 'j1')] })
    same(woken, 1)
  },

  'has what it was told and asked in one order, without what nobody waits for': async (scene) => {
    const tells = [told(scene, 'a', 'j1'), asked(scene, 'a', 'j2'), told(scene, 'a', 'j3')]
    const [, ask] = (await scene.client.commit({ tells })).tells
    await scene.client.commit({ tells: [{ ...asked(scene, 'a', 'j4'), askedUntil: startMs + 5 }] })
    const { held } = await scene.node.claimOne()
    const mail = await scene.store.listMail(held.runId, 0, 9)
    same(
      mail.map(({ name, value, until }) => [name, value, until]),
      [
        ['add', 'j1', null],
        ['add', 'j2', laterMs],
        ['add', 'j3', null],
        ['add', 'j4', startMs + 5],
      ],
    )
    same(mail[1]?.seq, seqOf(ask))
    same(
      (await scene.store.listMail(held.runId, seqOf(ask), 1)).map(({ value }) => value),
      ['j3'],
    )
    await scene.clock.advance(5)
    same(await mailOf(scene, { held }), ['j1', 'j2', 'j3'])
  },

  'consumes what it handled, answers, and keeps its state and what it told in one commit': async (scene) => {
    const [, ask] = await tell(scene, told(scene, 'a', 'j1'), asked(scene, 'a', 'j2'))
    const { held, id } = await scene.node.claimOne()
    const [first] = await scene.store.listMail(held.runId, 0, 9)
    const start = scene.startRecord()
    await scene.node.commit({
      states: [{ held, key: 'state', value: 'j{"n":3}' }],
      handled: [
        handled(held, { message: first?.seq, tells: [told(scene, 'b', 'j9')], starts: [start] }),
        handled(held, {
          ask: seqOf(ask),
          reply: { isError: false, value: 'j3' },
          tells: [{ id, name: 'add', value: 'j7' }],
        }),
      ],
    })
    same(await mailOf(scene, { held }), ['j7'])
    same([...(await scene.store.asks.listEnds([seqOf(ask)]))], [[seqOf(ask), { isError: false, value: 'j3' }]])
    same(await scene.stateOf(start.id), 'ready')
    await scene.node.commit({ parks: [parkOf(held)], releases: [] })
    const again = await scene.node.claim(3)
    same(again.find((run) => run.id === id)?.states, [{ key: 'state', value: 'j{"n":3}' }])
    same(
      await mailOf(
        scene,
        again.find((run) => run.id !== id && run.id !== start.id),
      ),
      ['j9'],
    )
  },

  'I7: changes nothing for an activation that is over': async (scene) => {
    const [, ask] = await tell(scene, told(scene, 'a', 'j1'), asked(scene, 'a', 'j2'))
    const { held } = await scene.node.claimOne()
    await scene.node.commit({ releases: [held] })
    const next = await scene.node.claimOne()
    const [first] = await scene.store.listMail(held.runId, 0, 9)
    const stale = handled(held, { message: first?.seq, tells: [told(scene, 'b', 'j9')], starts: [scene.startRecord()] })
    const reply = { isError: false, value: 'j3' }
    const isTaken = await scene.node.isTaken(held, {
      states: [{ held, key: 'state', value: 'j1' }],
      handled: [stale, handled(held, { ask: seqOf(ask), reply })],
    })
    same(isTaken, false)
    same(await mailOf(scene, next), ['j1', 'j2'])
    same((await scene.store.listRuns({ limit: 9 })).length, 1)
    same([...(await scene.store.asks.listEnds([seqOf(ask)]))], [])
    await scene.node.commit({ releases: [next.held] })
    same((await scene.node.claimOne()).states, [])
  },

  'wakes one that is put aside with whatever it is told or asked': async (scene) => {
    for (const message of [told(scene, 'a', 'j1'), asked(scene, 'a', 'j2')]) {
      await tell(scene, told(scene, 'a', 'j0'))
      const { held, id } = await handleAll(scene)
      await scene.node.commit({ parks: [parkOf(held)] })
      same(await scene.stateOf(id), 'parked')
      same((await scene.store.findRun(id))?.reason, { kind: 'mail', until: undefined })
      await tell(scene, message)
      same(await scene.stateOf(id), 'ready')
    }
  },

  'does not put one aside that has not handled all': async (scene) => {
    await tell(scene, told(scene, 'a', 'j0'))
    const { held, id } = await scene.node.claimOne()
    await scene.node.commit({ parks: [parkOf(held)] })
    same(await scene.stateOf(id), 'ready')
    const again = await scene.node.claimOne()
    await handleMail(scene, again.held)
    await tell(scene, asked(scene, 'a', 'j1'))
    await scene.node.commit({ parks: [parkOf(again.held)] })
    same(await scene.stateOf(id), 'ready')
  },

  'ends one that keeps nothing where it would be put aside, and begins it anew with the next message': async (
    scene,
  ) => {
    await tell(scene, told(scene, 'a', 'j0'))
    const { held, id } = await scene.node.claimOne()
    await scene.node.commit({ parks: [parkOf(held, true)] })
    same(await scene.stateOf(id), 'ready')
    const again = await handleAll(scene)
    await scene.node.commit({ parks: [parkOf(again.held, true)] })
    same(await scene.stateOf(id), 'succeeded')
    await tell(scene, told(scene, 'a', 'j1'))
    const next = await scene.node.claimOne()
    assert.notEqual(next.id, id)
    same(await mailOf(scene, next), ['j1'])
  },

  'keeps an entity that was cancelled or failed as it is, and tells so': async (scene) => {
    await tell(scene, told(scene, 'a', 'j0'), told(scene, 'b', 'j0'))
    const [first, second] = await scene.node.claim(2)
    assert.ok(first !== undefined && second !== undefined)
    await scene.node.commit({ releases: [first.held], settles: [settle(second.held, 'failed')] })
    await scene.client.commit({ cancels: [cancel(first.id)] })
    same(await tell(scene, told(scene, 'a', 'j1'), asked(scene, 'b', 'j1')), ['finished', 'finished'])
    same((await scene.store.listRuns({ limit: 9 })).length, 2)
  },

  'keeps what it could not handle as what nobody received, and not all of that': async (scene) => {
    await tell(scene, ...Array.from({ length: 105 }, (_, n) => told(scene, 'a', `j${n}`)))
    const { held, id } = await scene.node.claimOne()
    const mail = await scene.store.listMail(held.runId, 0, 200)
    await scene.node.commit({ handled: mail.map(({ seq }) => handled(held, { message: seq, refused: 'no' })) })
    same(await mailOf(scene, { held }), [])
    const kept = await scene.store.listMessages({ id, name: null, limit: 200 })
    same([kept.length, kept[0]?.value, kept.at(-1)?.refused], [100, 'j5', 'no'])
    await scene.node.commit({ parks: [parkOf(held)] })
    same(await scene.stateOf(id), 'parked')
    same(await listed(scene, {}), ['a parked empty 0'])
  },

  'has room for as many as its teller says': async (scene) => {
    const most = 2
    const full = Array.from({ length: 3 }, () => ({ ...told(scene, 'a', 'j1'), most }))
    same(await tell(scene, ...full), ['told', 'told', 'full'])
    same(await tell(scene, { ...asked(scene, 'a', 'j1'), most: 0 }), ['full'])
    same(await tell(scene, told(scene, 'a', 'j1')), ['told'])
  },

  'says whom it told that is under way': async (scene) => {
    await tell(scene, told(scene, 'a', 'j1'))
    const { id } = await scene.node.claimOne()
    const tells = [told(scene, 'a', 'j1'), asked(scene, 'a', 'j2'), told(scene, 'b', 'j3')]
    same((await scene.client.commit({ tells })).told, [id])
  },

  'lists those that are there by name and key, and how much each has to handle': async (scene) => {
    await tell(scene, told(scene, 'b', 'j1'), told(scene, 'a', 'j1'), asked(scene, 'a', 'j2'), told(scene, 'c', 'j1'))
    await scene.client.commit({ tells: [{ ...asked(scene, 'a', 'j4'), askedUntil: startMs + 5 }] })
    const other = scene.startRecord({ key: { rule: 'attach', key: 'a' } })
    await scene.client.commit({ starts: [other] })
    same(await listed(scene, {}), ['a ready empty 3', 'b ready empty 1', 'c ready empty 1'])
    await scene.clock.advance(5)
    same(await listed(scene, { name: 'resize', limit: 1 }), ['a ready empty 2'])
    same(await listed(scene, { name: 'resize', after: 'a' }), ['b ready empty 1', 'c ready empty 1'])
    same(await listed(scene, { name: 'resize', key: 'b' }), ['b ready empty 1'])
    same([await listed(scene, { name: 'resize', key: 'x' }), await listed(scene, { name: 'other' })], [[], []])
  },

  'lists one with what it keeps, where it is, and as cancelled; not one that has ended as it kept nothing': async (
    scene,
  ) => {
    await tell(scene, told(scene, 'a', 'j0'), told(scene, 'b', 'j0'), told(scene, 'c', 'j0'))
    const [first, second, third] = await scene.node.claim(3)
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    for (const { held } of [first, second, third]) await handleMail(scene, held)
    await scene.node.commit({ states: [{ held: first.held, key: 'state', value: 'j"ü"' }] })
    const [one] = await scene.store.listEntities({ name: 'resize', key: 'a', limit: 1 })
    // In bytes, which are more where they are encrypted.
    assert.ok(one !== undefined && one.stateBytes >= 5)
    const { stateBytes: _, ...rest } = one
    same(rest, { name: 'resize', key: 'a', runId: first.id, state: 'running', node: 'first', dueAt: null, waiting: 0 })
    const remind = { path: 'remind', kind: 'sleep', name: null, dueAt: laterMs } as const
    const waits = [...parkOf(first.held).waits, remind]
    await scene.node.commit({
      parks: [{ held: first.held, waits, dueAt: laterMs }, parkOf(second.held, true)],
      releases: [third.held],
    })
    await scene.client.commit({ cancels: [cancel(third.id)] })
    same(await listed(scene, {}), ['a parked kept 0', 'c cancelled empty 0'])
    same((await scene.store.listEntities({ limit: 1 }))[0]?.dueAt, laterMs)
  },

  'counts deliveries anew once something was handled': async (scene) => {
    await tell(scene, told(scene, 'a', 'j1'))
    const first = await scene.node.claimOne()
    await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], { maxDeliveries: 9, value: '{}' })
    const node = await scene.addNode('third')
    const claimed = await node.claimOne()
    same([claimed.id, claimed.deliveries], [first.id, 1])
    await node.commit({ handled: [handled(claimed.held, { hadDeliveries: true })] })
    await node.commit({ releases: [claimed.held] })
    same((await node.claimOne()).deliveries, 0)
  },
}

function told(scene: Scene, key: string, value: string): TellRecord {
  const start = scene.startRecord({ key: { rule: 'entity', key } })
  return { id: start.id, name: 'add', value, start }
}

async function listed(scene: Scene, page: Partial<EntityPage>): Promise<string[]> {
  const entities = await scene.store.listEntities({ limit: 9, ...page })
  return entities.map(
    ({ key, state, stateBytes, waiting }) => `${key} ${state} ${stateBytes > 0 ? 'kept' : 'empty'} ${waiting}`,
  )
}

function asked(scene: Scene, key: string, value: string): TellRecord {
  return { ...told(scene, key, value), askedUntil: laterMs }
}

async function tell(scene: Scene, ...tells: TellRecord[]): Promise<readonly TellAnswer[]> {
  return (await scene.client.commit({ tells })).tells
}

function seqOf(answer: TellAnswer | undefined): number {
  return typeof answer === 'object' ? answer.ask : -1
}

async function mailOf(scene: Scene, claimed: Pick<Claimed, 'held'> | undefined): Promise<string[]> {
  const mail = await scene.store.listMail(claimed?.held.runId ?? -1, 0, 99)
  return mail.map(({ value }) => value)
}

function handled(held: Held, values: Partial<HandledRecord>): HandledRecord {
  return { held, tells: [], starts: [], events: [], ...values }
}

async function handleMail(scene: Scene, held: Held): Promise<void> {
  const mail = await scene.store.listMail(held.runId, 0, 99)
  await scene.node.commit({ handled: mail.map(({ seq }) => handled(held, { message: seq })) })
}

async function handleAll(scene: Scene): Promise<Claimed> {
  const claimed = await scene.node.claimOne()
  await handleMail(scene, claimed.held)
  return claimed
}

function parkOf(held: Held, ends = false): ParkRecord {
  const mail = { path: 'mail', kind: 'mail', name: null, dueAt: null } as const
  const end = { path: 'end', kind: 'end', name: null, dueAt: null } as const
  return { held, dueAt: null, waits: ends ? [mail, end] : [mail] }
}
