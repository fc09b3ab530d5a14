// What a test of pauses asks: that a process which comes back changes nothing, and that without the fence it would.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { buildChild } from './children.ts'
import { deafen, runPauses, takeOutFence, type PauseOptions, type PauseReport } from './pauses.ts'
import { campaignSeed, Random } from './random.ts'

interface Trial {
  /** The URL of the store, whose folder is gone with the test. */
  readonly storeIn: (folder: string) => string | Promise<string>
  /** Where the figures are kept; undefined for a short form, of which none are. */
  readonly figuresFile: string | undefined
}

/** I5: a paused process that comes back changes nothing. */
export async function withFence(trial: Trial, pauses: number): Promise<void> {
  const build = buildChild()
  expect(deafen(build)).toBe(true)
  const options = await optionsOf(trial, build, pauses)
  const report = await runPauses(options)
  tell('pauses', trial, { options, report })
  expect(report.violations).toEqual([])
  expect(report.takenOver).toBe(pauses)
  expect(report.held).toBeGreaterThanOrEqual(pauses)
  // A fault that never fires proves nothing.
  expect(report.figures?.lost).toBeGreaterThanOrEqual(pauses)
  expect(report.refused).toBeGreaterThan(0)
}

/** The same pauses find the violation when the fence is taken out of a copy. */
export async function withoutFence(trial: Trial): Promise<void> {
  const build = buildChild()
  expect(takeOutFence(build)).toBe(true)
  const options = { ...(await optionsOf(trial, build, 20)), endsAtViolation: true }
  const report = await runPauses(options)
  tell('pauses without the fence', trial, { options, report })
  expect(report.violations).toContainEqual(
    expect.stringMatching(/^I5: the returning process changed (step|emitted|finished) of run/),
  )
}

async function optionsOf({ storeIn }: Trial, build: string, pauses: number): Promise<PauseOptions> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-pause-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const random = new Random(campaignSeed())
  return { build, store: await storeIn(folder), ledger: join(folder, 'ledger.jsonl'), random, pauses }
}

interface Told {
  readonly options: PauseOptions
  readonly report: PauseReport
}

function tell(what: string, { figuresFile }: Trial, { options, report }: Told): void {
  const { figures, violations, ...counts } = report
  const { runs, steps, lost, executedAgain } = figures ?? {}
  const all = { seed: options.random.seed, node: process.version, ...counts, runs, steps, lost, executedAgain }
  const line = JSON.stringify({ what, ...all, failures: violations.length })
  console.log(line)
  if (figuresFile !== undefined && figures !== undefined) appendFileSync(figuresFile, `${line}\n`)
}
