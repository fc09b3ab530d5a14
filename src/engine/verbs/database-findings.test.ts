// Findings for health: kept for a while, not waited for long, and what commits take among them.
import { expect, it } from 'vitest'
import { Histogram } from '../../lib/histogram.ts'
import type { Finding } from '../../store/health.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { DatabaseFindings, findingOfCommits } from './database-findings.ts'

const well: Finding = { code: 'primary', severity: 'ok', text: 'The server is a primary.', details: {} }

it('asks the store anew after ten seconds, and not before', async () => {
  const clock = new ManualClock()
  let looks = 0
  const findings = new DatabaseFindings(clock, {
    listFindings: async () => [{ ...well, details: { look: (looks += 1) } }],
  })
  const seen = async (): Promise<unknown> => (await findings.list()).map(({ details }) => details['look'])
  expect(await Promise.all([seen(), seen()])).toEqual([[1], [1]])
  await clock.advance(9_999)
  expect(await seen()).toEqual([1])
  await clock.advance(1)
  expect(await seen()).toEqual([2])
})

it('gives nothing while the store does not answer or cannot be read, and asks it once at a time', async () => {
  const clock = new ManualClock()
  const asked: { answer: (findings: Finding[]) => void; fail: (error: Error) => void }[] = []
  const findings = new DatabaseFindings(clock, {
    listFindings: () => new Promise((answer, fail) => asked.push({ answer, fail })),
  })
  const first = findings.list()
  await clock.advance(1_000)
  expect(await first).toEqual([])
  const second = findings.list()
  expect(asked).toHaveLength(1)
  asked[0]?.fail(new Error('away'))
  expect(await second).toEqual([])
  const third = findings.list()
  asked[1]?.answer([well])
  expect(await third).toEqual([well])
})

it('tells how long commits take once there were enough, and warns of slow ones', () => {
  const commits = new Histogram()
  for (let n = 0; n < 99; n += 1) commits.add(4)
  expect(findingOfCommits(commits)).toBeUndefined()
  commits.add(4)
  expect(findingOfCommits(commits)).toMatchObject({
    severity: 'ok',
    text: 'Half of 100 commits of this process took up to 4ms, 99 % of them up to 4ms.',
  })
  for (let n = 0; n < 9; n += 1) commits.add(300)
  expect(findingOfCommits(commits)).toMatchObject({
    severity: 'warning',
    details: { count: 109, p50: expect.closeTo(4.1, 1), p99: 300 },
  })
})
