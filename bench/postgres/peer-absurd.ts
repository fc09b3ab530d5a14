// absurd: its package has no tables, which come as a file of SQL of its own.
import { readFileSync } from 'node:fs'
import { check } from '../measure.ts'
import { ask, type Within } from '../postgres-server.ts'
import type { WorkflowPeer } from '../workflow/peers.ts'
import { measure, type Figures } from '../workflow/three-steps.ts'

export interface AbsurdModule {
  readonly Absurd: new (options: object) => Absurd
}

interface Absurd {
  createQueue(name: string): Promise<void>
  registerTask(options: { name: string }, perform: (i: number, ctx: Context) => Promise<unknown>): void
  spawn(name: string, params: number): Promise<unknown>
  startWorker(options: object): Promise<{ close(): Promise<void> }>
  close(): Promise<void>
}

interface Context {
  step<T>(name: string, perform: () => Promise<T>): Promise<T>
}

// Its workflows take many times as long: fewer tell as much.
const part = 0.05
const queueName = 'bench'

/** `tables` is the file. */
export function absurdPeer({ Absurd }: AbsurdModule, tables: string, within: Within): WorkflowPeer {
  const measureOn = async (url: string): Promise<Figures> => {
    await ask(url, readFileSync(tables, 'utf8'))
    const absurd = new Absurd({ db: url, queueName })
    await absurd.createQueue(queueName)
    const ends = new Map<number, (result: number) => void>()
    absurd.registerTask({ name: 'three-steps' }, async (i, ctx) => {
      const a = await ctx.step('a', async () => ({ ok: true, i }))
      const b = await ctx.step('b', async () => ({ ok: true, i: a.i + 1 }))
      const c = await ctx.step('c', async () => ({ ok: true, i: b.i + 1 }))
      ends.get(i)?.(c.i)
      return c
    })
    const worker = await absurd.startWorker({ concurrency: 100, batchSize: 100, pollInterval: 0.25 })
    const figures = await measure(async (i) => {
      const ended = new Promise<number>((resolve) => ends.set(i, resolve))
      await absurd.spawn('three-steps', i)
      check('a result', await ended, i + 2)
    }, part)
    await worker.close()
    await absurd.close()
    return figures
  }
  return {
    who: 'absurd',
    measure: () => within(measureOn),
    note: 'absurd: each write is a transaction of its own; new tasks are looked for four times a second; its end is taken at the last line of the workflow',
  }
}
