// Starts that share a key: every rule against every state its run can be in, and what is changed of a run that waits.
import assert from 'node:assert/strict'
import { keyMoves, scopeOf, type KeyedState, type KeyMove, type KeyRule, type StartKey } from '../../model/start-key.ts'
import type { Started, StartRecord } from '../../store/start.ts'
import { errorValue, same, settle, startMs, type Cases, type Scene } from './scene.ts'

const periodMs = 1_000

const keys: Readonly<Record<KeyRule, StartKey>> = {
  attach: { rule: 'attach', key: 'k' },
  replace: { rule: 'replace', key: 'k' },
  debounce: { rule: 'debounce', key: 'k', mostMs: null },
  throttle: { rule: 'throttle', key: 'k', periodMs },
  keepLast: { rule: 'keepLast', key: 'k' },
  append: { rule: 'append', key: 'k', size: null, maxBytes: 1_000 },
  cache: { rule: 'cache', key: 'k', ttlMs: periodMs },
  entity: { rule: 'entity', key: 'k' },
}

const states: readonly KeyedState[] = ['none', 'waiting', 'under_way', 'succeeded', 'failed']

/** Brings the run of the key so far, and tells its id. */
async function reach(scene: Scene, state: KeyedState, key: StartKey): Promise<string | undefined> {
  if (state === 'none') return undefined
  const id = await startOne(scene, { key, input: 'j["old"]' })
  if (state === 'waiting') return id
  const { held } = await scene.node.claimOne()
  if (state !== 'under_way') await scene.node.commit({ settles: [settle(held, state)] })
  return id
}

async function startOne(scene: Scene, values: Partial<StartRecord>): Promise<string> {
  return (await meet(scene, values)).id
}

async function meet(scene: Scene, values: Partial<StartRecord>): Promise<Started> {
  const { started } = await scene.client.commit({ starts: [scene.startRecord(values)] })
  const [only] = started
  if (only === undefined) throw new Error('The store gave no answer to a start')
  return only
}

async function inputOf(scene: Scene, id: string): Promise<string | undefined> {
  return (await scene.store.findRun(id))?.input
}

/** What a move shows from outside. */
const shows: Readonly<Record<KeyMove, (scene: Scene, started: Started, old: string | undefined) => Promise<void>>> = {
  start: async (scene, started, old) => {
    assert.notEqual(started.id, old)
    same([started.isNew, started.isAmended, started.replacedId], [true, false, undefined])
    assert.equal(await scene.stateOf(started.id), 'ready')
  },
  attach: async (scene, started, old) => {
    same([started.id, started.isNew, started.isAmended], [old, false, false])
    assert.equal(await inputOf(scene, started.id), 'j["old"]')
  },
  amend: async (scene, started, old) => {
    same([started.id, started.isNew, started.isAmended], [old, false, true])
    assert.match((await inputOf(scene, started.id)) ?? '', /"new"\]$/)
    assert.equal((await scene.store.listRuns({ limit: 9 })).length, 1)
  },
  replace: async (scene, started, old) => {
    same([started.isNew, started.replacedId], [true, old])
    assert.equal(await scene.stateOf(started.id), 'ready')
    assert.notEqual(started.id, old)
  },
  follow: async (scene, started, old) => {
    assert.notEqual(started.id, old)
    same([started.isNew, await scene.stateOf(started.id)], [true, 'parked'])
  },
}

function meetCase(rule: KeyRule, state: KeyedState, isLate: boolean): [string, Cases[string]] {
  const decision = keyMoves[rule][state]
  const inTime = decision === 'attach_in_time' ? 'attach' : decision
  const move = isLate && decision === 'attach_in_time' ? 'start' : inTime
  const when = decision === 'attach_in_time' ? (isLate ? ' once its time has passed' : ' in its time') : ''
  const run = async (scene: Scene): Promise<void> => {
    const old = await reach(scene, state, keys[rule])
    await scene.clock.advance(isLate ? periodMs : periodMs - 1)
    const started = await meet(scene, { key: keys[rule], input: 'j["new"]' })
    await shows[move](scene, started, old)
  }
  return [`${rule} meets a run that is ${state}: ${move}${when}`, run]
}

const meetings = Object.fromEntries(
  (Object.keys(keyMoves) as KeyRule[]).flatMap((rule) =>
    states.flatMap((state) =>
      (keyMoves[rule][state] === 'attach_in_time' ? [false, true] : [false]).map((isLate) =>
        meetCase(rule, state, isLate),
      ),
    ),
  ),
)

export const keyCases: Cases = {
  ...meetings,

  'keeps the keys of different rules apart': async (scene) => {
    const ids = new Map<string, string>()
    for (const key of Object.values(keys)) {
      const scope = scopeOf(key.rule)
      ids.set(scope, ids.get(scope) ?? (await startOne(scene, { key, input: 'j[]' })))
    }
    assert.equal(new Set(ids.values()).size, 7)
  },

  'has one key for all versions of a name, but a cache for each': async (scene) => {
    const second = await scene.store.internDefinition('resize', '2')
    const first = await startOne(scene, { key: keys.attach })
    assert.equal(await startOne(scene, { key: keys.attach, definitionId: second }), first)
    const cached = await startOne(scene, { key: keys.cache })
    assert.notEqual(await startOne(scene, { key: keys.cache, definitionId: second }), cached)
  },

  'meets those that start beside it in one batch': async (scene) => {
    const starts = ['j["a"]', 'j["b"]', 'j["c"]'].map((input) => scene.startRecord({ key: keys.append, input }))
    const { started } = await scene.client.commit({ starts: [scene.startRecord(), ...starts, scene.startRecord()] })
    const [before, first, second, third, after] = started
    same([second?.id, third?.id], [first?.id, first?.id])
    same([before?.isNew, after?.isNew], [true, true])
    assert.equal(await inputOf(scene, first?.id ?? ''), 'j["a","b","c"]')
    assert.equal((await scene.store.listRuns({ limit: 9 })).length, 3)
  },

  'is answered as before when the batch is issued twice': async (scene) => {
    await startOne(scene, { key: keys.attach })
    await startOne(scene, { key: keys.append, input: 'j[1]' })
    const rules = [keys.attach, keys.append, keys.replace, { ...keys.cache }]
    const batch = scene.node.batch({ starts: rules.map((key) => scene.startRecord({ key, input: 'j[2]' })) })
    const first = await scene.store.commit(batch)
    same(await scene.store.commit(batch), first)
    same(
      first.started.map(({ isNew, isAmended, replacedId }) => [isNew, isAmended, replacedId === undefined]),
      [
        [false, false, true],
        [false, true, true],
        [true, false, false],
        [true, false, true],
      ],
    )
  },

  'replaces a run that waits: it is cancelled in the same commit, and says by whom': async (scene) => {
    const old = await startOne(scene, { key: keys.attach })
    const { id } = await meet(scene, { key: keys.replace })
    assert.equal(await scene.stateOf(old), 'cancelled')
    assert.match((await scene.store.findFinished(old))?.value ?? '', new RegExp(`"run_cancelled".*${id}`))
    assert.equal(await startOne(scene, { key: keys.attach }), id)
    same(await scene.store.countEnded('resize').then((ended) => ended.map(({ outcome, runs }) => [outcome, runs])), [
      ['cancelled', 1],
    ])
  },

  'replaces a run that is under way: its node is asked to end it': async (scene) => {
    const { held, id } = await scene.startAndClaim({ key: keys.attach })
    const started = await meet(scene, { key: keys.replace })
    same([started.replacedId, await scene.stateOf(id)], [id, 'running'])
    const { cancelRequests } = await scene.node.commit({})
    same(
      cancelRequests.map(({ runId }) => runId),
      [held.runId],
    )
  },

  'debounces to the time of the latest call, but not past the most': async (scene) => {
    const key: StartKey = { rule: 'debounce', key: 'k', mostMs: 250 }
    const call = (): Promise<string> => startOne(scene, { key, dueAt: scene.clock.now() + 100 })
    const id = await call()
    const dueAfter = async (ms: number): Promise<unknown> => {
      await scene.clock.advance(ms)
      assert.equal(await call(), id)
      return (await scene.store.findRun(id))?.dueAt
    }
    same([await dueAfter(90), await dueAfter(60), await dueAfter(60)], [startMs + 190, startMs + 250, startMs + 250])
    await scene.clock.advance(40)
    await scene.store.wakeRuns(9)
    assert.equal((await scene.node.claimOne()).id, id)
    assert.notEqual(await call(), id)
  },

  'leaves a debounced run where it is once it is ready, and gives it the newer input': async (scene) => {
    const id = await startOne(scene, { key: keys.debounce, dueAt: startMs + 100, input: 'j1' })
    await scene.clock.advance(100)
    await scene.store.wakeRuns(9)
    await startOne(scene, { key: keys.debounce, dueAt: startMs + 200, input: 'j2', deadlineAt: startMs + 900 })
    const row = await scene.store.findRun(id)
    same([row?.state, row?.dueAt, row?.input], ['ready', startMs + 900, 'j2'])
    assert.equal((await scene.node.claimOne()).input, 'j2')
  },

  'never amends a run that was begun, also when it waits again': async (scene) => {
    for (const key of [keys.debounce, keys.append, keys.keepLast]) {
      const { id, held } = await scene.startAndClaim({ key, input: 'j["old"]' })
      await scene.node.commit({ releases: [held] })
      assert.notEqual(await startOne(scene, { key, input: 'j["new"]' }), id)
      assert.equal(await inputOf(scene, id), 'j["old"]')
      const claimed = await scene.node.claim(9)
      await scene.node.commit({ settles: claimed.map((one) => settle(one.held)) })
      for (const one of await scene.node.claim(9)) await scene.node.commit({ settles: [settle(one.held)] })
    }
  },

  'starts another run when nothing more fits, and lets the full one wait no longer': async (scene) => {
    const key: StartKey = { rule: 'append', key: 'k', size: 3, maxBytes: 1_000 }
    const dueAt = startMs + 500
    const first = await startOne(scene, { key, dueAt, input: 'j[1,2]' })
    const second = await startOne(scene, { key, dueAt, input: 'j[3,4]' })
    same([await scene.stateOf(first), await scene.stateOf(second)], ['ready', 'scheduled'])
    assert.equal(await startOne(scene, { key, dueAt, input: 'j[5]' }), second)
    same([await scene.stateOf(second), await inputOf(scene, second)], ['ready', 'j[3,4,5]'])
    const large = await startOne(scene, { key, dueAt, input: 'j[6,7,8,9]' })
    assert.equal(await scene.stateOf(large), 'ready')
  },

  'appends no more bytes than an input may have': async (scene) => {
    const key: StartKey = { rule: 'append', key: 'k', size: null, maxBytes: 20 }
    const first = await startOne(scene, { key, input: 'j["12345678"]' })
    assert.equal(await startOne(scene, { key, input: 'j["9"]' }), first)
    assert.notEqual(await startOne(scene, { key, input: 'j["1"]' }), first)
  },

  'runs one of a key at a time, and then the last': async (scene) => {
    const { held, id } = await scene.startAndClaim({ key: keys.keepLast, input: 'j1' })
    const last = await startOne(scene, { key: keys.keepLast, input: 'j2' })
    assert.equal(await startOne(scene, { key: keys.keepLast, input: 'j3' }), last)
    same(await scene.node.claim(9), [])
    const { woken } = await scene.node.commit({ settles: [settle(held, 'failed')] })
    assert.equal(woken, 1)
    const next = await scene.node.claimOne()
    same([next.id, next.input, await scene.stateOf(id)], [last, 'j3', 'failed'])
  },

  'fails one that waits for another when its time is up, and never lets it begin beside that': async (scene) => {
    const { held } = await scene.startAndClaim({ key: keys.keepLast })
    const second = await startOne(scene, { key: keys.keepLast, expiresAt: startMs + 5 })
    await scene.clock.advance(5)
    await scene.store.wakeRuns(9)
    same([await scene.node.claim(9), await scene.stateOf(second)], [[], 'parked'])
    same(await scene.store.expireRuns(9, () => errorValue('expired')), [{ id: second, isAwaited: false }])
    const third = await startOne(scene, { key: keys.keepLast })
    same([await scene.stateOf(second), await scene.stateOf(third)], ['failed', 'parked'])
    await scene.node.commit({ settles: [settle(held)] })
    assert.equal((await scene.node.claimOne()).id, third)
  },

  'lets the one behind it go on whoever ends the first': async (scene) => {
    const ends: Readonly<Record<string, (held: { readonly runId: number }, id: string) => Promise<unknown>>> = {
      'its process died': () =>
        scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], {
          maxDeliveries: 1,
          value: errorValue('run_lost'),
        }),
    }
    for (const end of Object.values(ends)) {
      const { held, id } = await scene.startAndClaim({ key: keys.keepLast })
      const last = await startOne(scene, { key: keys.keepLast })
      await end(held, id)
      same([await scene.stateOf(id), await scene.stateOf(last)], ['failed', 'ready'])
    }
  },

  'stays behind a run while that is tried again, also in the place of one that was cancelled': async (scene) => {
    const { held } = await scene.startAndClaim({ key: keys.keepLast })
    const second = await startOne(scene, { key: keys.keepLast })
    await scene.client.commit({ cancels: [{ id: second, value: errorValue('run_cancelled'), reason: '' }] })
    await scene.node.commit({ retries: [{ held, attempt: 2, dueAt: startMs + 10 }] })
    const third = await startOne(scene, { key: keys.keepLast })
    same([await scene.stateOf(second), await scene.stateOf(third)], ['cancelled', 'parked'])
    await scene.clock.advance(10)
    await scene.store.wakeRuns(9)
    const again = await scene.node.claim(9)
    assert.equal(again.length, 1)
    await scene.node.commit({ settles: again.map((one) => settle(one.held)) })
    assert.equal((await scene.node.claimOne()).id, third)
  },

  'fails a run that was not begun in time, and leaves one that was': async (scene) => {
    const { held } = await scene.startAndClaim({ expiresAt: startMs + 100 })
    const late = await scene.start({ expiresAt: startMs + 100, deadlineAt: startMs + 500 })
    const told: unknown[] = []
    const expire = (): Promise<unknown> =>
      scene.store.expireRuns(9, (run) => (told.push({ ...run }), errorValue(run.isUnbegun ? 'expired' : 'timed_out')))
    await scene.clock.advance(99)
    same(await expire(), [])
    await scene.clock.advance(1)
    await scene.node.commit({ releases: [held] })
    same(
      [await expire(), told],
      [[{ id: late, isAwaited: false }], [{ name: 'resize', timeoutMs: 100, isUnbegun: true }]],
    )
    same((await scene.store.findFinished(late))?.value, errorValue('expired'))
    assert.equal((await scene.node.claimOne()).expiresAt, null)
  },

  'tells which time was up when a run has two': async (scene) => {
    await scene.start({ expiresAt: startMs + 200, deadlineAt: startMs + 100 })
    await scene.clock.advance(300)
    const told: unknown[] = []
    await scene.store.expireRuns(9, (run) => (told.push({ ...run }), errorValue('timed_out')))
    same(told, [{ name: 'resize', timeoutMs: 100, isUnbegun: false }])
  },

  'gives the times of a later call to a run that waits': async (scene) => {
    const key = keys.append
    const times = { dueAt: null, deadlineAt: startMs + 100, expiresAt: startMs + 50 }
    const first = await startOne(scene, { key: keys.debounce, ...times })
    await startOne(scene, { key: keys.debounce, ...times, deadlineAt: startMs + 400, expiresAt: startMs + 300 })
    assert.equal((await scene.store.findRun(first))?.dueAt, startMs + 300)
    // A batch keeps those of its first call.
    const batch = await startOne(scene, { key, ...times, input: 'j[1]' })
    await startOne(scene, { key, ...times, expiresAt: startMs + 300, input: 'j[2]' })
    assert.equal((await scene.store.findRun(batch))?.dueAt, startMs + 50)
  },

  'counts the time of a run from the call that gave it, also when it is tried again': async (scene) => {
    const at = (ms: number) => ({ key: keys.debounce, dueAt: startMs + ms + 50, deadlineAt: startMs + ms + 100 })
    const id = await startOne(scene, at(0))
    await scene.clock.advance(40)
    await startOne(scene, at(40))
    await scene.clock.advance(100)
    await scene.store.wakeRuns(9)
    const given: unknown[] = []
    await scene.store.expireRuns(9, ({ timeoutMs }) => (given.push(timeoutMs), errorValue('timed_out')))
    same(given, [100])
    await scene.store.operating.reopenRuns([id], undefined)
    const { createdAt, deadlineAt } = await scene.node.claimOne()
    same([createdAt, deadlineAt], [startMs + 140, startMs + 240])
  },

  'returns with a claim what a start said that few say': async (scene) => {
    const id = await scene.start({ correlationId: 'request 7', retry: '{"attempts":3}', expiresAt: startMs + 5 })
    const { correlationId, retry, expiresAt } = await scene.node.claimOne()
    same([correlationId, retry, expiresAt], ['request 7', '{"attempts":3}', startMs + 5])
    assert.equal((await scene.store.findRun(id))?.correlationId, 'request 7')
  },
}
