// Hears from the file system that the write-ahead log of a store was written to, by this process or another.
import { watch } from 'node:fs'
import { systemClock, type Clock } from '../../../lib/clock.ts'

/**
 * Calls `written` until the function that is returned is called; undefined where nobody can say. Keeps no process alive.
 *
 * A hint only: it may come before what was written can be read, and when the file system keeps quiet it never comes.
 */
export function watchWal(path: string, clock: Clock, written: () => void): (() => void) | undefined {
  // On other systems it is told of late, or only once the file is closed; and what a test does in its own time, it is not to be told of in that of the machine.
  if (process.platform !== 'linux' || path === ':memory:' || clock !== systemClock) return undefined
  try {
    const watcher = watch(`${path}-wal`, { persistent: false }, written)
    // Nothing is lost with it: who waits looks by itself, only later.
    watcher.on('error', () => watcher.close())
    return () => watcher.close()
  } catch {
    // As on a machine whose watches are used up.
    return undefined
  }
}
