// Nodes that are processes of their own, as they are in life.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { endingWith } from '../ending.ts'
import { check } from '../measure.ts'

/** What a node says: when each run begins (ns of the clock that all processes of a machine share), or how many it performed since it last said so. */
type Says = 'begins' | 'counts'

const program = `
import { createInterface } from 'node:readline'
import { Troupe, worker } from 'troupe'
const [store, says] = process.argv.slice(1)
const say = (what) => process.stdout.write(what + '\\n')
let performed = 0
const tell = () => {
  say(performed)
  performed = 0
}
const noop = worker('noop', {}, async (_ctx, job) => {
  if (says === 'begins') say(process.hrtime.bigint())
  else if (performed++ === 0) setImmediate(tell)
  return { ok: true, i: job.i }
})
const troupe = await Troupe.open({ store, global: false, definitions: [noop] })
say('open')
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'start') break
  await troupe.start()
}
await troupe.stop()
`

export interface NodeProcess {
  /** It serves its queues from then on. */
  start(): void
  /** The next thing it says. */
  hear(): Promise<string>
}

/** Calls `use` with a node that is open and not started, and ends it. */
export async function withNode<T>(store: string, says: Says, use: (node: NodeProcess) => Promise<T>): Promise<T> {
  const args = ['--input-type=module', '--eval', program, store, says]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  // It ends when its input does: so too when this process exits.
  const end = (): Promise<unknown> => {
    child.stdin.end()
    return closed
  }
  const hear = async (): Promise<string> => {
    const next = await lines.next()
    if (next.done === true) throw new Error('a node has ended before it should')
    return next.value
  }
  const start = (): void => void child.stdin.write('start\n')
  return endingWith(end, async () => {
    check('what a node says first', await hear(), 'open')
    return use({ start, hear })
  })
}

/** The same with several. */
export function withNodes<T>(
  store: string,
  count: number,
  use: (nodes: readonly NodeProcess[]) => Promise<T>,
): Promise<T> {
  if (count === 0) return use([])
  return withNode(store, 'counts', (node) => withNodes(store, count - 1, (others) => use([node, ...others])))
}
