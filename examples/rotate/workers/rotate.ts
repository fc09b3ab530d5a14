// The worker: puts what a log has gathered into a compressed file named by the tick, and keeps the newest of those.
import { createReadStream, createWriteStream } from 'node:fs'
import { access, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { worker } from 'troupe'

export interface Rotation {
  readonly log: string
  /** How many compressed files stay. */
  readonly keep: number
}

export const rotate = worker(
  'rotate',
  { timeout: '1m', retry: { attempts: 3 } },
  async (ctx, { log, keep }: Rotation) => {
    // Named by the tick and not by the clock: an attempt that is made again goes on with the same file.
    const tick = new Date(ctx.scheduledAt ?? 0).toISOString().replaceAll(/[-:]|\.\d+/g, '')
    const full = `${log}.${tick}`
    if (await isThere(log)) await rename(log, full)
    const isFull = await isThere(full)
    if (isFull) {
      await pipeline(createReadStream(full), createGzip(), createWriteStream(`${full}.part`), { signal: ctx.signal })
      await rename(`${full}.part`, `${full}.gz`)
      await rm(full)
    }
    const removed = (await archivesOf(log)).slice(0, -keep)
    for (const name of removed) await rm(join(dirname(log), name), { force: true })
    ctx.info(`${isFull ? basename(full) : 'nothing'} was put away, ${removed.length} removed`)
    return { archive: isFull ? `${basename(full)}.gz` : undefined, removed }
  },
)

/** The oldest first. */
export async function archivesOf(log: string): Promise<string[]> {
  const names = await readdir(dirname(log))
  return names.filter((name) => name.startsWith(`${basename(log)}.`) && name.endsWith('.gz')).sort()
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
