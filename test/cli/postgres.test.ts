// What people see of a store on Postgres from the command line.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Troupe, worker } from '../../src/index.ts'
import { freshDatabase } from '../postgres.ts'
import { troupe } from './in-process.ts'

const greet = worker('greet', {}, async (_ctx, name: string) => `hello ${name}`)

it('shows the runs, nodes and queues of a store on Postgres', async () => {
  const store = await freshDatabase()
  const engine = await Troupe.open({ store, definitions: [greet], logLevel: 'silent' })
  await engine.start()
  await engine.run(greet, 'ann')
  const seen = async (...argv: string[]): Promise<unknown> => {
    const { code, out } = await troupe(tmpdir(), [...argv, '--store', store, '--json'])
    expect(code).toBe(0)
    return JSON.parse(out)
  }
  expect(await seen('runs')).toMatchObject([{ name: 'greet', state: 'succeeded' }])
  expect(await seen('nodes')).toMatchObject([{ running: 0 }])
  expect(await seen('queues')).toMatchObject([{ name: 'default', nodes: 1 }])
  await engine.stop()
})

it('shows a node, and drains it', async () => {
  const store = await freshDatabase()
  const engine = await Troupe.open({ store, definitions: [greet], node: 'rack-7', logLevel: 'silent' })
  await engine.start()
  const say = (...argv: string[]) => troupe(tmpdir(), [...argv, '--store', store])
  const [node] = JSON.parse((await say('nodes', '--json')).out) as Record<string, unknown>[]
  expect(node).toMatchObject({
    number: 1,
    name: 'rack-7',
    state: 'serving',
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    queues: ['default'],
    definitions: ['greet'],
    clockAheadMs: expect.any(Number),
  })
  expect(await say('drain', 'rack-8')).toMatchObject({ code: 2, err: expect.stringContaining("The node 'rack-8'") })
  expect(await say('drain', '1', '--by', 'ann')).toEqual({
    code: 0,
    out: '',
    err: 'Node 1 takes no more work, and stops when what it performs has ended or is given back. See: troupe nodes\n',
  })
  await engine.drained
  expect((await say('nodes')).err).toBe('No node serves this store: start one with troupe start.\n')
  expect((await say('audit')).out).toContain('drain node')
})

it('makes no store where there is none, and shows no password', async () => {
  const store = await freshDatabase()
  const [before, behind] = [new URL(store), new URL(store)]
  before.password = 'secret'
  behind.searchParams.set('password', 'secret')
  for (const url of [before, behind]) {
    const { code, err } = await troupe(tmpdir(), ['runs', '--store', url.href])
    expect(code).toBe(69)
    expect(err).toContain('There is no store in schema troupe')
    expect(err).not.toContain('secret')
  }
})

it('makes the tables of a store, and then no process has to', async () => {
  const store = await freshDatabase()
  const closed = { store, migrate: false, definitions: [greet], logLevel: 'silent' } as const
  await expect(Troupe.open(closed)).rejects.toMatchObject({
    code: 'store_older',
    message: expect.stringContaining('has no tables yet'),
  })
  expect(await troupe(tmpdir(), ['migrate', '--store', store])).toMatchObject({ code: 0, out: '' })
  const engine = await Troupe.open(closed)
  expect(await engine.runs()).toEqual([])
  await engine.stop()
})

it('moves a store from a file, where its runs stay to be seen', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-moving-'))
  const to = await freshDatabase()
  const engine = await Troupe.open({ store: `sqlite:${folder}/jobs.db`, definitions: [greet], logLevel: 'silent' })
  await engine.start()
  await engine.run(greet, 'ann')
  const moving = ['migrate', '--from', 'sqlite:jobs.db', '--to', to]
  expect(await troupe(folder, moving)).toMatchObject({ code: 1, err: expect.stringContaining('[move_refused]') })
  await engine.stop()
  const { code, out, err } = await troupe(folder, [...moving, '--json'])
  expect([code, err]).toEqual([0, ''])
  const { tables } = JSON.parse(out) as { tables: { table: string; rows: number; hash: string }[] }
  expect(tables.find(({ table }) => table === 'run')).toMatchObject({ rows: 1 })
  for (const store of [to, 'sqlite:jobs.db'])
    expect(JSON.parse((await troupe(folder, ['runs', '--json', '--store', store])).out)).toMatchObject([
      { name: 'greet', state: 'succeeded' },
    ])
  expect(await troupe(folder, ['migrate', '--from', 'sqlite:jobs.db', '--give-up'])).toMatchObject({
    code: 69,
    err: expect.stringContaining('[store_moved]'),
  })
  rmSync(folder, { recursive: true })
})

it('moves a store into a schema of its own, and tells people without the password where its runs are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-moving-'))
  const to = new URL(`${await freshDatabase()}?schema=two`)
  to.password = 'hidden'
  expect(await troupe(folder, ['migrate', '--store', 'sqlite:two.db'])).toMatchObject({ code: 0 })
  const { code, err } = await troupe(folder, ['migrate', '--from', 'sqlite:two.db', '--to', to.href])
  expect(code).toBe(0)
  expect(err).toMatch(/Moved \d+ rows from sqlite:two\.db to postgres:\/\/troupe:\*\*\*@\S+schema=two/)
  expect(err).not.toContain('hidden')
  expect(await troupe(folder, ['runs', '--json', '--store', to.href])).toMatchObject({ code: 0, out: '[]\n' })
  rmSync(folder, { recursive: true })
})
