// A process that parks many runs and tells what is left of them in memory.
import { Troupe, workflow } from '../../src/index.ts'

const count = Number(process.argv[2])
const collect = (globalThis as { gc?: () => void }).gc
if (collect === undefined) throw new Error('Start it with --expose-gc')

let collected = 0
const registry = new FinalizationRegistry<number>(() => void (collected += 1))
const weak: WeakRef<object>[] = []

const flow = workflow('flow', {}, async (ctx, place: number) => {
  const closure = { bytes: new Uint8Array(10_000).fill(place) }
  registry.register(closure, place)
  weak.push(new WeakRef(closure))
  try {
    await ctx.step('s', () => closure.bytes.length)
    await ctx.receive('go')
    return closure.bytes.length
  } finally {
    closure.bytes.fill(0)
  }
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [flow], logLevel: 'silent', global: false })
await troupe.start()
await troupe.run(flow, 0, { timeout: 1 }).catch(() => undefined)
await settle()
const before = used()
await troupe.callMany(
  flow,
  Array.from({ length: count }, (_, place) => place),
)
while ((await troupe.queues())[0]?.parked !== count) await turn()
for (let round = 0; round < 20 && collected < weak.length; round++) await settle()
const alive = weak.slice(-count).filter((ref) => ref.deref() !== undefined).length
const parked = (await troupe.queues())[0]?.parked
const bytesEach = Math.round((used() - before) / count)
process.stdout.write(JSON.stringify({ parked, collected: collected - (weak.length - count), alive, bytesEach }))
await troupe.stop({ within: 0 })

async function settle(): Promise<void> {
  for (let round = 0; round < 10; round++) await turn()
  collect?.()
}

/** Without what SQLite holds in memory, which stands in no heap. */
function used(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
