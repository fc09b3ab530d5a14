// A commit that never came to a Postgres which then ended at once: nobody is told that it did, though another transaction got its number.
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../src/lib/clock.ts'
import { openPostgres } from '../../../src/store/postgres/postgres.ts'
import { Scene } from '../../../src/testing/conformance/scene.ts'
import { startPostgres } from '../../postgres.ts'
import { Proxy } from '../../store/proxy.ts'

it('I2: does not take the transaction of another for its own after the server was started anew', async () => {
  const server = await startPostgres({ version: '18', isDurable: true })
  onTestFinished(server.stop)
  const url = `${server.url}/postgres`
  // What is not committed is not on the disk before the server ends.
  const admin = new pg.Client({ connectionString: url })
  admin.on('error', () => {})
  await admin.connect()
  await admin.query(`alter system set wal_writer_delay = '10s'`)
  await admin.query('select pg_reload_conf()')
  const proxy = await Proxy.before(url)
  const scene = await Scene.open({
    connect: () => openPostgres({ url: proxy.url, clock: systemClock }),
    remove: async () => undefined,
  })
  const cut = proxy.arm('commit\0', 'before', 'troupe_lock').then(() => proxy.silence('both'))
  const committed = scene.node.commit({ starts: [scene.startRecord({ id: 'one' })] })
  await cut
  await server.restart()
  const beside = await openPostgres({ url, clock: systemClock })
  onTestFinished(async () => {
    await scene.close()
    await beside.close()
    await proxy.close()
  })
  // Others write meanwhile, under the numbers that are free again.
  for (let n = 0; n < 20; n++) await beside.internQueue(`queue ${n}`)
  proxy.speak()
  expect((await committed).started.map(({ id }) => id)).toEqual(['one'])
  expect((await beside.listRuns({ limit: 9 })).map(({ id }) => id)).toEqual(['one'])
})
