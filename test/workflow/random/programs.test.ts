// Random workflow programs: whatever crashes they meet, they end as they do without one, and have done the same.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { compare, programOf } from '../../../src/testing/crash-everywhere.ts'
import { runTrial, type CrashPlace, type Trial } from '../../../src/testing/crash-trial.ts'
import { recordEffects } from '../../../src/testing/effects.ts'
import { asDefinition } from '../../../src/engine/definition.ts'
import { made, programs, type Program } from './program.ts'

// `TROUPE_PROGRAMS=1000` for a campaign, with another seed each time; `TROUPE_SEED` for one of before.
const asked = Number(process.env['TROUPE_PROGRAMS'] ?? 0)
const seed = Number(process.env['TROUPE_SEED'] ?? (asked > 0 ? process.pid * 7_919 : 1))
const mostMs = asked > 0 ? 3_600_000 : 12_000

interface Strike {
  /** How far into the life of the engine, of what the whole run takes. */
  readonly at: number
  readonly when: 'before' | 'after'
}

const strikes = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    when: fc.constantFrom('before' as const, 'after' as const),
  }),
  { minLength: 1, maxLength: 3 },
)

// In all trials together.
let undone = 0

async function differences(program: Program, struck: readonly Strike[]): Promise<string[]> {
  const effects = recordEffects()
  const { root, definitions, messages, history } = made(program, effects)
  const all = programOf(asDefinition(root), null, { definitions, messages, effects, patience: 50 })
  const faults: string[] = []
  const tried = async (crashes: readonly CrashPlace[]): Promise<Trial> => {
    history.clear()
    const trial = await runTrial(all, crashes)
    faults.push(...history.faults(trial.outcome), ...(crashes.length === 0 ? history.repeated : []))
    undone += history.size
    return trial
  }
  const calm = await tried([])
  const commits = calm.points.at(-1)?.commit ?? 1
  const crashes = struck.map(({ at, when }, life): CrashPlace => {
    return { commit: 1 + Math.floor((at * commits) / (life + 1)), when }
  })
  const differs = compare(calm, await tried([])).map((text) => `calm: ${text}`)
  const trial = await tried(crashes)
  differs.push(...faults)
  // Then time has passed that decides races.
  if (trial.hadSuspects) return [...differs, ...(trial.outcome.kind === 'stuck' ? [trial.outcome.error] : [])]
  return [...differs, ...compare(calm, trial), ...(calm.outcome.kind === 'stuck' ? [calm.outcome.error] : [])]
}

it('end the same, whatever crashes they meet', { timeout: mostMs + 60_000 }, async () => {
  let tried = 0
  await fc.assert(
    fc.asyncProperty(programs, strikes, async (program, struck) => {
      tried += 1
      expect(await differences(program, struck)).toEqual([])
    }),
    { numRuns: asked || 60, seed, interruptAfterTimeLimit: mostMs, endOnFailure: false },
  )
  expect(tried).toBeGreaterThan(0)
  // What never happens proves nothing.
  expect(undone).toBeGreaterThan(0)
})
