// Messages to runs: kept in order until received, and no run sleeps while what it waits for is there.
import assert from 'node:assert/strict'
import type { Claimed, Held } from '../../store/store.ts'
import type { ParkRecord, TellAnswer, TellRecord } from '../../store/waits.ts'
import { cancel, same, settle, startMs, step, type Cases, type Scene } from './scene.ts'

const laterMs = startMs + 60_000

export const messageCases: Cases = {
  'keeps what is told to a run that nobody has claimed, in the order of the commits': async (scene) => {
    const id = await scene.start()
    for (const value of ['j1', 'j2', 'j3']) assert.equal(await tell(scene, id, { name: 'go', value }), 'told')
    same(await valuesOf(scene, id), ['j1', 'j2', 'j3'])
    assert.equal(await scene.stateOf(id), 'ready')
  },

  'keeps what one batch tells in its order, and names apart': async (scene) => {
    const id = await scene.start()
    const tells = ['go', 'stop', 'go'].map((name, n) => ({ id, name, value: `j${n}` }))
    same((await scene.client.commit({ tells })).tells, ['told', 'told', 'told'])
    same(await valuesOf(scene, id, 'go'), ['j0', 'j2'])
    same(await valuesOf(scene, id, 'stop'), ['j1'])
    same(await valuesOf(scene, id), ['j0', 'j1', 'j2'])
  },

  'wakes a run that waits for a message of that name': async (scene) => {
    const { id } = await parked(scene, 'go')
    const { woken } = await scene.client.commit({ tells: [{ id, name: 'go', value: 'j1' }] })
    same([woken, await scene.stateOf(id)], [1, 'ready'])
    same((await scene.node.claimOne()).waits, [waitFor('go')])
  },

  'leaves a run alone that waits for another name, or for a time': async (scene) => {
    const { id } = await parked(scene, 'go')
    await tell(scene, id, { name: 'stop', value: 'j1' })
    assert.equal(await scene.stateOf(id), 'parked')
    const other = await scene.startAndClaim()
    const waits = [{ path: 'nap', kind: 'sleep', name: null, dueAt: laterMs }] as const
    await scene.node.commit({ parks: [{ held: other.held, dueAt: laterMs, waits }] })
    await tell(scene, other.id, { name: 'go', value: 'j1' })
    assert.equal(await scene.stateOf(other.id), 'parked')
  },

  'makes a run ready that parks for what was told while it ran': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await tell(scene, id, { name: 'go', value: 'j1' })
    const { woken } = await scene.node.commit({ parks: [parkFor(held, 'go')] })
    same([woken, await scene.stateOf(id)], [1, 'ready'])
  },

  'makes a run ready that parks in the batch that tells it': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ parks: [parkFor(held, 'go')], tells: [{ id, name: 'go', value: 'j1' }] })
    assert.equal(await scene.stateOf(id), 'ready')
  },

  'loses no wake-up between a park and a tell of two nodes, in whichever order': async (scene) => {
    const other = await scene.addClient()
    for (let turn = 0; turn < 20; turn++) {
      const { id, held } = await scene.startAndClaim()
      const told = (): Promise<unknown> => other.commit({ tells: [{ id, name: 'go', value: 'j1' }] })
      const parks = (): Promise<unknown> => scene.node.commit({ parks: [parkFor(held, 'go')] })
      await Promise.all(turn % 2 === 0 ? [told(), parks()] : [parks(), told()])
      const claimed = await scene.node.claimOne()
      assert.equal(claimed.id, id)
      await scene.node.commit({ settles: [settle(claimed.held)] })
    }
  },

  'wakes a run by its time when nobody tells it anything': async (scene) => {
    const { id } = await parked(scene, 'go', { dueAt: startMs + 50 })
    await scene.clock.advance(50)
    same(await scene.store.wakeRuns(9), { woken: 1, nextDueAt: null, nextScheduleAt: null })
    assert.equal(await scene.stateOf(id), 'ready')
  },

  'forgets a message in the commit that records that it was received, and not when that is refused': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await tell(scene, id, { name: 'go', value: 'j1' })
    const [message] = await scene.store.listMessages({ id, name: 'go', limit: 9 })
    const received = step(held, 'receive go', { kind: 'receive', value: 'j1', message: message?.seq })
    await (await scene.addNode()).commit({ steps: [received] })
    same(await valuesOf(scene, id), ['j1'])
    await scene.node.commit({ steps: [received], releases: [held] })
    same(await valuesOf(scene, id), [])
    same(
      (await scene.node.claimOne()).steps.map(({ kind, value }) => [kind, value]),
      [['receive', 'j1']],
    )
  },

  'wakes a run that waits for a message of a key by that alone, and one without by any': async (scene) => {
    const keyed = await parked(scene, 'go', { key: 'a' })
    const any = await parked(scene, 'go')
    for (const { id } of [keyed, any]) await tell(scene, id, { name: 'go', value: 'j1', key: 'b' })
    same([await scene.stateOf(keyed.id), await scene.stateOf(any.id)], ['parked', 'ready'])
    await tell(scene, keyed.id, { name: 'go', value: 'j2' })
    assert.equal(await scene.stateOf(keyed.id), 'parked')
    await tell(scene, keyed.id, { name: 'go', value: 'j3', key: 'a' })
    assert.equal(await scene.stateOf(keyed.id), 'ready')
    same((await scene.node.claim(9)).find(({ id }) => id === keyed.id)?.waits, [waitFor('go', { key: 'a' })])
    same(
      (await scene.store.listMessages({ id: keyed.id, name: 'go', key: 'a', limit: 9 })).map(({ value, key }) => [
        value,
        key,
      ]),
      [['j3', 'a']],
    )
  },

  'parks a run that waits for a message of a key, whatever else was told by the name': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await tell(scene, id, { name: 'go', value: 'j1', key: 'b' })
    const { woken } = await scene.node.commit({ parks: [parkFor(held, 'go', { key: 'a' })] })
    same([woken, await scene.stateOf(id)], [0, 'parked'])
  },

  'keeps what a run refused as a dead letter that wakes it no more': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await tell(scene, id, { name: 'go', value: 'j1' })
    await tell(scene, id, { name: 'go', value: 'j2', isChecked: true })
    const [first, second] = await scene.store.listMessages({ id, name: 'go', limit: 9 })
    same([first?.isChecked, second?.isChecked], [false, true])
    const refusals = [first, second].map((message) => ({ held, message: message?.seq ?? 0, why: 'no' }))
    await (await scene.addNode()).commit({ refusals })
    same(await valuesOf(scene, id, 'go'), ['j1', 'j2'])
    await scene.node.commit({ refusals, parks: [parkFor(held, 'go')] })
    assert.equal(await scene.stateOf(id), 'parked')
    same(await valuesOf(scene, id, 'go'), [])
    same(
      (await scene.store.listMessages({ id, name: null, limit: 9 })).map(({ value, refused }) => [value, refused]),
      [
        ['j1', 'no'],
        ['j2', 'no'],
      ],
    )
  },

  'keeps as dead letters what a run had not received at its end, and what comes later': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await tell(scene, id, { name: 'go', value: 'j1' })
    await scene.node.commit({ settles: [settle(held)] })
    assert.equal(await tell(scene, id, { name: 'go', value: 'j2' }), 'finished')
    same(await valuesOf(scene, id), ['j1', 'j2'])
    const waiting = await parked(scene, 'go')
    await scene.client.commit({ cancels: [cancel(waiting.id)] })
    assert.equal(await tell(scene, waiting.id, { name: 'go', value: 'j3' }), 'finished')
  },

  'knows no other run': async (scene) => {
    assert.equal(await tell(scene, 'none', { name: 'go', value: 'j1' }), 'not_found')
    same(await valuesOf(scene, 'none'), [])
  },

  'keeps what was told once for a batch that is issued twice, and tells it again': async (scene) => {
    const { id } = await parked(scene, 'go')
    const batch = scene.node.batch({ tells: [{ id, name: 'go', value: 'j1' }] })
    const answers = [await scene.store.commit(batch), await scene.store.commit(batch)]
    same(answers[1], answers[0])
    same([answers[0]?.tells, await valuesOf(scene, id)], [['told'], ['j1']])
  },

  'I15: keeps no more than 10,000 messages that a run has not received': async (scene) => {
    const id = await scene.start()
    const tells = Array.from({ length: 10_001 }, () => ({ id, name: 'go', value: 'j1' }))
    same((await scene.client.commit({ tells })).tells.slice(-2), ['told', 'full'])
  },
}

interface Awaited {
  readonly dueAt?: number
  readonly key?: string
}

function waitFor(name: string, { dueAt = null, ...key }: { dueAt?: number | null; key?: string } = {}) {
  return { path: `receive ${name}`, kind: 'message', name, dueAt, ...key } as const
}

function parkFor(held: Held, name: string, awaited: Awaited = {}): ParkRecord {
  return { held, dueAt: awaited.dueAt ?? null, waits: [waitFor(name, awaited)] }
}

async function parked(scene: Scene, name: string, awaited: Awaited = {}): Promise<Claimed> {
  const claimed = await scene.startAndClaim()
  await scene.node.commit({ parks: [parkFor(claimed.held, name, awaited)] })
  return claimed
}

async function tell(scene: Scene, id: string, message: Omit<TellRecord, 'id'>): Promise<TellAnswer | undefined> {
  return (await scene.client.commit({ tells: [{ id, ...message }] })).tells[0]
}

async function valuesOf(scene: Scene, id: string, name: string | null = null): Promise<string[]> {
  return (await scene.store.listMessages({ id, name, limit: 99 })).map(({ value }) => value)
}
