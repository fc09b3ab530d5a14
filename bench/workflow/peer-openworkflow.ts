// OpenWorkflow, on its own SQLite and on Postgres.
import { join } from 'node:path'
import { check, withFolder } from '../measure.ts'
import type { Within } from '../postgres-server.ts'
import type { WorkflowPeer } from './peers.ts'
import { measure, type Figures } from './three-steps.ts'

export interface OpenWorkflowModule {
  OpenWorkflow: new (options: { backend: unknown }) => OpenWorkflow
}

interface OpenWorkflow {
  defineWorkflow(spec: { name: string }, perform: (given: Given) => Promise<unknown>): Runnable
  newWorker(options: { concurrency: number }): { start(): Promise<void>; stop(): Promise<void> }
}

interface Given {
  readonly input: number
  readonly step: { run<T>(spec: { name: string }, perform: () => Promise<T>): Promise<T> }
}

interface Runnable {
  run(input: number): Promise<unknown>
}

interface Backend {
  stop(): Promise<void>
}

export interface BackendModule {
  BackendSqlite: { connect(path: string): Backend }
}

export interface PostgresBackendModule {
  BackendPostgres: { connect(url: string): Promise<Backend> }
}

// Its workflows take a hundred times as long: fewer tell as much.
const part = 0.05

const note =
  'openworkflow: each write is a transaction of its own; new runs are looked for every 0.1 to 1 s; its end is taken at the last line of the workflow, as its result is asked for once a second'

export function openWorkflowPeer(module: OpenWorkflowModule, { BackendSqlite }: BackendModule): WorkflowPeer {
  const measureIn = (folder: string): Promise<Figures> =>
    threeSteps(module, BackendSqlite.connect(join(folder, 'openworkflow.db')))
  return { who: 'openworkflow', measure: () => withFolder(measureIn), note }
}

export function openWorkflowOnPostgres(
  module: OpenWorkflowModule,
  { BackendPostgres }: PostgresBackendModule,
  within: Within,
): WorkflowPeer {
  const measureOn = async (url: string): Promise<Figures> => threeSteps(module, await BackendPostgres.connect(url))
  return { who: 'openworkflow', measure: () => within(measureOn), note }
}

async function threeSteps({ OpenWorkflow }: OpenWorkflowModule, backend: Backend): Promise<Figures> {
  const engine = new OpenWorkflow({ backend })
  const ends = new Map<number, (result: number) => void>()
  const runnable = engine.defineWorkflow({ name: 'three-steps' }, async ({ input, step }) => {
    const a = await step.run({ name: 'a' }, async () => ({ ok: true, i: input }))
    const b = await step.run({ name: 'b' }, async () => ({ ok: true, i: a.i + 1 }))
    const c = await step.run({ name: 'c' }, async () => ({ ok: true, i: b.i + 1 }))
    ends.get(input)?.(c.i)
    return c
  })
  const worker = engine.newWorker({ concurrency: 100 })
  await worker.start()
  const figures = await measure(async (i) => {
    const ended = new Promise<number>((resolve) => ends.set(i, resolve))
    await runnable.run(i)
    check('a result', await ended, i + 2)
  }, part)
  await worker.stop()
  await backend.stop()
  return figures
}
