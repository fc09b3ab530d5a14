// The sweep: whatever was lost of what wakes a run, it is found, and a healthy store is left alone.
import { beforeEach, describe, expect, it } from 'vitest'
import type { SqlDriver } from '../../src/store/sqlite/connection/driver.ts'
import type { Held } from '../../src/store/store.ts'
import type { TokenRecord, WaitRecord } from '../../src/store/waits.ts'
import { limiterOf } from '../../src/testing/conformance/limits.ts'
import { park, type Scene, settle, startMs } from '../../src/testing/conformance/scene.ts'
import { sceneOnFile } from './scene-on-file.ts'

let scene: Scene
let other: SqlDriver

beforeEach(async () => {
  ;({ scene, beside: other } = await sceneOnFile())
})

const laterMs = startMs + 60_000

interface Damage {
  /** Brings a run so far that it waits, and tells its id. */
  readonly arrange: () => Promise<string>
  /** What is taken away, or made by somebody who tells nobody. */
  readonly lost: string
}

const damages: Readonly<Record<string, Damage>> = {
  'waits for a message that is there': {
    arrange: () => parked({ path: 'go', kind: 'message', name: 'go', dueAt: null }),
    lost: `insert into message (run_id, seq, name, value, at) values (1, 1, 'go', 'j1', 0)`,
  },
  'waits for a completion that is there': {
    arrange: async () => {
      const { id, held } = await scene.startAndClaim()
      await scene.node.commit({ tokens: [token(held)] })
      await scene.node.commit({
        parks: [{ held, dueAt: null, waits: [{ path: '', kind: 'completion', name: null, dueAt: null }] }],
      })
      return id
    },
    lost: `update token set used_at = 1, is_error = 0, value = 'j1'`,
  },
  'waits for a time that it lost': {
    arrange: () => parked({ path: 'nap', kind: 'sleep', name: null, dueAt: laterMs }),
    lost: 'update live set due_at = null',
  },
  'waits for a time that was put off': {
    arrange: () => parked({ path: 'nap', kind: 'sleep', name: null, dueAt: laterMs }),
    lost: `update live set due_at = ${laterMs + 1}`,
  },
  'waits for nothing, and lost the end of its time': {
    arrange: async () => {
      const { id, held } = await scene.startAndClaim({ deadlineAt: laterMs })
      const waits = [{ path: 'go', kind: 'message', name: 'go', dueAt: null }] as const
      await scene.node.commit({ parks: [{ held, dueAt: laterMs, waits }] })
      return id
    },
    lost: 'update live set due_at = null',
  },
  'waits for what is not known any more': {
    arrange: () => parked({ path: 'nap', kind: 'sleep', name: null, dueAt: laterMs }),
    lost: 'delete from wait',
  },
  'waits and was asked to end': {
    arrange: () => parked({ path: 'nap', kind: 'sleep', name: null, dueAt: laterMs }),
    lost: `insert into cancel_request (run_id, reason) values (1, 'enough')`,
  },
  'is scheduled for no time': {
    arrange: () => scene.start({ dueAt: laterMs }),
    lost: 'update live set due_at = null',
  },
  'backs off for no time': {
    arrange: async () => {
      const { id, held } = await scene.startAndClaim()
      await scene.node.commit({ retries: [{ held, attempt: 2, dueAt: laterMs }] })
      return id
    },
    lost: 'update live set due_at = null',
  },
  'follows a run that has ended': {
    arrange: async () => {
      const key = { rule: 'keepLast', key: 'k' } as const
      const first = await scene.startAndClaim({ key })
      const id = await scene.start({ key })
      await scene.node.commit({ settles: [settle(first.held)] })
      expect(await scene.stateOf(id)).toBe('ready')
      return id
    },
    lost: `update live set state = 'parked'; update keyed set ahead = 1`,
  },
  'follows a run that was never marked as followed': {
    arrange: async () => {
      const key = { rule: 'keepLast', key: 'k' } as const
      const first = await scene.startAndClaim({ key })
      const id = await scene.start({ key })
      other.exec('update live set is_followed = 0')
      await scene.node.commit({ settles: [settle(first.held)] })
      expect(await scene.stateOf(id)).toBe('parked')
      return id
    },
    lost: '',
  },
  'runs on a node that nobody knows': {
    arrange: async () => (await scene.startAndClaim()).id,
    lost: 'delete from node',
  },
}

describe.each(Object.entries(damages))('a run that %s', (_which, { arrange, lost }) => {
  it('is left alone until something is lost, and goes on when that is found', async () => {
    const id = await arrange()
    if (lost !== '') expect(await scene.repair()).toBe(0)
    other.exec(lost)
    expect(await scene.repair()).toBe(1)
    expect(await scene.repair()).toBe(0)
    expect(await scene.stateOf(id)).toBe('ready')
    expect((await (await scene.addNode()).claimOne()).id).toBe(id)
  })
})

/** What is lost around a limiter for one at a time that one run has passed and another waits for. */
const lostAtLimiters: Readonly<Record<string, string>> = {
  'that stands in no line': 'delete from waiter; delete from line',
  'whose place in the line is not kept': 'delete from waiter',
  'whose line is not kept': 'delete from line',
}

describe.each(Object.entries(lostAtLimiters))('a run before a limiter %s', (_which, lost) => {
  it('passes when the one before it has ended', async () => {
    const { first, id } = await behindLimiter()
    other.exec(lost)
    expect(await scene.repair()).toBe(1)
    expect(await scene.repair()).toBe(0)
    expect(await scene.node.claim(9)).toEqual([])
    await scene.node.commit({ settles: [settle(first)] })
    expect((await scene.node.claimOne()).id).toBe(id)
  })
})

describe('a limiter', () => {
  it('that a run has passed keeps the next out, though the slot of the run was lost', async () => {
    const { first, id } = await behindLimiter()
    other.exec('delete from slot; update line set is_open = 1')
    expect(await scene.repair()).toBe(1)
    expect(await scene.repair()).toBe(0)
    expect(await scene.node.claim(9)).toEqual([])
    await scene.node.commit({ settles: [settle(first)] })
    expect((await scene.node.claimOne()).id).toBe(id)
  })

  it('whose line was shut by mistake lets the next pass', async () => {
    const { first, id } = await behindLimiter()
    await scene.node.commit({ settles: [settle(first)] })
    other.exec('update line set is_open = 0, opens_at = null')
    expect(await scene.node.claim(9)).toEqual([])
    expect(await scene.repair()).toBe(1)
    expect((await scene.node.claimOne()).id).toBe(id)
  })

  it.each([
    ['a run that has ended', '77, 1, 5'],
    ['a node that is gone', 'null, 99, 0'],
  ])('gives up the slot of %s', async (_whose, holder) => {
    const { first, id } = await behindLimiter()
    other.exec(`insert into slot (limiter, key, ticket, run_id, node, epoch, since) values (1, '', 77, ${holder}, 0)`)
    await scene.node.commit({ settles: [settle(first)] })
    expect(await scene.node.claim(9)).toEqual([])
    expect(await scene.repair()).toBe(1)
    expect((await scene.node.claimOne()).id).toBe(id)
  })
})

describe('ticks that wait for the one before', () => {
  it('go on one after the other, though nobody told them of its end', async () => {
    for (let n = 0; n < 3; n++) await scene.start({ dueAt: laterMs })
    other.exec('update live set schedule = 7, due_at = null')
    expect(await scene.repair()).toBeGreaterThan(0)
    const states = async () => Promise.all([1, 2, 3].map((n) => scene.stateOf(`run-${n}`)))
    expect(await states()).toEqual(['ready', 'scheduled', 'scheduled'])
    expect(await scene.repair()).toBe(0)
    await scene.node.commit({ settles: [settle((await scene.node.claimOne()).held)] })
    expect(await states()).toEqual(['succeeded', 'ready', 'scheduled'])
  })
})

describe('the sweep', () => {
  it('writes nothing while there is nothing to mend, also where limiters are used', async () => {
    await behindLimiter()
    const before = other.prepare('pragma data_version').get()
    other.exec('begin immediate')
    expect(await scene.repair()).toBe(0)
    other.exec('rollback')
    expect(other.prepare('pragma data_version').get()).toEqual(before)
  })

  it('looks at no more runs at a time than it is told, and begins anew after the last', async () => {
    for (let n = 0; n < 5; n++) await scene.start({ dueAt: laterMs })
    other.exec('update live set due_at = null')
    const nodeId = scene.node.nodeId
    const one = await scene.store.repairRuns({ after: 0, limit: 2, nodeId })
    const two = await scene.store.repairRuns({ after: one.through, limit: 2, nodeId })
    const three = await scene.store.repairRuns({ after: two.through, limit: 2, nodeId })
    expect([one, two, three].map(({ mended, through }) => [mended, through])).toEqual([
      [2, 2],
      [2, 4],
      [1, 0],
    ])
  })

  it('tells which runs the store says that a node holds', async () => {
    const { held } = await scene.startAndClaim()
    const second = await scene.addNode()
    await scene.start()
    await second.claimOne()
    const { nodeId } = scene.node
    expect((await scene.store.repairRuns({ after: 0, limit: 9, nodeId })).held).toEqual([held.runId])
  })

  it('leaves alone what is due and was not woken yet, which needs no mending', async () => {
    const { held } = await scene.startAndClaim()
    await scene.node.commit({ parks: [park(held, laterMs)] })
    await scene.clock.advance(60_000)
    other.exec('delete from wait')
    expect(await scene.repair()).toBe(0)
  })
})

async function parked(wait: WaitRecord): Promise<string> {
  const { id, held } = await scene.startAndClaim()
  await scene.node.commit({ parks: [{ held, dueAt: wait.dueAt, waits: [wait] }] })
  return id
}

async function behindLimiter(): Promise<{ first: Held; id: string }> {
  const limits = [await limiterOf(scene, { concurrency: 1 })]
  const first = await scene.startAndClaim({ limits })
  const id = await scene.start({ limits })
  return { first: first.held, id }
}

function token(held: Held): TokenRecord {
  return { held, hash: 'secret', path: '', startedAt: startMs, timeoutAt: null, heartbeatMs: null }
}
