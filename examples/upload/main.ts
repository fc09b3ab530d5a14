// Takes in an image and shows how far it is; then one that is damaged, of which nothing stays behind.
//
//   node --import jiti/register examples/upload/main.ts
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Troupe } from 'troupe'
import { decodePng, encodePng } from './png.ts'
import { sunset } from './sunset.ts'
import { processUpload } from './workers/process-upload.ts'

const folder = await mkdtemp(join(tmpdir(), 'troupe-upload-'))
const uploads = ['sunset.png', 'damaged.png'].map((name) => join(folder, name)) as [string, string]
const image = await encodePng(sunset(640, 400))
await writeFile(uploads[0], image)
await writeFile(uploads[1], image.subarray(0, image.length / 2))

const troupe = await Troupe.open({ store: `sqlite:${join(folder, 'troupe.db')}`, definitions: [processUpload] })
await troupe.start()

const gallery = join(folder, 'gallery')
for (const file of uploads) {
  const handle = await troupe.call(processUpload, { file, folder: gallery })
  let quarters = 0
  for await (const message of handle) {
    const { step, percent = 0 } = message as { step: string; percent?: number }
    if (step !== 'copy') console.log(`${basename(file)}: ${step}`)
    // One line for each quarter is enough here.
    if (percent >= (quarters + 1) * 25)
      console.log(`${basename(file)}: ${(quarters = Math.floor(percent / 25)) * 25} %`)
  }
  const { state, error } = await handle.status()
  console.log(`${basename(file)}: ${state}${error === undefined ? '' : `: ${error.message}`}`)
}
for (const name of (await readdir(gallery)).sort()) {
  const { width, height } = await decodePng(await readFile(join(gallery, name)))
  console.log(`${name}: ${width} × ${height}`)
}

await troupe.stop()
console.log(`Look at them: ${gallery}`)
