// The third step of the schema: queues, limiters, schedules, events and what people do; then workflows. It was not released yet.
import { workflowTables } from './migration-3-workflows.ts'

export const step3 = `
-- When a person stopped its runs from starting; null while it goes on.
alter table queue add column paused_at integer;

-- What a node can perform, as lists of numbers in JSON: it tells why a run waits.
alter table node add column queues text not null default '[]';
alter table node add column definitions text not null default '[]';

-- The limiters a run has to pass and the key it has at each, as [limiter, key] pairs in JSON; null for none.
alter table run add column limits text;
-- Whether it has to pass limiters: then it waits in their lines when it is ready.
alter table live add column limited integer not null default 0;
-- Whether rows in slot or waiter may name it.
alter table live add column has_slots integer not null default 0;
-- 0 while a run that was claimed ahead waits for an actor: should its node die by then, that is no delivery.
alter table live add column has_begun integer not null default 1;
drop index live_ready;
create index live_ready on live (queue, priority desc, run_id) where state = 'ready' and limited = 0;

-- By what the error of a run that failed for good is known; null for all others, and once it is tried again.
alter table finished add column fingerprint text;
update finished set fingerprint = coalesce(code, iif(json_valid(value), value ->> 'name', null), 'Error')
where outcome = 'failed';
create index finished_dead on finished (fingerprint, finished_at) where fingerprint is not null;
-- A run that killed its process too often failed with the code run_lost.
drop table dead;

-- Starts that share a key. When a ready run that never began fails as expired; what its caller knows it by; the retry rules of its call.
alter table run add column expires_at integer;
alter table run add column correlation_id text;
alter table run add column retry text;
-- Another run waits for the end of this one.
alter table live add column is_followed integer not null default 0;

-- Keys are those of a name, whatever its version, but for the scope cache: other code may have another result.
-- definition is the first of the name.
alter table keyed rename to keyed_before;
create table keyed (
  scope text not null,
  definition integer not null,
  key text not null,
  run_id integer not null,
  -- The run whose end run_id waits for.
  ahead integer,
  primary key (scope, definition, key)
) strict, without rowid;
insert or ignore into keyed
select 'idempotency', (select min(first.id) from definition as first where first.name = definition.name), key, run_id, null
from keyed_before join definition on definition.id = keyed_before.definition
order by run_id;
drop table keyed_before;
create index keyed_run on keyed (run_id);
create index keyed_ahead on keyed (ahead) where ahead is not null;

drop view runs;
create view runs as
select
  run.public_id as id,
  definition.name as name,
  definition.version as version,
  queue.name as queue,
  coalesce(live.state, finished.outcome) as state,
  finished.code as code,
  finished.fingerprint as fingerprint,
  coalesce(live.generation, finished.generation) as generation,
  coalesce(live.attempt, finished.attempt) as attempt,
  coalesce(live.deliveries, 0) as deliveries,
  run.created_at as created_at,
  coalesce(live.started_at, finished.started_at) as started_at,
  finished.finished_at as finished_at,
  live.due_at as due_at,
  node.name as node,
  run.tags as tags,
  run.correlation_id as correlation_id,
  run.input as input,
  finished.value as value,
  progress.done as done,
  progress.total as total,
  run.id as run_id
from run
join definition on definition.id = run.definition
join queue on queue.id = run.queue
left join live on live.run_id = run.id
-- The newest of its generations alone.
left join finished on finished.run_id = run.id and live.run_id is null
  and finished.generation = (select max(newest.generation) from finished as newest where newest.run_id = run.id)
left join node on node.id = live.node
left join progress on progress.run_id = run.id;

create view dead as
select id, name, fingerprint, code, finished_at as at, value as error, run_id
from runs where fingerprint is not null;

-- A run may wait for a thing that comes from outside, for a time, or for whichever is first.
alter table wait rename to former_wait;
create table wait (
  run_id integer not null,
  path text not null,
  kind text not null,
  -- What is waited for, where the kind alone does not say it.
  name text,
  -- Null without a time limit.
  due_at integer,
  primary key (run_id, path)
) strict, without rowid;
insert into wait select run_id, path, kind, null, due_at from former_wait;
drop table former_wait;

-- Tokens with which runs are finished from outside. They are kept as long as their run, so that a second use is told apart from a guess.
create table token (
  hash text primary key,
  run_id integer not null,
  path text not null,
  -- Of the claim under which the run waits; 0 once the token means nothing any more.
  epoch integer not null,
  -- Of the attempt it belongs to.
  started_at integer not null,
  timeout_at integer,
  heartbeat_ms integer,
  -- The last sign of life.
  heard_at integer not null,
  used_at integer,
  is_error integer,
  -- What came for it, until the run has taken it.
  value text
) strict, without rowid;
create index token_run on token (run_id);

-- Of a run that did not succeed: its priority, should it be tried again.
alter table finished add column priority integer;
-- When it was last tried again by a person, or given other times by a later call; null for never. Its deadline counts from then.
alter table run add column opened_at integer;

-- What people did, and who they said they are.
create table audit (
  id integer primary key,
  at integer not null,
  actor text,
  action text not null,
  target text not null,
  -- JSON.
  details text not null
) strict;

-- How long its runs are kept, as far as it says so: JSON.
alter table definition add column retention text;
-- How far the deletion of what was kept long enough has come, and when it begins anew.
insert into counter values ('retention_run', 0), ('retention_at', 0);
insert into counter values ('turn', 0);

create table limiter (
  id integer primary key,
  name text not null unique,
  -- As the code declares them, and as they were changed live: JSON; the latter win where they are given.
  bounds text not null,
  live_bounds text
) strict;

-- Who was let pass and has not left. A ticket is the number of a run, or one like it.
create table slot (
  limiter integer not null,
  key text not null,
  ticket integer not null,
  run_id integer,
  node integer not null,
  epoch integer not null,
  since integer not null,
  primary key (limiter, key, ticket)
) strict, without rowid;
create index slot_ticket on slot (ticket);
-- Those of what is no run.
create index slot_node on slot (node, ticket) where run_id is null or run_id <> ticket;
create index slot_run on slot (run_id) where run_id is not null;

-- Who waits, in the one line of the limiter that did not let it pass. The definition of runs that are suspected is negative, as in line.
create table waiter (
  limiter integer not null,
  key text not null,
  queue integer not null,
  definition integer not null,
  priority integer not null,
  ticket integer not null,
  run_id integer,
  -- Of a step of the run.
  path text,
  -- All that a step has to pass, where that is more than this limiter: [limiter, key] pairs in JSON.
  uses text,
  primary key (limiter, key, queue, definition, priority desc, ticket)
) strict, without rowid;
create index waiter_ticket on waiter (ticket);
create index waiter_run on waiter (run_id) where run_id is not null;

-- One row for each line with somebody in it: who is first, whether that one may pass, or when, and whose turn it is.
create table line (
  limiter integer not null,
  key text not null,
  queue integer not null,
  definition integer not null,
  turn integer not null,
  is_open integer not null,
  opens_at real,
  priority integer not null,
  ticket integer not null,
  -- How many have left it since somebody waits in it: every eighth time its oldest is the first.
  passes integer not null,
  primary key (limiter, key, queue, definition)
) strict, without rowid;
create index line_open on line (queue, limiter, turn, priority desc, ticket) where is_open = 1;
-- Those of what is no run, of all nodes.
create index line_ticket on line (limiter, turn, priority desc, ticket) where is_open = 1 and queue < 0;
create index line_due on line (opens_at) where opens_at is not null;

-- The state of a rate: when the next one would pass if all were evenly spaced.
create table pace (
  limiter integer not null,
  key text not null,
  next_at real not null,
  primary key (limiter, key)
) strict, without rowid;
-- Rules that start runs.
create table schedule (
  id integer primary key autoincrement,
  name text not null unique,
  -- JSON: when it ticks, and what becomes of its ticks.
  rule text not null,
  definition integer not null,
  queue integer not null,
  priority integer not null,
  tags text,
  input text not null,
  -- The limiters its runs have to pass, as in run.
  limits text,
  is_declared integer not null,
  -- The next tick, and when it fires: later by its jitter; null when there is none.
  tick_at integer,
  due_at integer,
  is_paused integer not null,
  revision integer not null,
  skipped integer not null
) strict;
create index schedule_due on schedule (due_at) where due_at is not null and is_paused = 0;

-- Which nodes have which schedules in their code; rows of nodes that are gone mean nothing.
create table declared (
  schedule integer not null,
  node integer not null,
  primary key (schedule, node)
) strict, without rowid;

-- The schedule that started a run, and its tick; of one that was asked for by hand the tick is null.
alter table run add column schedule integer;
alter table run add column scheduled_at integer;
-- One run for each tick.
create unique index run_tick on run (schedule, scheduled_at) where schedule is not null;

-- Of an unfinished run that a schedule started.
alter table live add column schedule integer;
create index live_schedule on live (schedule) where schedule is not null;
-- What was told to runs and was not received; once the run has ended, what nobody will receive any more.
create table message (
  run_id integer not null,
  seq integer not null,
  name text not null,
  value text not null,
  at integer not null,
  primary key (run_id, seq)
) strict, without rowid;
insert into counter values ('message', 0);

-- Who wants which events.
create table subscription (
  id integer primary key autoincrement,
  pattern text not null,
  -- Null for one that is alone: it is gone when its process is.
  group_name text,
  takes text not null,
  until_at integer,
  unique (group_name, pattern)
) strict;

-- Events on their way, one row for each subscription.
create table event (
  id integer primary key autoincrement,
  subscription integer not null,
  name text not null,
  value text not null,
  at integer not null,
  attempt integer not null,
  -- When it is to be given, or given again; null once it was given up.
  due_at integer
) strict;
create index event_due on event (subscription, due_at);

-- Whether its code wants to be told of its runs that fail.
alter table definition add column on_failure integer not null default 0;
-- How its runs start, for those who have only its name: JSON; null when they cannot.
alter table definition add column starts text;
-- Of the runs of a schedule: their key as JSON, and how long each may take in all.
alter table schedule add column start_key text;
alter table schedule add column timeout_ms integer;
-- 1 for a run that was started by name alone: its input is checked when it is performed.
alter table run add column is_unchecked integer;

-- Runs that failed and whose definition has yet to be told of it; node is who tells it now, and taken how often that was begun.
create table failure (
  run_id integer not null,
  generation integer not null,
  definition integer not null,
  node integer,
  taken integer not null,
  primary key (run_id, generation)
) strict, without rowid;
create index failure_untold on failure (definition) where node is null;
${workflowTables}`
