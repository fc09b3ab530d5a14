// Races of all ends of a run, in pairs and in real processes; TROUPE_CRASH=full runs ten times as many.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { buildChild } from './children.ts'
import { runRaces, type Pair } from './races.ts'
import { campaignSeed, Random } from './random.ts'

const isFull = process.env['TROUPE_CRASH'] === 'full'
const rounds = isFull ? 20 : 2

const pairs: Pair[] = [
  ['cancel', 'complete'],
  ['cancel', 'timeout'],
  ['complete', 'timeout'],
  ['cancel', 'rescue'],
  ['complete', 'rescue'],
  ['timeout', 'rescue'],
]

test.each(pairs)(
  'I11: %s and %s at the same time leave a run one end, and each comes first now and then',
  { timeout: isFull ? 400_000 : 60_000 },
  async (...pair) => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-races-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const random = new Random(campaignSeed())
    const [store, ledger] = [join(folder, 'troupe.db'), join(folder, 'ledger.jsonl')]

    const { races, won, violations } = await runRaces({ build: buildChild(), store, ledger, random, pair, rounds })

    console.log(JSON.stringify({ what: pair.join(' × '), seed: random.seed, node: process.version, races, won }))
    expect(violations).toEqual([])
    for (const contender of pair) expect(won[contender] ?? 0).toBeGreaterThanOrEqual(races / 10)
    // A race that nobody ran proves nothing.
    expect(races).toBeGreaterThanOrEqual(rounds * 10)
  },
)
