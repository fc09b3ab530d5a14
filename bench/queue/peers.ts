// The queue bench for libraries of others. They are installed on first use into bench/peers.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bullmqPeer, type BullMq } from './peer-bullmq.ts'
import { plainjobPeer, type PlainJob } from './peer-plainjob.ts'
import type { Row } from './work.ts'

/** What the rows of the bench are called and how many runs each takes. */
export interface Wanted {
  readonly call: string
  readonly callMany: string
  readonly process: string
  readonly count: number
}

export interface Peer {
  readonly who: string
  readonly rows: readonly Row[]
  /** Milliseconds from a start to the first line of its handler, so many times, while nothing else goes on. */
  latency(count: number): Promise<number[]>
  /** What a reader must know to compare it. */
  readonly note: string
}

const folder = resolve('bench/peers')

/** The peers that are present. Of one that is not, the reason is told. */
export async function queuePeers(wanted: Wanted, redisPort: number, tell: (line: string) => void): Promise<Peer[]> {
  try {
    if (!isInstalled()) install(tell)
  } catch (error) {
    tell(`without peers, which could not be installed: ${firstLine(error)}`)
    return []
  }
  const peers: Peer[] = []
  for (const add of [
    async () => {
      const plainjob = await load<PlainJob>('plainjob')
      for (const synchronous of ['normal', 'full'] as const) peers.push(plainjobPeer(plainjob, wanted, synchronous))
    },
    async () => {
      if (!(await answers(redisPort))) return tell(`without bullmq: no Redis answers on 127.0.0.1:${redisPort}`)
      peers.push(bullmqPeer(await load<BullMq>('bullmq'), wanted, redisPort))
    },
  ])
    await add().catch((error: unknown) => tell(`without a peer: ${firstLine(error)}`))
  return peers
}

/** The name and version of each peer. */
export function peerVersions(): string[] {
  return Object.entries(wantedVersions()).map(([name, version]) => `${name} ${version}`)
}

// The actor bench has the other dependencies of that folder.
function wantedVersions(): Record<string, string> {
  const { optionalDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>
  }
  return optionalDependencies
}

function isInstalled(): boolean {
  return Object.entries(wantedVersions()).every(([name, version]) => {
    const path = join(folder, 'node_modules', name, 'package.json')
    return existsSync(path) && (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version === version
  })
}

function install(tell: (line: string) => void): void {
  tell('installing the peers into bench/peers (once)')
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock', '--loglevel=error']
  execFileSync('npm', ['install', ...flags], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
}

/** Whether a Redis of this machine answers to its own protocol. */
function answers(port: number): Promise<boolean> {
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

async function load<T>(name: string): Promise<T> {
  const { resolve: find } = createRequire(join(folder, 'package.json'))
  return (await import(pathToFileURL(find(name)).href)) as T
}

function firstLine(error: unknown): string {
  return String(error).split('\n')[0] ?? ''
}
