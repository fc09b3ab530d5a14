// How a Postgres is: what is asked of its views of itself, and what that means for the store.
import { formatBytes } from '../../lib/bytes.ts'
import { formatMs } from '../../lib/duration.ts'
import { counted } from '../../lib/text.ts'
import type { Finding } from '../health.ts'
import { together, type Query } from '../query.ts'
import type { Database } from '../sql/database/database.ts'
import type { Hearing } from './hints.ts'
import { findWaitingStarts, ofWaitingStarts, type WaitingStartsRow } from './waiting-starts.ts'

export interface ServerRow {
  readonly version: string
  readonly versionNumber: number
  readonly isInRecovery: number
  readonly isVacuuming: number
  readonly fsync: string
  readonly fullPageWrites: string
  readonly synchronousCommit: string
  readonly maxConnections: number
  readonly connections: number
  readonly role: string
  readonly maySeeAll: number
  /** Sessions on this database that the role may not see. */
  readonly hidden: number
}

export interface TransactionRow {
  readonly pid: number
  readonly role: string | null
  readonly application: string | null
  readonly state: string | null
  readonly ageMs: number
  readonly query: string | null
}

export interface PreparedRow {
  readonly name: string
  readonly role: string
  readonly ageMs: number
}

export interface TableRow {
  readonly name: string
  readonly live: number
  readonly dead: number
  readonly bytes: number
  readonly vacuumedMs: number | null
  readonly isVacuumed: number
}

/** All that is judged. */
export interface Seen {
  readonly server: ServerRow
  readonly transaction: TransactionRow | undefined
  readonly prepared: PreparedRow | undefined
  readonly tables: readonly TableRow[]
  readonly waiting: WaitingStartsRow | undefined
}

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

/** What all may see of the server and of this database. */
const findServer = `
select current_setting('server_version') as version,
  cast(current_setting('server_version_num') as bigint) as versionNumber,
  pg_is_in_recovery() as isInRecovery,
  cast(current_setting('autovacuum') as boolean) and cast(current_setting('track_counts') as boolean) as isVacuuming,
  current_setting('fsync') as fsync,
  current_setting('full_page_writes') as fullPageWrites,
  current_setting('synchronous_commit') as synchronousCommit,
  cast(current_setting('max_connections') as bigint) as maxConnections,
  (select sum(numbackends) from pg_stat_database) as connections,
  current_user as role,
  pg_has_role('pg_read_all_stats', 'usage') as maySeeAll,
  (select count(*) from pg_stat_activity
    where datname = current_database() and query = '<insufficient privilege>') as hidden`

/** Who keeps dead rows of this database from being cleaned up for the longest time: who has written, or has a snapshot. */
const findTransaction = `
select pid, usename as role, application_name as application, state, left(query, 80) as query,
  cast(extract(epoch from clock_timestamp() - xact_start) * 1000 as bigint) as ageMs
from pg_stat_activity
where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
  and xact_start is not null and coalesce(backend_xid, backend_xmin) is not null
order by xact_start
limit 1`

/** The oldest transaction that somebody prepared and nobody ended. */
const findPrepared = `
select gid as name, owner as role, cast(extract(epoch from clock_timestamp() - prepared) * 1000 as bigint) as ageMs
from pg_prepared_xacts
where database = current_database()
order by prepared
limit 1`

/** The tables of the store. */
const listTables = `
select stat.relname as name, stat.n_live_tup as live, stat.n_dead_tup as dead, pg_relation_size(stat.relid) as bytes,
  cast(extract(epoch from clock_timestamp() - greatest(stat.last_autovacuum, stat.last_vacuum)) * 1000 as bigint) as vacuumedMs,
  not exists (
    select 1 from pg_options_to_table(class.reloptions)
    where option_name = 'autovacuum_enabled' and not cast(option_value as boolean)
  ) as isVacuumed
from pg_stat_user_tables as stat
join pg_class as class on class.oid = stat.relid
where stat.schemaname = current_schema()
order by stat.relname`

/** Asks the server; changes nothing. */
export function* lookAtServer(db: Database): Query<Seen> {
  const [server, transaction, prepared, tables, waiting] = yield* together([
    db.get<ServerRow>(findServer),
    db.get<TransactionRow>(findTransaction),
    db.get<PreparedRow>(findPrepared),
    db.all<TableRow>(listTables),
    findWaitingStarts(db),
  ])
  return { server: server as ServerRow, transaction, prepared, tables, waiting }
}

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
