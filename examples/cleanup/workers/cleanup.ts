// The worker: frees a folder of files that nobody has written to for a while.
import { PermanentError, worker } from 'troupe'
import { z } from 'zod'
import { cleanFolder } from '../clean-folder.ts'

const Cleanup = z.object({
  folder: z.string().min(1),
  // Told as an age and not as a date, so that the same order can be given every night.
  olderThanHours: z.number().min(0),
  dryRun: z.boolean().default(false),
})

export const cleanup = worker('cleanup', { input: Cleanup, timeout: '10m' }, async (ctx, order) => {
  const { folder, olderThanHours, dryRun } = order
  const before = Date.now() - olderThanHours * 3_600_000
  try {
    const done = await cleanFolder({
      folder,
      before,
      isDryRun: dryRun,
      signal: ctx.signal,
      tell: (news) => {
        if ('stuck' in news) ctx.warn(`${news.stuck} stays: ${news.why}`)
        ctx.emit(news)
      },
    })
    ctx.info(`${done.removed} files, ${done.removedBytes} bytes${dryRun ? ' would go' : ' are gone'}`)
    return { ...done, dryRun }
  } catch (cause) {
    ctx.signal.throwIfAborted()
    // A folder that is not there, or may not be touched, is a mistake in the order.
    throw new PermanentError((cause as Error).message, { cause })
  }
})
