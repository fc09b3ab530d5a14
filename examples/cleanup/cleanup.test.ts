import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Troupe } from 'troupe'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { printedBy } from '../printed.ts'
import { cleanFolder, type News } from './clean-folder.ts'
import { cleanup } from './workers/cleanup.ts'

const now = Date.UTC(2026, 2, 1)
const day = 86_400_000
const never = new AbortController().signal

let home: string
let folder: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'troupe-cleanup-test-'))
  folder = join(home, 'in')
  await mkdir(folder)
})

afterEach(() => rm(home, { recursive: true }))

async function write(name: string, writtenAt: number, content = 'x'): Promise<string> {
  const path = join(home, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  await utimes(path, writtenAt / 1_000, writtenAt / 1_000)
  return path
}

/** Everything in a folder; the recursive listing of Node 20 follows links. */
async function left(of = folder): Promise<string[]> {
  const entries = await readdir(of, { withFileTypes: true })
  const lists = entries.map(async (entry) => {
    const below = entry.isDirectory() ? await left(join(of, entry.name)) : []
    return [entry.name, ...below.map((name) => `${entry.name}/${name}`)]
  })
  return (await Promise.all(lists)).flat().sort()
}

const order = (news: News[] = []) => ({
  folder,
  before: now - day,
  isDryRun: false,
  signal: never,
  tell: (one: News) => void news.push(one),
})

it('removes what was written before the limit, to the millisecond, at any depth', async () => {
  await write('in/a', now - day - 1, 'four')
  await write('in/b', now - day)
  await write('in/deep/er/c', now - 9 * day, 'seven77')
  await write('in/deep/er/d', now)
  const news: News[] = []
  expect(await cleanFolder(order(news))).toEqual({
    removed: 2,
    removedBytes: 11,
    kept: 2,
    keptBytes: 2,
    others: 0,
    stuck: 0,
  })
  expect(await left()).toEqual(['b', 'deep', 'deep/er', 'deep/er/d'])
  expect(news).toEqual([
    { removed: 'a', bytes: 4, writtenAt: new Date(now - day - 1) },
    { removed: 'deep/er/c', bytes: 7, writtenAt: new Date(now - 9 * day) },
  ])
})

it('says the same in a dry run, and removes nothing', async () => {
  await write('in/a', 0, 'four')
  await write('in/deep/b', 0, 'five5')
  const [dry, real]: [News[], News[]] = [[], []]
  const would = await cleanFolder({ ...order(dry), isDryRun: true })
  expect(await left()).toEqual(['a', 'deep', 'deep/b'])
  expect(await cleanFolder(order(real))).toEqual(would)
  expect(real).toEqual(dry)
  expect(await left()).toEqual(['deep'])
})

it('follows no link, removes none, and still begins at a folder that is reached through one', async () => {
  await write('out/precious', 0, 'keep me')
  await write('in/old', 0)
  await symlink(join(home, 'out'), join(folder, 'folder'))
  await symlink(join(home, 'out', 'precious'), join(folder, 'file'))
  await symlink('..', join(folder, 'up'))
  await symlink(folder, join(home, 'door'))
  const done = await cleanFolder({ ...order(), folder: join(home, 'door') })
  expect(done).toEqual({ removed: 1, removedBytes: 1, kept: 0, keptBytes: 0, others: 3, stuck: 0 })
  expect(await left()).toEqual(['file', 'folder', 'up'])
  expect(await readFile(join(home, 'out', 'precious'), 'utf8')).toBe('keep me')
})

it('stays inside when a folder becomes a link to another place while it works', async () => {
  await write('out/precious', 0, 'keep me')
  await write('in/a', 0)
  await write('in/b/old', 0)
  // The listing of `in` had a folder b; before anybody looks into it, it leads elsewhere.
  const swap = (): void => {
    renameSync(join(folder, 'b'), join(home, 'moved'))
    symlinkSync(join(home, 'out'), join(folder, 'b'))
  }
  expect(await cleanFolder({ ...order(), tell: swap })).toMatchObject({ removed: 1, others: 1 })
  expect(await readFile(join(home, 'out', 'precious'), 'utf8')).toBe('keep me')
})

it('tells of what cannot be removed, and goes on', async () => {
  for (const name of ['a', 'b', 'c']) await write(`in/${name}`, 0)
  // What was listed as a file is a folder by the time its turn comes, and no folder goes as a file does.
  const news: News[] = []
  const tell = (one: News): void => {
    if (news.push(one) > 1) return
    rmSync(join(folder, 'b'))
    mkdirSync(join(folder, 'b'))
    utimesSync(join(folder, 'b'), 0, 0)
  }
  expect(await cleanFolder({ ...order(), tell })).toMatchObject({ removed: 2, stuck: 1 })
  expect(news).toMatchObject([
    { removed: 'a' },
    { stuck: 'b', why: expect.stringMatching(/^(EISDIR|EPERM)$/) },
    { removed: 'c' },
  ])
  expect(await left()).toEqual(['b'])
})

it('refuses a whole disk', async () => {
  await expect(cleanFolder({ ...order(), folder: '/', isDryRun: true })).rejects.toThrow('/ is a whole disk')
})

it('leaves what is neither file nor folder', async () => {
  expect(spawnSync('mkfifo', [join(folder, 'pipe')]).status).toBe(0)
  expect(await cleanFolder({ ...order(), before: Infinity })).toMatchObject({ removed: 0, others: 1 })
  expect(await left()).toEqual(['pipe'])
})

it('stops in the middle when it is told to', async () => {
  for (const name of ['a', 'b', 'c']) await write(`in/${name}`, 0)
  const abort = new AbortController()
  const reason = new Error('enough')
  const stopping = { ...order(), signal: abort.signal, tell: () => abort.abort(reason) }
  await expect(cleanFolder(stopping)).rejects.toBe(reason)
  expect(await left()).toEqual(['b', 'c'])
})

it('is a mistake in the order when the folder is not there', async () => {
  await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [cleanup] })
  await troupe.start()
  const missing = { folder: join(home, 'missing'), olderThanHours: 1 }
  await expect(troupe.run(cleanup, missing)).rejects.toMatchObject({ code: 'permanent' })
})

it('removes what is older than so many hours of now', async () => {
  await write('in/old', Date.now() - 3_700_000)
  await write('in/new', Date.now() - 3_500_000)
  await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [cleanup] })
  await troupe.start()
  const done = await troupe.run(cleanup, { folder, olderThanHours: 1 })
  expect(done).toEqual({ removed: 1, removedBytes: 1, kept: 1, keptBytes: 1, others: 0, stuck: 0, dryRun: false })
  expect(await left()).toEqual(['new'])
})

it('prints what would go, what goes, and what is left', async () => {
  expect(await printedBy(() => import('./main.ts'))).toEqual([
    'would remove ann/old/draft.txt (400 bytes)',
    'would remove monday.csv (2000 bytes)',
    '2 files of 2400 bytes would go; 2 stay, 2 links are left alone',
    'removed ann/old/draft.txt (400 bytes)',
    'removed monday.csv (2000 bytes)',
    '2 files of 2400 bytes are gone; 2 stay, 2 links are left alone',
    'there is: ann, contract.pdf, shortcut, today.csv',
    'and elsewhere: contract.pdf',
  ])
})
