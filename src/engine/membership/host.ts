// Who this process is to the machine it runs on, and whether another process of it is gone.
import { readFileSync, readlinkSync } from 'node:fs'
import { packageVersion } from '../../lib/package-version.ts'
import type { NodeIdentity } from '../../store/nodes.ts'

/** Boot, pid namespace, pid and start time together name one process for ever (Linux proc(5)); elsewhere parts are null. */
export function ownIdentity(name: string): NodeIdentity {
  return {
    name,
    bootId: readOrNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: readOrNull(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    pidStartedAt: readOrNull(() => startOf(process.pid)),
    version: readOrNull(packageVersion) ?? undefined,
  }
}

/**
 * Invariant: I9. True only when all four parts prove it: the machine is the same and was not restarted,
 * and no process has that number or the one that has it started at another time. What cannot be read proves nothing.
 */
export function isProvedDead(identity: NodeIdentity, own: NodeIdentity): boolean {
  const { bootId, pidNamespace, pid, pidStartedAt } = identity
  if (bootId === null || pidNamespace === null || pidStartedAt === null) return false
  if (own.pidStartedAt === null || bootId !== own.bootId || pidNamespace !== own.pidNamespace) return false
  try {
    const startedAt = startOf(pid)
    return startedAt !== null && startedAt !== pidStartedAt
  } catch (error) {
    // A process of another user may be hidden; a signal still finds it.
    return isOneOf(error, ['ENOENT', 'ESRCH']) && !mayExist(pid)
  }
}

function startOf(pid: number): string | null {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in brackets may hold blanks; the 20th field after it is the start time in clock ticks.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
}

function mayExist(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return !isOneOf(error, ['ESRCH'])
  }
}

function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return codes.includes(String((error as NodeJS.ErrnoException).code))
}

function readOrNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    // Another system than Linux, or a bundle: then nothing is known.
    return null
  }
}
