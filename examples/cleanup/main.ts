// Frees a folder of what is older than a day: first only says what would go, then does it.
//
//   node --import jiti/register examples/cleanup/main.ts
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Troupe } from 'troupe'
import { cleanup } from './workers/cleanup.ts'

const home = await mkdtemp(join(tmpdir(), 'troupe-cleanup-'))
const folder = join(home, 'uploads')
await write('uploads/today.csv', { bytes: 100, hoursAgo: 2 })
await write('uploads/monday.csv', { bytes: 2_000, hoursAgo: 50 })
await write('uploads/ann/draft.txt', { bytes: 30, hoursAgo: 1 })
await write('uploads/ann/old/draft.txt', { bytes: 400, hoursAgo: 700 })
await write('elsewhere/contract.pdf', { bytes: 5_000, hoursAgo: 9_000 })
// Both lead out of the folder, and nobody follows them.
await symlink(join(home, 'elsewhere'), join(folder, 'shortcut'))
await symlink(join(home, 'elsewhere', 'contract.pdf'), join(folder, 'contract.pdf'))

const troupe = await Troupe.open({ store: `sqlite:${join(home, 'troupe.db')}`, definitions: [cleanup] })
await troupe.start()

for (const dryRun of [true, false]) {
  const handle = await troupe.call(cleanup, { folder, olderThanHours: 24, dryRun })
  for await (const message of handle) {
    const { removed, bytes } = message as { removed: string; bytes: number }
    console.log(`${dryRun ? 'would remove' : 'removed'} ${removed} (${bytes} bytes)`)
  }
  const { removed, removedBytes, kept, others } = await handle.result()
  console.log(
    `${removed} files of ${removedBytes} bytes${dryRun ? ' would go' : ' are gone'}; ${kept} stay, ${others} links are left alone`,
  )
}
console.log(`there is: ${(await readdir(folder)).sort().join(', ')}`)
console.log(`and elsewhere: ${(await readdir(join(home, 'elsewhere'))).join(', ')}`)

await troupe.stop()
await rm(home, { recursive: true })

async function write(name: string, { bytes, hoursAgo }: { bytes: number; hoursAgo: number }): Promise<void> {
  const path = join(home, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, Buffer.alloc(bytes))
  const written = Date.now() / 1_000 - hoursAgo * 3_600
  await utimes(path, written, written)
}
