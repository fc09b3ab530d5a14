// The first step of the schema. It was released: it never changes.

export const step1 = `
create table counter (
  name text primary key,
  value integer not null
) strict, without rowid;
insert into counter values ('run', 0), ('epoch', 0), ('clock', 0);

create table definition (
  id integer primary key,
  name text not null,
  version text not null,
  unique (name, version)
) strict;

create table queue (
  id integer primary key,
  name text not null unique
) strict;

-- The body of a run: written once.
create table run (
  id integer primary key,
  public_id text not null unique,
  definition integer not null,
  queue integer not null,
  input text not null,
  tags text,
  created_at integer not null,
  deadline_at integer
) strict;

-- One narrow row for each unfinished run: all that moves.
create table live (
  run_id integer primary key,
  generation integer not null,
  state text not null,
  queue integer not null,
  definition integer not null,
  priority integer not null,
  due_at integer,
  node integer,
  epoch integer not null,
  attempt integer not null,
  deliveries integer not null,
  -- Of the first activation; null before.
  started_at integer
) strict;
create index live_ready on live (queue, priority desc, run_id) where state = 'ready';
create index live_due on live (due_at) where due_at is not null;

-- Its key decides which outcome wins.
create table finished (
  run_id integer not null,
  generation integer not null,
  outcome text not null,
  value text not null,
  attempt integer not null,
  epoch integer not null,
  started_at integer,
  finished_at integer not null,
  primary key (run_id, generation)
) strict, without rowid;

-- The journal: what a run need not do again.
create table step (
  run_id integer not null,
  generation integer not null,
  path text not null,
  seq integer not null,
  kind text not null,
  attempt integer not null,
  is_error integer not null,
  value text not null,
  epoch integer not null,
  started_at integer not null,
  finished_at integer not null,
  primary key (run_id, generation, path)
) strict, without rowid;

-- Every attempt that failed; the one that finished stands in step or finished.
create table attempt (
  run_id integer not null,
  generation integer not null,
  path text not null,
  attempt integer not null,
  epoch integer not null,
  error text not null,
  started_at integer not null,
  finished_at integer not null,
  primary key (run_id, generation, path, attempt, epoch)
) strict, without rowid;

create table wait (
  run_id integer not null,
  path text not null,
  kind text not null,
  due_at integer not null,
  primary key (run_id, path)
) strict, without rowid;

create table emitted (
  run_id integer not null,
  epoch integer not null,
  n integer not null,
  value text not null,
  primary key (run_id, epoch, n)
) strict, without rowid;

create table log (
  run_id integer not null,
  epoch integer not null,
  n integer not null,
  level text not null,
  text text not null,
  at integer not null,
  primary key (run_id, epoch, n)
) strict, without rowid;

create table progress (
  run_id integer primary key,
  done real not null,
  total real not null
) strict;

create table keyed (
  definition integer not null,
  key text not null,
  run_id integer not null,
  primary key (definition, key)
) strict, without rowid;

create table cancel_request (
  run_id integer primary key,
  reason text not null
) strict;

-- Runs that wait for a person.
create table dead (
  run_id integer not null,
  generation integer not null,
  reason text not null,
  at integer not null,
  primary key (run_id, generation)
) strict, without rowid;

create table node (
  id integer primary key autoincrement,
  name text not null,
  lease_until integer not null,
  started_at integer not null,
  boot_id text,
  pid_namespace text,
  pid integer not null,
  pid_started_at text
) strict;

-- The last batch each node committed, so that a batch whose answer was lost is not written twice.
create table mark (
  node integer primary key,
  seq integer not null,
  epoch integer not null,
  -- What only that transaction could tell: JSON; null when nothing was lost and nothing cancelled.
  answer text
) strict;

create view runs as
select
  run.public_id as id,
  definition.name as name,
  definition.version as version,
  queue.name as queue,
  coalesce(live.state, finished.outcome) as state,
  coalesce(live.attempt, finished.attempt) as attempt,
  coalesce(live.deliveries, 0) as deliveries,
  run.created_at as created_at,
  coalesce(live.started_at, finished.started_at) as started_at,
  finished.finished_at as finished_at,
  live.due_at as due_at,
  node.name as node,
  run.tags as tags,
  run.input as input,
  finished.value as value,
  progress.done as done,
  progress.total as total,
  run.id as run_id
from run
join definition on definition.id = run.definition
join queue on queue.id = run.queue
left join live on live.run_id = run.id
left join finished on finished.run_id = run.id and live.run_id is null
left join node on node.id = live.node
left join progress on progress.run_id = run.id;

create view steps as
select
  run.public_id as run,
  step.path as path,
  step.seq as seq,
  step.kind as kind,
  step.attempt as attempt,
  step.is_error as is_error,
  step.value as value,
  step.started_at as started_at,
  step.finished_at as finished_at
from step
join run on run.id = step.run_id
where step.generation = coalesce(
  (select generation from live where run_id = run.id),
  (select max(generation) from finished where run_id = run.id)
);
`
