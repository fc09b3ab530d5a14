import { describe, expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordedLog } from '../testing/recorded-log.ts'
import { DeadLetterBox } from './dead-letters.ts'
import { Envelope } from './envelope.ts'
import { Observer } from './observation.ts'
import { ActorSystem } from './system.ts'

describe('an observer', () => {
  it('looks at each message while a system of the process is inspected, and at one in 256 before and after', async () => {
    const [clock, log] = [new ManualClock(), new RecordedLog()]
    const observer = new Observer({ clock, log, deadLetters: new DeadLetterBox(clock, log), tracing: undefined })
    const system = new ActorSystem({ clock, log })
    const untilNext = (): number => observer.observe(new Envelope('add', 1, 'tell'), 'Counter(#1)')
    const seen = [untilNext()]
    const leave = system.inspect(() => undefined)
    const other = system.inspect(() => undefined)
    seen.push(untilNext())
    leave()
    seen.push(untilNext())
    other()
    seen.push(untilNext())
    system.inspect(() => undefined)
    seen.push(untilNext())
    await system.stop()
    seen.push(untilNext())
    expect(seen).toEqual([256, 1, 1, 256, 1, 256])
  })
})
