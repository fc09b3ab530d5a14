// Random workflow programs: whatever crashes they meet, they end as they do without one, and have done the same.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Troupe } from '../../../src/index.ts'
import { compare, programOf } from '../../../src/testing/crash-everywhere.ts'
import {
  runTrial,
  type CrashPlace,
  type Program as ProgramOfTrial,
  type Trial,
} from '../../../src/testing/crash-trial.ts'
import { recordEffects } from '../../../src/testing/effects.ts'
import { asDefinition } from '../../../src/engine/definition/definition.ts'
import { plainIn } from '../../store/plain-text.ts'
import { changingKeys, ofOthers } from './keys.ts'
import { made, programs, said, type Program } from './program.ts'

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

/** Where the values of a program are stored: in memory, in a file as they are, or in one in which each is encrypted under another key than the one before. */
type Kept = 'memory' | 'open' | 'coded'

const kept = fc.constantFrom<Kept[]>('memory', 'memory', 'open', 'coded', 'coded')

// In all trials together.
let undone = 0
const readable = { memory: 0, open: 0, coded: 0 }
const stores = { memory: 0, open: 0, coded: 0 }

let folder = ''
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'troupe-programs-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function differences(program: Program, struck: readonly Strike[], how: Kept): Promise<string[]> {
  const effects = recordEffects()
  const { root, definitions, messages, history } = made(program, effects)
  const all = programOf(asDefinition(root), said, { definitions, messages, effects, patience: 50 })
  const faults: string[] = []
  const tried = async (crashes: readonly CrashPlace[]): Promise<Trial> => {
    history.clear()
    const trial = how === 'memory' ? await runTrial(all, crashes) : await onFile(all, crashes, how)
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

/** In a file of its own, which is then read by those who have none of its keys. */
async function onFile(all: ProgramOfTrial, crashes: readonly CrashPlace[], how: 'open' | 'coded'): Promise<Trial> {
  const path = join(folder, `${(stores[how] += 1)}-${how}.db`)
  const store = `sqlite:${path}`
  const troupe = how === 'coded' ? { ...all.troupe, codec: changingKeys() } : all.troupe
  const trial = await runTrial({ ...all, store, troupe }, crashes)
  await using outsider = await Troupe.open({ store, codec: ofOthers, global: false, logLevel: 'silent' })
  const runs = await outsider.runs({ limit: 1_000 })
  readable[how] += plainIn(path, [said]).length + runs.filter(({ input }) => input !== undefined).length
  return trial
}

it('end the same, whatever crashes they meet', { timeout: mostMs + 60_000 }, async () => {
  let tried = 0
  await fc.assert(
    fc.asyncProperty(programs, strikes, kept, async (program, struck, how) => {
      tried += 1
      expect(await differences(program, struck, how)).toEqual([])
    }),
    { numRuns: asked || 60, seed, interruptAfterTimeLimit: mostMs, endOnFailure: false },
  )
  expect(tried).toBeGreaterThan(0)
  // What never happens proves nothing.
  expect(undone).toBeGreaterThan(0)
  expect(Math.min(stores.open, stores.coded)).toBeGreaterThan(0)
  expect([readable.open > 0, readable.coded]).toEqual([true, 0])
})
