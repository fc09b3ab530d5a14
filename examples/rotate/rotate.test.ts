import { appendFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { schedule, Troupe } from 'troupe'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { printedBy } from '../printed.ts'
import { archivesOf, rotate } from './workers/rotate.ts'

let home: string
let log: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'troupe-rotate-test-'))
  log = join(home, 'app.log')
})

afterEach(() => rm(home, { recursive: true }))

/** What all archives and the log hold together, in order. */
async function written(): Promise<string> {
  const archives = await Promise.all((await archivesOf(log)).map((name) => readFile(join(home, name))))
  const rest = await readFile(log, 'utf8').catch(() => '')
  return archives.map((bytes) => gunzipSync(bytes).toString()).join('') + rest
}

it('loses no line and none is twice, however many ticks come while the log is written', async () => {
  const often = schedule('often', { cron: '* * * * * *' }, rotate, { log, keep: 99 })
  const troupe = await Troupe.open({
    store: `sqlite:${join(home, 'troupe.db')}`,
    definitions: [rotate, often],
    global: false,
  })
  let lines = ''
  let archives = 0
  await troupe.subscribe('run.succeeded', () => void archives++)
  await troupe.start()
  for (let n = 0; archives < 3; n++) {
    appendFileSync(log, `${n}\n`)
    lines += `${n}\n`
    await new Promise((resolve) => setImmediate(resolve))
  }
  const runs = await troupe.runs({ name: 'rotate', state: 'succeeded' })
  await troupe.stop()
  expect(await written()).toBe(lines)
  const ticks = runs.map(({ scheduledAt }) => scheduledAt ?? 0)
  expect([new Set(ticks).size, ticks.every((at) => at % 1_000 === 0)]).toEqual([ticks.length, true])
}, 30_000)

it('keeps the newest archives, and goes on where a process that died had left off', async () => {
  const names = ['20260101T000000Z', '20260102T000000Z', '20260103T000000Z']
  for (const name of names) await writeFile(`${log}.${name}.gz`, '')
  const troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [rotate], global: false })
  await troupe.start()
  await troupe.schedule('by-hand', { every: '1h' }, rotate, { log, keep: 2 })
  await writeFile(log, 'what there is')
  const handle = await troupe.trigger('by-hand')
  const { archive = '', removed } = (await handle.result()) as { archive?: string; removed: string[] }
  expect(removed).toEqual(['app.log.20260101T000000Z.gz', 'app.log.20260102T000000Z.gz'])
  expect(gunzipSync(await readFile(join(home, archive))).toString()).toBe('what there is')
  expect((await readdir(home)).sort()).toEqual(['app.log.20260103T000000Z.gz', archive])
  await troupe.stop()
}, 30_000)

it('prints what its program says', async () => {
  expect(await printedBy(() => import('./main.ts'))).toEqual([
    'three times or more, each for its second',
    'kept are the newest 2 archives',
  ])
}, 30_000)
