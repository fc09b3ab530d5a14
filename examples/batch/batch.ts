// Many files through the queue: one run for each, and what became of them.
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isTroupeError, type OutputOf, type RunHandle, type Troupe } from 'troupe'
import { packFile } from './workers/pack-file.ts'

export type Packed = OutputOf<typeof packFile>

export interface Outcome {
  readonly file: string
  readonly end: 'packed' | 'failed' | 'timed out' | 'cancelled'
  /** When it is packed. */
  readonly result?: Packed
  /** When it is not. */
  readonly why?: string
}

export type Handles = ReadonlyMap<string, RunHandle<Packed>>

/** Queues each file of the folder; one that was queued before, in this life or an earlier one, keeps the run it has. */
export async function queueFiles(troupe: Troupe, folder: string, out: string): Promise<Handles> {
  await mkdir(out, { recursive: true })
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)
  const queued = names.sort().map(async (name) => {
    const file = join(folder, name)
    return [name, await troupe.call(packFile, { file, out }, { idempotencyKey: file, tags: ['batch'] })] as const
  })
  return new Map(await Promise.all(queued))
}

/** Waits for all of them: one that fails keeps nobody from hearing of the others. */
export async function gather(handles: Handles, tell: (finished: number) => void): Promise<Outcome[]> {
  let finished = 0
  const ends = [...handles].map(async ([file, handle]) => {
    const outcome = await endOf(file, handle)
    tell((finished += 1))
    return outcome
  })
  return Promise.all(ends)
}

async function endOf(file: string, handle: RunHandle<Packed>): Promise<Outcome> {
  try {
    return { file, end: 'packed', result: await handle.result() }
  } catch (error) {
    // An engine that stops, or a store that cannot be read, says nothing about the file.
    if ((await handle.status()).finishedAt === undefined) throw error
    const why = (error as Error).message
    if (isTroupeError(error, 'timed_out')) return { file, end: 'timed out', why }
    return { file, end: isTroupeError(error, 'run_cancelled') ? 'cancelled' : 'failed', why }
  }
}
