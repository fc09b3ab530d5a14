// A process that dies is noticed at once by the others of its machine, long before its lease ends.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { buildPackage, makeProject, startTroupe, troupe, type Started } from '../cli/installed.ts'

const worker = `
import { appendFileSync } from 'node:fs'
import { worker } from 'troupe'
export const mark = worker('mark', {}, async () => {
  appendFileSync('marks.txt', process.pid + ' ' + Date.now() + '\\n')
  await new Promise((resolve) => setTimeout(resolve, 60_000))
})
`

let project = ''

beforeAll(() => {
  buildPackage()
  project = makeProject({ 'workers/mark.ts': worker })
}, 120_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

async function marks(count: number): Promise<{ pid: number; at: number }[]> {
  for (let look = 0; look < 400; look++) {
    const lines = readMarks()
    if (lines.length >= count) return lines
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`There were never ${count} marks`)
}

function readMarks(): { pid: number; at: number }[] {
  try {
    const lines = readFileSync(join(project, 'marks.txt'), 'utf8').trim().split('\n')
    return lines.map((line) => line.split(' ').map(Number)).map(([pid = 0, at = 0]) => ({ pid, at }))
  } catch {
    return []
  }
}

it('what a killed process ran goes on in another one within a second', async () => {
  const services: Started[] = []
  onTestFinished(() => services.forEach((service) => service.signal('SIGKILL')))
  const serve = async (): Promise<void> => {
    const service = startTroupe(project, ['start'])
    services.push(service)
    await service.told('serving')
  }
  await serve()
  await troupe(project, ['call', 'mark'])
  const [first] = await marks(1)
  // Whoever comes later knows who is there.
  await serve()
  const killedAt = Date.now()
  process.kill(first?.pid ?? 0, 'SIGKILL')
  const second = (await marks(2))[1]
  expect(second?.pid).not.toBe(first?.pid)
  expect((second?.at ?? Infinity) - killedAt).toBeLessThan(1_000)
}, 60_000)
