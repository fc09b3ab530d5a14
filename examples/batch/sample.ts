// The files of the demo: many that are fine, one that is no text, and two that have no end worth waiting for.
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const words = 'the quick brown fox jumps over a lazy dog while nobody looks'.split(' ')

export async function writeSample(folder: string, texts: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (let index = 0; index < texts; index++) {
    await writeFile(join(folder, `text-${String(index).padStart(4, '0')}.txt`), textOf(index))
  }
  await writeFile(join(folder, 'photo.txt'), Buffer.from('\xff\xd8\xff\xe0 JFIF', 'latin1'))
  for (const name of ['endless.log', 'withdrawn.log']) {
    await writeFile(join(folder, name), '')
    // Of holes: it takes no room on the disk, and far more than its time to read.
    await truncate(join(folder, name), 2 ** 36)
  }
}

/** So many words, in lines of ten. */
export function textOf(count: number): string {
  const text = Array.from({ length: count }, (_, index) => `${words[(index * 7) % 12]}${index % 10 === 9 ? '\n' : ' '}`)
  return text.join('')
}
