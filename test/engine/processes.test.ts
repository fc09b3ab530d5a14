// Four processes on one file: every run is performed once, no wake-up is lost, and nobody is told of a lock.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { Troupe, worker } from '../../src/index.ts'
import { buildPackage, makeProject, startTroupe, type Started } from '../cli/installed.ts'

const runs = 2_000
const source = `
import { appendFileSync } from 'node:fs'
import { worker } from 'troupe'
export const mark = worker('mark', {}, async (_ctx, n: number) => {
  appendFileSync('marks.txt', n + ' ' + process.pid + '\\n')
  await new Promise((resolve) => setTimeout(resolve, 2))
  return n
})
`

let project = ''

beforeAll(() => {
  buildPackage()
  project = makeProject({ 'workers/mark.ts': source })
}, 120_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

it('performs two thousand runs in four processes, each once, and tells a fifth of every end', async () => {
  const services: Started[] = [1, 2, 3, 4].map(() => startTroupe(project, ['start']))
  onTestFinished(() => services.forEach((service) => service.signal('SIGKILL')))
  await Promise.all(services.map((service) => service.told('serving')))
  const client = await Troupe.open({ store: `sqlite:${join(project, '.troupe', 'troupe.db')}`, global: false })
  onTestFinished(() => client.stop({ within: 0 }))
  await client.register(worker('mark', {}, (_ctx, n: number) => n))
  const handles = await client.callMany('mark', Array.from({ length: runs }, (_, n) => n) as readonly unknown[])
  const outputs = await Promise.all(handles.map((handle) => handle.result()))
  expect(outputs).toEqual(outputs.map((_output, n) => n))
  const marks = readFileSync(join(project, 'marks.txt'), 'utf8').trim().split('\n')
  expect(new Set(marks.map((line) => line.split(' ')[0])).size).toBe(runs)
  expect(marks).toHaveLength(runs)
  expect(new Set(marks.map((line) => line.split(' ')[1])).size).toBeGreaterThan(1)
  for (const service of services) service.signal('SIGTERM')
  const ended = await Promise.all(services.map((service) => service.ended))
  for (const { err } of ended) expect(err).not.toMatch(/locked|busy|failed/i)
}, 120_000)
