// onFailure: told of each run that failed, however it ended and whoever ended it, and of no other.
import { describe, expect, it } from 'vitest'
import type { RunFailure } from '../../src/engine/definition/definition.ts'
import { PermanentError, worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns, type Stage } from './stage.ts'

noUnhandledRejections()

const world = { leaseMs: 300 }

/** What was told, as text. */
function listening(): { readonly told: string[]; readonly onFailure: (failure: RunFailure) => void } {
  const told: string[] = []
  return {
    told,
    onFailure: ({ error, input, attempt }) =>
      void told.push(`${(error as { code?: string }).code ?? error.message} ${JSON.stringify(input)} ${attempt}`),
  }
}

const hangs = (): Promise<never> => new Promise(() => {})

/** Advances until it is told and then for longer, so that a second time would show. */
async function hear({ clock }: Stage, told: readonly string[]): Promise<readonly string[]> {
  for (let step = 0; told.length === 0 && step < 200; step++) await clock.advance(100)
  await clock.advance(3_000)
  return told
}

describe('onFailure is told once of a run that ends', () => {
  it('by the error of its last attempt, after its clean-ups', async () => {
    const { told, onFailure } = listening()
    const job = worker(
      'job',
      { retry: { attempts: 2, base: 1, jitter: 0 }, onFailure },
      (ctx, order: { id: number }) => {
        ctx.defer(() => told.push('clean'))
        throw new Error(`failed ${order.id}`)
      },
    )
    const stage = await onStage({ definitions: [job] })
    const { message } = await rejection(moving(stage.clock, stage.troupe.run(job, { id: 7 })))
    expect(message).toBe('failed 7')
    expect(await hear(stage, told)).toEqual(['clean', 'clean', 'failed 7 {"id":7} 2'])
  })

  it('by the time limit of its attempt', async () => {
    const { told, onFailure } = listening()
    const job = worker('job', { timeout: 50, onFailure }, hangs)
    const stage = await onStage({ definitions: [job] })
    await stage.troupe.call('job', 1)
    expect(await hear(stage, told)).toEqual(['timed_out 1 1'])
  })

  it('by the time limit of its call, while it runs', async () => {
    const { told, onFailure } = listening()
    const job = worker('job', { onFailure }, hangs)
    const stage = await onStage({ definitions: [job] })
    await stage.troupe.call('job', 1, { timeout: '2s' })
    expect(await hear(stage, told)).toEqual(['timed_out 1 1'])
  })

  it('by the time limit of its call, while it sleeps', async () => {
    const { told, onFailure } = listening()
    const flow = workflow('flow', { onFailure }, (ctx) => ctx.sleep('1h'))
    const stage = await onStage({ definitions: [flow] })
    await stage.troupe.call('flow', 1, { timeout: '9s' })
    expect(await hear(stage, told)).toEqual(['timed_out 1 1'])
  })

  it('by not being begun in time', async () => {
    const { told, onFailure } = listening()
    const job = worker('job', { onFailure }, hangs)
    const stage = await onStage({ definitions: [job], pools: { task: { min: 1, max: 1 } } })
    await stage.troupe.call('job', 1)
    await stage.troupe.call('job', 2, { expires: '1s' })
    expect(await hear(stage, told)).toEqual(['expired 2 1'])
  })

  it('by what came for its token from outside', async () => {
    const { told, onFailure } = listening()
    const token = deferred<string>()
    const job = worker('job', { onFailure }, async (ctx) => token.resolve(await ctx.later()))
    const stage = await onStage({ definitions: [job] })
    await stage.troupe.call('job', 1)
    await stage.troupe.fail(await token.promise, new PermanentError('refused'))
    expect(await hear(stage, told)).toEqual(['permanent 1 1'])
  })

  it('with the deaths of its processes', async () => {
    const store = storeFile()
    const { told, onFailure } = listening()
    let begun = 0
    const job = worker('job', { onFailure }, () => ((begun += 1), hangs()))
    const mine = { store, definitions: [job], world: { ...world, maxDeliveries: 1 } }
    const one = await onStage(mine)
    await one.troupe.call('job', 1)
    await eventually(() => begun === 1)
    await turns()
    const two = await onStage({ ...mine, clock: new ManualClock(2_000) })
    expect(await hear(two, told)).toEqual(['run_lost 1 1'])
  })

  it('without having been stored', async () => {
    const { told, onFailure } = listening()
    const job = worker('job', { durable: false, onFailure }, (_, n: number) => {
      if (n === 1) throw new Error('boom')
      return hangs()
    })
    const stage = await onStage({ definitions: [job] })
    await stage.troupe.call('job', 1)
    await stage.troupe.call(job, 2, { timeout: '1s' })
    expect(await hear(stage, told)).toEqual(['boom 1 1', 'timed_out 2 1'])
  })

  it('and again when a person tried it again in vain', async () => {
    const { told, onFailure } = listening()
    const job = worker('job', { onFailure }, () => {
      throw new Error('boom')
    })
    const stage = await onStage({ definitions: [job] })
    const handle = await stage.troupe.call('job', 1)
    await rejection(handle.result())
    await eventually(() => told.length === 1)
    await handle.retry()
    await eventually(() => told.length === 2)
    expect(await hear(stage, told)).toEqual(['boom 1 1', 'boom 1 1'])
  })
})

describe('onFailure', () => {
  it('is not told of runs that succeed or are cancelled', async () => {
    const { told, onFailure } = listening()
    const job = worker('job', { onFailure }, (_, n: number) => (n === 1 ? 'done' : hangs()))
    const stage = await onStage({ definitions: [job] })
    await stage.troupe.run(job, 1)
    const { id } = await stage.troupe.call(job, 2)
    await stage.troupe.cancel(id)
    expect(await hear(stage, told)).toEqual([])
  })

  it('that throws, or takes too long, is logged as what it is, and the end of the run stays', async () => {
    const job = worker(
      'job',
      { onFailure: ({ input }) => (input === 1 ? Promise.reject(new Error('no phone')) : hangs()) },
      () => {
        throw new Error('boom')
      },
    )
    const stage = await onStage({ definitions: [job] })
    const handles = [await stage.troupe.call('job', 1), await stage.troupe.call('job', 2)]
    for (const handle of handles) await rejection(handle.result())
    await stage.clock.advance(31_000)
    const lines = stage.log.lines.filter(({ message }) => message.startsWith('onFailure'))
    expect(lines.map(({ message, fields }) => [message, fields['run']])).toEqual([
      ["onFailure of 'job' failed: no phone", handles[0]?.id],
      ["onFailure of 'job' did not end within 30s", handles[1]?.id],
    ])
    const { state, error } = await handles[0]!.status()
    expect([state, error?.message, (error as { errors?: unknown })?.errors]).toEqual(['failed', 'boom', undefined])
  })

  it('is called by a process that has it when the one that ended the run has not', async () => {
    const store = storeFile()
    const { told, onFailure } = listening()
    const job = worker('job', { onFailure }, hangs)
    const producer = await onStage({ store, definitions: [job], starts: false })
    await producer.troupe.call('job', 1, { expires: '1s' })
    const stranger = await onStage({ store, clock: new ManualClock(3_000) })
    await stranger.clock.advance(2_000)
    expect(told).toEqual([])
    const server = await onStage({ store, definitions: [job], clock: new ManualClock(5_000) })
    expect(await hear(server, told)).toEqual(['expired 1 1'])
  })

  it('is called again when its process died before it ended, and given up after the third', async () => {
    const store = storeFile()
    let begun = 0
    const job = worker('job', { onFailure: () => ((begun += 1), hangs()) }, () => {
      throw new Error('boom')
    })
    const first = await onStage({ store, definitions: [job], world })
    const { id } = await first.troupe.call('job', 1)
    await eventually(() => begun === 1)
    await turns()
    // Each finds the one before dead, as its lease has ended.
    for (const at of [2_000, 4_000]) {
      const was = begun
      await onStage({ store, definitions: [job], clock: new ManualClock(at), world })
      await eventually(() => begun === was + 1)
    }
    const last = await onStage({ store, definitions: [job], clock: new ManualClock(6_000), world })
    const text = "onFailure of 'job' is given up: 3 processes died while they ran it"
    await eventually(() => last.log.lines.some(({ message, fields }) => message === text && fields['run'] === id))
    expect(begun).toBe(3)
  })

  it('is waited for by an engine that stops', async () => {
    const { told, onFailure } = listening()
    const job = worker('job', { onFailure: async (failure) => (await turns(5), onFailure(failure)) }, () => {
      throw new Error('boom')
    })
    const stage = await onStage({ definitions: [job] })
    await rejection(stage.troupe.run('job', 1))
    await stage.stop(1_000)
    expect(told).toEqual(['boom 1 1'])
  })
})
