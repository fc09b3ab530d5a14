// The faults of the storms: the server ends at once, a connection is cut after its commit went out, the way to the server falls silent, a node stands still.
import { isDoneWithin } from '../../../src/engine/in-time.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import type { PostgresServer } from '../../postgres-server.ts'
import type { Proxy, Silence } from '../../store/proxy.ts'
import type { Child } from '../children.ts'
import type { Random } from '../random.ts'
import { openReader } from '../reader.ts'

/** Strikes once, and says whether the fault came. */
export type Strike = (nodes: readonly Child[]) => Promise<boolean>

// As the protocol has it: a text ends with a zero.
const commit = 'commit\0'
// Only who writes says this.
const writes = 'troupe_lock'
// A node that has nothing to write for so long is left alone.
const quietMs = 2_000
const ways: readonly Silence[] = ['up', 'down', 'both']
// Past a lease of 200 ms, with what it takes to see that it ran out.
const silentMs = { least: 450, most: 1_500 }
const heardMs = 250
// By then others have taken for dead who stands still.
const rescueMs = 10_000

export function restarts(server: PostgresServer, random: Random): Strike {
  return async () => {
    await pause(random.between(50, 600))
    await server.restart()
    return true
  }
}

/** Cuts a connection that has sent a commit of what it wrote, before any answer. */
export function cuts(proxies: readonly Proxy[], random: Random): Strike {
  return async () => {
    const cut = random.oneOf(proxies).arm(commit, 'after', writes)
    return isDoneWithin(systemClock, quietMs, cut)
  }
}

/** What stands between a node and the server, and can fall silent. */
export interface Silenced {
  silence(way: Silence): void
  speak(): void
}

/** Lets the way of one node be silent for longer than its lease, and looks whether the server heard nothing of it. */
export function partitions(between: readonly Silenced[], store: string, random: Random): Strike {
  return async (nodes) => {
    const place = random.between(0, nodes.length - 1)
    const [node, way] = [nodes[place], between[place]]
    if (node === undefined || way === undefined) return false
    const lastsMs = random.between(silentMs.least, silentMs.most)
    way.silence(random.oneOf(ways))
    try {
      // What was on its way arrives.
      await pause(heardMs)
      const before = await leaseOf(store, node)
      await pause(lastsMs - heardMs)
      const after = await leaseOf(store, node)
      return before === undefined || after === undefined || after <= before
    } finally {
      way.speak()
      await pause(random.between(50, 300))
    }
  }
}

/** Stops a node where it stands until others have taken it for dead, and lets it go on. */
export function freezes(store: string, random: Random): Strike {
  return async (nodes) => {
    const node = random.oneOf(nodes)
    node.signal('SIGSTOP')
    try {
      const until = systemClock.monotonic() + rescueMs
      await pause(random.between(silentMs.least, silentMs.most))
      while ((await leaseOf(store, node)) !== undefined) {
        if (systemClock.monotonic() > until) return false
        await pause(heardMs)
      }
      return true
    } finally {
      node.signal('SIGCONT')
      await pause(random.between(50, 300))
    }
  }
}

/** Until when the lease of a node lasts; undefined when others took it for dead. */
async function leaseOf(store: string, { pid }: Child): Promise<number | undefined> {
  const reader = await openReader(store)
  try {
    const [row] = await reader.all<{ until: number }>('select lease_until as until from node where pid = ?', pid)
    return row?.until
  } finally {
    await reader.close()
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(ms, resolve))
}
