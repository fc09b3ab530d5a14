// Removes the old files of a folder and of the folders in it, and never one that lies outside.
import { lstat, readdir, realpath, unlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

export interface Order {
  readonly folder: string
  /** Files last written before this go: milliseconds since 1970. */
  readonly before: number
  /** Removes nothing, and tells what it would remove. */
  readonly isDryRun: boolean
  readonly signal: AbortSignal
  /** Told of each file that goes, and of each that should and cannot. Paths are as seen from the folder. */
  readonly tell: (news: News) => void
}

export type News =
  | { readonly removed: string; readonly bytes: number; readonly writtenAt: Date }
  | { readonly stuck: string; readonly why: string }

export interface Cleaned {
  readonly removed: number
  readonly removedBytes: number
  readonly kept: number
  readonly keptBytes: number
  /** Links, sockets and the like: they are left alone. */
  readonly others: number
  /** Old files and folders that the system did not let go, or look into. */
  readonly stuck: number
}

type Counts = { -readonly [Name in keyof Cleaned]: Cleaned[Name] }

interface Place {
  readonly path: string
  readonly order: Order
  readonly counts: Counts
}

export async function cleanFolder(order: Order): Promise<Cleaned> {
  // The folder itself may be reached through a link: that is what the caller named. From there on none is followed.
  const root = await realpath(order.folder)
  if (dirname(root) === root) throw new Error(`${root} is a whole disk, and that is not cleaned up here`)
  const counts: Counts = { removed: 0, removedBytes: 0, kept: 0, keptBytes: 0, others: 0, stuck: 0 }
  await cleanOne(root, { ...order, folder: root }, counts)
  return counts
}

async function cleanOne(folder: string, order: Order, counts: Counts): Promise<void> {
  await trying({ path: folder, order, counts }, async () => {
    // Race: what was a folder when it was listed may be a link to another place by now.
    if ((await realpath(folder)) !== folder) return void (counts.others += 1)
    const entries = await readdir(folder, { withFileTypes: true })
    for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
      order.signal.throwIfAborted()
      const path = join(folder, entry.name)
      if (entry.isDirectory()) await cleanOne(path, order, counts)
      else if (entry.isFile()) await trying({ path, order, counts }, () => judge(path, order, counts))
      else counts.others += 1
    }
  })
}

async function judge(path: string, order: Order, counts: Counts): Promise<void> {
  const { size: bytes, mtime: writtenAt, mtimeMs } = await lstat(path)
  if (mtimeMs >= order.before) {
    counts.kept += 1
    counts.keptBytes += bytes
    return
  }
  if (!order.isDryRun) await unlink(path)
  counts.removed += 1
  counts.removedBytes += bytes
  order.tell({ removed: relative(order.folder, path), bytes, writtenAt })
}

/** One that cannot be removed keeps none of the others from going. */
async function trying({ path, order, counts }: Place, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    order.signal.throwIfAborted()
    const { code, message } = error as NodeJS.ErrnoException
    // Gone already, by somebody else's hand.
    if (code === 'ENOENT') return
    counts.stuck += 1
    order.tell({ stuck: relative(order.folder, path), why: code ?? message })
  }
}
