// The workflow bench for libraries of others.
import { join } from 'node:path'
import { addPeers, loadPeer } from '../installed-peers.ts'
import { withFolder } from '../measure.ts'
import { measure, type Figures } from './three-steps.ts'

export interface WorkflowPeer {
  readonly who: string
  measure(): Promise<Figures>
  /** What a reader must know to compare it. */
  readonly note: string
}

interface OpenWorkflowModule {
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

interface BackendModule {
  BackendSqlite: { connect(path: string): { stop(): Promise<void> } }
}

// Its workflows take a hundred times as long: fewer tell as much.
const part = 0.05

/** The peers that are present. Of one that is not, the reason is told. */
export async function workflowPeers(tell: (line: string) => void): Promise<WorkflowPeer[]> {
  const peers: WorkflowPeer[] = []
  const openworkflow = async (): Promise<void> => {
    if (Number(process.versions.node.split('.')[0]) < 22) return tell('without openworkflow: its SQLite needs Node 22')
    const backends = await loadPeer<BackendModule>('openworkflow/sqlite')
    peers.push(openWorkflowPeer(await loadPeer<OpenWorkflowModule>('openworkflow'), backends))
  }
  await addPeers('devDependencies', [openworkflow], tell)
  return peers
}

function openWorkflowPeer({ OpenWorkflow }: OpenWorkflowModule, { BackendSqlite }: BackendModule): WorkflowPeer {
  return {
    who: 'openworkflow',
    measure: () =>
      withFolder(async (folder) => {
        const backend = BackendSqlite.connect(join(folder, 'openworkflow.db'))
        const engine = new OpenWorkflow({ backend })
        const ends = new Map<number, () => void>()
        const runnable = engine.defineWorkflow({ name: 'three-steps' }, async ({ input, step }) => {
          const a = await step.run({ name: 'a' }, async () => ({ ok: true, i: input }))
          const b = await step.run({ name: 'b' }, async () => ({ ok: true, i: a.i + 1 }))
          const c = await step.run({ name: 'c' }, async () => ({ ok: true, i: b.i + 1 }))
          ends.get(input)?.()
          return c
        })
        const worker = engine.newWorker({ concurrency: 100 })
        await worker.start()
        const figures = await measure(async (i) => {
          const ended = new Promise<void>((resolve) => ends.set(i, resolve))
          await runnable.run(i)
          await ended
        }, part)
        await worker.stop()
        await backend.stop()
        return figures
      }),
    note: 'openworkflow: each write is a transaction of its own; new runs are looked for every 0.1 to 1 s; its end is taken at the last line of the workflow, as its result is asked for once a second',
  }
}
