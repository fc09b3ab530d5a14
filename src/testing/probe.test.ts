import { describe, expect, it } from 'vitest'
import { Actor } from '../actor/actor.ts'
import { Message } from '../actor/message.ts'
import type { Recipient, Ref } from '../actor/ref.ts'
import { ActorSystem } from '../actor/system.ts'
import { probe } from './probe.ts'
import { RecordedLog } from './recorded-log.ts'
import { testSystem } from './test-system.ts'

class Parcel extends Message('Parcel')<{ weight: number }, boolean>() {}

class Depot extends Actor {
  Parcel(parcel: Parcel): boolean {
    return parcel.weight > 0
  }
  close(reason: string): string {
    return reason
  }
}

class Courier extends Actor {
  readonly #to: Ref<Depot>
  constructor(to: Ref<Depot>) {
    super()
    this.#to = to
  }
  async bring(weight: number): Promise<string> {
    return (await this.#to.ask(new Parcel({ weight }))) ? 'taken' : 'refused'
  }
  late(): void {
    this.ctx.after('5s', () => this.#to.tell('close', 'late'))
  }
}

describe('a probe', () => {
  it('takes any message and gives what came, oldest first of each name', async () => {
    const { system } = testSystem()
    const { ref, expect: expectMessage, received } = probe(system)
    ref.tell('add', 1)
    ref.tell('get')
    ref.tell('add', 2)
    expect([await expectMessage('get'), await expectMessage('add'), await expectMessage('add')]).toEqual([
      undefined,
      1,
      2,
    ])
    expect(received).toEqual([
      { name: 'add', payload: 1 },
      { name: 'get', payload: undefined },
      { name: 'add', payload: 2 },
    ])
  })

  it('stands in for an actor: typed, with replies', async () => {
    const { system } = testSystem()
    const depot = probe<Depot>(system, { name: 'depot' })
    const recipient: Recipient<Parcel> = depot.ref
    depot.reply(Parcel, ({ weight }) => weight < 10)
    const [courier] = system.spawn(() => new Courier(depot.ref))
    expect([await courier.ask('bring', 5), await courier.ask('bring', 50)]).toEqual(['taken', 'refused'])
    recipient.tell(new Parcel({ weight: 7 }))
    const weights = [await depot.expect(Parcel), await depot.expect(Parcel), await depot.expect(Parcel)]
    expect(weights.map(({ weight }) => weight)).toEqual([5, 50, 7])
    expect(String(system.lookup('depot'))).toBe('TestProbe(#1)')
  })

  it('answers with the newest reply, and hands on what it throws', async () => {
    const { system } = testSystem()
    const { ref, reply } = probe(system)
    expect(await ref.ask('get')).toBe(undefined)
    reply('get', (payload) => `first ${String(payload)}`)
    expect(await ref.ask('get', 1)).toBe('first 1')
    reply('get', () => {
      throw new Error('no')
    })
    await expect(ref.ask('get')).rejects.toThrow('no')
  })

  it('shows what came instead', async () => {
    const { system } = testSystem()
    const { ref, expect: expectMessage } = probe(system)
    await expect(expectMessage('done')).rejects.toMatchObject({
      code: 'ERR_ASSERTION',
      message: 'TestProbe(#1) expected the message done, but none came.',
    })
    ref.tell('get')
    ref.tell('add', { by: 2 })
    await expect(expectMessage('done', { timeout: '2s' })).rejects.toThrow(
      'TestProbe(#1) expected the message done within 2s, but there is get(), add({ by: 2 }).',
    )
    expect(await expectMessage('add')).toEqual({ by: 2 })
  })

  it('moves a manual clock on only as far as it takes', async () => {
    const { system, clock } = testSystem()
    const depot = probe<Depot>(system)
    const [courier] = system.spawn(() => new Courier(depot.ref))
    courier.tell('late')
    await expect(depot.expect('close')).rejects.toThrow('but none came')
    await expect(depot.expect('close', { timeout: '4s' })).rejects.toThrow('within 4s, but none came')
    expect(clock.now()).toBe(4000)
    expect(await depot.expect('close', { timeout: '10s' })).toBe('late')
    expect(clock.now()).toBe(5000)
  })

  it('expects nothing until there is something', async () => {
    const { system, clock } = testSystem()
    const depot = probe<Depot>(system)
    const [courier] = system.spawn(() => new Courier(depot.ref))
    courier.tell('late')
    await depot.expectNone({ timeout: '4s' })
    await expect(depot.expectNone({ timeout: '4s' })).rejects.toThrow(
      "TestProbe(#1) expected no message within 4s, but there is close('late').",
    )
    expect(clock.now()).toBe(5000)
    await depot.expect('close')
    await depot.expectNone()
  })

  it('waits on the clock of the machine, too', async () => {
    const system = new ActorSystem({ log: new RecordedLog() })
    const { ref, expect: expectMessage, expectNone } = probe(system)
    const both = [expectMessage('add', { timeout: '10s' }), expectMessage('add')]
    ref.tell('add', 1)
    ref.tell('add', 2)
    expect(await Promise.all(both)).toEqual([1, 2])
    await expectNone({ timeout: 1 })
    await expect(expectMessage('add', { timeout: 1 })).rejects.toThrow('expected the message add within 1ms')
    await system.stop()
  })
})
