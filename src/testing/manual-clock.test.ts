import { describe, expect, it } from 'vitest'
import { ManualClock } from './manual-clock.ts'

describe('ManualClock', () => {
  it('stands still until it is moved', async () => {
    const clock = new ManualClock(1_000)
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0])
    await clock.advance(250)
    expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250])
  })

  it('fires timers in the order they are due, each at its own time', async () => {
    const clock = new ManualClock()
    const fired: string[] = []
    const note = (name: string) => () => void fired.push(`${name}@${clock.now()}`)
    clock.after(20, note('late'))
    clock.after(10, note('early'))
    clock.after(10, note('second'))
    await clock.advance(19)
    expect(fired).toEqual(['early@10', 'second@10'])
    await clock.advance(1)
    expect(fired).toEqual(['early@10', 'second@10', 'late@20'])
  })

  it('fires timers that are set while it moves', async () => {
    const clock = new ManualClock()
    const fired: number[] = []
    const again = (): void => {
      fired.push(clock.now())
      clock.after(10, again)
    }
    clock.after(10, again)
    await clock.advance(35)
    expect(fired).toEqual([10, 20, 30])
  })

  it('never fires a cancelled timer', async () => {
    const clock = new ManualClock()
    const fired: string[] = []
    const timer = clock.after(10, () => void fired.push('cancelled'))
    clock.after(10, () => void fired.push('kept'))
    timer.cancel()
    timer.cancel()
    expect(clock.armedTimers).toBe(1)
    await clock.advance(10)
    expect(fired).toEqual(['kept'])
  })

  it('lets promises settle between two timers', async () => {
    const clock = new ManualClock()
    const seen: string[] = []
    clock.after(10, () => void Promise.resolve().then(() => seen.push('promise')))
    clock.after(11, () => void seen.push('timer'))
    await clock.advance(11)
    expect(seen).toEqual(['promise', 'timer'])
  })

  it('never goes back, also when it is moved twice at once', async () => {
    const clock = new ManualClock()
    await Promise.all([clock.advance(10), clock.advance(5)])
    expect(clock.monotonic()).toBe(10)
    await expect(clock.advance(-3)).rejects.toThrow('Time cannot be moved by -3ms: give zero or more.')
    await expect(clock.advance(Number.NaN)).rejects.toThrow('NaNms')
  })
})
