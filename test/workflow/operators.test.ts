// People who step in at the same time, from several processes: each is obeyed whole or refused whole, and the run comes to one end.
import { expect, it } from 'vitest'
import { isTroupeError, workflow, type ValueCodec } from '../../src/index.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

const refusals = ['resolve_refused', 'step_not_found', 'retry_refused', 'resume_refused']

it('I1, I11: what several people do to a run at once is done whole or refused whole, and kept only when it was done', async () => {
  const order = workflow('order', {}, async (ctx) => {
    const receipt = await ctx.step(
      'charge',
      (): string => {
        throw new Error('the bank is closed')
      },
      { retry: { attempts: 2, base: '1h' } },
    )
    return `shipped, ${receipt}`
  })
  const store = storeFile()
  const { troupe, clock } = await onStage({ store, definitions: [order] })
  const others = await Promise.all(['ann', 'bob'].map((node) => onStage({ store, starts: false, node, clock })))
  const [ann, bob] = others.map((other) => other.troupe)
  if (ann === undefined || bob === undefined) throw new Error('Two people are needed')
  for (let round = 0; round < 7; round += 1) {
    const { id } = await troupe.call(order)
    await eventually(async () => (await troupe.get(id))?.state === 'parked')
    const acts: [action: string, act: () => Promise<unknown>][] = [
      ['resolve', () => ann.resolve(id, 'charge', { output: 'by ann', by: 'ann' })],
      ['resolve', () => bob.resolve(id, 'charge', { output: 'by bob', by: 'bob' })],
      ['fork', () => ann.fork(id, { from: 'charge', idempotencyKey: 'one', by: 'ann' })],
      ['fork', () => bob.fork(id, { idempotencyKey: 'one', by: 'bob' })],
      ['cancel', () => bob.cancel(id, { reason: 'no need', by: 'bob' })],
      ['retry', () => ann.retry(id, { by: 'ann' })],
      ['resume', () => bob.resumeRun(id, { by: 'bob' })],
    ]
    const turned = [...acts.slice(round), ...acts.slice(0, round)]
    const told = await moving(clock, Promise.allSettled(turned.map(([, act]) => act())))
    const refused = told.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    expect(refused.filter((error) => !isTroupeError(error) || !refusals.includes(error.code))).toEqual([])
    const forks = (await troupe.runs({ limit: 500 })).filter(({ forkedFrom }) => forkedFrom === id)
    expect(forks).toHaveLength(1)
    const entries = (await troupe.audit({ limit: 500 })).filter(({ target }) => target === id)
    const done = turned.filter((_, place) => told[place]?.status === 'fulfilled').map(([action]) => action)
    // Both who forked have the same fork.
    done.splice(done.indexOf('fork'), 1)
    expect(entries.map(({ action }) => action).toSorted()).toEqual(done.toSorted())
    for (const run of [id, ...forks.map((fork) => fork.id)]) {
      const paths = (await troupe.steps(run)).map(({ path }) => path)
      expect(paths.length).toBe(new Set(paths).size)
      await troupe.cancel(run)
      expect(['succeeded', 'cancelled']).toContain((await troupe.get(run))?.state)
    }
    const status = await troupe.get(id)
    if (status?.state === 'succeeded') expect(status.output).toMatch(/^shipped, by (ann|bob)$/)
  }
})

it('what a codec cannot write is refused, and leaves the run, its steps and what is kept of people as they were', async () => {
  const fussy: ValueCodec = {
    name: 'fussy',
    encode: (bytes) => {
      if (Buffer.from(bytes).includes('unspeakable')) throw new Error('cannot be written')
      return { bytes: Uint8Array.from(bytes) }
    },
    decode: ({ bytes }) => bytes,
  }
  const order = workflow('order', {}, (ctx, item: string) =>
    ctx.step(
      'charge',
      (): string => {
        throw new Error(`no money for ${item}`)
      },
      { retry: { attempts: 2, base: '1h' } },
    ),
  )
  const { troupe } = await onStage({ definitions: [order], codec: fussy })
  const handle = await troupe.call(order, 'book')
  await eventually(async () => (await handle.status()).state === 'parked')
  const before = await handle.status()
  const asked = [
    handle.resolve('charge', { output: 'unspeakable' }),
    handle.resolve('charge', { error: new Error('unspeakable') }),
    handle.fork({ input: 'unspeakable', idempotencyKey: 'one' }),
    handle.cancel('unspeakable'),
  ]
  for (const refused of asked) expect((await rejection(refused)).message).toContain('written')
  expect(await handle.status()).toEqual(before)
  expect([await troupe.steps(handle.id), await troupe.audit(), (await troupe.runs()).length]).toEqual([[], [], 1])
  const fork = await handle.fork({ input: 'pen', idempotencyKey: 'one' })
  await handle.resolve('charge', { output: 'receipt' })
  expect(await handle.result()).toBe('receipt')
  expect((await fork.status()).input).toBe('pen')
})
