// What a started engine costs that has nothing to do.
import { join } from 'node:path'
import { open } from './ours.ts'
import { wait, withFolder } from '../measure.ts'

const settleMs = 2_000

/**
 * Part of one core, in percent; of the whole process, Node's own timers included.
 * Over half a minute, so that clearing away the garbage of the start, which Node does once when it is idle, does not pass for what goes on.
 */
export const idlePercent = (ms: number): Promise<number> =>
  withFolder(async (folder) => {
    const troupe = await open(join(folder, 'troupe.db'))
    await troupe.start()
    await wait(settleMs)
    const before = process.cpuUsage()
    const startedAt = performance.now()
    await wait(ms)
    const { user, system } = process.cpuUsage(before)
    const percent = ((user + system) / 1_000 / (performance.now() - startedAt)) * 100
    await troupe.stop()
    return percent
  })
