// I14 with many nodes: at most one run for each tick, also when nodes vanish in the middle of firing it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { Registry } from '../../src/engine/definition/registry.ts'
import { checkRule } from '../../src/engine/schedule/schedule-rule.ts'
import { ScheduleKeeper } from '../../src/engine/schedule/schedule-keeper.ts'
import { asDefinition } from '../../src/engine/definition/definition.ts'
import { createIds } from '../../src/lib/ids.ts'
import type { Fired, Firing } from '../../src/store/schedules.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordedLog } from '../../src/testing/recorded-log.ts'
import { inputEncoder } from '../../src/worker/input.ts'
import { worker } from '../../src/worker/worker.ts'

const startMs = Date.UTC(2026, 0, 1)
const nodes = 8
const rounds = 150

/** Dies before, or right after, it writes what it wants to fire. */
function mortal(store: Store, fate: () => 'before' | 'after' | 'lives'): Store {
  const fire = async (firing: Firing): Promise<Fired> => {
    const end = fate()
    if (end === 'before') throw new Error('killed before it wrote')
    const fired = await store.schedules.fire(firing)
    if (end === 'after') throw new Error('killed after it wrote')
    return fired
  }
  const schedules = bound(store.schedules, { fire })
  return bound(store, { schedules })
}

/** The same with other parts. */
function bound<T extends object>(whole: T, parts: Partial<T>): T {
  return new Proxy(whole, {
    get(target, name) {
      if (name in parts) return Reflect.get(parts, name) as unknown
      const own: unknown = Reflect.get(target, name)
      return typeof own === 'function' ? (own.bind(target) as unknown) : own
    },
  })
}

it('I14: eight nodes on one file start one run for each tick, though every third look ends in a kill', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-ticks-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const clock = new ManualClock(startMs)
  let looks = 0
  const fate = () => (['lives', 'before', 'lives', 'after', 'lives', 'lives'] as const)[looks++ % 6] ?? 'lives'
  const report = asDefinition(worker('report', {}, () => undefined))
  const stores: Store[] = []
  const keepers: ScheduleKeeper[] = []
  for (let n = 0; n < nodes; n++) {
    const store = await openSqlite({ path: join(folder, 'troupe.db'), synchronous: 'normal', clock })
    onTestFinished(() => store.close())
    stores.push(store)
    const registry = new Registry(store)
    await registry.register(report)
    const deps = {
      store: mortal(store, fate),
      clock,
      log: new RecordedLog(),
      ids: createIds(clock),
      failpoint: () => {},
    }
    const keeper = new ScheduleKeeper(deps, registry, {
      encodeInput: inputEncoder(1_000),
      maxValueBytes: 1_000,
      timeout: undefined,
    })
    await keeper.declareOn(n + 1)
    keepers.push(keeper)
  }
  const [store] = stores
  const [keeper] = keepers
  if (store === undefined || keeper === undefined) throw new Error('There are eight')
  const schedules = ['a', 'b', 'c'].map((name) => {
    const rule = checkRule(name, { every: '1s', overlap: 'allow', jitter: name === 'c' ? 900 : 0 })
    return keeper.recordOf({ kind: 'schedule', name, rule, target: report, input: undefined })
  })
  await store.schedules.save(await Promise.all(schedules), null)

  for (let round = 0; round < rounds; round++) {
    await clock.advance(300 + (round % 7) * 200)
    await Promise.all(keepers.map((one) => one.fireDue()))
  }
  await clock.advance(2_000)
  for (const one of keepers) await one.fireDue()

  const runs = await store.listRuns({ limit: 10_000 })
  const ticksOf = (name: string): number[] =>
    runs
      .filter(({ schedule }) => schedule === name)
      .map(({ scheduledAt }) => scheduledAt ?? 0)
      .toSorted((a, b) => a - b)
  const seconds = Math.floor((clock.now() - startMs) / 1_000)
  const all = Array.from({ length: seconds }, (_, n) => startMs + (n + 1) * 1_000)
  expect(ticksOf('a')).toEqual(all)
  expect(ticksOf('b')).toEqual(all)
  // The jitter of the last may not have passed.
  expect([all, all.slice(0, -1)]).toContainEqual(ticksOf('c'))
  expect(looks).toBeGreaterThan(2 * seconds)
}, 60_000)
