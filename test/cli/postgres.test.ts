// What people see of a store on Postgres from the command line.
import { tmpdir } from 'node:os'
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

it('makes no store where there is none, and shows no password', async () => {
  const url = new URL(await freshDatabase())
  url.password = 'secret'
  const { code, err } = await troupe(tmpdir(), ['runs', '--store', url.href])
  expect(code).toBe(69)
  expect(err).toContain('There is no store in schema troupe')
  expect(err).not.toContain('secret')
})
