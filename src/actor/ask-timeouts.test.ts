import { describe, expect, it } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { deferred } from '../lib/deferred.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { Actor } from './actor.ts'
import { ActorSystem } from './system.ts'

class Silent extends Actor {
  readonly handled: string[] = []
  readonly gate = deferred<void>()
  async hold(): Promise<string> {
    await this.gate.promise
    this.handled.push('hold')
    return 'late'
  }
  note(name: string): void {
    this.handled.push(name)
  }
}

/** Counts the timers that are armed. */
class CountingClock extends ManualClock implements Clock {
  armed = 0
  override after(delayMs: number, fn: () => void): Timer {
    this.armed++
    return super.after(delayMs, fn)
  }
}

function silentActor(options: { askTimeout?: string } = {}) {
  const clock = new CountingClock()
  const system = new ActorSystem({ clock, log: new RecordedLog(), ...options })
  const actor = new Silent()
  const [ref, handle] = system.spawn(() => actor)
  return { clock, system, actor, ref, handle }
}

function outcomeOf(promise: Promise<unknown>): { code: string } {
  const outcome = { code: 'pending' }
  promise.then(
    () => (outcome.code = 'answered'),
    (error: unknown) => (outcome.code = (error as { code: string }).code),
  )
  return outcome
}

describe('an ask', () => {
  it('is rejected after 30 s by default, and not before', async () => {
    const { clock, ref } = silentActor()
    const outcome = outcomeOf(ref.ask('hold'))
    await clock.advance(29_999)
    expect(outcome.code).toBe('pending')
    await clock.advance(1)
    expect(outcome.code).toBe('ask_timeout')
  })

  it('says whom and what it waited for', async () => {
    const { clock, ref } = silentActor()
    const rejected = expect(ref.ask('hold', undefined, { timeout: '1.5s' })).rejects.toMatchObject({
      code: 'ask_timeout',
      message:
        'Silent(#1) did not answer hold within 1.5s; it may still have handled it. Make the message harmless to repeat, or give a longer timeout.',
      details: { actor: 'Silent(#1)', message: 'hold', timeoutMs: 1500 },
      retryable: true,
    })
    await clock.advance(1500)
    await rejected
  })

  it('takes its timeout from the system or from the call, whichever is nearer', async () => {
    const { clock, ref } = silentActor({ askTimeout: '2s' })
    const outcomes = [
      ref.ask('hold'),
      ref.ask('note', 'a', { timeout: '1s' }),
      ref.ask('note', 'b', { timeout: 10 }),
      ref.ask('note', 'c', { timeout: '3s' }),
    ].map(outcomeOf)
    const codes = () => outcomes.map(({ code }) => code)
    await clock.advance(10)
    expect(codes()).toEqual(['pending', 'pending', 'ask_timeout', 'pending'])
    await clock.advance(990)
    expect(codes()).toEqual(['pending', 'ask_timeout', 'ask_timeout', 'pending'])
    await clock.advance(1000)
    expect(codes()).toEqual(['ask_timeout', 'ask_timeout', 'ask_timeout', 'pending'])
  })

  it('that gave up never harms the actor: the late reply is ignored', async () => {
    const { clock, ref, actor, system } = silentActor()
    const outcome = outcomeOf(ref.ask('hold', undefined, { timeout: 10 }))
    await clock.advance(10)
    expect(outcome.code).toBe('ask_timeout')
    actor.gate.resolve()
    await ref.ask('note', 'after')
    expect(actor.handled).toEqual(['hold', 'after'])
    expect([outcome.code, system.deadLetters.count]).toEqual(['ask_timeout', 0])
  })

  it('that gave up while still in the mailbox is not handled but a dead letter', async () => {
    const { clock, ref, actor, system } = silentActor()
    ref.tell('hold')
    const outcome = outcomeOf(ref.ask('note', 'unheard', { timeout: 10 }))
    await clock.advance(10)
    actor.gate.resolve()
    await ref.ask('note', 'heard')
    expect(outcome.code).toBe('ask_timeout')
    expect(actor.handled).toEqual(['hold', 'heard'])
    expect(system.deadLetters.recent).toEqual([
      { actor: 'Silent(#1)', message: 'note', payload: 'unheard', operation: 'ask', reason: 'timeout', at: 10 },
    ])
  })

  it('refuses a timeout that is no duration', () => {
    const { ref } = silentActor()
    expect(() => ref.ask('hold', undefined, { timeout: 'soon' })).toThrow(
      expect.objectContaining({ code: 'option_invalid' }),
    )
  })

  it('arms no timer of its own, and none is left once all are answered', async () => {
    const { clock, ref } = silentActor()
    for (let n = 0; n < 1000; n++) await ref.ask('note', 'x')
    expect(clock.armed).toBe(1)
    await clock.advance(60_000)
    expect(clock.armed).toBe(1)
  })

  it('to an actor that has ended is rejected with how it ended', async () => {
    const { ref, handle, system } = silentActor()
    await handle.stop()
    await expect(ref.ask('note', 'x')).rejects.toMatchObject({ code: 'actor_stopped' })
    const [other, otherHandle] = system.spawn(Silent)
    await otherHandle.kill()
    await expect(other.ask('note', 'x')).rejects.toMatchObject({ code: 'actor_killed' })
  })

  it('fires on the real clock too', async () => {
    const [ref] = new ActorSystem({ clock: systemClock, log: new RecordedLog() }).spawn(Silent)
    await expect(ref.ask('hold', undefined, { timeout: 5 })).rejects.toMatchObject({ code: 'ask_timeout' })
  })
})
