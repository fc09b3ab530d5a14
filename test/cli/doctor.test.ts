// What people see of the database from the command line.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import type { Finding } from '../../src/index.ts'
import { freshDatabase } from '../postgres.ts'
import { troupe } from './in-process.ts'

it('tells of a Postgres what is wrong, as a table and as lines, and exits with 1', async () => {
  const store = await freshDatabase()
  await troupe(tmpdir(), ['migrate', '--store', store])
  const well = await troupe(tmpdir(), ['doctor', '--store', store])
  expect(well.code).toBe(0)
  expect(well.out).toMatch(/^SEVERITY {2}CHECK {8}FINDING\n/)
  expect(well.out).toMatch(/^ok {8}primary {6}The server is a primary\.$/m)
  const admin = new pg.Client({ connectionString: store })
  await admin.connect()
  await admin.query('alter table troupe.counter set (autovacuum_enabled = off)')
  await admin.end()
  const ill = await troupe(tmpdir(), ['doctor', '--store', store])
  expect(ill.code).toBe(1)
  expect(ill.out).toMatch(
    /^error {5}autovacuum {3}Autovacuum is off for the table counter: .*\n {23}→ alter table counter reset/m,
  )
  expect(ill.err).toMatch(/^1 error, \d+ warnings?\n$/)
  const { code, out } = await troupe(tmpdir(), ['doctor', '--json', '--store', store])
  const lines = out.trim().split('\n')
  const findings = lines.map((line) => JSON.parse(line) as Finding)
  expect(code).toBe(1)
  expect(findings.filter(({ severity }) => severity === 'error')).toMatchObject([
    { code: 'autovacuum', details: { table: 'counter' } },
  ])
})

it('tells of a file whether it is whole, and makes none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  expect((await troupe(folder, ['doctor', '--store', 'sqlite:jobs.db'])).code).toBe(69)
  await troupe(folder, ['migrate', '--store', 'sqlite:jobs.db'])
  const { code, out, err } = await troupe(folder, ['doctor', '--thorough', '--store', 'sqlite:jobs.db'])
  expect([code, err]).toEqual([0, '0 errors, 0 warnings\n'])
  expect(out).toMatch(/^ok {8}integrity {3}The file is whole\.$/m)
})
