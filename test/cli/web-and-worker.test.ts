// The two files of docs/web-and-worker.md, as the page shows them, in two processes on one store.
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { blocksOf } from '../docs/blocks.ts'
import { buildPackage, makeProject, startTroupe, troupe } from './installed.ts'

const page = 'docs/web-and-worker.md'
let project = ''

beforeAll(() => {
  buildPackage()
  const files = blocksOf(page, readFileSync(page, 'utf8')).map(({ code }) => {
    const name = /^\/\/ (.*)\n/.exec(code)?.[1] ?? ''
    return [name, code] as const
  })
  expect(files.map(([name]) => name)).toEqual(['workers/send-email.ts', 'web.js'])
  project = makeProject(Object.fromEntries(files))
}, 120_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

it('starts by name in one process what the other performs, and both end when they are told to', async () => {
  const service = startTroupe(project, ['start'])
  onTestFinished(() => service.signal('SIGKILL'))
  await service.told('serving')

  const port = await freePort()
  const web = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'web.js'], {
    cwd: project,
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void web.kill('SIGKILL'))
  await new Promise((resolve) => web.stderr.once('data', resolve))

  const answers = await Promise.all([1, 2].map(() => fetch(`http://localhost:${port}/?to=ann`)))
  const ids = await Promise.all(answers.map((answer) => answer.text()))
  expect([answers.map(({ status }) => status), new Set(ids).size]).toEqual([[202, 202], 1])
  const [id = ''] = ids
  const shown = await eventually(async () => {
    const { out } = await troupe(project, ['show', id, '--json'])
    return out.includes('"succeeded"') ? out : undefined
  })
  expect(shown).toContain('sent to ann')

  const ended = new Promise((resolve) => web.once('exit', resolve))
  web.kill('SIGTERM')
  expect(await ended).toBe(0)
  service.signal('SIGTERM')
  expect((await service.ended).code).toBe(0)
}, 60_000)

async function eventually(see: () => Promise<string | undefined>): Promise<string> {
  for (let look = 0; look < 100; look++) {
    const seen = await see()
    if (seen !== undefined) return seen
  }
  throw new Error('It never succeeded')
}
