// A process that performs a trip and notes in a file what it does and undoes; it kills itself before or after an undo.
import { appendFileSync } from 'node:fs'
import { Troupe, workflow } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'

interface Order {
  readonly store: string
  readonly ledger: string
  /** Where it dies: the place, then the path. */
  readonly death: string
}

const { store, ledger, death } = JSON.parse(process.argv[2] ?? '{}') as Order
const note = (line: string): void => appendFileSync(ledger, `${line}\n`)
const trip = workflow('trip', {}, async (ctx) => {
  for (const name of ['flight', 'hotel', 'car'])
    await ctx.step(name, () => note(`do ${name}`), {
      undo: (_output, { idempotencyKey }) => note(`undo ${idempotencyKey.split('/')[1]}`),
    })
  throw new Error('no visa')
})

let commitsAfter: string | undefined
const failpoint = (place: string, path = ''): void => {
  if (place === 'step:after') commitsAfter = path
  const here = place === 'commit:after' && commitsAfter !== undefined ? `${place} ${commitsAfter}` : `${place} ${path}`
  if (here === death) process.kill(process.pid, 'SIGKILL')
  if (place === 'commit:after') commitsAfter = undefined
}
const options = { store, definitions: [trip], logLevel: 'silent' as const }
const troupe = await Troupe.openIn(options, { clock: systemClock, failpoint, leaseMs: 200 })
await troupe.start()
const handle = await troupe.call(trip)
await handle.result()
