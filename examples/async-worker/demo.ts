// Five requests, two at a time: the digests of real files, and one file that is not there.
//
//   node --import jiti/register examples/async-worker/demo.ts
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ActorSystem } from 'troupe/actor'
import { Requester, RequestWork, Worker, type Work } from './async-worker.ts'

const files = ['package.json', 'README.md', 'no-such-file', 'LICENSE', 'CHANGELOG.md']

const digest: Work = async (file, signal) => {
  const content = await readFile(file, { signal })
  return `${createHash('sha256').update(content).digest('hex').slice(0, 8)} ${file}`
}

const say = (line: string): void => console.log(line)
const system = new ActorSystem({ name: 'async-worker' })
const [worker, working] = system.spawn(() => new Worker({ work: digest, limit: 2, say }), { mailbox: 2 })
const [requester, requesting] = system.spawn(() => new Requester(worker, say))

// Resolves when the worker has the request in its mailbox, which may have to wait for room.
for (const [id, data] of files.entries()) await requester.ask(new RequestWork({ id, data }))

// No sleeping and hoping: a worker that stops finishes what it took, and a requester that stops hears what it was told.
await working.stop()
const { actor } = await requesting.stop()
console.log(`${actor?.results.length} results for ${files.length} requests`)
