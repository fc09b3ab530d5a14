import { describe, expect, it } from 'vitest'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import type { MailboxOptions } from './mailbox.ts'
import { ActorSystem } from './system.ts'

class Gated extends Actor {
  readonly seen: number[] = []
  readonly gate = deferred<void>()
  hold(): Promise<void> {
    return this.gate.promise
  }
  note(n: number): number {
    return this.seen.push(n)
  }
}

/** An actor that is busy, so that its mailbox fills. */
async function busyActor(mailbox: number | MailboxOptions | undefined, clock = new ManualClock()) {
  const system = new ActorSystem({ log: new RecordedLog(), clock })
  const actor = new Gated()
  const [ref, handle] = system.spawn(() => actor, mailbox === undefined ? {} : { mailbox })
  ref.tell('hold')
  await Promise.resolve()
  const reasons = () => system.deadLetters.recent.map(({ payload, operation, reason }) => [payload, operation, reason])
  return { system, actor, ref, handle, clock, reasons }
}

describe('a mailbox', () => {
  it('has room for 100 messages unless it is told otherwise', async () => {
    const { ref } = await busyActor(undefined)
    const told = Array.from({ length: 101 }, (_, n) => ref.tell('note', n))
    expect([told.filter(Boolean).length, told[99], told[100]]).toEqual([100, true, false])
  })

  it('refuses a capacity or an overflow that means nothing', () => {
    const system = new ActorSystem()
    expect(() => system.spawn(Gated, { mailbox: 0 })).toThrow(
      'The mailbox capacity is 0: give a whole number of 1 or more.',
    )
    expect(() => system.spawn(Gated, { mailbox: 1.5 })).toThrow(expect.objectContaining({ code: 'option_invalid' }))
    expect(() => system.spawn(Gated, { mailbox: { overflow: 'drop' as 'fail' } })).toThrow(
      expect.objectContaining({ code: 'option_invalid' }),
    )
    expect(system.metrics().actors).toBe(0)
  })

  it('with wait, makes send and ask wait for room and refuses a tell', async () => {
    const { ref, actor, reasons } = await busyActor(1)
    expect(ref.tell('note', 1)).toBe(true)
    expect(ref.tell('note', 2)).toBe(false)
    const sent = ref.send('note', 3)
    const asked = ref.ask('note', 4)
    expect(actor.seen).toEqual([])
    actor.gate.resolve()
    await sent
    expect(await asked).toBe(3)
    expect(actor.seen).toEqual([1, 3, 4])
    expect(reasons()).toEqual([[2, 'tell', 'overflow']])
  })

  it('with fail, turns what does not fit into a dead letter and says so', async () => {
    const { ref, reasons } = await busyActor({ capacity: 1, overflow: 'fail' })
    expect(ref.tell('note', 1)).toBe(true)
    expect(ref.tell('note', 2)).toBe(false)
    await expect(ref.send('note', 3)).rejects.toMatchObject({
      code: 'mailbox_full',
      details: { capacity: 1, message: 'note' },
    })
    await expect(ref.ask('note', 4)).rejects.toMatchObject({ code: 'mailbox_full' })
    expect(reasons()).toEqual([
      [2, 'tell', 'overflow'],
      [3, 'send', 'overflow'],
      [4, 'ask', 'overflow'],
    ])
  })

  it('with drop-newest, drops what comes', async () => {
    const { ref, handle, actor, reasons } = await busyActor({ capacity: 1, overflow: 'drop-newest' })
    expect(ref.tell('note', 1)).toBe(true)
    expect(ref.tell('note', 2)).toBe(false)
    expect(ref.send('note', 3)).toBe(undefined)
    await expect(ref.ask('note', 4)).rejects.toMatchObject({ code: 'message_discarded' })
    actor.gate.resolve()
    await handle.stop()
    expect(actor.seen).toEqual([1])
    expect(reasons()).toEqual([
      [2, 'tell', 'overflow'],
      [3, 'send', 'overflow'],
      [4, 'ask', 'overflow'],
    ])
  })

  it('with drop-oldest, loses nothing when whoever hears of the dropped one kills the actor', async () => {
    const { system, ref, handle, reasons } = await busyActor({ capacity: 1, overflow: 'drop-oldest' })
    system.deadLetters.onDeadLetter(({ reason }) => {
      if (reason === 'overflow') void handle.kill()
    })
    ref.tell('note', 1)
    ref.tell('note', 2)
    expect(reasons()).toEqual([
      [1, 'tell', 'overflow'],
      [undefined, 'tell', 'discarded'],
      [2, 'tell', 'discarded'],
    ])
  })

  it('answers a send that waits when whoever hears of those that gave up kills the actor', async () => {
    const { system, ref, handle, clock } = await busyActor(1)
    system.deadLetters.onDeadLetter(({ reason }) => {
      if (reason === 'timeout') void handle.kill()
    })
    ref.tell('note', 1)
    const asked = Array.from({ length: 64 }, () => ref.ask('note', 2, { timeout: 1 }))
    const settled = Promise.allSettled(asked)
    await clock.advance(10)
    await settled
    await expect(ref.send('note', 3)).rejects.toMatchObject({ code: 'actor_killed' })
  })

  it('with drop-oldest, drops what has waited longest', async () => {
    const { ref, handle, actor, reasons } = await busyActor({ capacity: 2, overflow: 'drop-oldest' })
    const first = ref.ask('note', 1)
    const rejected = expect(first).rejects.toMatchObject({ code: 'message_discarded' })
    expect([ref.tell('note', 2), ref.tell('note', 3), ref.send('note', 4)]).toEqual([true, true, undefined])
    await rejected
    actor.gate.resolve()
    await handle.stop()
    expect(actor.seen).toEqual([3, 4])
    expect(reasons()).toEqual([
      [1, 'ask', 'overflow'],
      [2, 'tell', 'overflow'],
    ])
  })

  it('rejects those that wait for room when the actor stops, and an ignored rejection harms nothing', async () => {
    const { ref, handle, actor, reasons } = await busyActor(1)
    ref.tell('note', 1)
    const sent = ref.send('note', 2)
    void ref.send('note', 3)
    const asked = ref.ask('note', 4)
    const outcomes = Promise.allSettled([sent, asked])
    const done = handle.stop()
    actor.gate.resolve()
    const codes = (await outcomes).map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'in',
    )
    expect(codes).toEqual(['actor_stopped', 'actor_stopped'])
    expect((await done).actor?.seen).toEqual([1])
    expect(reasons()).toEqual([
      [2, 'send', 'stopped'],
      [3, 'send', 'stopped'],
      [4, 'ask', 'stopped'],
    ])
  })

  it('forgets asks that gave up while they waited for room, instead of piling them up', async () => {
    const { ref, clock, system } = await busyActor(1)
    ref.tell('note', 0)
    const rounds = Array.from({ length: 5 }, (_, round) => round)
    for (const _ of rounds) {
      const asked = Array.from({ length: 64 }, (_, n) => ref.ask('note', n, { timeout: 10 }))
      const settled = Promise.allSettled(asked)
      await clock.advance(10)
      await settled
    }
    expect(system.deadLetters.count).toBe(64 * 4)
    expect(system.deadLetters.recent.every(({ reason }) => reason === 'timeout')).toBe(true)
  })
})
