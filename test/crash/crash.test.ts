// Kills real processes at random points and accounts for every value; TROUPE_CRASH=full kills 200 times.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { runCampaign, type CampaignAccount } from './campaign.ts'
import { buildChild } from './children.ts'
import { campaignSeed, Random } from './random.ts'

const isFull = process.env['TROUPE_CRASH'] === 'full'
const kills = isFull ? 200 : 25
const limitMs = isFull ? 480_000 : 120_000
const figuresFile = fileURLToPath(new URL('figures.jsonl', import.meta.url))

const journal = 'epoch === 0 ? nothingYet : journalOf(db, held)'

test(
  `I1, I2, I3, I5: ${kills} kills lose, repeat and change nothing that was acknowledged`,
  { timeout: limitMs },
  async () => {
    const { random, report } = await killed(buildChild(), kills)
    tell('kills', random.seed, report)
    if (isFull) appendFileSync(figuresFile, lineOf('kills', random.seed, report))
    expect(report.violations).toEqual([])
    expect(report.kills).toBe(kills)
    // A fault that never fires proves nothing.
    expect(Object.values(report.figures.fired).reduce((sum, fired) => sum + fired, 0)).toBeGreaterThanOrEqual(kills / 5)
    expect(report.figures.inFlight).toBeGreaterThan(0)
    expect(report.figures.executedAgain).toBeLessThanOrEqual(report.figures.inFlight)
    // What a lease costs that ran out on a busy machine is no matter of kills.
    expect(report.figures.againByKills).toBeLessThanOrEqual(report.figures.steps * 0.05)
  },
)

test('I1, I2: the same kills find the violation when a copy forgets its journal', { timeout: 120_000 }, async () => {
  const build = buildChild()
  const claims = join(build, 'src', 'store', 'sqlite', 'claims.js')
  const source = readFileSync(claims, 'utf8')
  expect(source.split(journal)).toHaveLength(2)
  writeFileSync(claims, source.replace(journal, 'nothingYet'))
  const { random, report } = await killed(build, 12)
  tell('kills without the journal', random.seed, report)
  expect(report.violations).toContainEqual(
    expect.stringMatching(/^I2: (the acknowledged value|.* was executed again after it had been acknowledged)/),
  )
})

async function killed(build: string, count: number): Promise<{ random: Random; report: CampaignAccount }> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-crash-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const random = new Random(campaignSeed())
  const [store, ledger] = [join(folder, 'troupe.db'), join(folder, 'ledger.jsonl')]
  return { random, report: await runCampaign({ build, store, ledger, random, kills: count }) }
}

function tell(what: string, seed: number, report: CampaignAccount): void {
  console.log(lineOf(what, seed, report))
}

function lineOf(what: string, seed: number, { kills: done, figures, violations }: CampaignAccount): string {
  const { fired, ...counts } = figures
  const all = { what, seed, node: process.version, kills: done, ...counts, fired, failures: violations.length }
  return `${JSON.stringify(all)}\n`
}
