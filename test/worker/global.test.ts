// WORKER: the engine of the process.
import { describe, expect, it } from 'vitest'
import { Troupe, worker, WORKER } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection } from '../engine/stage.ts'
import { workersFolder } from './folder.ts'

noUnhandledRejections()

const double = worker('double', {}, (_ctx, n: number) => n * 2)

describe('WORKER', () => {
  it('has the verbs of the engine that was opened first', async () => {
    const gate = deferred<void>()
    const { troupe, clock } = await onStage({ definitions: [double] })
    const wait = await WORKER.register('wait', () => gate.promise)
    await WORKER.register(worker('bare', {}, () => 'bare'))
    expect(await WORKER.run(double, 2)).toBe(4)
    expect(await WORKER.run('bare')).toBe('bare')
    const handle = await WORKER.call(wait)
    expect([WORKER.definitions(), await WORKER.running(), await WORKER.runningFor('wait')]).toEqual([
      ['bare', 'double', 'wait'],
      [handle.id],
      [handle.id],
    ])
    expect(await WORKER.runningFor('double')).toEqual([])
    expect(await WORKER.cancel(handle.id, 'enough')).toBe(true)
    expect(await WORKER.stats('wait')).toMatchObject({ runs: 1, cancelled: 1 })
    expect(await troupe.stats('wait')).toEqual(await WORKER.stats('wait'))
    await moving(clock, WORKER.shutdown())
    expect(await rejection(troupe.run(double, 1))).toMatchObject({ code: 'engine_stopped' })
  })

  it('is bound before discovery, so that files may use it as they are loaded', async () => {
    const folder = workersFolder({
      'global.ts':
        "import { WORKER } from 'troupe'\nawait WORKER.register('global', (ctx) => ctx.workerName)\nexport const names = WORKER.definitions()\n",
    })
    const { troupe } = await onStage({ workers: folder })
    expect(await troupe.run('global')).toBe('global')
    expect((await rejection(troupe.run('other'))).message).toContain('and loaded 1 file. Export')
  })

  it('refuses every verb before an engine is opened', async () => {
    const refused = { code: 'worker_manager_not_initialised' }
    expect(() => WORKER.definitions()).toThrow(expect.objectContaining(refused))
    for (const early of [
      WORKER.register('x', () => 1),
      WORKER.call('x'),
      WORKER.run('x'),
      WORKER.cancel('x'),
      WORKER.running(),
      WORKER.runningFor('x'),
      WORKER.stats('x'),
      WORKER.shutdown(),
    ]) {
      expect(await rejection(early)).toMatchObject(refused)
    }
  })

  it('stays with the first engine, and is free again when that has stopped', async () => {
    const one = await onStage({ definitions: [worker('one', {}, () => 1)] })
    const two = await onStage({ definitions: [worker('two', {}, () => 2)] })
    expect(WORKER.definitions()).toEqual(['one'])
    await two.stop()
    expect(WORKER.definitions()).toEqual(['one'])
    await one.stop()
    expect(() => WORKER.definitions()).toThrow('Worker manager not initialised')
    await onStage({ definitions: [worker('three', {}, () => 3)] })
    expect(WORKER.definitions()).toEqual(['three'])
  })

  it('leaves an engine alone that was opened with { global: false }', async () => {
    await onStage({ global: false })
    expect(() => WORKER.definitions()).toThrow('Worker manager not initialised')
    await expect(Troupe.open({ global: 'no' as never })).rejects.toMatchObject({
      code: 'option_invalid',
      message: 'global is "no": expected true or false.',
    })
  })

  it('is free again when the engine that had it could not be opened', async () => {
    await expect(onStage({ workers: './no-such-folder' })).rejects.toMatchObject({ code: 'file_not_loaded' })
    await onStage({ definitions: [double] })
    expect(WORKER.definitions()).toEqual(['double'])
  })

  it('says that its engine is stopping, until it has stopped', async () => {
    const gate = deferred<void>()
    let calls = 0
    const job = worker('job', {}, () => (calls++, gate.promise))
    const { troupe, clock } = await onStage({ definitions: [job] })
    await troupe.call(job)
    await eventually(() => calls === 1)
    const stopped = troupe.stop({ within: '1h' })
    expect(await rejection(WORKER.run('job'))).toMatchObject({ code: 'engine_stopped' })
    gate.resolve()
    await moving(clock, stopped)
    expect(await rejection(WORKER.run('job'))).toMatchObject({ code: 'worker_manager_not_initialised' })
  })
})
