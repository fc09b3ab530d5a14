// Starts within a transaction of the caller on Postgres: the run exists if and only if that commits, and nobody is held up by it.
import { drizzle } from 'drizzle-orm/node-postgres'
import { Kysely, CompiledQuery, PostgresDialect } from 'kysely'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { aesGcm, Troupe, worker, workflow, type RunHandle, type TroupeOptions } from '../../src/index.ts'
import { freshDatabase, postgresVersions } from '../postgres.ts'

const echo = worker('echo', {}, (_ctx, n: number) => n)
const byKey = worker('by key', { idempotencyKey: (n: number) => `n-${n}` }, (_ctx, n) => n)

const childFile = fileURLToPath(new URL('./postgres-tx-child.ts', import.meta.url))

async function engine(store: string, options: TroupeOptions = {}): Promise<Troupe> {
  const troupe = await Troupe.open({ store, definitions: [echo, byKey], logLevel: 'silent', global: false, ...options })
  onTestFinished(() => troupe.stop())
  return troupe
}

async function node(store: string, options: TroupeOptions = {}): Promise<Troupe> {
  return (await engine(store, options)).start()
}

async function connect(store: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: store })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

async function count(client: pg.Client, table: string): Promise<number> {
  const { rows } = await client.query<{ n: string }>(`select count(*) as n from ${table}`)
  return Number(rows[0]?.n)
}

describe.each(postgresVersions)('a call within a transaction of its caller, on Postgres %s', (version) => {
  it('starts the run when that commits, with what else was written', async () => {
    const store = await freshDatabase(version)
    const troupe = await node(store)
    const tx = await connect(store)
    await tx.query('create table orders (id integer)')
    await tx.query('begin')
    await tx.query('insert into orders values (7)')
    const handle = await troupe.call(echo, 7, { tx, queue: 'default', tags: ['a'], correlationId: 'order 7' })
    const [second] = await troupe.callMany(echo, [8], { tx })
    expect(await troupe.get(handle.id)).toBeUndefined()
    const result = handle.result()
    await tx.query('commit')
    expect([await result, await second?.result()]).toEqual([7, 8])
    const status = { state: 'succeeded', tags: ['a'], correlationId: 'order 7', queue: 'default' }
    expect(await handle.status()).toMatchObject(status)
    expect([await count(tx, 'orders'), await count(tx, 'troupe.intake')]).toEqual([1, 0])
  })

  it('starts none when that is rolled back', async () => {
    const store = await freshDatabase(version)
    const troupe = await node(store)
    const tx = await connect(store)
    await tx.query('begin')
    const gone = await troupe.call(echo, 1, { tx })
    await tx.query('rollback')
    await tx.query('begin')
    const next = await troupe.call(echo, 2, { tx })
    await tx.query('commit')
    expect(await next.result()).toBe(2)
    expect([await troupe.get(gone.id), (await troupe.runs()).map(({ id }) => id)]).toEqual([undefined, [next.id]])
  })

  it('starts a thousand of one transaction in their order', async () => {
    const store = await freshDatabase(version)
    const troupe = await node(store)
    const tx = await connect(store)
    const inputs = Array.from({ length: 1_000 }, (_, n) => n)
    await tx.query('begin')
    const handles = await troupe.callMany(echo, inputs, { tx })
    await tx.query('commit')
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(inputs)
    const { rows } = await tx.query<{ input: string }>('select input from troupe.run order by id')
    expect(rows.map(({ input }) => input)).toEqual(inputs.map((n) => `j${n}`))
  })
})

it.each([
  ['before its commit', false, 0],
  ['after its commit', true, 1],
])(
  'I2: a process that is killed %s leaves both or neither, and another node goes on',
  async (_when, commits, runs) => {
    const store = await freshDatabase()
    const client = await connect(store)
    await client.query('create table orders (id integer)')
    const killed = await new Promise<unknown>((resolve) => {
      const child = ['--import', 'jiti/register', childFile, JSON.stringify({ store, commits })]
      execFile(process.execPath, child, { timeout: 50_000 }, (error) => resolve(error?.signal))
    })
    expect(killed).toBe('SIGKILL')
    expect([await count(client, 'orders'), await count(client, 'troupe.intake')]).toEqual([runs, runs])
    const troupe = await node(store)
    expect(await troupe.run(echo, 2)).toBe(2)
    const ended = async () => (await troupe.runs({ state: 'succeeded' })).length
    await expect.poll(ended, { timeout: 10_000 }).toBe(runs + 1)
  },
  60_000,
)

it('is taken in by one of the nodes, each start once', async () => {
  const store = await freshDatabase()
  const seen: number[] = []
  const note = worker('note', {}, (_ctx, n: number) => void seen.push(n))
  const nodes = [await node(store, { definitions: [note] }), await node(store, { definitions: [note] })]
  const pool = new pg.Pool({ connectionString: store, max: 4 })
  onTestFinished(() => pool.end())
  const inputs = Array.from({ length: 400 }, (_, n) => n)
  const start = async (n: number): Promise<void> => {
    const tx = await pool.connect()
    await tx.query('begin')
    const handle = await nodes[n % 2]?.call(note, n, { tx })
    await tx.query('commit')
    tx.release()
    await handle?.result()
  }
  await Promise.all(inputs.map(start))
  expect(seen.toSorted((one, other) => one - other)).toEqual(inputs)
  expect(await nodes[0]?.runs({ limit: 1_000 })).toHaveLength(400)
})

it('holds up nobody and tells nobody while its transaction is open', async () => {
  const store = await freshDatabase()
  const troupe = await node(store)
  const [tx, other] = [await connect(store), await connect(store)]
  const heard: number[] = []
  other.on('notification', ({ processId }) => heard.push(processId))
  await other.query('listen troupe_troupe')
  const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
  const pid = rows[0]?.pid ?? 0
  await tx.query('begin')
  const open = await troupe.call(echo, 1, { tx })
  const locks = await other.query(`select 1 from pg_locks where pid = $1 and locktype = 'advisory'`, [pid])
  expect(locks.rows).toEqual([])
  expect(await troupe.run(echo, 2)).toBe(2)
  await other.query('begin')
  const quick = await troupe.call(echo, 3, { tx: other })
  await other.query('commit')
  expect(await quick.result()).toBe(3)
  expect(await troupe.get(open.id)).toBeUndefined()
  await tx.query('commit')
  expect(await open.result()).toBe(1)
  await other.query('select 1')
  expect([heard.length > 0, heard.includes(pid)]).toEqual([true, false])
})

it('is known to who asks once a node has taken it in', async () => {
  const store = await freshDatabase()
  const web = await engine(store)
  const tx = await connect(store)
  await tx.query('begin')
  const handle = await web.call(echo, 1, { tx, delay: '1h' })
  await expect(handle.status()).rejects.toMatchObject({ code: 'run_not_found' })
  await expect(handle.cancel()).rejects.toMatchObject({ code: 'run_not_found' })
  await expect(handle.result({ timeout: 20 })).rejects.toMatchObject({ code: 'result_timeout' })
  await tx.query('commit')
  expect(await handle.status()).toMatchObject({ state: 'scheduled' })
  expect(await handle.cancel()).toBe(true)
})

it('is found right after its commit by whoever asks for it', async () => {
  const store = await freshDatabase()
  const [web, other] = [await engine(store), await engine(store)]
  const tx = await connect(store)
  const finding = [(id: string) => other.get(id), async (id: string) => (await other.handle(id)).status()]
  for (const find of finding) {
    await tx.query('begin')
    const { id } = await web.call(echo, 1, { tx, delay: '1h' })
    await tx.query('commit')
    expect(await find(id)).toMatchObject({ id, state: 'scheduled' })
  }
})

it('is cancelled, told and asked right after its commit', async () => {
  const store = await freshDatabase()
  const told = workflow('told', { messages: { go: z.number() } }, (ctx) => ctx.receive('go'))
  const [web, other] = [await engine(store), await engine(store, { definitions: [echo, told] })]
  const tx = await connect(store)
  const left = async (): Promise<RunHandle> => {
    await tx.query('begin')
    const handle = await web.call('told', undefined, { tx, delay: '1h' })
    await tx.query('commit')
    return handle
  }
  expect(await (await left()).cancel()).toBe(true)
  expect(await other.cancel((await left()).id)).toBe(true)
  expect(await (await left()).tell('go', 1)).toBe(true)
  for (const teller of [web, other]) {
    const { id } = await left()
    expect(await teller.tell(id, 'go', 1)).toBe(true)
    expect((await teller.unread(id)).map(({ payload }) => payload)).toEqual([1])
  }
  const asked = web.ask((await left()).id, 'go', 1, { timeout: 20 })
  await expect(asked).rejects.toMatchObject({ code: 'ask_timeout' })
  for (const ask of [() => other.tell('gone', 'go', 1), () => web.ask('gone', 'go'), () => web.cancel('gone')])
    await expect(ask()).rejects.toMatchObject({ code: 'run_not_found' })
})

it('is taken in by a process that is no node where that started it', async () => {
  const store = await freshDatabase()
  const web = await engine(store)
  const tx = await connect(store)
  await tx.query('begin')
  await web.call(echo, 1, { tx })
  await tx.query('commit')
  await expect.poll(() => count(tx, 'troupe.run'), { timeout: 10_000 }).toBe(1)
})

it('refuses what is no transaction of this store, and leaves that as it was', async () => {
  const store = await freshDatabase()
  const troupe = await engine(store)
  const elsewhere = await freshDatabase()
  const same = await engine(elsewhere)
  const idle = await connect(store)
  const pool = new pg.Pool({ connectionString: store })
  onTestFinished(() => pool.end())
  const other = await connect(elsewhere)
  await other.query('begin')
  const empty = await connect(await freshDatabase())
  await empty.query('begin')
  for (const tx of [5 as unknown as object, {}, { prepare: () => 1 }, idle, pool, other, empty]) {
    await expect(troupe.call(echo, 1, { tx })).rejects.toMatchObject({ code: 'option_invalid' })
  }
  await expect(troupe.call(echo, 1, { tx: pool })).rejects.toThrow('begin one first')
  await expect(troupe.call(echo, 1, { tx: other })).rejects.toThrow('another database')
  // What was refused has not ended the transactions.
  const handle = await same.call(echo, 4, { tx: other })
  await other.query('commit')
  await same.start()
  expect(await handle.result()).toBe(4)
  expect([await troupe.runs(), await count(idle, 'troupe.intake')]).toEqual([[], 0])
})

it('refuses keys, and says what to do instead', async () => {
  const store = await freshDatabase()
  const troupe = await engine(store)
  const tx = await connect(store)
  await tx.query('begin')
  const refused = { code: 'option_invalid', message: expect.stringContaining('let a unique row of your own decide') }
  await expect(troupe.call(echo, 1, { tx, idempotencyKey: 'k' })).rejects.toMatchObject(refused)
  await expect(troupe.call(echo, 1, { tx, debounce: { period: '1s' } })).rejects.toMatchObject(refused)
  await expect(troupe.call(byKey, 1, { tx })).rejects.toMatchObject(refused)
  await expect(troupe.callMany(byKey, [1], { tx })).rejects.toMatchObject(refused)
})

it('works in another schema, and where a pooler lends the connections', async () => {
  const database = await freshDatabase()
  const troupe = await node(`${database}?schema=billing&pgbouncer=true`)
  const tx = await connect(database)
  await tx.query('begin')
  const handle = await troupe.call(echo, 1, { tx })
  const { rows } = await tx.query<{ id: string }>(`select billing.start_run('echo', '2') as id`)
  await tx.query('commit')
  const other = await troupe.handle(rows[0]?.id ?? '')
  expect([await handle.result(), await other.result()]).toEqual([1, 2])
})

it('takes transactions of Kysely and Drizzle', async () => {
  const store = await freshDatabase()
  const troupe = await node(store)
  const pool = new pg.Pool({ connectionString: store })
  onTestFinished(() => pool.end())
  const kysely = new Kysely<object>({ dialect: new PostgresDialect({ pool }) })
  const byKysely = await kysely.transaction().execute((trx) =>
    troupe.call(echo, 1, {
      tx: { query: (text, values) => trx.executeQuery(CompiledQuery.raw(text, values)) },
    }),
  )
  const client = await pool.connect()
  const byDrizzle = await drizzle({ client }).transaction(() => troupe.call(echo, 2, { tx: client }))
  client.release()
  expect([await byKysely.result(), await byDrizzle.result()]).toEqual([1, 2])
  const gone = kysely.transaction().execute(async (trx) => {
    await troupe.call(echo, 3, { tx: { query: (text, values) => trx.executeQuery(CompiledQuery.raw(text, values)) } })
    throw new Error('changed my mind')
  })
  await expect(gone).rejects.toThrow('changed my mind')
  expect(await troupe.run(echo, 4)).toBe(4)
  expect(await troupe.runs()).toHaveLength(3)
})

it('leaves nothing to be read where there is a codec', async () => {
  const store = await freshDatabase()
  const say = worker('say', {}, (_ctx, text: string) => `${text}!`)
  const codec = aesGcm({ current: 'a', keys: { a: 'aa'.repeat(32) } })
  const troupe = await engine(store, { definitions: [say], codec })
  const tx = await connect(store)
  await tx.query('begin')
  const handle = await troupe.call(say, 'nobody reads this', { tx })
  const { rows } = await tx.query<{ all: string }>('select row_to_json(intake)::text as all from troupe.intake')
  expect([rows.length, rows[0]?.all.includes('nobody reads')]).toEqual([1, false])
  await tx.query('commit')
  await troupe.start()
  expect(await handle.result()).toBe('nobody reads this!')
})
