// A run that nobody performs: whoever waits for it is told why, once, after a while.
import { expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { noUnhandledRejections, onStage, rejection, storeFile, type Stage } from './stage.ts'

noUnhandledRejections()

const job = worker('job', {}, () => 'done')

function warnings({ log }: Stage): string[] {
  return log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
}

it('tells whoever forgot to start the engine, once and not at once', async () => {
  const stage = await onStage({ definitions: [job], starts: false })
  const handle = await stage.troupe.call(job)
  const results = [handle.result(), stage.troupe.run(job)]
  await stage.clock.advance(2_900)
  expect(warnings(stage)).toEqual([])
  await stage.clock.advance(3_200)
  const told =
    "nobody serves queue 'default', so the run of 'job' waits: call troupe.start() in this process, or start another on this store, that serves this queue"
  expect(warnings(stage)).toEqual([told])
  expect((await handle.status()).reason).toMatchObject({ kind: 'not_served', missing: 'node', queue: 'default' })
  await stage.clock.advance(60_000)
  expect(warnings(stage)).toEqual([told])
  await stage.troupe.start()
  expect(await Promise.all(results)).toEqual(['done', 'done'])
})

it('names the queue that a started engine leaves out, and the definition that no process has', async () => {
  const store = storeFile()
  const owner = await onStage({ store, definitions: [worker('other', {}, () => 1)], starts: false })
  await owner.stop()
  const stage = await onStage({ store, definitions: [job] })
  const waiting = [stage.troupe.run(job, undefined, { queue: 'mail' }), stage.troupe.run('other')]
  await stage.clock.advance(7_000)
  expect(warnings(stage).sort()).toEqual([
    "nobody serves 'other' in version 1, so the run of 'other' waits: start a process that has its definition",
    "nobody serves queue 'mail', so the run of 'job' waits: name it in Troupe.open({ queues: ['mail'] }), or start another process that serves it",
  ])
  const ended = Promise.allSettled(waiting)
  await stage.stop()
  expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})

it('says nothing of runs that are performed, or wait for their time', async () => {
  const slow = worker('slow', {}, () => new Promise((resolve) => stage.clock.after(20_000, () => resolve(1))))
  const stage = await onStage({ definitions: [job, slow] })
  const results = [stage.troupe.run(slow), stage.troupe.run(job, undefined, { delay: '15s' })]
  await stage.clock.advance(25_000)
  expect(await Promise.all(results)).toEqual([1, 'done'])
  expect(warnings(stage)).toEqual([])
})

it('tells whoever waits for a result only so long what the run waits for', async () => {
  const gate = new Promise<void>(() => {})
  const stuck = worker('stuck', {}, () => gate)
  const stage = await onStage({ definitions: [job, stuck] })
  const unserved = await stage.troupe.call(job, undefined, { queue: 'mail' })
  const running = await stage.troupe.call(stuck)
  const refused = Promise.all([unserved, running].map(async (handle) => rejection(handle.result({ timeout: '2s' }))))
  await stage.clock.advance(2_000)
  const [ofUnserved, ofRunning] = await refused
  expect([ofUnserved?.message, ofUnserved?.['details']]).toEqual([
    `Run ${unserved.id} did not finish within 2s; it waits for a node that serves queue 'mail'. It is kept, ask for its result again.`,
    { runId: unserved.id, timeoutMs: 2_000, reason: 'not_served', missing: 'queue', queue: 'mail' },
  ])
  expect([ofRunning?.message, ofRunning?.['details']]).toEqual([
    `Run ${running.id} did not finish within 2s; it goes on, ask for its result again.`,
    { runId: running.id, timeoutMs: 2_000 },
  ])
})
