// The process that does the work of the demo, and dies of it when told to.
import { appendFileSync } from 'node:fs'
import { Troupe } from 'troupe'
import { flightDelays } from './workflow.ts'

/** What the demo tells its worker process. */
export interface WorkerOrders {
  readonly store: string
  /** One line for each step whose function is called. */
  readonly ledger: string
  readonly death: Death | undefined
}

/** Dies by SIGKILL at the next `place` after so many steps have ended. */
export interface Death {
  readonly afterSteps: number
  readonly place: 'step:before' | 'step:after' | 'commit:before' | 'commit:after'
}

const { store, ledger, death } = JSON.parse(process.argv[2] ?? '{}') as WorkerOrders
let stepsEnded = 0

function failpoint(place: string, path = ''): void {
  if (death !== undefined && place === death.place && stepsEnded >= death.afterSteps)
    process.kill(process.pid, 'SIGKILL')
  if (place === 'step:before') appendFileSync(ledger, `${path}\n`)
  if (place === 'step:after') stepsEnded += 1
}

const troupe = await Troupe.openIn({ store, definitions: [flightDelays] }, { failpoint })
await troupe.start()
process.once('disconnect', () => void troupe.stop())
