// A process that is killed while a run waits beside a step: the wait is over at its first time.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Troupe } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { buildChild, Child } from './children.ts'
import type { ChildOrder } from './child.ts'
import type { VigilInput } from './sagas.ts'
import { definitions } from './work.ts'

const sleepsMs = 8_000
const killedAfterMs = 5_000
const readyMs = 30_000
const kept = 'this.#kept.soon()'

test(
  'I3: a sleep beside a step ends at its first time, though its process is killed',
  { timeout: 60_000 },
  async () => {
    const sleptMs = await slept(buildChild())
    expect(sleptMs).toBeGreaterThanOrEqual(sleepsMs)
    expect(sleptMs).toBeLessThan(sleepsMs + killedAfterMs - 500)
  },
)

test('the same kill finds a copy that keeps no waits of runs which are not parked', { timeout: 60_000 }, async () => {
  const build = buildChild()
  const path = join(build, 'src', 'workflow', 'waits', 'resting.js')
  const source = readFileSync(path, 'utf8')
  expect(source.split(kept)).toHaveLength(2)
  writeFileSync(path, source.replace(kept, ''))
  expect(await slept(build)).toBeGreaterThanOrEqual(sleepsMs + killedAfterMs)
})

/** How long after its start a run has ended whose process was killed in between. */
async function slept(build: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-wait-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [store, ledger] = [`sqlite:${join(folder, 'troupe.db')}`, join(folder, 'ledger.jsonl')]
  const client = await Troupe.open({ store, definitions: Object.values(definitions(() => {})), global: false })
  onTestFinished(() => client.stop({ within: 0 }))
  const order: ChildOrder = { store, ledger, leaseMs: 200, seed: 0, starts: 0 }
  const first = new Child(build, order)
  await first.hears(() => first.isReady, readyMs)
  const startAt = systemClock.now()
  const input: VigilInput = { from: process.pid, sleepsMs, until: startAt + killedAfterMs + 500 }
  const handle = await client.call('vigil', input)
  await new Promise<void>((resolve) => systemClock.after(killedAfterMs, resolve))
  first.signal('SIGKILL')
  await first.ended
  const second = new Child(build, order)
  await handle.result({ timeout: '40s' })
  const sleptMs = systemClock.now() - startAt
  second.signal('SIGKILL')
  await second.ended
  return sleptMs
}
