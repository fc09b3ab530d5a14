// How long a run with a long journal takes from a message to the first line that it has not executed before.
import { workflow } from 'troupe'
import { check, quantiles, withFolder, type Quantiles } from '../measure.ts'
import { areParked, withTroupe } from './ours.ts'

const rounds = 15

/** Milliseconds from `tell` to the line behind `receive`, each on an engine opened anew: nothing of the run is in memory. */
export const resumeLatency = (steps: number): Promise<Quantiles> =>
  withFolder(async (folder) => {
    let activations = 0
    let executed = 0
    let arrive: (at: number | null) => void = () => {}
    const arrivalAt = (wanted: number): Promise<void> =>
      new Promise((resolve) => (arrive = (at) => (at === wanted ? resolve() : undefined)))
    const resumed = workflow('resumed', {}, async (ctx) => {
      activations += 1
      for (let i = 0; i < steps; i++) await ctx.step(`step-${i}`, () => ({ ok: true, i: executed++ }))
      for (let at: number | null = 0; ; at = await ctx.receive<number>('go')) arrive(at)
    })
    const id = await withTroupe(folder, [resumed], async (troupe) => {
      const [handle] = await Promise.all([troupe.call(resumed), arrivalAt(0)])
      return handle.id
    })
    const times: number[] = []
    for (let round = 1; round <= rounds; round++)
      await withTroupe(folder, [resumed], async (troupe) => {
        await areParked(troupe, 1)
        const toldAt = performance.now()
        await Promise.all([troupe.tell(id, 'go', round), arrivalAt(round)])
        times.push(performance.now() - toldAt)
      })
    check('activations', activations, rounds + 1)
    check('executed steps', executed, steps)
    return quantiles(times)
  })
