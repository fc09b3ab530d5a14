// How long a run that waits for a message takes from `tell` to its next line, and whether a million of them take memory.
import { workflow, type Troupe } from 'troupe'
import { fromCallers, quantiles, wait, withFolder, type Quantiles } from '../measure.ts'
import { areParked, countParked, withTroupe } from './ours.ts'

export interface ParkedSlice {
  readonly what: string
  readonly heapBytes: number
  readonly residentBytes: number
  readonly perSecond: number
}

const warmUp = 100
const rounds = 1_000
const atOnce = 10_000

/** Milliseconds from `tell` to the line behind `receive`, while nothing else goes on. */
export const wakeLatency = (): Promise<Quantiles> =>
  withFolder(async (folder) => {
    let awake: () => void = () => {}
    const sleeper = workflow('sleeper', {}, async (ctx) => {
      await ctx.receive('go')
      awake()
    })
    return withTroupe(folder, [sleeper], async (troupe) => {
      const times: number[] = []
      for (let i = -warmUp; i < rounds; i++) {
        const handle = await troupe.call(sleeper)
        await areParked(troupe, 1)
        const isAwake = new Promise<void>((resolve) => (awake = resolve))
        const toldAt = performance.now()
        await Promise.all([handle.tell('go'), isAwake])
        if (i >= 0) times.push(performance.now() - toldAt)
        await handle.result()
      }
      return quantiles(times)
    })
  })

/** Parks so many runs, wakes them all, and looks at the memory after each of as many slices. */
export const parkAndWake = (runs: number, slices: number, tell: (line: string) => void): Promise<ParkedSlice[]> =>
  withFolder((folder) => {
    let woken = 0
    const sleeper = workflow('sleeper', {}, async (ctx) => {
      await ctx.receive('go')
      woken += 1
    })
    return withTroupe(folder, [sleeper], async (troupe) => {
      const taken: ParkedSlice[] = []
      const slice = async (what: string, work: () => Promise<void>): Promise<void> => {
        tell(what)
        const startedAt = performance.now()
        await work()
        const perSecond = (runs / slices / (performance.now() - startedAt)) * 1_000
        taken.push({ what, perSecond, ...memory() })
      }
      const perSlice = runs / slices
      for (let n = 1; n <= slices; n++)
        await slice(`${(n * perSlice) / 1_000} k parked`, () => park(troupe, sleeper, { until: n * perSlice }))
      for (let n = 1; n <= slices; n++)
        await slice(`${(n * perSlice) / 1_000} k woken`, async () => {
          while (woken < n * perSlice) await wake(troupe, () => woken)
        })
      return taken
    })
  })

/** Starts runs until so many are parked. */
async function park(
  troupe: Troupe,
  sleeper: Parameters<Troupe['callMany']>[0],
  { until }: { readonly until: number },
): Promise<void> {
  const before = await countParked(troupe)
  for (let left = until - before; left > 0; left -= atOnce)
    await troupe.callMany(
      sleeper,
      Array.from({ length: Math.min(left, atOnce) }, () => undefined),
    )
  await areParked(troupe, until)
}

/** Wakes some of those that are parked; it keeps no list of them, which would be memory of its own. */
async function wake(troupe: Troupe, woken: () => number): Promise<void> {
  const parked = await troupe.runs({ state: 'parked', limit: atOnce })
  const until = woken() + parked.length
  await fromCallers(parked.length, (i) => troupe.tell(parked[i]?.id ?? '', 'go'))
  while (woken() < until) await wait(1)
}

function memory(): { heapBytes: number; residentBytes: number } {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  return { heapBytes: heapUsed, residentBytes: rss }
}
