// Runs in a thread of its own: renews the lease of a node on Postgres until it is told to stop, or the main loop gives no sign of life.
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../lib/clock.ts'
import { word, type LeaseThreadData } from '../lease-thread.ts'
import { configOf, loadDriver, type Client } from './client.ts'
import type { Place } from './place.ts'

/** What this thread is given besides: where the store is, and where it says until when the lease lasts. */
export interface PostgresLeaseData {
  readonly place: Place
  readonly until: BigInt64Array<SharedArrayBuffer>
}

const { place, until, leaseMs, stuckMs, words } = workerData as LeaseThreadData & PostgresLeaseData
const everyMs = Math.floor(leaseMs / 3)
// How soon what failed is tried again.
const againMs = Math.min(250, everyMs)
const renew = `
update ${place.schema}.node set lease_until = (extract(epoch from clock_timestamp()) * 1000)::bigint + $1 where id = $2 returning id`

let client: Client | undefined
let beats = -1
let beatenAtMs = 0
let lostNode = 0

while (Atomics.load(words, word.stop) === 0) await pause(await turn())
await client?.end().catch(() => undefined)

/** Renews when it should, and tells in how many milliseconds to look again. */
async function turn(): Promise<number> {
  const nowMs = systemClock.monotonic()
  if (Atomics.load(words, word.beats) !== beats) {
    beats = Atomics.load(words, word.beats)
    beatenAtMs = nowMs
  }
  const nodeId = Atomics.load(words, word.node)
  if (nowMs - beatenAtMs >= stuckMs || nodeId === lostNode) return everyMs
  try {
    await renewAs(nodeId)
    return everyMs
  } catch {
    // Away, or restarted: the main loop tells of it, and it may be over by the next turn.
    const broken = client
    client = undefined
    broken?.end().catch(() => undefined)
    return againMs
  }
}

async function renewAs(nodeId: number): Promise<void> {
  client ??= await connect()
  const askedAt = process.hrtime.bigint()
  const { rowCount } = await client.query(renew, [leaseMs, nodeId])
  if (rowCount === 1) Atomics.store(until, 0, askedAt + BigInt(leaseMs) * 1_000_000n)
  else tellLost(nodeId)
}

async function connect(): Promise<Client> {
  const { Client: Connection } = await loadDriver()
  // A server that does not answer before the lease is over is of no use.
  const connection = new Connection({ ...configOf(place, 1), query_timeout: leaseMs, connectionTimeoutMillis: leaseMs })
  connection.on('error', () => {})
  await connection.connect()
  return connection
}

/** Once for each number: the node may go by another one soon. */
function tellLost(nodeId: number): void {
  lostNode = nodeId
  parentPort?.postMessage(nodeId)
}

/** Until then, or until it is to stop. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = systemClock.after(ms, done)
    parentPort?.once('message', done)
    function done(): void {
      timer.cancel()
      parentPort?.off('message', done)
      resolve()
    }
  })
}
