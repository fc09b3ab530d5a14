// Rotates the log of a busy program by the clock: each second here, each midnight in earnest.
//
//   node --import jiti/register examples/rotate/main.ts
import { appendFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { schedule, Troupe } from 'troupe'
import { archivesOf, rotate } from './workers/rotate.ts'

const home = await mkdtemp(join(tmpdir(), 'troupe-rotate-'))
const log = join(home, 'app.log')

// In earnest { cron: '0 0 * * *', zone: 'Europe/Berlin' }: the option of the schedule is all that differs.
const often = schedule('rotate-app-log', { cron: '* * * * * *' }, rotate, { log, keep: 2 })
const troupe = await Troupe.open({ store: `sqlite:${join(home, 'troupe.db')}`, definitions: [rotate, often] })

let rotations = 0
await troupe.subscribe('run.succeeded', () => void rotations++)
await troupe.start()

let lines = 0
while (rotations < 3) {
  appendFileSync(log, `request ${++lines} was answered\n`)
  await setTimeout(5)
}
await troupe.stop()

const runs = (await reopened()).filter(({ state }) => state === 'succeeded')
console.log(`${runs.length >= 3 ? 'three times or more' : 'too seldom'}, each for its second`)
console.log(`kept are the newest ${(await archivesOf(log)).length} archives`)
await rm(home, { recursive: true })

/** The store is a file: who opens it later sees what ran. */
async function reopened() {
  await using later = await Troupe.open({ store: `sqlite:${join(home, 'troupe.db')}`, global: false })
  return later.runs({ name: 'rotate' })
}
