// The queue bench for libraries of others.
import { connect } from 'node:net'
import { addPeers, loadPeer } from '../installed-peers.ts'
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

/** The peers that are present. Of one that is not, the reason is told. */
export async function queuePeers(wanted: Wanted, redisPort: number, tell: (line: string) => void): Promise<Peer[]> {
  const peers: Peer[] = []
  const adders = [
    async () => {
      const plainjob = await loadPeer<PlainJob>('plainjob')
      for (const synchronous of ['normal', 'full'] as const) peers.push(plainjobPeer(plainjob, wanted, synchronous))
    },
    async () => {
      if (!(await answers(redisPort))) return tell(`without bullmq: no Redis answers on 127.0.0.1:${redisPort}`)
      peers.push(bullmqPeer(await loadPeer<BullMq>('bullmq'), wanted, redisPort))
    },
  ]
  await addPeers('optionalDependencies', adders, tell)
  return peers
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
