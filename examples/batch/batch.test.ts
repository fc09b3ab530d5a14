import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Troupe } from 'troupe'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { printedBy } from '../printed.ts'
import { gather, queueFiles } from './batch.ts'
import { textOf, writeSample } from './sample.ts'
import { packFile } from './workers/pack-file.ts'

let home: string
let folder: string
let out: string
const children: ChildProcess[] = []

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'troupe-batch-test-'))
  folder = join(home, 'files')
  out = join(folder, 'packed')
  await mkdir(out, { recursive: true })
})

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(home, { recursive: true })
})

const open = () => Troupe.open({ store: `sqlite:${join(out, 'troupe.db')}`, definitions: [packFile] })

const names = (count: number) =>
  Array.from({ length: count }, (_, index) => `text-${String(index).padStart(4, '0')}.txt`)

function program(): ChildProcess {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'jiti/register', main, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return child
}

it('tells what was packed from what failed, timed out and was cancelled', async () => {
  await writeSample(folder, 20)
  await using troupe = await open()
  await troupe.start()
  const handles = await queueFiles(troupe, folder, out)
  const told: number[] = []
  const gathering = gather(handles, (finished) => told.push(finished))
  expect(await handles.get('withdrawn.log')?.cancel('changed my mind')).toBe(true)
  const outcomes = await gathering

  const packed = names(20).map((file, words) => ({ file, end: 'packed', words }))
  expect(outcomes.map(({ file, end, result }) => ({ file, end, words: result?.words }))).toEqual([
    { file: 'endless.log', end: 'timed out', words: undefined },
    { file: 'photo.txt', end: 'failed', words: undefined },
    ...packed,
    { file: 'withdrawn.log', end: 'cancelled', words: undefined },
  ])
  expect(told).toEqual(Array.from({ length: 23 }, (_, index) => index + 1))
  for (const [words, name] of names(20).entries()) {
    expect(gunzipSync(await readFile(join(out, `${name}.gz`))).toString()).toBe(textOf(words))
  }
  const left = (await readdir(out)).filter((name) => !name.startsWith('troupe.db')).sort()
  expect(left).toEqual(names(20).map((name) => `${name}.gz`))
  expect((await troupe.runs({ limit: 100 })).map(({ tags }) => tags)).toEqual(
    Array.from({ length: 23 }, () => ['batch']),
  )
})

it('goes on after it was killed, and packs no finished file again', async () => {
  const files = names(200)
  for (const [words, name] of files.entries()) await writeFile(join(folder, name), textOf(words))
  // Nobody writes into it: the batch cannot come to its end before it is killed.
  expect(spawnSync('mkfifo', [join(folder, 'z.txt')]).status).toBe(0)
  const first = program()
  const dead = once(first, 'exit')
  for await (const line of createInterface(first.stdout!)) {
    if (line === '25 finished') first.kill('SIGKILL')
  }
  expect(await dead).toEqual([null, 'SIGKILL'])

  const finished = await inStore()
  expect(finished.length).toBeGreaterThanOrEqual(25)
  expect(finished.map(({ file }) => file)).not.toContain('z.txt')
  const before = await Promise.all(finished.map(({ file }) => traceOf(file)))

  await rm(join(folder, 'z.txt'))
  await writeFile(join(folder, 'z.txt'), textOf(200))
  const second = program()
  const ended = once(second, 'exit')
  const lines: string[] = []
  for await (const line of createInterface(second.stdout!)) lines.push(line)
  expect(await ended).toEqual([0, null])
  expect(lines[0]).toBe(`${finished.length} files were finished before`)
  expect(lines.slice(-2)).toEqual([
    '201 packed, 0 failed, 0 timed out, 0 cancelled',
    `${(200 * 201) / 2} words in the packed ones`,
  ])

  // The very files, not others of the same content.
  expect(await Promise.all(finished.map(({ file }) => traceOf(file)))).toEqual(before)
  const all = await inStore()
  expect(all).toHaveLength(201)
  expect(all.filter(({ file }) => finished.some((one) => one.file === file))).toEqual(finished)
  for (const [words, name] of [...files, 'z.txt'].entries()) {
    expect(gunzipSync(await readFile(join(out, `${name}.gz`))).toString()).toBe(textOf(words))
  }
  expect((await readdir(out)).filter((name) => !/\.gz$|^troupe\.db/.test(name))).toEqual([])
})

it('prints what became of the files', async () => {
  vi.stubEnv('TMPDIR', home)
  // The loader of TypeScript would keep there what it has compiled.
  vi.stubEnv('JITI_FS_CACHE', 'false')
  const { argv } = process
  process.argv = argv.slice(0, 2)
  const lines = await printedBy(() => import('./main.ts')).finally(() => (process.argv = argv))
  const counting = lines.filter((line) => line.endsWith(' finished'))
  expect(counting).toEqual([25, 50, 75, 100, 125, 150, 175, 200].map((count) => `${count} finished`))
  const rest = lines.filter((line) => !counting.includes(line))
  expect(rest.map((line) => line.replace(/[0-9a-f-]{36}/, 'ID').replace(/: (give|find) .*/, ''))).toEqual([
    '0 files were finished before',
    '203 files are queued',
    "endless.log: timed out: Worker 'pack-file' timed out after 2s",
    'photo.txt: failed: photo.txt is not text in UTF-8',
    "withdrawn.log: cancelled: Run ID of 'pack-file' was cancelled: withdrawn by its author",
    '200 packed, 1 failed, 1 timed out, 1 cancelled',
    '19900 words in the packed ones',
  ])
  expect(await readdir(home)).toEqual(['files'])
})

/** The runs that have ended, by file, with all that would change if they ran again. */
async function inStore() {
  await using troupe = await open()
  const runs = await troupe.runs({ name: 'pack-file', state: 'succeeded', limit: 1_000 })
  const seen = runs.map(({ id, attempt, startedAt, finishedAt, input }) => {
    return { file: (input as { file: string }).file.slice(folder.length + 1), id, attempt, startedAt, finishedAt }
  })
  return seen.sort((left, right) => (left.file < right.file ? -1 : 1))
}

async function traceOf(file: string) {
  const { ino, mtimeNs } = await stat(join(out, `${file}.gz`), { bigint: true })
  return { ino, mtimeNs }
}
