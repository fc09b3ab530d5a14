// Packs all files of a folder, eight at a time. Kill it in the middle, start it again, and it goes on with those that are left.
//
//   node --import jiti/register examples/batch/main.ts            a folder of its own making
//   node --import jiti/register examples/batch/main.ts FOLDER     yours: the packed files go to FOLDER/packed
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Troupe } from 'troupe'
import { gather, queueFiles, type Outcome } from './batch.ts'
import { writeSample } from './sample.ts'
import { packFile } from './workers/pack-file.ts'

const given = process.argv[2]
const folder = resolve(given ?? (await mkdtemp(join(tmpdir(), 'troupe-batch-'))))
if (given === undefined) await writeSample(folder, 200)

const troupe = await Troupe.open({
  store: `sqlite:${join(folder, 'packed', 'troupe.db')}`,
  definitions: [packFile],
  pools: { task: { max: 8 } },
})
const known = await troupe.runs({ name: 'pack-file', limit: 100_000 })
console.log(`${known.filter(({ finishedAt }) => finishedAt !== undefined).length} files were finished before`)
await troupe.start()

const handles = await queueFiles(troupe, folder, join(folder, 'packed'))
console.log(`${handles.size} files are queued`)
// Somebody changes their mind about one of them.
const cancelling = handles.get('withdrawn.log')?.cancel('withdrawn by its author')
const outcomes = await gather(handles, (finished) => {
  if (finished % 25 === 0) console.log(`${finished} finished`)
})
await cancelling

for (const { file, end, why } of outcomes) {
  if (end !== 'packed') console.log(`${file}: ${end}: ${why}`)
}
const count = (which: Outcome['end']): number => outcomes.filter(({ end }) => end === which).length
console.log((['packed', 'failed', 'timed out', 'cancelled'] as const).map((end) => `${count(end)} ${end}`).join(', '))
const results = outcomes.flatMap(({ result }) => result ?? [])
console.log(`${results.reduce((sum, { words }) => sum + words, 0)} words in the packed ones`)

await troupe.stop()
if (given === undefined) await rm(folder, { recursive: true })
