// What a server is asked of itself: its settings, who is on it, and how its tables are. Changes nothing.
import { together, type Query } from '../query.ts'
import type { Database } from '../sql/database/database.ts'
import { findWaitingStarts, type WaitingStartsRow } from './waiting-starts.ts'

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

/** All of it at once. */
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
