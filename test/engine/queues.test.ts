// Queues that are paused and resumed, what is in them, and why runs wait.
import { describe, expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const mail = worker('mail', { queue: 'mail' }, (_ctx, n: number) => n)
const queues = ['default', 'mail']

describe('a paused queue', () => {
  it('starts nothing until it is resumed, and then all of it', async () => {
    const { troupe } = await onStage({ definitions: [mail], queues })
    expect(await troupe.pause('mail')).toBe(true)
    expect(await troupe.pause('mail')).toBe(false)
    const handles = await Promise.all([1, 2, 3].map((n) => troupe.call(mail, n)))
    await turns()
    expect((await troupe.runs()).map(({ state, reason }) => [state, reason?.kind])).toEqual(
      [1, 2, 3].map(() => ['ready', 'queue_paused']),
    )
    expect(await troupe.resume('mail')).toBe(true)
    expect(await troupe.resume('mail')).toBe(false)
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([1, 2, 3])
  })

  it('lets what runs go on, and the other queues too', async () => {
    const gate = deferred<void>()
    const slow = worker('slow', { queue: 'mail' }, () => gate.promise)
    const other = worker('other', {}, () => 'done')
    const { troupe } = await onStage({ definitions: [slow, other], queues })
    const handle = await troupe.call(slow)
    await eventually(async () => (await troupe.running()).length === 1)
    await troupe.pause('mail')
    gate.resolve()
    expect(await handle.result()).toBe(undefined)
    expect(await troupe.run(other)).toBe('done')
  })

  it('is paused on every node of the file, and after all of them have stopped', async () => {
    const store = storeFile()
    const first = await onStage({ store, definitions: [mail], queues })
    const second = await onStage({ store, definitions: [mail], queues, node: 'second' })
    await first.troupe.pause('mail')
    const { id } = await second.troupe.call(mail, 1)
    await first.stop()
    await second.stop()
    const third = await onStage({ store, definitions: [mail], queues, node: 'third' })
    await turns()
    expect((await third.troupe.get(id))?.reason).toMatchObject({ kind: 'queue_paused', queue: 'mail' })
    await third.troupe.resume('mail')
    expect(await (await third.troupe.handle(id)).result()).toBe(1)
  })

  it('that another node resumes goes on here', async () => {
    const store = storeFile()
    const node = await onStage({ store, definitions: [mail], queues })
    const client = await onStage({ store, starts: false, node: 'client' })
    await client.troupe.pause('mail')
    const handle = await node.troupe.call(mail, 7)
    await client.troupe.resume('mail')
    await node.clock.advance(100)
    expect(await handle.result()).toBe(7)
  })

  it('refuses what is no name', async () => {
    const { troupe } = await onStage()
    expect(await rejection(troupe.pause(''))).toMatchObject({ code: 'option_invalid' })
    expect(await rejection(troupe.resume(7 as never))).toMatchObject({ code: 'option_invalid' })
  })

  it('refuses a queue that nobody has, with the nearest there is, and makes none', async () => {
    const { troupe } = await onStage({ definitions: [mail], starts: false })
    for (const refused of [troupe.pause('defalt'), troupe.resume('defalt')])
      expect(await rejection(refused)).toMatchObject({
        code: 'option_invalid',
        message:
          "The queue 'defalt' is not known. Did you mean 'default'? Known are default, mail. A queue is known once a process that serves it has opened this store, or a run was started in it: to pause one before, name it in Troupe.open({ queues }).",
      })
    expect((await troupe.queues()).map(({ name }) => name)).toEqual(['default'])
    // That a definition names it is enough, before any node serves it.
    expect(await troupe.pause('mail')).toBe(true)
    expect(await troupe.audit()).toMatchObject([{ action: 'pause queue', target: 'mail' }])
  })
})

describe('queues()', () => {
  it('lists what is in each and who serves it', async () => {
    const { troupe, clock } = await onStage({ definitions: [mail], queues: ['default'] })
    await clock.advance(500)
    await troupe.call(mail, 1)
    await troupe.call(mail, 2, { delay: '1h' })
    await troupe.pause('mail')
    const none = { ready: 0, running: 0, lost: 0, scheduled: 0, parked: 0 }
    expect(await troupe.queues()).toEqual([
      { name: 'default', ...none, oldestReadyAt: undefined, pausedAt: undefined, nodes: 1 },
      { name: 'mail', ...none, ready: 1, scheduled: 1, oldestReadyAt: 1_500, pausedAt: 1_500, nodes: 0 },
    ])
  })
})

describe('why a run waits', () => {
  it('a client is told that there is no node, no node for its queue, or none that knows it', async () => {
    const store = storeFile()
    const job = worker('job', { version: '2' }, () => 1)
    const client = await onStage({ store, definitions: [mail, job], starts: false })
    const [ofMail, ofJob] = [await client.troupe.call(mail, 1), await client.troupe.call(job)]
    const reasons = async () => [(await ofMail.status()).reason, (await ofJob.status()).reason]
    const none = { kind: 'not_served', missing: 'node' }
    expect(await reasons()).toMatchObject([none, none])
    const node = await onStage({ store, node: 'second' })
    expect(await reasons()).toEqual([
      { kind: 'not_served', missing: 'queue', queue: 'mail', name: 'mail', version: '1' },
      { kind: 'not_served', missing: 'definition', queue: 'default', name: 'job', version: '2' },
    ])
    await node.troupe.register(job)
    expect(await (await node.troupe.handle(ofJob.id)).result()).toBe(1)
    expect((await ofJob.status()).reason).toBe(undefined)
  })

  it('a run in front of a busy pool waits for an actor, one that is not stored for its time', async () => {
    const gate = deferred<void>()
    const slow = worker('slow', {}, () => gate.promise)
    const local = worker('local', { durable: false }, () => 1)
    const { troupe } = await onStage({ definitions: [slow, local], pools: { task: { min: 1, max: 1 } } })
    const [first, second] = [await troupe.call(slow), await troupe.call(slow)]
    expect([(await first.status()).reason, (await second.status()).reason]).toEqual([undefined, { kind: 'actor' }])
    const later = await troupe.call(local, undefined, { delay: '5s' })
    expect((await later.status()).reason).toEqual({ kind: 'timer', until: 6_000 })
    gate.resolve()
    await second.result()
  })
})
