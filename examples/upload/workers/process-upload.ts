// The worker: takes in an uploaded image, piece by piece, and makes a thumbnail of it. It leaves both or nothing. It runs in a thread: pixels keep a processor busy.
import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { PermanentError, worker } from 'troupe'
import { z } from 'zod'
import { decodePng, encodePng, signature } from '../png.ts'
import { thumbnail } from '../thumbnail.ts'

const Upload = z.object({
  /** The uploaded file, which stays where it is. */
  file: z.string(),
  /** Where the image and its thumbnail go. */
  folder: z.string(),
  longestSide: z.int().min(1).default(96),
})

const pieceBytes = 32_768

const options = { input: Upload, timeout: '1m', thread: import.meta.url } as const

export const processUpload = worker('process-upload', options, async (ctx, upload) => {
  const { file, folder, longestSide } = upload
  await mkdir(folder, { recursive: true })
  // Named by the run: two uploads of the same file do not write into each other's pieces.
  const [image, small] = ['image', 'small'].map((part) => join(folder, `.${ctx.runId}.${part}`)) as [string, string]
  // After an error, a timeout or a cancel the pieces go; after a success they have their final names and nothing is left to remove.
  ctx.defer(() => Promise.all([rm(image, { force: true }), rm(small, { force: true })]))

  let told = 0
  const copied = await copy(file, image, {
    signal: ctx.signal,
    tell: (done, total) => {
      ctx.progress(done, total)
      // A large file has many pieces; its watchers want a hundred messages at most.
      const percent = Math.floor((done / total) * 100)
      if (percent > told) ctx.emit({ step: 'copy', percent: (told = percent) })
    },
  })

  const { width, height, thumb } = await smaller(image, longestSide)
  await writeFile(small, thumb)
  ctx.emit({ step: 'thumbnail', bytes: thumb.length })

  ctx.signal.throwIfAborted()
  const stored = join(folder, `${basename(file, '.png')}-${copied.sha256.slice(0, 8)}`)
  await rename(small, `${stored}-small.png`)
  await rename(image, `${stored}.png`)
  return { ...copied, width, height, image: `${stored}.png`, thumbnail: `${stored}-small.png` }
})

interface Watcher {
  readonly signal: AbortSignal
  readonly tell: (done: number, total: number) => void
}

/** Copies and fingerprints in one go; the whole file is never in memory. */
async function copy(from: string, to: string, { signal, tell }: Watcher): Promise<{ bytes: number; sha256: string }> {
  await using source = await open(from, 'r')
  await using target = await open(to, 'w')
  const { size } = await source.stat()
  const hash = createHash('sha256')
  const piece = Buffer.alloc(pieceBytes)
  let bytes = 0
  for (;;) {
    signal.throwIfAborted()
    const { bytesRead } = await source.read(piece, 0, pieceBytes)
    if (bytesRead === 0) break
    const read = piece.subarray(0, bytesRead)
    // Nobody waits for the last byte of something that is no image.
    if (bytes === 0 && !read.subarray(0, 8).equals(signature))
      throw new PermanentError(`${basename(from)} is no PNG image`)
    hash.update(read)
    await target.writeFile(read)
    bytes += bytesRead
    // It may still grow.
    tell(bytes, Math.max(bytes, size))
  }
  await target.sync()
  return { bytes, sha256: hash.digest('hex') }
}

async function smaller(file: string, longestSide: number) {
  const content = await readFile(file)
  try {
    const image = await decodePng(content)
    return { width: image.width, height: image.height, thumb: await encodePng(thumbnail(image, longestSide)) }
  } catch (cause) {
    // It will be as damaged the next time.
    throw new PermanentError((cause as Error).message, { cause })
  }
}
