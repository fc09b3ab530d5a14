// Runs in a thread of its own: renews the lease of a node until it is told to stop, or the main loop gives no sign of life.
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../lib/clock.ts'
import { isTroupeError } from '../../lib/errors.ts'
import { performNow, type Query } from '../query.ts'
import { Connection } from './connection/connection.ts'
import { clockValue, moveClock } from '../sql/counters.ts'
import { word, type LeaseThreadData } from '../lease-thread.ts'
import { renewNode } from '../sql/nodes/nodes.ts'
import { StoreClock } from '../sql/nodes/store-clock.ts'

const { path, leaseMs, stuckMs, words } = workerData as LeaseThreadData & { readonly path: string }
const everyMs = Math.floor(leaseMs / 3)
// How long another process is waited for that writes.
const busyMs = 25

// A lease need not outlive a power cut.
const db = await open()
const time = new StoreClock(systemClock, performNow(clockValue(db)))
let beats = -1
let beatenAtMs = 0
let lostNode = 0

while (Atomics.load(words, word.stop) === 0) Atomics.wait(words, word.stop, 0, turn())
db.close()

async function open(): Promise<Connection> {
  for (;;) {
    try {
      return await Connection.open({ path, synchronous: 'normal' })
    } catch (error) {
      if (!isTroupeError(error, 'store_busy') || Atomics.load(words, word.stop) === 1) throw error
      Atomics.wait(words, word.stop, 0, busyMs)
    }
  }
}

/** Renews when it should, and tells in how many milliseconds to look again. */
function turn(): number {
  const nowMs = systemClock.monotonic()
  if (Atomics.load(words, word.beats) !== beats) {
    beats = Atomics.load(words, word.beats)
    beatenAtMs = nowMs
  }
  const nodeId = Atomics.load(words, word.node)
  if (nowMs - beatenAtMs >= stuckMs || nodeId === lostNode) return everyMs
  try {
    if (!db.write(() => renew(nodeId))) tellLost(nodeId)
    return everyMs
  } catch (error) {
    if (isTroupeError(error, 'store_busy')) return busyMs
    // Full, or away: the main loop tells of it, and it may be over by the next turn.
    if (isTroupeError(error)) return everyMs
    throw error
  }
}

function* renew(nodeId: number): Query<boolean> {
  const now = yield* moveClock(db, time.now())
  time.moveTo(now)
  return yield* renewNode(db, nodeId, now + leaseMs)
}

/** Once for each number: the node may go by another one soon. */
function tellLost(nodeId: number): void {
  lostNode = nodeId
  parentPort?.postMessage(nodeId)
}
