// What a started engine costs that has nothing to do.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withFolder } from '../measure.ts'

// In a process that holds nothing else: clearing away what a bench has loaded is no cost of an engine.
// Measured: in its first ten seconds V8 clears away what the start left, 0.8 % of a core; 0.3 % from then on.
const program = `
import { setTimeout as wait } from 'node:timers/promises'
import { Troupe, worker } from 'troupe'
const [store, ms] = process.argv.slice(1)
const troupe = await Troupe.open({ store, global: false, definitions: [worker('noop', {}, () => {})] })
await troupe.start()
await wait(12_000)
const before = process.cpuUsage()
const startedAt = performance.now()
await wait(Number(ms))
const { user, system } = process.cpuUsage(before)
console.log(((user + system) / 1_000 / (performance.now() - startedAt)) * 100)
await troupe.stop()
`

/** Part of one core, in percent; of the whole process, Node's own timers and one collection of garbage included. */
export const idlePercent = (ms: number): Promise<number> =>
  withFolder(async (folder) => {
    const options = ['--input-type=module', '--eval', program, `sqlite:${join(folder, 'troupe.db')}`, String(ms)]
    const { stdout } = await promisify(execFile)(process.execPath, options)
    return Number(stdout)
  })
