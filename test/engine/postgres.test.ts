// Engines on one Postgres: what is started in one is performed by another, also while the server ends their connections.
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { entity, Troupe, worker, workflow, type TroupeOptions } from '../../src/index.ts'
import { requireStore } from '../../src/store/open.ts'
import { freshDatabase, postgresVersions } from '../postgres.ts'

const double = worker('double', {}, async (_ctx, n: number) => n * 2)

const greet = workflow('greet', {}, async (ctx, name: string) => {
  const twice = await ctx.run(double, 21)
  await ctx.sleep('10ms')
  const from = await ctx.receive<string>('from')
  return ctx.step('say', () => `${name}, ${from}: ${twice}`)
})

const counter = entity(
  'counter',
  { state: () => ({ n: 0 }) },
  {
    add(ctx, by: number) {
      return (ctx.state.n += by)
    },
  },
)

async function engine(store: string, options: TroupeOptions = {}): Promise<Troupe> {
  const troupe = await Troupe.open({ store, definitions: [double, greet, counter], logLevel: 'silent', ...options })
  onTestFinished(() => troupe.stop())
  return troupe
}

it.each(postgresVersions)('performs in one process what another starts and tells, on Postgres %s', async (version) => {
  const store = await freshDatabase(version)
  const web = await engine(store)
  const node = await engine(store)
  await node.start()
  const handle = await web.call(greet, 'ada')
  await web.tell(handle.id, 'from', 'bob')
  expect(await handle.result()).toBe('ada, bob: 42')
  expect(await web.run(double, 4)).toBe(8)
  expect((await web.nodes()).map(({ running }) => running)).toEqual([0])
})

it('gives each answer of an entity once, whichever process asks', async () => {
  const store = await freshDatabase()
  const nodes = [await engine(store), await engine(store)]
  for (const node of nodes) await node.start()
  const asks = Array.from({ length: 60 }, (_, n) => nodes[n % 2]?.entity(counter, 'one').ask('add', 1))
  const answers = (await Promise.all(asks)).toSorted((one = 0, other = 0) => one - other)
  expect(answers).toEqual(Array.from({ length: 60 }, (_, n) => n + 1))
})

it('performs through a pooler, where nothing is prepared and nobody is heard', async () => {
  const store = `${await freshDatabase()}?pgbouncer=true&schema=pooled`
  const web = await engine(store)
  const node = await engine(store)
  await node.start()
  const handle = await web.call(greet, 'ada')
  await web.tell(handle.id, 'from', 'bob')
  expect(await handle.result()).toBe('ada, bob: 42')
})

it('makes no tables for somebody who only looks', async () => {
  const url = await freshDatabase()
  await expect(requireStore(url)).rejects.toMatchObject({
    code: 'store_unavailable',
    message: expect.stringContaining('There is no store in schema troupe'),
  })
})

it('loses and doubles nothing while the server ends all connections again and again', async () => {
  const store = await freshDatabase()
  const admin = new pg.Client({ connectionString: store })
  await admin.connect()
  onTestFinished(() => admin.end())
  const nodes = [await engine(store), await engine(store)]
  for (const node of nodes) await node.start()
  const [web] = nodes
  let ended = 0
  const breaking = (async () => {
    for (let round = 0; round < 10; round++) {
      const { rowCount } = await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()`,
      )
      ended += rowCount ?? 0
      await web?.run(double, round)
    }
  })()
  const results = await Promise.all(Array.from({ length: 500 }, (_, n) => web?.run(double, n)))
  await breaking
  expect(ended).toBeGreaterThan(20)
  expect(results).toEqual(Array.from({ length: 500 }, (_, n) => n * 2))
  const { rows } = await admin.query<{ runs: string; ends: string }>(
    `select (select count(*) from troupe.run) as runs, (select count(*) from troupe.finished) as ends`,
  )
  expect(rows).toEqual([{ runs: '510', ends: '510' }])
})
