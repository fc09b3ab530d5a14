import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Troupe } from 'troupe'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { printedBy } from '../printed.ts'
import { decodePng, encodePng } from './png.ts'
import { sunset } from './sunset.ts'
import { processUpload } from './workers/process-upload.ts'

let home: string
let gallery: string
let troupe: Troupe

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'troupe-upload-test-'))
  gallery = join(home, 'gallery')
  troupe = await Troupe.open({ store: `sqlite:${join(home, 'troupe.db')}`, definitions: [processUpload] })
  await troupe.start()
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await troupe.stop()
  await rm(home, { recursive: true })
})

async function uploaded(name: string, content: Uint8Array): Promise<string> {
  const file = join(home, name)
  await writeFile(file, content)
  return file
}

it('stores the image byte for byte, with a thumbnail of the means of its pixels', async () => {
  const picture = sunset(300, 200)
  const original = await encodePng(picture)
  const file = await uploaded('holiday.png', original)
  const stored = await troupe.run(processUpload, { file, folder: gallery, longestSide: 30 })
  const sha256 = createHash('sha256').update(original).digest('hex')
  const name = `holiday-${sha256.slice(0, 8)}`
  expect(stored).toEqual({
    bytes: original.length,
    sha256,
    width: 300,
    height: 200,
    image: join(gallery, `${name}.png`),
    thumbnail: join(gallery, `${name}-small.png`),
  })
  expect(await readFile(stored.image)).toEqual(original)
  expect(await readdir(gallery)).toEqual([`${name}-small.png`, `${name}.png`])

  const small = await decodePng(await readFile(stored.thumbnail))
  const meanOf = (x: number, y: number, channel: number): number => {
    let sum = 0
    for (let index = 0; index < 100; index++) {
      const at = (y * 10 + Math.floor(index / 10)) * 300 + x * 10 + (index % 10)
      sum += picture.pixels[at * 4 + channel]!
    }
    return Math.round(sum / 100)
  }
  const expected = Uint8Array.from({ length: 30 * 20 * 4 }, (_, at) => {
    return meanOf(Math.floor(at / 4) % 30, Math.floor(at / 120), at % 4)
  })
  expect(small).toEqual({ width: 30, height: 20, pixels: expected })
})

it('tells how far it is, after each piece', async () => {
  const image = await encodePng(sunset(300, 200))
  const padded = Buffer.concat([image, Buffer.alloc(4 * 32_768 - image.length)])
  const handle = await troupe.call(processUpload, { file: await uploaded('a.png', padded), folder: gallery })
  const messages: unknown[] = []
  for await (const message of handle) messages.push(message)
  expect(messages.slice(0, 4)).toEqual([25, 50, 75, 100].map((percent) => ({ step: 'copy', percent })))
  expect(messages.slice(4)).toMatchObject([{ step: 'thumbnail' }])
  expect((await handle.status()).progress).toEqual({ done: 131_072, total: 131_072 })
})

it('leaves nothing of an image that turns out to be damaged, and does not try again', async () => {
  const image = await encodePng(sunset(300, 200))
  image[image.length >> 1]! ^= 1
  const handle = await troupe.call(processUpload, { file: await uploaded('a.png', image), folder: gallery })
  await expect(handle.result()).rejects.toMatchObject({
    code: 'permanent',
    message: 'The IDAT part of the PNG is damaged',
  })
  expect(await readdir(gallery)).toEqual([])
})

it('refuses what is no image after its first piece', async () => {
  const file = await uploaded('letter.png', Buffer.alloc(100_000, 'Dear Ann, '))
  const handle = await troupe.call(processUpload, { file, folder: gallery })
  await expect(handle.result()).rejects.toThrow('letter.png is no PNG image')
  expect((await handle.status()).progress).toBeUndefined()
  expect(await readdir(gallery)).toEqual([])
})

it('stops copying when it is cancelled in the middle, and leaves nothing', async () => {
  // An upload without end: it stops when nobody reads it any more.
  const file = join(home, 'endless.png')
  expect(spawnSync('mkfifo', [file]).status).toBe(0)
  const start = String.raw`\211PNG\r\n\032\n`
  const visitor = spawn('sh', ['-c', `{ printf '${start}'; cat /dev/zero; } > "$0"`, file], { stdio: 'ignore' })
  const gone = once(visitor, 'exit')
  const handle = await troupe.call(processUpload, { file, folder: gallery })
  expect(await handle.recv()).toEqual({ step: 'copy', percent: 100 })
  expect(await readdir(gallery)).toEqual([`.${handle.id}.image`])
  expect(await handle.cancel('changed my mind')).toBe(true)
  await gone
  expect(await readdir(gallery)).toEqual([])
})

it('prints how far it is, and what is left of each upload', async () => {
  vi.stubEnv('TMPDIR', home)
  const lines = await printedBy(() => import('./main.ts'))
  expect(lines.map((line) => line.replace(/-[0-9a-f]{8}\b/, '-HASH').replace(/ \d+ bytes| \/.*/, ' …'))).toEqual([
    'sunset.png: 25 %',
    'sunset.png: 50 %',
    'sunset.png: 75 %',
    'sunset.png: 100 %',
    'sunset.png: thumbnail',
    'sunset.png: succeeded',
    'damaged.png: 25 %',
    'damaged.png: 50 %',
    'damaged.png: 100 %',
    'damaged.png: failed: The PNG breaks off after …',
    'sunset-HASH-small.png: 96 × 60',
    'sunset-HASH.png: 640 × 400',
    'Look at them: …',
  ])
})
