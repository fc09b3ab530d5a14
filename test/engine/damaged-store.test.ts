// A store whose file or disk fails under a running engine: errors name the file and the remedy, nothing is half-done, and work goes on when it can.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished, type TestContext } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from './stage.ts'

noUnhandledRejections()

const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))

it('a full disk refuses calls and sets runs aside; with room again they go on from their journal', async (context) => {
  const disk = smallDisk(context)
  const path = join(disk, 'troupe.db')
  const gate = deferred<void>()
  const effects: string[] = []
  const flow = workflow('flow', {}, async (ctx) => {
    await ctx.step('first', () => effects.push('first'))
    await ctx.step('second', async () => (effects.push('second'), await gate.promise))
    return 'done'
  })
  const job = worker('job', {}, (_ctx, text: string) => text.length)
  const { troupe, clock, log } = await onStage({ store: `sqlite:${path}`, definitions: [flow, job] })
  const handle = await troupe.call(flow)
  const result = rejection(handle.result())
  await eventually(() => effects.length === 2)
  const filler = join(disk, 'filler')
  fill(filler, disk)
  const big = 'x'.repeat(500_000)
  const full = {
    code: 'store_full',
    retryable: true,
    message: `The disk of the store ${path} is full: make room; nothing acknowledged is lost, and what ran goes on afterwards.`,
  }
  expect(await rejection(troupe.call(job, big))).toMatchObject(full)
  // The log of the store has a little room left, which this takes.
  await eventually(async () => {
    const refused = await troupe.call(job, 'small').then(
      () => undefined,
      (error: unknown) => error,
    )
    return (refused as { code?: string } | undefined)?.code === 'store_full'
  })
  gate.resolve()
  expect(await result).toMatchObject(full)
  expect(log.lines.some(({ message }) => message === 'a run was set aside because the store cannot write')).toBe(true)
  const accepted = (await troupe.runs({ limit: 10_000 })).map(({ id }) => id)

  rmSync(filler)
  expect(await moving(clock, handle.result())).toBe('done')
  expect(effects).toEqual(['first', 'second', 'second'])
  // Nothing that was accepted is missing, and nothing is there that was refused.
  await eventually(
    async () => (
      await clock.advance(100),
      (await troupe.runs({ limit: 10_000, state: 'succeeded' })).length === accepted.length
    ),
  )
  expect((await troupe.runs({ limit: 10_000 })).map(({ id }) => id)).toEqual(accepted)
  expect(await troupe.run(job, big)).toBe(500_000)
})

it('a lock that another process keeps for longer than anybody waits is told, and nothing is lost when it goes', async () => {
  const store = storeFile()
  const gate = deferred<string>()
  let calls = 0
  const job = worker('job', {}, () => (++calls === 1 ? gate.promise : 'again'))
  const { troupe, clock } = await onStage({ store, definitions: [job], world: { leaseMs: 200_000 } })
  const handle = await troupe.call(job)
  const result = rejection(handle.result())
  await eventually(() => calls === 1)
  const locker = spawn(
    process.execPath,
    [jiti, fileURLToPath(new URL('./locker.ts', import.meta.url)), pathOf(store)],
    {
      env: { ...process.env, JITI_FS_CACHE: 'false' },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  onTestFinished(() => void locker.kill('SIGKILL'))
  await once(locker.stdout, 'data')
  const busy = {
    code: 'store_busy',
    retryable: true,
    message: `The store ${pathOf(store)} stayed locked by another process: end what holds it open in a long transaction.`,
  }
  gate.resolve('done')
  const refused = rejection(troupe.call(job))
  await clock.advance(31_000)
  expect(await refused).toMatchObject(busy)
  await clock.advance(31_000)
  expect(await result).toMatchObject(busy)
  // Reading needs no lock.
  expect(await troupe.get(handle.id)).toMatchObject({ state: 'running' })
  locker.stdin.end()
  await once(locker, 'close')
  expect(await moving(clock, handle.result())).toBe('again')
  expect(await troupe.runs()).toHaveLength(1)
})

const damages: Readonly<Record<string, (path: string, whole: Buffer) => void>> = {
  garbled: (path, whole) => writeOver(path, Buffer.alloc(whole.length, 0xab)),
  'cut off': (path) => truncateSync(path, 4_096),
  'another database': (path, whole) => {
    const other = Buffer.from(whole)
    // The first page of a table without a row, where the store has its schema.
    other.fill(0, 100)
    other.set([0x0d, 0, 0, 0, 0, 0x10, 0], 100)
    writeOver(path, other)
  },
}

it.each(Object.entries(damages))(
  'a file that is %s while it is open is named, harms no other store, and goes on once it is mended and opened again',
  async (_what, damage) => {
    const [store, healthy] = [storeFile(), storeFile()]
    const path = pathOf(store)
    const job = worker('job', {}, (_ctx, n: number) => n)
    const one = await onStage({ store, definitions: [job] })
    const two = await onStage({ store: healthy, definitions: [job], node: 'two' })
    const before = await Promise.all([1, 2, 3].map((n) => one.troupe.run(job, n)))
    expect(before).toEqual([1, 2, 3])
    const parked = await one.troupe.call(job, 4, { delay: '1m' })

    const other = await openDriver(path)
    // Forgets what the engine has read, and leaves the file alone with everything.
    other.exec(`update counter set value = value where name = 'clock'`)
    other.exec('pragma wal_checkpoint(truncate)')
    other.close()
    const whole = readFileSync(path)
    damage(path, whole)
    const corrupt = {
      code: 'store_corrupt',
      message: `${path} is not a Troupe store, or is damaged: name another file with --store, or restore this one from a backup.`,
    }
    expect(await rejection(one.troupe.call(job, 5))).toMatchObject(corrupt)
    expect(await rejection(one.troupe.runs())).toMatchObject(corrupt)
    expect(await one.troupe.health()).toMatchObject({
      status: 'failing',
      reasons: [expect.stringContaining(path), expect.stringContaining("breaker 'commits'")],
    })
    await one.clock.advance(20_000)
    expect(
      one.log.lines.some(
        ({ level, fields }) => level === 'error' && (fields['err'] as { code?: string }).code === 'store_corrupt',
      ),
    ).toBe(true)
    expect(await two.troupe.run(job, 6)).toBe(6)
    expect(await two.troupe.health()).toMatchObject({ status: 'ok' })

    await one.stop()
    writeOver(path, whole)
    const again = await onStage({ store, definitions: [job], clock: new ManualClock(200_000) })
    expect(await moving(again.clock, (await again.troupe.handle(parked.id)).result())).toBe(4)
    expect(await again.troupe.run(job, 7)).toBe(7)
    expect((await again.troupe.runs()).map(({ output }) => output)).toEqual([7, 4, 3, 2, 1])
  },
)

it.each([
  ['removed', () => {}],
  ['replaced', (path: string) => writeFileSync(path, 'something else')],
])(
  'a file that is %s while it is open takes nothing that would be lost, and all goes on when it is back',
  async (_what, replace) => {
    const store = storeFile()
    const path = pathOf(store)
    const job = worker('job', {}, (_ctx, n: number) => n)
    const { troupe, clock, log } = await onStage({ store, definitions: [job] })
    const late = await troupe.call(job, 1, { delay: '1m' })
    renameSync(path, `${path}.away`)
    replace(path)
    await clock.advance(1_000)
    const gone = {
      code: 'store_unavailable',
      message: `The file of the store ${path} was removed or replaced while it was open, and what were written now would be lost: put it back, or start this process again.`,
    }
    expect(await rejection(troupe.call(job, 2))).toMatchObject(gone)
    await clock.advance(20_000)
    expect(log.lines.find(({ message }) => message === 'renewing the lease failed')?.fields['err']).toMatchObject(gone)
    renameSync(`${path}.away`, path)
    expect(await moving(clock, late.result())).toBe(1)
    expect(await troupe.run(job, 3)).toBe(3)
    expect((await troupe.runs()).map(({ output }) => output)).toEqual([3, 1])
  },
)

function pathOf(store: string): string {
  return store.slice('sqlite:'.length)
}

function writeOver(path: string, bytes: Buffer): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, 0)
  closeSync(file)
}

/** A disk of two megabytes; where this user may not mount one the test is skipped and says so. */
function smallDisk(context: TestContext): string {
  const disk = join(dirname(pathOf(storeFile())), 'disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { stdio: 'pipe' })
  } catch (error) {
    const reason = `no disk of its own: ${String(error)}`
    console.log(`${context.task.name}: skipped, ${reason}`)
    context.skip(reason)
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', disk]))
  return disk
}

/** Takes all the room there is. */
function fill(path: string, disk: string): void {
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(path, Buffer.alloc(bavail * bsize))
}
