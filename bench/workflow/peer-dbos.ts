// DBOS on Postgres.
import { check } from '../measure.ts'
import { withPostgres, type Within } from '../postgres-server.ts'
import type { WorkflowPeer } from './peers.ts'
import { measure, type Figures } from './three-steps.ts'

export interface DbosModule {
  readonly DBOS: {
    setConfig(config: object): void
    registerWorkflow(perform: Runnable, options: { name: string }): Runnable
    runStep<T>(perform: () => Promise<T>, options: { name: string }): Promise<T>
    launch(): Promise<void>
    shutdown(): Promise<void>
  }
}

type Runnable = (i: number) => Promise<{ i: number }>

// Its workflows take forty times as long: fewer tell as much.
const part = 0.05

/** On a Postgres of its own, unless told. */
export function dbosPeer({ DBOS }: DbosModule, within: Within = withPostgres): WorkflowPeer {
  const threeSteps = DBOS.registerWorkflow(
    async (i) => {
      const a = await DBOS.runStep(async () => ({ ok: true, i }), { name: 'a' })
      const b = await DBOS.runStep(async () => ({ ok: true, i: a.i + 1 }), { name: 'b' })
      return DBOS.runStep(async () => ({ ok: true, i: b.i + 1 }), { name: 'c' })
    },
    { name: 'three-steps' },
  )
  const measureOn = async (systemDatabaseUrl: string): Promise<Figures> => {
    DBOS.setConfig({
      name: 'bench',
      systemDatabaseUrl,
      systemDatabasePoolSize: 20,
      runAdminServer: false,
      logLevel: 'error',
    })
    // What it does to its driver is told on stderr otherwise.
    process.noDeprecation = true
    await DBOS.launch()
    const figures = await measure(async (i) => check('a result', (await threeSteps(i)).i, i + 2), part)
    await DBOS.shutdown()
    process.noDeprecation = false
    return figures
  }
  return {
    who: 'dbos',
    measure: () => within(measureOn),
    note: 'dbos: on Postgres with fsync, in a process of its own and reached over TCP, by 20 connections; each write is a transaction of its own; started in this process, so that nothing is looked for; its end is taken when its result is there',
  }
}
