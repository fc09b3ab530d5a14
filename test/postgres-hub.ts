// What all tests of one `vitest run` share: a Postgres server of each version that one of them asked for.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { startPostgres, type PostgresServer } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers the name of a version with the URL of its server. */
    readonly postgresHub: string
  }
}

/** Vitest calls this before all tests, and what it gives back after them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = new Map<string, Promise<PostgresServer>>()
  const serverOf = (version: string): Promise<PostgresServer> => {
    const server = servers.get(version) ?? startPostgres({ version })
    servers.set(version, server)
    return server
  }
  const hub = createServer((request, response) => {
    serverOf((request.url ?? '').slice(1)).then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  }).listen(0, '127.0.0.1')
  await once(hub, 'listening')
  project.provide('postgresHub', `http://127.0.0.1:${(hub.address() as AddressInfo).port}`)
  return async () => {
    hub.close()
    hub.closeAllConnections()
    const started = await Promise.allSettled(servers.values())
    await Promise.all(started.map((server) => server.status === 'fulfilled' && server.value.stop()))
  }
}
