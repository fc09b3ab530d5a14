// Pauses real processes on Postgres past their lease: the one that returns changes nothing, and without the fence it would.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { freshDatabase } from '../../postgres.ts'
import { buildChild } from '../children.ts'
import { deafen, runPauses, takeOutFence, type PauseOptions, type PauseReport } from '../pauses.ts'
import { campaignSeed, Random } from '../random.ts'

const isFull = process.env['TROUPE_CRASH'] === 'postgres'
const pauses = isFull ? 40 : 6
const figuresFile = fileURLToPath(new URL('figures.jsonl', import.meta.url))

test(
  'I5: on Postgres a paused process that comes back changes nothing',
  { timeout: isFull ? 480_000 : 240_000 },
  async () => {
    const build = buildChild()
    expect(deafen(build)).toBe(true)
    const options = await stage(build, pauses)
    const report = await runPauses(options)
    tell('pauses', options, report)
    expect(report.violations).toEqual([])
    expect(report.takenOver).toBe(pauses)
    expect(report.held).toBeGreaterThanOrEqual(pauses)
    // A fault that never fires proves nothing.
    expect(report.figures?.lost).toBeGreaterThanOrEqual(pauses)
    expect(report.refused).toBeGreaterThan(0)
  },
)

test('I5: the same pauses find the violation when the fence is taken out of a copy', { timeout: 240_000 }, async () => {
  const build = buildChild()
  expect(takeOutFence(build)).toBe(true)
  const options = { ...(await stage(build, 20)), endsAtViolation: true }
  const report = await runPauses(options)
  tell('pauses without the fence', options, report)
  expect(report.violations).toContainEqual(
    expect.stringMatching(/^I5: the returning process changed (step|emitted|finished) of run/),
  )
})

async function stage(build: string, count: number): Promise<PauseOptions> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-pause-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const random = new Random(campaignSeed())
  return { build, store: await freshDatabase(), ledger: join(folder, 'ledger.jsonl'), random, pauses: count }
}

function tell(
  what: string,
  { random }: PauseOptions,
  { takenOver, figures, violations, ...counts }: PauseReport,
): void {
  const { runs, steps, lost, executedAgain } = figures ?? {}
  const failures = violations.length
  const { seed } = random
  const all = {
    what,
    seed,
    node: process.version,
    pauses: takenOver,
    ...counts,
    runs,
    steps,
    lost,
    executedAgain,
    failures,
  }
  console.log(JSON.stringify(all))
  if (isFull && figures !== undefined) appendFileSync(figuresFile, `${JSON.stringify(all)}\n`)
}
