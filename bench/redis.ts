// A Redis of its own for a bench: in a folder that is gone afterwards, on this machine alone, and as durable as SQLite with FULL.
import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { withFolder } from './measure.ts'
import { freePort, withServer } from './server.ts'

const command = 'redis-server'

/** Whether this machine has the program. */
export const hasRedis = (): boolean => spawnSync(command, ['--version']).status === 0

/** Calls `use` with its port. */
export const withRedis = <T>(use: (port: number) => Promise<T>): Promise<T> =>
  withFolder(async (folder) => {
    const port = await freePort()
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...durable]
    return withServer({ command, args, env: {}, folder, answers: () => answersRedis(port) }, () => use(port))
  })

/** Whether a Redis of this machine answers to its own protocol. */
export function answersRedis(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const end = (isThere: boolean): void => {
      socket.destroy()
      resolve(isThere)
    }
    socket.setTimeout(1_000, () => end(false))
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')))
    socket.once('error', () => end(false))
  })
}
