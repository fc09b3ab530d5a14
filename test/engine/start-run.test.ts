// Starts from SQL: by whom, with what, and what becomes of those that cannot begin.
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { aesGcm, limiter, Troupe, worker, type TroupeOptions } from '../../src/index.ts'
import type { Log } from '../../src/lib/log.ts'
import { freshDatabase, postgresVersions } from '../postgres.ts'

const order = z.object({ id: z.number(), gift: z.boolean().default(false) })
const ship = worker('ship', { input: order }, (_ctx, { id, gift }) => `${id}${gift ? ' in paper' : ''}`)
const byKey = worker('by key', { idempotencyKey: (n: number) => `n-${n}` }, (_ctx, n) => n)
const slow = limiter('slow', { concurrency: 1, key: ({ place }: { place: { name: string } }) => place.name })
const limited = worker('limited', { limits: [slow] }, (_ctx, { place }: { place: { name: string } }) => place.name)
const inMemory = worker('in memory', { durable: false }, () => 1)
const definitions = [ship, byKey, limited, inMemory]

async function engine(store: string, options: TroupeOptions = {}): Promise<Troupe> {
  const troupe = await Troupe.open({ store, definitions, logLevel: 'silent', global: false, ...options })
  onTestFinished(() => troupe.stop())
  return troupe
}

async function node(store: string, options: TroupeOptions = {}): Promise<Troupe> {
  return (await engine(store, options)).start()
}

async function connect(store: string, role?: string): Promise<pg.Client> {
  const url = new URL(store)
  if (role !== undefined) [url.username, url.password] = [role, role]
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/** What the first column of the first row says. */
async function ask<T = string>(client: pg.Client, sql: string, values: unknown[] = []): Promise<T> {
  const { rows } = await client.query<unknown[]>({ text: sql, values, rowMode: 'array' })
  return rows[0]?.[0] as T
}

/** The end of a run that may not have been taken in yet. */
async function endOf(troupe: Troupe, id: string): Promise<unknown> {
  await expect.poll(() => troupe.get(id), { timeout: 10_000 }).toBeDefined()
  return (await troupe.handle(id)).result({ timeout: '10s' }).catch((error: unknown) => error)
}

describe.each(postgresVersions)('start_run on Postgres %s', (version) => {
  it('starts a run from SQL, whose input is checked and filled in by its schema', async () => {
    const store = await freshDatabase(version)
    const troupe = await node(store)
    const client = await connect(store)
    const id = await ask(client, `select troupe.start_run('ship', '{"id": 7}')`)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(await endOf(troupe, id)).toBe('7')
    const gift = await ask(client, `select troupe.start_run('ship', $1)`, [{ id: 8, gift: true }])
    expect(await endOf(troupe, gift)).toBe('8 in paper')
  })

  it('starts a run from a trigger, with the row that causes it or not at all', async () => {
    const store = await freshDatabase(version)
    const troupe = await node(store)
    const client = await connect(store)
    await client.query(`
      create table orders (id integer primary key, run text);
      create function ship() returns trigger language plpgsql as $$
      begin
        new.run := troupe.start_run('ship', jsonb_build_object('id', new.id));
        return new;
      end
      $$;
      create trigger ship before insert on orders for each row execute function ship()`)
    await client.query('begin; insert into orders values (1); rollback')
    const id = await ask(client, 'insert into orders values (2) returning run')
    expect(await endOf(troupe, id)).toBe('2')
    expect((await troupe.runs()).map((run) => run.id)).toEqual([id])
  })

  it('makes of what cannot begin a run that has failed, and goes on with what comes behind it', async () => {
    const store = await freshDatabase(version)
    const troupe = await node(store)
    const client = await connect(store)
    const { rows } = await client.query<{ id: string }>(`
      select troupe.start_run('ship', '{"id": "seven"}') as id
      union all select troupe.start_run('limited', '{}')
      union all select troupe.start_run('by key', '1')
      union all select troupe.start_run('in memory')
      union all select troupe.start_run('ship', '{"id": 1}', retry => '{"attempts": 0}')
      union all select troupe.start_run('ship', '{"id": 1}', timeout => '-1 second')
      union all select troupe.start_run('ship', '{"id": 1, "__proto__": 2}', tags => array['x', ''])
      union all select troupe.start_run('ship', '{"id": 2}')`)
    const ends = await Promise.all(rows.map(({ id }) => endOf(troupe, id)))
    const codes = ends.map((end) => (end as { code?: string }).code)
    expect(ends.at(-1)).toBe('2')
    expect(codes.slice(0, -1)).toEqual([
      'validation_failed',
      'option_invalid',
      'option_invalid',
      'option_invalid',
      'option_invalid',
      'option_invalid',
      'option_invalid',
    ])
    expect((ends[1] as Error).message).toContain('limiter')
    expect((await troupe.runs({ state: 'failed' })).map(({ id }) => id).toSorted()).toEqual(
      rows
        .slice(0, -1)
        .map(({ id }) => id)
        .toSorted(),
    )
    expect(await ask(client, 'select count(*) from troupe.intake')).toBe('0')
  })
})

it('passes its options on', async () => {
  const store = await freshDatabase()
  const troupe = await node(store)
  const client = await connect(store)
  const before = Date.now()
  const id = await ask(
    client,
    `select troupe.start_run('ship', '{"id": 1}', queue => 'night', priority => 7, delay => '1 hour', expires => '1 day',
      timeout => '2 days', retry => '{"attempts": 4}', tags => array['a', 'b'], correlation_id => 'order 1')`,
  )
  await expect
    .poll(() => troupe.get(id), { timeout: 10_000 })
    .toMatchObject({
      state: 'scheduled',
      queue: 'night',
      tags: ['a', 'b'],
      correlationId: 'order 1',
    })
  const { rows } = await client.query<Record<string, string>>(
    `select live.priority, live.due_at - $1::bigint as due, expires_at - $1::bigint as expires, deadline_at - $1::bigint as deadline, retry
     from troupe.run join troupe.live on run_id = id`,
    [before],
  )
  const hours = (ms: string | undefined): number => Math.round(Number(ms) / 3_600_000)
  const [row] = rows
  expect([row?.['priority'], hours(row?.['due']), hours(row?.['expires']), hours(row?.['deadline'])]).toEqual([
    '7',
    1,
    25,
    48,
  ])
  expect(row?.['retry']).toBe('{"attempts":4}')
})

it('refuses at once what nobody could mean', async () => {
  const store = await freshDatabase()
  await engine(store)
  const client = await connect(store)
  const refused = (call: string): Promise<unknown> =>
    client.query(`select troupe.start_run(${call})`).catch((error: Error) => error.message)
  expect(await refused(`null`)).toBe('name is null: expected the name of a worker, of 1 to 255 characters')
  expect(await refused(`''`)).toBe("name is '': expected the name of a worker, of 1 to 255 characters")
  expect(await refused(`'ship', priority => 101`)).toBe('priority is 101: expected a whole number from -100 to 100')
  expect(await refused(`'ship', delay => '1 hour', at => now()`)).toBe(
    'delay and at exclude each other: both say when it starts',
  )
  expect(await ask(client, 'select count(*) from troupe.intake')).toBe('0')
})

it('waits for a name that nobody knows, says so, and holds up nothing else', async () => {
  const store = await freshDatabase()
  const troupe = await node(store)
  const client = await connect(store)
  const told: (string | undefined)[] = []
  client.on('notice', ({ message }) => told.push(message))
  await client.query(`select troupe.start_run('later', '1') from generate_series(1, 250)`)
  const id = await ask(client, `select troupe.start_run('later', '251')`)
  expect(told.at(-1)).toBe(`No process has registered a worker 'later' yet: run ${id} begins once one has`)
  const behind = await ask(client, `select troupe.start_run('ship', '{"id": 3}')`)
  expect(await endOf(troupe, behind)).toBe('3')
  expect(await ask(client, 'select count(*) from troupe.intake')).toBe('251')
  await troupe.register(worker('later', {}, (_ctx, n: number) => n))
  expect(await endOf(troupe, id)).toBe(251)
})

it('is taken in by a node without the code, unless that is needed for its start', async () => {
  const store = await freshDatabase()
  const withCode = await engine(store)
  const without = await node(store, { definitions: [] })
  const client = await connect(store)
  const needy = await ask(client, `select troupe.start_run('limited', '{"place": {"name": "here"}}')`)
  const id = await ask(client, `select troupe.start_run('ship', '{"id": 3}')`)
  await expect.poll(() => without.get(id), { timeout: 10_000 }).toMatchObject({ state: 'ready' })
  expect(await without.get(needy)).toBeUndefined()
  await withCode.start()
  expect([await endOf(without, needy), await endOf(without, id)]).toEqual(['here', '3'])
})

it('goes on behind what the store does not take, and says so once', async () => {
  const store = await freshDatabase()
  const errors: string[] = []
  const heard = (_fields: object, text: string): number => errors.push(text)
  const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: heard } as unknown as Log
  const troupe = await node(store, { log, logLevel: 'error' })
  const client = await connect(store)
  const place = await ask(client, `insert into troupe.intake (run, start) values ('x', 'no JSON') returning id`)
  const ids = []
  for (const n of [1, 2, 3]) ids.push(await ask(client, `select troupe.start_run('ship', '{"id": ${n}}')`))
  expect(await Promise.all(ids.map((id) => endOf(troupe, id)))).toEqual(['1', '2', '3'])
  await endOf(troupe, await ask(client, `select troupe.start_run('ship', '{"id": 4}')`))
  expect(errors).toEqual([`the store does not take what was left at place ${place} of intake`])
})

it('needs no right but to call it, and cannot be led to other tables', async () => {
  const store = await freshDatabase()
  const troupe = await node(store)
  const owner = await connect(store)
  const role = `caller_${Date.now()}`
  await owner.query(`create role ${role} login password '${role}'; grant usage on schema troupe to ${role}`)
  onTestFinished(async () => {
    const admin = new pg.Client({ connectionString: store })
    await admin.connect()
    await admin.query(`drop owned by ${role}; drop role ${role}`)
    await admin.end()
  })
  const caller = await connect(store, role)
  const call = `select troupe.start_run('ship', '{"id": 5}')`
  await expect(caller.query(call)).rejects.toMatchObject({ code: '42501' })
  await owner.query(`grant execute on function troupe.start_run to ${role}`)
  await caller.query('create temporary table intake (run text, name text, input text, options text)')
  await caller.query('create temporary table definition (name text, starts text)')
  await caller.query('set search_path to pg_temp, public')
  expect(await endOf(troupe, await ask(caller, call))).toBe('5')
  await expect(caller.query('select * from troupe.run')).rejects.toMatchObject({ code: '42501' })
  await expect(caller.query(`insert into troupe.intake (run) values ('x')`)).rejects.toMatchObject({ code: '42501' })
  await caller.query('begin')
  await expect(troupe.call(ship, { id: 1 }, { tx: caller })).rejects.toThrow('insert on troupe.intake')
  await owner.query(`grant insert on troupe.intake to ${role}`)
  const handle = await troupe.call(ship, { id: 6 }, { tx: caller })
  await caller.query('commit')
  expect(await handle.result()).toBe('6')
})

it('keeps its input under the codec of the store once it is a run', async () => {
  const store = await freshDatabase()
  const codec = aesGcm({ current: 'a', keys: { a: 'aa'.repeat(32) } })
  const troupe = await node(store, { codec })
  const client = await connect(store)
  const ids = [
    await ask(client, `select troupe.start_run('ship', '{"id": 1234567}')`),
    await ask(client, `select troupe.start_run('limited', '{"place": 7654321}')`),
  ]
  const [first, second] = await Promise.all(ids.map((id) => endOf(troupe, id)))
  expect([first, second]).toEqual(['1234567', expect.objectContaining({ code: 'option_invalid' })])
  const all = await ask(client, `select string_agg(row_to_json(runs)::text, '') from troupe.runs`)
  expect([all.includes('1234567'), all.includes('7654321')]).toEqual([false, false])
})
