// Pauses real processes past their lease: the one that returns changes nothing, and without the fence it would.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { buildChild } from './children.ts'
import { deafen, runPauses, takeOutFence, type PauseOptions, type PauseReport } from './pauses.ts'
import { campaignSeed, Random } from './random.ts'

const isFull = process.env['TROUPE_CRASH'] === 'full'
const pauses = isFull ? 100 : 6
const figuresFile = fileURLToPath(new URL('figures.jsonl', import.meta.url))

test('I5: a paused process that comes back changes nothing', { timeout: isFull ? 480_000 : 120_000 }, async () => {
  const build = buildChild()
  expect(deafen(build)).toBe(true)
  const options = stage(build, pauses)
  const report = await runPauses(options)
  tell('pauses', options, report)
  expect(report.violations).toEqual([])
  expect(report.takenOver).toBe(pauses)
  expect(report.held).toBeGreaterThanOrEqual(pauses)
  // A fault that never fires proves nothing.
  expect(report.figures?.lost).toBeGreaterThanOrEqual(pauses)
  expect(report.refused).toBeGreaterThan(0)
})

test('I5: the same pauses find the violation when the fence is taken out of a copy', { timeout: 120_000 }, async () => {
  const build = buildChild()
  expect(takeOutFence(build)).toBe(true)
  const options = { ...stage(build, 20), endsAtViolation: true }
  const report = await runPauses(options)
  tell('pauses without the fence', options, report)
  expect(report.violations).toContainEqual(
    expect.stringMatching(/^I5: the returning process changed (step|emitted|finished) of run/),
  )
})

function stage(build: string, count: number): PauseOptions {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-pause-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const random = new Random(campaignSeed())
  return {
    build,
    store: `sqlite:${join(folder, 'troupe.db')}`,
    ledger: join(folder, 'ledger.jsonl'),
    random,
    pauses: count,
  }
}

function tell(what: string, { random }: PauseOptions, { figures, violations, ...counts }: PauseReport): void {
  const all =
    figures === undefined
      ? {}
      : { runs: figures.runs, steps: figures.steps, lost: figures.lost, executedAgain: figures.executedAgain }
  const line = JSON.stringify({
    what,
    seed: random.seed,
    node: process.version,
    ...counts,
    ...all,
    failures: violations.length,
  })
  console.log(line)
  if (isFull && figures !== undefined) appendFileSync(figuresFile, `${line}\n`)
}
