// Whether memory grows with the number of runs: the heap after each slice of them, everything collectable collected.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { noop, open } from './ours.ts'
import { fromCallers, withFolder } from '../measure.ts'
import { jobOf } from './work.ts'

export interface Slice {
  readonly runs: number
  readonly heapBytes: number
  readonly residentBytes: number
  readonly perSecond: number
}

export interface Memory {
  readonly slices: readonly Slice[]
  readonly fileBytes: number
}

/** Performs `slices` times `runs` runs on one engine, from a hundred callers that wait for each of theirs. */
export const memoryOver = (slices: number, runs: number, tell: (line: string) => void): Promise<Memory> =>
  withFolder(async (folder) => {
    const file = join(folder, 'troupe.db')
    const troupe = await open(file)
    await troupe.start()
    await fromCallers(10_000, (i) => troupe.run(noop, jobOf(i)))
    const taken: Slice[] = []
    for (let slice = 1; slice <= slices; slice++) {
      tell(`memory: slice ${slice} of ${slices}`)
      const startedAt = performance.now()
      await fromCallers(runs, (i) => troupe.run(noop, jobOf(i)))
      const perSecond = (runs / (performance.now() - startedAt)) * 1_000
      globalThis.gc?.()
      globalThis.gc?.()
      const { heapUsed, rss } = process.memoryUsage()
      taken.push({ runs: slice * runs, heapBytes: heapUsed, residentBytes: rss, perSecond })
    }
    await troupe.stop()
    return { slices: taken, fileBytes: statSync(file).size }
  })

/** The last slice beside the first: 1 is flat. */
export function growth({ slices }: Memory): number {
  const [first, last] = [slices[0], slices.at(-1)]
  return first === undefined || last === undefined ? Number.NaN : last.heapBytes / first.heapBytes
}
