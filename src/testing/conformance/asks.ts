// Asks: in one order with messages, begun once, answered once, and gone when nobody waits for them.
import assert from 'node:assert/strict'
import type { Held } from '../../store/store.ts'
import type { ParkRecord, TellAnswer, TellRecord } from '../../store/waits.ts'
import { same, settle, startMs, step, type Cases, type Scene } from './scene.ts'

const laterMs = startMs + 60_000

export const askCases: Cases = {
  'keeps what is asked of a run that nobody has claimed, in one order with what it is told': async (scene) => {
    const id = await scene.start()
    const tells = [asked(id, 'how'), { id, name: 'go', value: 'j1' }, asked(id, 'how', { value: 'j2' })]
    const answers = (await scene.client.commit({ tells })).tells
    const [first, told, second] = answers.map((answer) => (typeof answer === 'object' ? answer.ask : answer))
    assert.equal(told, 'told')
    const { held } = await scene.node.claimOne()
    same(await scene.store.asks.listOpen(held.runId, ['how'], 9), [
      { seq: first, name: 'how', value: 'j0', isChecked: false },
      { seq: second, name: 'how', value: 'j2', isChecked: false },
    ])
    const [message] = await scene.store.listMessages({ id, name: 'go', limit: 9 })
    assert.ok(Number(first) < (message?.seq ?? 0) && (message?.seq ?? 0) < Number(second))
    same(await scene.store.asks.listOpen(held.runId, ['other'], 9), [])
    same((await scene.store.asks.listOpen(held.runId, ['other', 'how'], 1)).length, 1)
  },

  'wakes a run that answers to the name while it waits for something else': async (scene) => {
    const { id } = await parked(scene, 'how')
    const { tells, woken } = await scene.client.commit({ tells: [asked(id, 'how')] })
    assert.equal(typeof tells[0], 'object')
    same([woken, await scene.stateOf(id)], [1, 'ready'])
    same(
      (await scene.node.claimOne()).waits.map(({ kind, name }) => [kind, name]),
      [
        ['ask', 'how'],
        ['sleep', null],
      ],
    )
  },

  'refuses what a run that waits has no answer to, and what comes too late': async (scene) => {
    const { id, held } = await parked(scene, 'how')
    assert.equal(await ask(scene, asked(id, 'why')), 'missing')
    assert.equal(await scene.stateOf(id), 'parked')
    assert.equal(await ask(scene, asked('none', 'how')), 'not_found')
    const other = await scene.startAndClaim()
    await scene.node.commit({ settles: [settle(other.held)] })
    assert.equal(await ask(scene, asked(other.id, 'how')), 'finished')
    same(await scene.store.asks.listOpen(held.runId, ['why'], 9), [])
  },

  'makes a run ready that parks with an answer to what was asked while it ran': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await seqOf(scene, asked(id, 'how'))
    const { woken } = await scene.node.commit({ parks: [parkFor(held, 'how')] })
    same([woken, await scene.stateOf(id)], [1, 'ready'])
  },

  'tells whoever asks that a run has come to wait without an answer, or has ended': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const seq = await seqOf(scene, asked(id, 'why'))
    same([...(await scene.store.asks.listEnds([seq, seq + 9]))], [[seq + 9, 'gone']])
    await scene.node.commit({ parks: [parkFor(held, 'how')] })
    assert.equal(await scene.stateOf(id), 'parked')
    same([...(await scene.store.asks.listEnds([seq]))], [[seq, 'missing']])
    const other = await scene.startAndClaim()
    const late = await seqOf(scene, asked(other.id, 'how'))
    await scene.node.commit({ settles: [settle(other.held)] })
    same([...(await scene.store.asks.listEnds([late]))], [[late, 'finished']])
  },

  'begins and answers in the commits that remember it, once, and not when those are refused': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const seq = await seqOf(scene, asked(id, 'how'))
    const begun = step(held, 'answer how', { kind: 'ask', ask: seq })
    const answer = step(held, 'answer how[answer]', { kind: 'answer', ask: seq, value: 'j7', seq: 2 })
    await (await scene.addNode()).commit({ steps: [begun, answer] })
    same((await scene.store.asks.listOpen(held.runId, ['how'], 9)).length, 1)
    await scene.node.commit({ steps: [begun] })
    same(await scene.store.asks.listOpen(held.runId, ['how'], 9), [])
    same([...(await scene.store.asks.listEnds([seq]))], [])
    assert.equal(await scene.store.asks.withdraw(seq), false)
    await scene.node.commit({ steps: [answer] })
    same([...(await scene.store.asks.listEnds([seq]))], [[seq, { isError: false, value: 'j7' }]])
    await scene.node.commit({
      steps: [step(held, 'again', { kind: 'answer', ask: seq, value: 'j8', seq: 3 })],
      settles: [settle(held)],
    })
    same([...(await scene.store.asks.listEnds([seq]))], [[seq, { isError: false, value: 'j7' }]])
  },

  'tells which answer the end of a run that is performed waits for, until that is given': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const reason = async () => (await scene.store.findRun(id))?.reason
    const wait = { path: 'answer how[answer]', kind: 'answer' as const, name: 'how', dueAt: null }
    await scene.node.commit({ waits: [{ held, waits: [wait] }] })
    same(await reason(), { kind: 'answer', name: 'how' })
    await scene.node.commit({ steps: [step(held, wait.path, { kind: 'answer', hadWait: true })] })
    same(await reason(), null)
  },

  'answers with why what does not fit': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const seq = await seqOf(scene, asked(id, 'how'))
    const refusals = [{ held, ask: seq, why: '{"message":"no"}' }]
    await (await scene.addNode()).commit({ refusals })
    same([...(await scene.store.asks.listEnds([seq]))], [])
    await scene.node.commit({ refusals })
    same([...(await scene.store.asks.listEnds([seq]))], [[seq, { isError: true, value: '{"message":"no"}' }]])
    same(await scene.store.asks.listOpen(held.runId, ['how'], 9), [])
  },

  'takes back what is not begun': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const seq = await seqOf(scene, asked(id, 'how'))
    same([await scene.store.asks.withdraw(seq), await scene.store.asks.withdraw(seq)], [true, false])
    same(await scene.store.asks.listOpen(held.runId, ['how'], 9), [])
  },

  'begins nothing and wakes nobody for what nobody waits for any more, and forgets it with the next ask': async (
    scene,
  ) => {
    const { id, held } = await scene.startAndClaim()
    const seq = await seqOf(scene, asked(id, 'how', { askedUntil: startMs + 50 }))
    await scene.clock.advance(50)
    same(await scene.store.asks.listOpen(held.runId, ['how'], 9), [])
    await scene.node.commit({ parks: [parkFor(held, 'how')] })
    assert.equal(await scene.stateOf(id), 'parked')
    same([...(await scene.store.asks.listEnds([seq]))], [])
    await seqOf(scene, asked(id, 'how'))
    same([...(await scene.store.asks.listEnds([seq]))], [[seq, 'gone']])
  },

  'opens again what was begun and not answered, when the run goes on without memory of it': async (scene) => {
    const { id, held, definitionId, input } = await scene.startAndClaim()
    const answered = await seqOf(scene, asked(id, 'how'))
    const open = await seqOf(scene, asked(id, 'how'))
    await scene.node.commit({
      steps: [
        step(held, 'answer how', { kind: 'ask', ask: answered }),
        step(held, 'answer how[answer]', { kind: 'answer', ask: answered, value: 'j1', seq: 2 }),
        step(held, 'answer how#2', { kind: 'ask', ask: open, seq: 3 }),
      ],
      continues: [{ held, input, limits: null, definitionId }],
    })
    const claimed = await scene.node.claimOne()
    same(
      (await scene.store.asks.listOpen(claimed.held.runId, ['how'], 9)).map(({ seq }) => seq),
      [open],
    )
  },

  'keeps what was asked once for a batch that is issued twice, under one number': async (scene) => {
    const { id } = await parked(scene, 'how')
    const batch = scene.node.batch({ tells: [asked(id, 'how')] })
    const answers = [await scene.store.commit(batch), await scene.store.commit(batch)]
    same(answers[1], answers[0])
    const { held } = await scene.node.claimOne()
    same((await scene.store.asks.listOpen(held.runId, ['how'], 9)).length, 1)
  },

  'loses no wake-up between a park and an ask of two nodes, in whichever order': async (scene) => {
    const other = await scene.addClient()
    for (let turn = 0; turn < 20; turn++) {
      const { id, held } = await scene.startAndClaim()
      const asks = (): Promise<unknown> => other.commit({ tells: [asked(id, 'how')] })
      const parks = (): Promise<unknown> => scene.node.commit({ parks: [parkFor(held, 'how')] })
      await Promise.all(turn % 2 === 0 ? [asks(), parks()] : [parks(), asks()])
      const claimed = await scene.node.claimOne()
      assert.equal(claimed.id, id)
      await scene.node.commit({ settles: [settle(claimed.held)] })
    }
  },

  'I15: keeps no more than 10,000 asks that a run has not begun': async (scene) => {
    const id = await scene.start()
    const tells = Array.from({ length: 10_001 }, () => asked(id, 'how'))
    const answers = (await scene.client.commit({ tells })).tells
    same([typeof answers.at(-2), answers.at(-1)], ['object', 'full'])
  },

  'deletes what was asked with its run': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const seq = await seqOf(scene, asked(id, 'how'))
    await scene.node.commit({ settles: [settle(held)] })
    await scene.store.operating.deleteRuns([id], undefined)
    same([...(await scene.store.asks.listEnds([seq]))], [[seq, 'gone']])
  },
}

function asked(id: string, name: string, rest: Partial<TellRecord> = {}): TellRecord {
  return { id, name, value: 'j0', askedUntil: laterMs, ...rest }
}

function parkFor(held: Held, name: string): ParkRecord {
  const waits = [
    { path: `answer ${name}`, kind: 'ask', name, dueAt: null },
    { path: 'nap', kind: 'sleep', name: null, dueAt: laterMs },
  ] as const
  return { held, dueAt: laterMs, waits }
}

async function parked(scene: Scene, name: string) {
  const claimed = await scene.startAndClaim()
  await scene.node.commit({ parks: [parkFor(claimed.held, name)] })
  return claimed
}

async function ask(scene: Scene, tell: TellRecord): Promise<TellAnswer | undefined> {
  return (await scene.client.commit({ tells: [tell] })).tells[0]
}

async function seqOf(scene: Scene, tell: TellRecord): Promise<number> {
  const answer = await ask(scene, tell)
  assert.ok(typeof answer === 'object', `was ${String(answer)}`)
  return answer.ask
}
