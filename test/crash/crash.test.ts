// Kills real processes at random points and accounts for every value; TROUPE_CRASH=full kills 200 times.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
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

test(
  `I1, I2, I3, I5: ${kills} kills lose, repeat and change nothing that was acknowledged`,
  { timeout: limitMs },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-crash-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const random = new Random(campaignSeed())
    const store = join(folder, 'troupe.db')
    const report = await runCampaign({
      build: buildChild(),
      store,
      ledger: join(folder, 'ledger.jsonl'),
      random,
      kills,
    })
    tell(random.seed, report)
    expect(report.violations).toEqual([])
    expect(report.kills).toBe(kills)
    // A fault that never fires proves nothing.
    expect(Object.values(report.figures.fired).reduce((sum, fired) => sum + fired, 0)).toBeGreaterThanOrEqual(kills / 5)
    expect(report.figures.inFlight).toBeGreaterThan(0)
    expect(report.figures.executedAgain).toBeLessThanOrEqual(report.figures.inFlight)
  },
)

function tell(seed: number, { kills: killed, figures, violations }: CampaignAccount): void {
  const { fired, ...counts } = figures
  const line = JSON.stringify({
    seed,
    node: process.version,
    kills: killed,
    ...counts,
    fired,
    failures: violations.length,
  })
  console.log(line)
  if (isFull) appendFileSync(figuresFile, `${line}\n`)
}
