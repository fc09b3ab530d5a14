// Servers that a bench starts for the libraries of others: on this machine alone, and ended with the bench.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { endingWith } from './ending.ts'
import { wait } from './measure.ts'

export interface Server {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Where it runs. */
  readonly folder: string
  /** Whether it is ready. */
  answers(): Promise<boolean>
}

const startMs = 30_000

/** Starts a server, uses it once it answers, and ends it. */
export function withServer<T>({ command, args, env, folder, answers }: Server, use: () => Promise<T>): Promise<T> {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<unknown>((resolve) => child.once('close', resolve).once('error', resolve))
  const end = (): Promise<unknown> => {
    child.kill('SIGKILL')
    return ended
  }
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-500)))
  return endingWith(end, async () => {
    await once(child, 'spawn')
    const until = performance.now() + startMs
    while (!(await answers().catch(() => false))) {
      if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}: ${said.trim()}`)
      if (performance.now() > until) throw new Error(`it does not answer within ${startMs / 1_000} s: ${said.trim()}`)
      await wait(50)
    }
    return use()
  })
}

/** A port of this machine where nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
