import { describe, expect, it } from 'vitest'
import { systemClock } from '../lib/clock.ts'
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

function silentActor(options: { askTimeout?: string } = {}) {
  const clock = new ManualClock()
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

  it('arms no timer when it is answered at once, and shares one with others when not', async () => {
    const { clock, ref } = silentActor()
    for (let n = 0; n < 1000; n++) await ref.ask('note', 'x', { timeout: 1000 + n })
    await clock.advance(0)
    expect(clock.armedTimers).toBe(0)
    const asks = [1, 2, 3].map((seconds) =>
      ref.ask('hold', undefined, { timeout: seconds * 1000 }).catch(() => 'gave up'),
    )
    await clock.advance(0)
    expect(clock.armedTimers).toBe(1)
    await clock.advance(3000)
    expect(await Promise.all(asks)).toEqual(['gave up', 'gave up', 'gave up'])
    expect(clock.armedTimers).toBe(0)
  })

  it('made after the loop was blocked still has its whole time', async () => {
    const { clock, ref } = silentActor()
    const gaveUpAtMs = async (timeout: number) => {
      await ref.ask('hold', undefined, { timeout }).catch(() => undefined)
      return clock.monotonic()
    }
    const early = gaveUpAtMs(100)
    await clock.advance(70)
    const late = gaveUpAtMs(100)
    await clock.advance(200)
    expect([await early, await late]).toEqual([100, 170])
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
