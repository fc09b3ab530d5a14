// Two ends come to the same run at the same time, in one process: it gets one of them, and everyone is told that one.
import { expect, it } from 'vitest'
import { isTroupeError, worker } from '../../src/index.ts'
import type { RunHandle } from '../../src/engine/watch/run-handle.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, noUnhandledRejections, onStage, storeFile, turns, type Stage } from './stage.ts'

noUnhandledRejections()

type Contender = 'cancel' | 'complete' | 'timeout' | 'rescue'

const pairs: [Contender, Contender][] = [
  ['cancel', 'complete'],
  ['cancel', 'timeout'],
  ['complete', 'timeout'],
  ['cancel', 'rescue'],
  ['complete', 'rescue'],
  ['timeout', 'rescue'],
]
/** How many turns of the event loop the first is ahead. */
const leads = [0, 1, 2, 8, 30]
const world = { leaseMs: 300 }

it.each(pairs)('I11: %s and %s at the same time leave a run one end, whichever comes first', async (...pair) => {
  const won: string[] = []
  for (const lead of leads) {
    won.push(await race(pair, lead))
    won.push(await race(pair.toReversed() as [Contender, Contender], lead))
  }
  expect(new Set(won)).toEqual(new Set(pair))
  for (const contender of pair)
    expect(won.filter((one) => one === contender).length).toBeGreaterThanOrEqual(won.length / 10)
})

/** Who won. */
async function race([first, second]: [Contender, Contender], lead: number): Promise<Contender> {
  const store = storeFile()
  const gate = deferred<string>()
  let calls = 0
  const job = worker('job', { timeout: '1s' }, () => (++calls === 1 ? gate.promise : 'rescue'))
  const one = await onStage({ store, definitions: [job], world })
  const client = await onStage({ store, definitions: [job], starts: false, node: 'client' })
  const handle = await one.troupe.call(job)
  await eventually(() => calls === 1)
  // Its time is up in a moment.
  await one.clock.advance(999)
  const elsewhere = await client.troupe.handle(handle.id)

  let cancelled: Promise<boolean> | undefined
  const stages: Stage[] = [one, client]
  const contend: Record<Contender, () => unknown> = {
    complete: () => gate.resolve('complete'),
    cancel: () => void (cancelled = (lead % 2 === 0 ? handle : elsewhere).cancel('enough')),
    timeout: () => one.clock.advance(1),
    // Its clock says that the lease of the other has ended, which stands still meanwhile.
    rescue: async () => stages.push(await onStage({ store, definitions: [job], world, clock: new ManualClock(2_500) })),
  }
  const firstDone = contend[first]()
  await turns(lead)
  await Promise.all([firstDone, contend[second]()])
  await eventually(async () => {
    for (const { clock } of stages) await clock.advance(50)
    return (await elsewhere.status()).finishedAt !== undefined
  })

  const told = await Promise.all([toldBy(handle, one.clock), toldBy(elsewhere, client.clock)])
  expect(told[1]).toBe(told[0])
  if (cancelled !== undefined) expect(await cancelled).toBe(told[0] === 'cancel')
  return told[0]
}

async function toldBy(handle: RunHandle, clock: ManualClock): Promise<Contender> {
  const result = handle.result().then(String, (error: unknown) => error)
  await clock.advance(100)
  const end = await result
  if (isTroupeError(end, 'run_cancelled')) return 'cancel'
  if (isTroupeError(end, 'timed_out')) return 'timeout'
  return end as Contender
}
