// What a run says while it runs: messages in order, and the newest progress.
import assert from 'node:assert/strict'
import { systemClock } from '../../lib/clock.ts'
import { cancel, same, settle, startMs, type Cases } from './scene.ts'

const turn = (): Promise<void> => new Promise((resolve) => systemClock.after(1, resolve))

const fromTheStart = { epoch: 0, n: 0 }

export const streamCases: Cases = {
  'gives messages in the order they were sent, over all activations': async (scene) => {
    const first = await scene.startAndClaim()
    const say = (held: typeof first.held, n: number) => ({
      held,
      n,
      value: `j"${held.epoch === first.held.epoch}-${n}"`,
    })
    await scene.node.commit({ emits: [say(first.held, 1), say(first.held, 2)] })
    await scene.node.commit({ emits: [say(first.held, 10)], releases: [first.held] })
    const second = await scene.node.claimOne()
    await scene.node.commit({ emits: [say(second.held, 1), say(second.held, 2)], settles: [settle(second.held)] })
    const rows = await scene.store.listEmitted(first.id, fromTheStart, 99)
    same(
      rows.map(({ value }) => value),
      ['j"true-1"', 'j"true-2"', 'j"true-10"', 'j"false-1"', 'j"false-2"'],
    )
  },

  'goes on behind a cursor, a page at a time': async (scene) => {
    const first = await scene.startAndClaim()
    const emits = Array.from({ length: 5 }, (_, n) => ({ held: first.held, n: n + 1, value: `j${n + 1}` }))
    await scene.node.commit({ emits, releases: [first.held] })
    const second = await scene.node.claimOne()
    await scene.node.commit({ emits: [{ held: second.held, n: 1, value: 'j6' }] })
    const seen: string[] = []
    let cursor = fromTheStart
    for (let page = 0; page < 4; page++) {
      const rows = await scene.store.listEmitted(first.id, cursor, 2)
      seen.push(rows.map(({ value }) => value).join(' '))
      const last = rows.at(-1)
      cursor = last === undefined ? cursor : { epoch: last.epoch, n: last.n }
    }
    same(seen, ['j1 j2', 'j3 j4', 'j5 j6', ''])
  },

  'keeps the messages of different runs apart, and has none of an unknown one': async (scene) => {
    const [left, right] = [await scene.startAndClaim(), await scene.startAndClaim()]
    await scene.node.commit({
      emits: [
        { held: left.held, n: 1, value: 'j"left"' },
        { held: right.held, n: 1, value: 'j"right"' },
      ],
    })
    const rows = await scene.store.listEmitted(right.id, fromTheStart, 9)
    same(rows, [{ epoch: right.held.epoch, n: 1, value: 'j"right"' }])
    same(await scene.store.listEmitted('none', fromTheStart, 9), [])
  },

  'forgets the messages of a claim up to a number, and none of another claim or by one that is over': async (scene) => {
    const first = await scene.startAndClaim()
    const emits = (held: typeof first.held) => [1, 2, 3, 4].map((n) => ({ held, n, value: `j${n}` }))
    const numbers = async () => (await scene.store.listEmitted(first.id, fromTheStart, 99)).map(({ n }) => n)
    await scene.node.commit({ emits: emits(first.held), releases: [first.held] })
    const second = await scene.node.claimOne()
    await scene.node.commit({ emits: emits(second.held), drops: [{ held: second.held, through: 3 }] })
    same(await numbers(), [1, 2, 3, 4, 4])
    await scene.node.commit({ drops: [{ held: first.held, through: 4 }] })
    same(await numbers(), [1, 2, 3, 4, 4])
    await scene.node.commit({ drops: [{ held: second.held, through: 9 }] })
    same(await numbers(), [1, 2, 3, 4])
  },

  'refuses a second message of the same number, and with it the whole batch': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ emits: [{ held, n: 1, value: 'j1' }] })
    await assert.rejects(
      scene.node.commit({
        emits: [
          { held, n: 2, value: 'j2' },
          { held, n: 1, value: 'j3' },
        ],
      }),
    )
    assert.equal((await scene.store.listEmitted(id, fromTheStart, 9)).length, 1)
  },

  'gives the lines of a log in order, behind a cursor, of the levels asked for, and none of an unknown run': async (
    scene,
  ) => {
    const first = await scene.startAndClaim()
    const line = (held: typeof first.held, n: number, level: string) => ({
      held,
      n,
      level,
      text: `line ${n}`,
      fields: n === 1 ? '{"card":7}' : null,
      at: startMs + n,
    })
    const other = await scene.startAndClaim()
    await scene.node.commit({
      logs: [line(first.held, 1, 'info'), line(first.held, 2, 'debug'), line(other.held, 1, 'info')],
      releases: [first.held],
    })
    const second = await scene.node.claimOne()
    await scene.node.commit({ logs: [line(second.held, 1, 'warn')], settles: [settle(second.held)] })
    const read = (levels: string[], after = fromTheStart, limit = 9) =>
      scene.store.listLogs(first.id, { after, levels, limit })
    const { epoch } = first.held
    const every = ['debug', 'info', 'warn']
    same(await read(every, fromTheStart, 1), [
      { epoch, n: 1, level: 'info', text: 'line 1', fields: '{"card":7}', at: startMs + 1 },
    ])
    const rest = await read(every, { epoch, n: 1 })
    same(
      rest.map(({ level, fields }) => [level, fields]),
      [
        ['debug', null],
        ['warn', '{"card":7}'],
      ],
    )
    same((await read(['warn'])).length, 1)
    same(await scene.store.listLogs('none', { after: fromTheStart, levels: every, limit: 9 }), [])
  },

  'shows the newest progress only, also of a run that finished': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const progress = [1, 2.5].map((done) => ({ held, done, total: 10 }))
    await scene.node.commit({
      progress,
      logs: [{ held, n: 1, level: 'info', text: 'half', fields: null, at: startMs }],
    })
    await scene.node.commit({ settles: [settle(held)] })
    const row = await scene.store.findRun(id)
    same([row?.done, row?.total], [2.5, 10])
  },

  'counts a change when another connection has written, and none of its own': async (scene) => {
    const other = await scene.addClient()
    if (other.store === scene.store) return
    // What the two did while they were opened is told by now.
    for (let look = 0; look < 10; look++) await turn()
    const before = scene.store.changeCount()
    await scene.start({ id: 'own' })
    assert.equal(scene.store.changeCount(), before)
    await other.commit({ cancels: [cancel('own')] })
    // A store that others tell of their writes is told a moment later.
    for (let look = 0; look < 1_000 && scene.store.changeCount() === before; look++) await turn()
    assert.notEqual(scene.store.changeCount(), before)
  },
}
