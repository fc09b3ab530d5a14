// How a Postgres is: what it says of itself, judged for the store.
import { formatBytes } from '../../lib/bytes.ts'
import { formatMs } from '../../lib/duration.ts'
import { counted } from '../../lib/text.ts'
import type { Finding } from '../health.ts'
import type { Hearing } from './hints.ts'
import type { PreparedRow, Seen, ServerRow, TableRow, TransactionRow } from './server-look.ts'
import { ofWaitingStarts } from './waiting-starts.ts'

/** What this process knows by itself. */
export interface Known {
  readonly clockAheadMs: number
  readonly hearing: Hearing
  /** How long the look took. */
  readonly answerMs: number
}

const oldestVersion = 150_000
// From then on the oldest transaction is told of, and then no claim is quick any more.
const longMs = 60_000
const tooLongMs = 3_600_000
// Counters are updated in place, and what is dead in them takes no room: rows alone say little.
const manyDead = 10_000
const largeBytes = 8 * 1_048_576
const nearlyAll = 0.8
const all = 0.95
const slowMs = 1_000
const skewedMs = 1_000

/** Judges what was seen. What is well is told too, so that it can be read what was looked at. */
export function findingsOf({ server, transaction, prepared, tables, waiting }: Seen, known: Known): Finding[] {
  return [
    ofVersion(server),
    ofPrimary(server),
    ...ofDurability(server),
    ofConnections(server),
    ofTransaction(transaction),
    ...ofPrepared(prepared),
    ofVisibility(server),
    ...ofAutovacuum(server, tables),
    ...ofDeadRows(tables),
    ofWaitingStarts(waiting),
    ofHints(known.hearing),
    ofClock(known.clockAheadMs),
    ofAnswer(known.answerMs),
  ]
}

function ofVersion({ version, versionNumber }: ServerRow): Finding {
  const details = { version, versionNumber }
  const text = `The server is Postgres ${version}.`
  if (versionNumber >= oldestVersion) return { code: 'version', severity: 'ok', text, details }
  return { code: 'version', severity: 'error', text, remedy: 'Move to Postgres 15 or newer.', details }
}

function ofPrimary({ isInRecovery }: ServerRow): Finding {
  const details = { isInRecovery }
  if (isInRecovery === 0) return { code: 'primary', severity: 'ok', text: 'The server is a primary.', details }
  return {
    code: 'primary',
    severity: 'error',
    text: 'The server is a standby: nothing can be written there.',
    remedy: 'Name the primary in the URL of the store.',
    details,
  }
}

function ofDurability({ fsync, fullPageWrites, synchronousCommit }: ServerRow): Finding[] {
  const settings = { fsync, full_page_writes: fullPageWrites, synchronous_commit: synchronousCommit }
  const off = Object.entries(settings).filter(([, value]) => value === 'off')
  if (off.length === 0)
    return [{ code: 'durability', severity: 'ok', text: 'What is committed is on disk.', details: settings }]
  return off.map(([setting]) => ({
    code: 'durability',
    severity: 'warning',
    text: `${setting} is off: ${setting === 'synchronous_commit' ? 'a crash of the server takes the last commits along, although they were acknowledged' : 'a crash of the machine may destroy the database'}.`,
    remedy: `Set ${setting} = on, unless the data may be lost.`,
    details: { setting, value: 'off' },
  }))
}

function ofConnections({ connections, maxConnections }: ServerRow): Finding {
  const share = connections / maxConnections
  const text = `${connections.toLocaleString('en')} of ${counted(maxConnections, 'connection')} of the server are used.`
  const details = { connections, maxConnections }
  if (share < nearlyAll) return { code: 'connections', severity: 'ok', text, details }
  const remedy = 'End what needs none, raise max_connections, or put a pooler before the server.'
  return { code: 'connections', severity: share < all ? 'warning' : 'error', text, remedy, details }
}

function ofTransaction(row: TransactionRow | undefined): Finding {
  if (row === undefined)
    return { code: 'transaction', severity: 'ok', text: 'No transaction is open beside this look.', details: {} }
  const { pid, role, application, state, ageMs, query } = row
  const who = `process ${pid} (role ${role ?? 'unknown'}, application '${application ?? ''}', ${state ?? 'state unknown'})`
  const details = { pid, role, application, state, ageMs, query }
  if (ageMs < longMs) {
    const text = `The oldest transaction has been open for ${formatMs(ageMs)}: ${who}.`
    return { code: 'transaction', severity: 'ok', text, details }
  }
  return {
    code: 'transaction',
    severity: ageMs < tooLongMs ? 'warning' : 'error',
    text: `A transaction has been open for ${formatMs(ageMs)}, so that no dead row since then is cleaned up and claims get slow: ${who}, with ${JSON.stringify(query ?? '')}.`,
    remedy: `Have its program end it, or: select pg_terminate_backend(${pid}). idle_in_transaction_session_timeout ends such by itself.`,
    details,
  }
}

function ofPrepared(row: PreparedRow | undefined): Finding[] {
  if (row === undefined || row.ageMs < longMs) return []
  const { name, role, ageMs } = row
  return [
    {
      code: 'prepared_transaction',
      severity: ageMs < tooLongMs ? 'warning' : 'error',
      text: `The prepared transaction '${name}' of the role ${role} has been open for ${formatMs(ageMs)}, so that no dead row since then is cleaned up.`,
      remedy: `commit prepared '${name}', or rollback prepared '${name}'.`,
      details: { name, role, ageMs },
    },
  ]
}

function ofVisibility({ role, maySeeAll, hidden }: ServerRow): Finding {
  const details = { role, hidden }
  if (maySeeAll === 1 || hidden === 0)
    return { code: 'visibility', severity: 'ok', text: 'All sessions on this database are seen.', details }
  return {
    code: 'visibility',
    severity: 'warning',
    text: `The role ${role} may not see what ${counted(hidden, 'session')} of others ${hidden === 1 ? 'does' : 'do'}: an older transaction may be among them.`,
    remedy: `grant pg_monitor to ${role}`,
    details,
  }
}

function ofAutovacuum({ isVacuuming }: ServerRow, tables: readonly TableRow[]): Finding[] {
  const code = 'autovacuum'
  if (isVacuuming === 0)
    return [
      {
        code,
        severity: 'error',
        text: 'Autovacuum is off on the server: dead rows are never cleaned up, and claims get slower and slower.',
        remedy: "alter system set autovacuum = 'on'; alter system set track_counts = 'on'; select pg_reload_conf()",
        details: { table: null },
      },
    ]
  const left = tables.filter(({ isVacuumed }) => isVacuumed === 0)
  if (left.length === 0) return [{ code, severity: 'ok', text: 'Autovacuum is on for all tables.', details: {} }]
  return left.map(({ name }) => ({
    code,
    severity: 'error',
    text: `Autovacuum is off for the table ${name}: its dead rows are never cleaned up.`,
    remedy: `alter table ${name} reset (autovacuum_enabled)`,
    details: { table: name },
  }))
}

function ofDeadRows(tables: readonly TableRow[]): Finding[] {
  const bloated = tables.filter(({ live, dead, bytes }) => dead >= manyDead && dead > live && bytes >= largeBytes)
  if (bloated.length === 0) {
    const [live, dead] = [sumOf(tables, 'live'), sumOf(tables, 'dead')]
    const text = `${counted(dead, 'dead row')} beside ${counted(live, 'live one')}.`
    return [{ code: 'dead_rows', severity: 'ok', text, details: { live, dead } }]
  }
  return bloated.map(({ name, live, dead, bytes, vacuumedMs }) => ({
    code: 'dead_rows',
    severity: 'warning',
    text: `The table ${name} has ${counted(dead, 'dead row')} beside ${counted(live, 'live one')} in ${formatBytes(bytes)}; ${vacuumedMs === null ? 'it was never vacuumed' : `it was vacuumed ${formatMs(vacuumedMs)} ago`}.`,
    remedy: `End the oldest transaction, if one is told of; then: vacuum ${name}`,
    details: { table: name, live, dead, bytes, vacuumedMs },
  }))
}

function sumOf(tables: readonly TableRow[], what: 'live' | 'dead'): number {
  return tables.reduce((sum, table) => sum + table[what], 0)
}

function ofHints(hearing: Hearing): Finding {
  const details = { hearing }
  if (hearing === 'listening')
    return { code: 'hints', severity: 'ok', text: 'This process hears of what others write.', details }
  if (hearing === 'pooled') {
    const text = 'Through a pooler this process hears of nobody: it looks every 200 ms.'
    return { code: 'hints', severity: 'ok', text, details }
  }
  return {
    code: 'hints',
    severity: 'warning',
    text: 'The connection by which this process hears of others (LISTEN) is lost: it looks every 200 ms until it has another.',
    remedy:
      'It is tried again every few seconds. If it stays so, see whether something between here and the server ends connections, and whether a pooler is there: then say ?pgbouncer=true.',
    details,
  }
}

function ofClock(clockAheadMs: number): Finding {
  const details = { clockAheadMs }
  const offMs = Math.abs(clockAheadMs)
  const side = clockAheadMs > 0 ? 'ahead of' : 'behind'
  const text = `The clock of this machine is ${formatMs(offMs)} ${side} that of the server.`
  if (offMs <= skewedMs) return { code: 'clock', severity: 'ok', text, details }
  return { code: 'clock', severity: 'warning', text, remedy: 'Set both by a time server (NTP).', details }
}

function ofAnswer(answerMs: number): Finding {
  const details = { answerMs }
  const text = `The server told all this in ${formatMs(answerMs)}.`
  if (answerMs <= slowMs) return { code: 'answer', severity: 'ok', text, details }
  const remedy = 'See what else the server does, and how far away it is.'
  return { code: 'answer', severity: 'warning', text, remedy, details }
}
