// What is judged well, slow or wrong of a server, from rows as it gives them.
import { expect, it } from 'vitest'
import type { Finding, FindingCode } from '../health.ts'
import { findingsOf, type Known } from './health.ts'
import type { PreparedRow, ServerRow, TableRow, TransactionRow } from './server-look.ts'
import type { WaitingStartsRow } from './waiting-starts.ts'

const server: ServerRow = {
  version: '18.1',
  versionNumber: 180_001,
  isInRecovery: 0,
  isVacuuming: 1,
  fsync: 'on',
  fullPageWrites: 'on',
  synchronousCommit: 'on',
  maxConnections: 100,
  connections: 12,
  role: 'app',
  maySeeAll: 1,
  hidden: 0,
}
const holder: TransactionRow = {
  pid: 4711,
  role: 'ann',
  application: 'psql',
  state: 'idle in transaction',
  ageMs: 59_999,
  query: 'select "total" from orders',
}
const live: TableRow = { name: 'live', live: 20, dead: 5, bytes: 8_192, vacuumedMs: 1_000, isVacuumed: 1 }
const known: Known = { clockAheadMs: 3, hearing: 'listening', answerMs: 4 }

interface Given {
  readonly server?: Partial<ServerRow>
  readonly transaction?: TransactionRow
  readonly prepared?: PreparedRow
  readonly tables?: readonly TableRow[]
  readonly waiting?: WaitingStartsRow
  readonly known?: Partial<Known>
}

function findings(given: Given): Finding[] {
  const { transaction, prepared, tables = [live], waiting } = given
  return findingsOf(
    { server: { ...server, ...given.server }, transaction, prepared, tables, waiting },
    { ...known, ...given.known },
  )
}

function of(code: FindingCode, given: Given): [string, string, string?][] {
  return findings(given)
    .filter((finding) => finding.code === code)
    .map(({ severity, text, remedy }) => (remedy === undefined ? [severity, text] : [severity, text, remedy]))
}

it('finds nothing wrong with a server that is well, and tells what was looked at', () => {
  expect(findings({}).map(({ code, severity, text, remedy }) => [code, severity, text, remedy])).toEqual([
    ['version', 'ok', 'The server is Postgres 18.1.', undefined],
    ['primary', 'ok', 'The server is a primary.', undefined],
    ['durability', 'ok', 'What is committed is on disk.', undefined],
    ['connections', 'ok', '12 of 100 connections of the server are used.', undefined],
    ['transaction', 'ok', 'No transaction is open beside this look.', undefined],
    ['visibility', 'ok', 'All sessions on this database are seen.', undefined],
    ['autovacuum', 'ok', 'Autovacuum is on for all tables.', undefined],
    ['dead_rows', 'ok', '5 dead rows beside 20 live ones.', undefined],
    ['intake', 'ok', 'No start waits to be taken in.', undefined],
    ['hints', 'ok', 'This process hears of what others write.', undefined],
    ['clock', 'ok', 'The clock of this machine is 3ms ahead of that of the server.', undefined],
    ['answer', 'ok', 'The server told all this in 4ms.', undefined],
  ])
})

it('tells of starts that nobody takes in, from a minute on, and what to do', () => {
  const waiting: WaitingStartsRow = { starts: 3, ageMs: 30_000, name: null, nodes: 0 }
  expect(of('intake', { waiting })).toEqual([['ok', '3 starts wait to be taken in; the oldest was left 30s ago.']])
  const since = (ageMs: number, more: Partial<WaitingStartsRow> = {}) =>
    of('intake', { waiting: { ...waiting, ageMs, ...more } })[0]
  expect(since(60_000, { starts: 1 })).toEqual([
    'warning',
    '1 start waits to be taken in; the oldest was left 1m ago.',
    'No node is running: start one, as with `troupe start`.',
  ])
  expect(since(60_000, { nodes: 2 })?.[2]).toContain('See the logs of the nodes')
  expect(since(60_000, { nodes: 2, name: 'ship' })?.[2]).toContain("Nobody who runs can start 'ship'")
  expect([59_999, 3_599_999, 3_600_000].map((ageMs) => since(ageMs)?.[0])).toEqual(['ok', 'warning', 'error'])
  expect(since(60_000, { starts: 10_001 })?.[1]).toMatch(/^More than 10,000 starts wait/)
})

it('names who holds a transaction from a minute on, and takes it for an error from an hour on', () => {
  const severities = [59_999, 60_000, 3_599_999, 3_600_000].map((ageMs) =>
    of('transaction', { transaction: { ...holder, ageMs } }).map(([severity]) => severity),
  )
  expect(severities).toEqual([['ok'], ['warning'], ['warning'], ['error']])
  expect(of('transaction', { transaction: { ...holder, ageMs: 90_000 } })).toEqual([
    [
      'warning',
      `A transaction has been open for 1m 30s, so that no dead row since then is cleaned up and claims get slow: process 4711 (role ann, application 'psql', idle in transaction), with "select \\"total\\" from orders".`,
      'Have its program end it, or: select pg_terminate_backend(4711). idle_in_transaction_session_timeout ends such by itself.',
    ],
  ])
})

it('tells of a prepared transaction that nobody ends', () => {
  const prepared = { name: 'p1', role: 'ann', ageMs: 59_999 }
  expect(of('prepared_transaction', { prepared })).toEqual([])
  expect(of('prepared_transaction', { prepared: { ...prepared, ageMs: 60_000 } })).toEqual([
    [
      'warning',
      `The prepared transaction 'p1' of the role ann has been open for 1m, so that no dead row since then is cleaned up.`,
      `commit prepared 'p1', or rollback prepared 'p1'.`,
    ],
  ])
})

it('tells of dead rows where they outnumber the others and take room', () => {
  const bloated = { ...live, live: 30, dead: 10_000, bytes: 8 * 1_048_576, vacuumedMs: 120_000 }
  const spared: TableRow[] = [
    { ...bloated, dead: 9_999 },
    { ...bloated, live: 10_000 },
    { ...bloated, bytes: 8 * 1_048_576 - 1 },
  ]
  for (const table of spared) expect(of('dead_rows', { tables: [table] }).map(([severity]) => severity)).toEqual(['ok'])
  const [text, remedy] = [
    'The table live has 10,000 dead rows beside 30 live ones in 8 MiB; it was vacuumed 2m ago.',
    'End the oldest transaction, if one is told of; then: vacuum live',
  ]
  expect(of('dead_rows', { tables: [bloated] })).toEqual([['warning', text, remedy]])
  expect(of('dead_rows', { tables: [{ ...bloated, vacuumedMs: null }] })[0]?.[1]).toContain('it was never vacuumed')
})

it('takes it for an error that nothing is vacuumed, on the server or of a table', () => {
  expect(of('autovacuum', { server: { isVacuuming: 0 } }).map(([severity]) => severity)).toEqual(['error'])
  expect(of('autovacuum', { tables: [live, { ...live, name: 'run', isVacuumed: 0 }] })).toEqual([
    [
      'error',
      'Autovacuum is off for the table run: its dead rows are never cleaned up.',
      'alter table run reset (autovacuum_enabled)',
    ],
  ])
})

it('says which settings may lose what was committed', () => {
  const off = { fsync: 'off', fullPageWrites: 'off', synchronousCommit: 'off' }
  expect(of('durability', { server: off }).map(([severity, text]) => [severity, text])).toEqual([
    ['warning', 'fsync is off: a crash of the machine may destroy the database.'],
    ['warning', 'full_page_writes is off: a crash of the machine may destroy the database.'],
    [
      'warning',
      'synchronous_commit is off: a crash of the server takes the last commits along, although they were acknowledged.',
    ],
  ])
  expect(of('durability', { server: { synchronousCommit: 'remote_apply' } })[0]?.[0]).toBe('ok')
})

it('takes a server that is too old, or a standby, for an error', () => {
  expect(of('version', { server: { version: '14.9', versionNumber: 140_009 } })).toEqual([
    ['error', 'The server is Postgres 14.9.', 'Move to Postgres 15 or newer.'],
  ])
  expect(of('primary', { server: { isInRecovery: 1 } })[0]?.[0]).toBe('error')
})

it('warns before the connections are used up', () => {
  const severities = [79, 80, 94, 95].map((connections) => of('connections', { server: { connections } })[0]?.[0])
  expect(severities).toEqual(['ok', 'warning', 'warning', 'error'])
})

it('says what the role may not see, and what to grant', () => {
  expect(of('visibility', { server: { maySeeAll: 0, hidden: 0 } })[0]?.[0]).toBe('ok')
  expect(of('visibility', { server: { maySeeAll: 0, hidden: 2 } })).toEqual([
    [
      'warning',
      'The role app may not see what 2 sessions of others do: an older transaction may be among them.',
      'grant pg_monitor to app',
    ],
  ])
})

it('says that others are not heard, that a clock is wrong and that the server is slow', () => {
  expect(of('hints', { known: { hearing: 'lost' } })[0]?.[0]).toBe('warning')
  expect(of('hints', { known: { hearing: 'pooled' } })).toEqual([
    ['ok', 'Through a pooler this process hears of nobody: it looks every 200 ms.'],
  ])
  expect(
    [1_000, -1_000, 1_001, -1_001].map((clockAheadMs) => of('clock', { known: { clockAheadMs } })[0]?.[0]),
  ).toEqual(['ok', 'ok', 'warning', 'warning'])
  expect([1_000, 1_001].map((answerMs) => of('answer', { known: { answerMs } })[0]?.[0])).toEqual(['ok', 'warning'])
})
