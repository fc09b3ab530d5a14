// Starts within a transaction of the caller: the run exists if and only if that commits.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { eventually, intruder, moving, noUnhandledRejections, onStage, rejection, storeFile } from './stage.ts'

noUnhandledRejections()

const echo = worker('echo', {}, (_ctx, n: number) => n)
const childFile = fileURLToPath(new URL('./tx-child.ts', import.meta.url))

describe('a call within a transaction of its caller', () => {
  it('starts the run when that commits, with what else was written', async () => {
    const store = storeFile()
    const { troupe, clock } = await onStage({ store, definitions: [echo] })
    const tx = await intruder(store)
    tx.exec('create table orders (id integer)')
    tx.exec('begin immediate')
    tx.exec('insert into orders values (7)')
    const handle = await troupe.call(echo, 7, { tx, idempotencyKey: 'order-7' })
    const [second] = await troupe.callMany(echo, [8], { tx, queue: 'default' })
    expect(await troupe.get(handle.id)).toBeUndefined()
    tx.exec('commit')
    expect(await moving(clock, handle.result())).toBe(7)
    expect(await moving(clock, second!.result())).toBe(8)
    expect((await troupe.call(echo, 7, { idempotencyKey: 'order-7' })).id).toBe(handle.id)
  })

  it('starts none when that is rolled back, and gives its key to nobody', async () => {
    const store = storeFile()
    const { troupe } = await onStage({ store, definitions: [echo], starts: false })
    const tx = await intruder(store)
    tx.exec('begin immediate')
    const gone = await troupe.call(echo, 1, { tx, idempotencyKey: 'k', queue: 'a new one' })
    tx.exec('rollback')
    expect([await troupe.get(gone.id), await troupe.runs()]).toEqual([undefined, []])
    const again = await troupe.call(echo, 1, { idempotencyKey: 'k', queue: 'a new one' })
    expect(await again.status()).toMatchObject({ queue: 'a new one', state: 'ready' })
  })

  it('leaves the transaction as it was when the start is refused', async () => {
    const store = storeFile()
    const { troupe } = await onStage({ store, definitions: [echo], starts: false })
    const tx = await intruder(store)
    tx.exec('create table orders (id integer)')
    tx.exec(`create trigger forbidden before insert on live begin select raise(abort, 'forbidden'); end`)
    tx.exec('begin immediate')
    tx.exec('insert into orders values (1)')
    expect((await rejection(troupe.call(echo, 1, { tx }))).message).toContain('forbidden')
    tx.exec('commit')
    expect(tx.prepare('select count(*) as n from orders').get()).toMatchObject({ n: 1 })
    expect(await troupe.runs()).toEqual([])
  })

  it('refuses what is no transaction of this store', async () => {
    const store = storeFile()
    const { troupe } = await onStage({ store, definitions: [echo], starts: false })
    const [idle, other] = [await intruder(store), await intruder(storeFile())]
    other.exec('begin immediate')
    const wrong = [5, {}, { query: () => 1 }, idle, other]
    for (const tx of wrong) {
      expect(await rejection(troupe.call(echo, 1, { tx: tx as object }))).toMatchObject({ code: 'option_invalid' })
    }
    expect((await rejection(troupe.call(echo, 1, { tx: idle }))).message).toContain('begin one first')
    const inMemory = await onStage({ definitions: [echo], starts: false })
    expect(await rejection(inMemory.troupe.call(echo, 1, { tx: other }))).toMatchObject({ code: 'option_invalid' })
    expect(await troupe.runs()).toEqual([])
  })

  it.each([
    ['before its commit', false, 0],
    ['after its commit', true, 1],
  ])('I2: a process that is killed %s leaves both or neither', async (_when, commits, count) => {
    const store = storeFile()
    const killed = await new Promise<unknown>((resolve) => {
      const child = ['--import', 'jiti/register', childFile, JSON.stringify({ store, commits })]
      execFile(process.execPath, child, { timeout: 15_000 }, (error) => resolve(error?.signal))
    })
    expect(killed).toBe('SIGKILL')
    const { troupe } = await onStage({ store, definitions: [echo], starts: false })
    const tx = await intruder(store)
    await eventually(() => true)
    expect(tx.prepare('select count(*) as n from orders').get()).toMatchObject({ n: count })
    expect(await troupe.runs()).toHaveLength(count)
  })
})
