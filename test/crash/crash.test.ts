// Kills real processes at random points and accounts for every value; TROUPE_CRASH=full kills 200 times.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { runCampaign, type CampaignAccount, type CampaignOptions } from './campaign.ts'
import { buildChild } from './children.ts'
import { campaignSeed, Random } from './random.ts'

const isFull = process.env['TROUPE_CRASH'] === 'full'
const kills = isFull ? 200 : 25
const limitMs = isFull ? 480_000 : 240_000
const figuresFile = fileURLToPath(new URL('figures.jsonl', import.meta.url))

const message = 'delete from message where run_id = ? and seq = ?'
const undoable = 'claimed.steps.some(({ hasUndo }) => hasUndo === true)'
const restOfChildren = 'yield* db.run(keepEnding, parent, children.at(-1)?.runId ?? after ?? 0);'
const journal = 'epoch === 0 ? [nothingYet, []]'

test(
  `I1, I2, I3, I5: ${kills} kills lose, repeat and change nothing that was acknowledged`,
  { timeout: limitMs },
  async () => {
    const random = new Random(campaignSeed())
    // Of two campaigns one.
    const isCoded = random.happens(0.5)
    const report = await killed(buildChild(), { kills, random, isCoded })
    tell('kills', random.seed, report)
    if (isFull) appendFileSync(figuresFile, lineOf('kills', random.seed, report))
    // Without keys nothing is read, and without a codec all.
    if (isCoded) expect([report.plain, report.readByOthers]).toEqual([[], 0])
    else expect([report.plain.includes('takesMs'), report.readByOthers]).toEqual([true, report.figures.runs])
    expect(report.violations).toEqual([])
    expect(report.kills).toBe(kills)
    // A fault that never fires proves nothing.
    expect(Object.values(report.figures.fired).reduce((sum, fired) => sum + fired, 0)).toBeGreaterThanOrEqual(kills / 5)
    expect(Math.min(report.figures.inFlight, report.figures.undone, report.figures.answered)).toBeGreaterThan(0)
    expect(report.figures.executedAgain).toBeLessThanOrEqual(report.figures.inFlight)
    // What a lease costs that ran out on a busy machine is no matter of kills.
    expect(report.figures.againByKills).toBeLessThanOrEqual(report.figures.steps * 0.05)
  },
)

test('I1, I2: the same kills find the violation when a copy forgets its journal', { timeout: limitMs }, () =>
  isFound(
    ['store/sql/runs/claims.js', journal, 'epoch >= 0 ? [nothingYet, []]'],
    /^I2: (the acknowledged value|.* was executed again after it had been)/,
  ),
)

test('I4: they find it when a copy forgets messages with those that were received', { timeout: limitMs }, () =>
  isFound(['store/sql/steps/messages.js', message, message.replace('seq =', 'seq >=')], /^I4: run .* heard/),
)

test('they find it when a copy forgets what runs have to undo', { timeout: limitMs }, () =>
  isFound(['engine/activation/activation.js', undoable, 'false'], /^leg-\d of run .*, which failed, stands$/, {
    only: 'saga',
  }),
)

test('I3: they find it when a copy ends no more children of a run than the first slice', { timeout: limitMs }, () =>
  isFound(['store/sql/runs/endings.js', restOfChildren, ''], /^I3: run .* is scheduled with 0 outcomes$/, {
    only: 'saga',
    kills: 2,
    drainMs: 8_000,
  }),
)

/** On a busy machine a few kills may miss it: they are tried again, and then none may. What such a copy never finishes is not waited for. */
async function isFound(
  change: readonly [file: string, protection: string, instead: string],
  violation: RegExp,
  { kills: count = 12, drainMs = 15_000, only }: Partial<Pick<CampaignOptions, 'kills' | 'only' | 'drainMs'>> = {},
): Promise<void> {
  const build = buildWithout(...change)
  const found: string[] = []
  for (let tries = 0; tries < 4 && !found.some((text) => violation.test(text)); tries++) {
    const random = new Random(campaignSeed())
    const report = await killed(build, { kills: count, random, only, drainMs })
    tell(`kills of a copy with other ${change[0]}`, random.seed, report)
    found.push(...report.violations)
  }
  expect(found).toContainEqual(expect.stringMatching(violation))
}

/** Takes a protection out of a copy. */
function buildWithout(file: string, protection: string, instead: string): string {
  const build = buildChild()
  const path = join(build, 'src', file)
  const source = readFileSync(path, 'utf8')
  expect(source.split(protection)).toHaveLength(2)
  writeFileSync(path, source.replace(protection, instead))
  return build
}

async function killed(
  build: string,
  how: Omit<CampaignOptions, 'build' | 'store' | 'ledger'>,
): Promise<CampaignAccount> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-crash-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [store, ledger] = [`sqlite:${join(folder, 'troupe.db')}`, join(folder, 'ledger.jsonl')]
  return runCampaign({ build, store, ledger, ...how })
}

function tell(what: string, seed: number, report: CampaignAccount): void {
  console.log(lineOf(what, seed, report))
}

function lineOf(what: string, seed: number, { kills: done, isCoded, figures, violations }: CampaignAccount): string {
  const { fired, ...counts } = figures
  const how = { what, seed, node: process.version, kills: done, ...(isCoded && { isCoded }) }
  const all = { ...how, ...counts, fired, failures: violations.length }
  return `${JSON.stringify(all)}\n`
}
