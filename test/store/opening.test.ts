// What cannot be opened or written: each failure has a code, names the file and the remedy, and leaves nothing half-written.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, type TestContext } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { performNow } from '../../src/store/query.ts'
import { Connection } from '../../src/store/sqlite/connection/connection.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { toStoreError } from '../../src/store/sqlite/connection/errors.ts'
import { migrations } from '../../src/store/sqlite/migrations/migrations.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { migrateTables, openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { Scene, settle } from '../../src/testing/conformance/scene.ts'
import { runChild } from './children.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-opening-'))
  chmodSync(folder, 0o777)
})

afterEach(() => {
  for (const path of ['locked', '.']) if (existsSync(join(folder, path))) chmodSync(join(folder, path), 0o777)
  rmSync(folder, { recursive: true })
})

describe('a file that is no store', () => {
  it.each([
    ['text', 'this is a list of things to do\n'.repeat(200)],
    ['a few bytes', 'hello'],
  ])('is told from its first bytes and left as it is: %s', async (_what, content) => {
    const path = join(folder, 'notes.txt')
    writeFileSync(path, content)
    await refused(path, 'store_corrupt', 'is not a Troupe store, or is damaged: name another file with --store')
    expect(readFileSync(path, 'utf8')).toBe(content)
    expect(readdirSync(folder)).toEqual(['notes.txt'])
  })

  it('is left as it is when it is the database of another program', async () => {
    const path = join(folder, 'other.db')
    await sqlOn(path, 'create table customer (name text)')
    const before = readFileSync(path)
    await refused(path, 'store_corrupt', 'is a SQLite database of another program: name another file with --store')
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(folder)).toEqual(['other.db'])
  })

  it('is told when the file was a store and is damaged', async () => {
    const path = join(folder, 'troupe.db')
    await (await open(path)).close()
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0xab, 100))
    await refused(path, 'store_corrupt', 'or is damaged')
  })
})

it('an empty file becomes a store', async () => {
  const path = join(folder, 'empty.db')
  writeFileSync(path, '')
  const store = await open(path)
  expect(await store.internQueue('default')).toBe(1)
  await store.close()
})

it('a store of a newer version is left as it is', async () => {
  const path = join(folder, 'troupe.db')
  await (await open(path)).close()
  await sqlOn(path, `pragma user_version = ${migrations.length + 1}`)
  const before = readFileSync(path)
  await refused(
    path,
    'store_newer',
    `has schema ${migrations.length + 1} and this version knows up to ${migrations.length}: update`,
  )
  expect(readFileSync(path).equals(before)).toBe(true)
})

it('a store of an older version is left as it is where nobody may change its tables', async () => {
  const path = join(folder, 'troupe.db')
  const here = { clock: systemClock, synchronous: 'full', migrate: false } as const
  const url = `sqlite:${path}`
  await expect(openStore(url, here)).rejects.toMatchObject({
    code: 'store_older',
    message: expect.stringContaining(`The store ${path} has no tables yet`),
  })
  expect(readdirSync(folder)).toEqual([])
  const [step1 = ''] = migrations
  await sqlOn(path, `${step1} pragma application_id = ${0x54726f75}; pragma user_version = 1`)
  await expect(openStore(url, here)).rejects.toMatchObject({
    message: expect.stringContaining(`has schema 1 and this version needs ${migrations.length}`),
    details: { location: path, found: 1, known: migrations.length },
  })
  await migrateTables(url, systemClock)
  const store = await openStore(url, here)
  expect(await store.internQueue('default')).toBe(1)
  await store.close()
})

it('a folder that cannot be made is named', async () => {
  writeFileSync(join(folder, 'file'), '')
  await refused(join(folder, 'file', 'troupe.db'), 'store_unavailable', 'The folder of the store')
})

it('a folder is made with its parents', async () => {
  const path = join(folder, 'a', 'b', 'c', 'troupe.db')
  await (await open(path)).close()
  expect(existsSync(path)).toBe(true)
})

it.runIf(existsSync('/proc/self'))('a folder below /proc is refused, and nothing waits for it', async () => {
  const path = '/proc/troupe/none/troupe.db'
  const message = `The folder of the store ${path} cannot be made.`
  expect(await runChild('./opener.ts', { paths: [path], uid: null })).toMatchObject([
    { code: 'store_unavailable', message: expect.stringContaining(message) },
  ])
})

it('a folder in place of the file is named', async () => {
  await refused(folder, 'store_unavailable', 'cannot be opened or read. Check the folder')
})

it.each(['mysql://here', 'sqlite:', '', 'troupe.db'])('%j is not the name of a store', async (url) => {
  const options = { clock: systemClock, synchronous: 'full' } as const
  await expect(openStore(url, options)).rejects.toMatchObject({
    code: 'option_invalid',
    message: expect.stringContaining(`'${url}' is not one this version can open: give sqlite:PATH`),
  })
})

it('what cannot be written says so and is left as it is, for a user without special rights', async (context) => {
  const isRoot = process.getuid?.() === 0
  if (process.getuid === undefined) return skipped(context, 'this system has no user ids')
  const [file, inFolder, missing] = [
    join(folder, 'file.db'),
    join(folder, 'locked', 'troupe.db'),
    join(folder, 'locked', 'new.db'),
  ]
  mkdirSync(join(folder, 'locked'))
  for (const path of [file, inFolder]) await (await open(path)).close()
  chmodSync(file, 0o444)
  chmodSync(inFolder, 0o666)
  chmodSync(join(folder, 'locked'), 0o555)

  const before = readdirSync(folder, { recursive: true, encoding: 'utf8' })

  const answers = await runChild('./opener.ts', { paths: [file, inFolder, missing], uid: isRoot ? 65_534 : null })

  const readonly = (path: string) => ({
    code: 'store_readonly',
    message: `The store ${path} cannot be written: make the file and its folder writable for this user, or name another with --store.`,
  })
  const message = `The store ${missing} cannot be opened or read. Check the folder, its permissions and its disk.`
  expect(answers).toEqual([readonly(file), readonly(inFolder), { code: 'store_unavailable', message }])
  // What an earlier connection had beside its file may go meanwhile: on Node 20 once its statements are collected.
  const after = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  expect(after.filter((name) => !before.includes(name))).toEqual([])
})

it.each([
  [778, 'store_unavailable', 'cannot be written. Check its disk, and how large a file this process may make'],
  [1034, 'store_unavailable', 'cannot be written.'],
  [266, 'store_unavailable', 'cannot be opened or read. Check the folder'],
  [15, 'store_busy', 'stayed locked by another process'],
])('what SQLite reports as %i is told as %s', (errcode, code, message) => {
  const told = toStoreError(Object.assign(new Error('disk I/O error'), { errcode }), '/data/troupe.db')
  expect(told).toMatchObject({ code, message: expect.stringContaining(`The store /data/troupe.db ${message}`) })
})

describe('a full disk', () => {
  it('refuses a write whole, and takes it once there is room', async () => {
    const path = join(folder, 'troupe.db')
    const db = await Connection.open({ path, synchronous: 'full' })
    performNow(db.get('pragma max_page_count = 60'))
    const insertMany = function* () {
      yield* db.run(`insert into queue (name) values ('first')`)
      yield* db.run(`insert into queue (name) values ('${'x'.repeat(500_000)}')`)
    }
    const countQueues = () => performNow(db.get<{ n: number }>('select count(*) as n from queue'))?.n
    expect(() => db.write(insertMany)).toThrow(
      expect.objectContaining({
        code: 'store_full',
        retryable: true,
        message: expect.stringContaining(`disk of the store ${path} is full: make room`),
      }),
    )
    expect(countQueues()).toBe(0)
    performNow(db.get('pragma max_page_count = 1000'))
    db.write(insertMany)
    expect(countQueues()).toBe(2)
    db.close()
  })

  it('refuses batches whole and keeps what was acknowledged; the same store goes on once there is room', async (context) => {
    const disk = join(folder, 'disk')
    if (!mounted(context, disk)) return
    const path = join(disk, 'troupe.db')
    const filler = join(disk, 'filler')
    const connect = () => open(path)
    const scene = await Scene.open({ connect, remove: async () => undefined })
    try {
      const { id, held } = await scene.startAndClaim()
      fill(filler, disk)
      const starts = ['big', 'small'].map((name) => scene.startRecord({ id: name, input: `j"${'x'.repeat(300_000)}"` }))
      const batch = scene.node.batch({ settles: [settle(held)], starts })
      await expect(scene.store.commit(batch)).rejects.toMatchObject({
        code: 'store_full',
        retryable: true,
        message: expect.stringContaining(`The disk of the store ${path} is full: make room`),
      })
      expect(await scene.stateOf(id)).toBe('running')
      expect(await scene.store.findRun('small')).toBeUndefined()

      rmSync(filler)
      expect((await scene.store.commit(batch)).lost.size).toBe(0)
      expect([await scene.stateOf(id), await scene.stateOf('big')]).toEqual(['succeeded', 'ready'])
      const again = await connect()
      expect((await again.listRuns({ limit: 9 })).map((run) => run.id)).toEqual(['small', 'big', id])
      await again.close()
    } finally {
      await scene.close()
      unmount(disk)
    }
  })

  it('makes no store, and makes it once there is room', async (context) => {
    const disk = join(folder, 'disk')
    if (!mounted(context, disk)) return
    const path = join(disk, 'troupe.db')
    try {
      fill(join(disk, 'filler'), disk)
      await refused(path, 'store_full', `${path} is full: make room`)
      rmSync(join(disk, 'filler'))
      const store = await open(path)
      expect(await store.internQueue('default')).toBe(1)
      await store.close()
    } finally {
      unmount(disk)
    }
  })
})

function open(path: string): Promise<Store> {
  return openSqlite({ path, synchronous: 'full', clock: systemClock })
}

async function refused(path: string, code: string, message: string): Promise<void> {
  await expect(open(path)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  await expect(open(path)).rejects.toMatchObject({
    message: expect.stringContaining(path),
    details: { location: path },
  })
}

async function sqlOn(path: string, sql: string): Promise<void> {
  const db = await openDriver(path)
  db.exec(sql)
  db.exec('pragma wal_checkpoint(truncate)')
  db.close()
}

/** A disk of one megabyte; false, with the reason printed, where this user may not mount one. */
function mounted(context: TestContext, disk: string): boolean {
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { stdio: 'pipe' })
    return true
  } catch (error) {
    skipped(context, `no disk of its own: ${String(error)}`)
    return false
  }
}

/** At once for us, and for the system when the last file of it is closed: a library may keep one until it is collected. */
function unmount(disk: string): void {
  execFileSync('umount', ['--lazy', disk])
}

function skipped(context: TestContext, reason: string): void {
  console.log(`${context.task.name}: skipped, ${reason}`)
  context.skip(reason)
}

/** Takes all the room there is. */
function fill(path: string, disk: string): void {
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(path, Buffer.alloc(bavail * bsize))
}
