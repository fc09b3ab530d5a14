// The worker: counts the words of one text and packs it. The packed file is there whole, or not at all.
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { PermanentError, worker } from 'troupe'
import { z } from 'zod'
import { countWords } from '../words.ts'

const Text = z.object({
  file: z.string(),
  /** The folder for the packed file, which is there. */
  out: z.string(),
})

export const packFile = worker('pack-file', { input: Text, timeout: '2s' }, async (ctx, { file, out }) => {
  // A process that dies leaves this one behind; whoever takes the run over writes it anew, for the run is the same.
  const unfinished = join(out, `.${ctx.runId}`)
  ctx.defer(() => rm(unfinished, { force: true }))
  let words = 0
  const counted = countWords((sum) => (words = sum))
  try {
    await pipeline(createReadStream(file), counted, createGzip(), createWriteStream(unfinished), { signal: ctx.signal })
  } catch (cause) {
    // What is no text will be none the next time.
    if (cause instanceof TypeError) throw new PermanentError(`${basename(file)} is not text in UTF-8`, { cause })
    throw cause
  }
  const packed = join(out, `${basename(file)}.gz`)
  await rename(unfinished, packed)
  return { words, packed, packedBytes: (await stat(packed)).size }
})
