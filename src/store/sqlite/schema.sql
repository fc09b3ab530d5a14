-- The schema of a SQLite store. Generated from migrations.ts; do not edit.

CREATE TABLE ask (
  seq integer primary key,
  run_id integer not null,
  name text not null,
  value text not null,
  is_checked integer not null,
  -- The run has begun to answer.
  is_taken integer not null default 0,
  until_at integer not null,
  is_error integer,
  reply text
) strict;

CREATE INDEX ask_open on ask (run_id, seq) where is_taken = 0;

CREATE INDEX ask_run on ask (run_id);

CREATE INDEX ask_until on ask (until_at);

CREATE TABLE attempt (
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

CREATE TABLE audit (
  id integer primary key,
  at integer not null,
  actor text,
  action text not null,
  target text not null,
  -- JSON.
  details text not null
) strict;

CREATE TABLE cancel_request (
  run_id integer primary key,
  reason text not null
, skips_undo integer not null default 0) strict;

CREATE TABLE coding (
  form text primary key,
  proof text not null,
  used integer not null
) strict, without rowid;

CREATE TABLE counter (
  name text primary key,
  value integer not null
) strict, without rowid;

CREATE TABLE declared (
  schedule integer not null,
  node integer not null,
  primary key (schedule, node)
) strict, without rowid;

CREATE TABLE definition (
  id integer primary key,
  name text not null,
  version text not null, retention text, on_failure integer not null default 0, starts text,
  unique (name, version)
) strict;

CREATE TABLE emitted (
  run_id integer not null,
  epoch integer not null,
  n integer not null,
  value text not null,
  primary key (run_id, epoch, n)
) strict, without rowid;

CREATE TABLE ending (
  run_id integer primary key,
  after integer not null
) strict;

CREATE TABLE event (
  id integer primary key autoincrement,
  subscription integer not null,
  name text not null,
  value text not null,
  at integer not null,
  attempt integer not null,
  -- When it is to be given, or given again; null once it was given up.
  due_at integer
, origin text, mode text not null default 'durable') strict;

CREATE INDEX event_due on event (subscription, due_at);

CREATE TABLE failure (
  run_id integer not null,
  generation integer not null,
  definition integer not null,
  node integer,
  taken integer not null,
  primary key (run_id, generation)
) strict, without rowid;

CREATE INDEX failure_untold on failure (definition) where node is null;

CREATE TABLE finished (
  run_id integer not null,
  generation integer not null,
  outcome text not null,
  value text not null,
  attempt integer not null,
  epoch integer not null,
  started_at integer,
  finished_at integer not null, code text, fingerprint text, priority integer,
  primary key (run_id, generation)
) strict, without rowid;

CREATE INDEX finished_dead on finished (fingerprint, finished_at) where fingerprint is not null;

CREATE TABLE fork_key (
  source integer not null,
  key text not null,
  run_id integer not null,
  primary key (source, key)
) strict, without rowid;

CREATE INDEX fork_key_run on fork_key (run_id);

CREATE TABLE investigation (
  run_id integer not null,
  generation integer not null,
  -- Null for one that failed: the code of its error says why.
  reason text,
  -- Null while it was only told that it is stale.
  state text,
  at integer not null,
  original_state text not null,
  notes text,
  -- Of the closed ones.
  resolved_by text,
  resolved_at integer,
  -- Since when it is stale, as it was told last.
  stale_since integer,
  primary key (run_id, generation)
) strict, without rowid;

CREATE TABLE keyed (
  scope text not null,
  definition integer not null,
  key text not null,
  run_id integer not null,
  -- The run whose end run_id waits for.
  ahead integer,
  primary key (scope, definition, key)
) strict, without rowid;

CREATE INDEX keyed_ahead on keyed (ahead) where ahead is not null;

CREATE INDEX keyed_run on keyed (run_id);

CREATE TABLE limiter (
  id integer primary key,
  name text not null unique,
  -- As the code declares them, and as they were changed live: JSON; the latter win where they are given.
  bounds text not null,
  live_bounds text
) strict;

CREATE TABLE line (
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

CREATE INDEX line_due on line (opens_at) where opens_at is not null;

CREATE INDEX line_open on line (queue, limiter, turn, priority desc, ticket) where is_open = 1;

CREATE INDEX line_ticket on line (limiter, turn, priority desc, ticket) where is_open = 1 and queue < 0;

CREATE TABLE live (
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
, has_state integer not null default 0, limited integer not null default 0, has_slots integer not null default 0, has_begun integer not null default 1, is_followed integer not null default 0, schedule integer, has_children integer not null default 0, undo integer not null default 0) strict;

CREATE INDEX live_due on live (due_at) where due_at is not null;

CREATE INDEX live_ready on live (queue, priority desc, run_id) where state = 'ready' and limited = 0;

CREATE INDEX live_schedule on live (schedule) where schedule is not null;

CREATE TABLE log (
  run_id integer not null,
  epoch integer not null,
  n integer not null,
  level text not null,
  text text not null,
  at integer not null, fields text,
  primary key (run_id, epoch, n)
) strict, without rowid;

CREATE TABLE "mark" (
  node integer not null,
  slot integer not null,
  seq integer not null,
  epoch integer not null,
  -- What only that transaction could tell: JSON; null when nothing was lost and nothing cancelled.
  answer text,
  primary key (node, slot)
) strict, without rowid;

CREATE TABLE message (
  run_id integer not null,
  seq integer not null,
  name text not null,
  value text not null,
  at integer not null, key text, is_checked integer not null default 0, refused text,
  primary key (run_id, seq)
) strict, without rowid;

CREATE TABLE node (
  id integer primary key autoincrement,
  name text not null,
  lease_until integer not null,
  started_at integer not null,
  boot_id text,
  pid_namespace text,
  pid integer not null,
  pid_started_at text
, queues text not null default '[]', definitions text not null default '[]', version text, drain_at integer, clock_ahead_ms integer not null default 0) strict;

CREATE TABLE pace (
  limiter integer not null,
  key text not null,
  next_at real not null,
  primary key (limiter, key)
) strict, without rowid;

CREATE TABLE progress (
  run_id integer primary key,
  done real not null,
  total real not null
) strict;

CREATE TABLE queue (
  id integer primary key,
  name text not null unique
, paused_at integer) strict;

CREATE TABLE "rollup" (
  definition integer not null,
  outcome text not null,
  is_timeout integer not null,
  slot integer not null,
  runs integer not null,
  total_ms integer not null,
  last_at integer not null,
  last_ms integer not null,
  primary key (definition, outcome, is_timeout, slot)
) strict, without rowid;

CREATE TABLE run (
  id integer primary key,
  public_id text not null unique,
  definition integer not null,
  queue integer not null,
  input text not null,
  tags text,
  created_at integer not null,
  deadline_at integer
, limits text, expires_at integer, correlation_id text, retry text, opened_at integer, schedule integer, scheduled_at integer, is_unchecked integer, parent integer, is_detached integer not null default 0, depth integer not null default 0, forked_from text, anew_in integer) strict;

CREATE INDEX run_parent on run (parent) where parent is not null;

CREATE UNIQUE INDEX run_tick on run (schedule, scheduled_at) where schedule is not null;

CREATE TABLE schedule (
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
, start_key text, timeout_ms integer) strict;

CREATE INDEX schedule_due on schedule (due_at) where due_at is not null and is_paused = 0;

CREATE TABLE shared (
  child integer not null,
  run_id integer not null,
  primary key (child, run_id)
) strict, without rowid;

CREATE INDEX shared_run on shared (run_id);

CREATE TABLE slot (
  limiter integer not null,
  key text not null,
  ticket integer not null,
  run_id integer,
  node integer not null,
  epoch integer not null,
  since integer not null,
  primary key (limiter, key, ticket)
) strict, without rowid;

CREATE INDEX slot_node on slot (node, ticket) where run_id is null or run_id <> ticket;

CREATE INDEX slot_run on slot (run_id) where run_id is not null;

CREATE INDEX slot_ticket on slot (ticket);

CREATE TABLE state (
  run_id integer not null,
  key text not null,
  value text not null,
  primary key (run_id, key)
) strict, without rowid;

CREATE TABLE step (
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
  finished_at integer not null, has_undo integer not null default 0,
  primary key (run_id, generation, path)
) strict, without rowid;

CREATE TABLE subscription (
  id integer primary key autoincrement,
  pattern text not null,
  -- Null for one that is alone: it is gone when its process is.
  group_name text,
  takes text not null,
  until_at integer,
  unique (group_name, pattern)
) strict;

CREATE TABLE taken (
  run_id integer not null,
  epoch integer not null,
  node integer not null,
  primary key (run_id, epoch)
) strict, without rowid;

CREATE TABLE template (
  hash text primary key,
  definition integer not null unique,
  namespace text not null,
  name text not null,
  version text not null,
  -- Its native form: JSON.
  form text not null,
  -- What whoever performs it has to have: JSON.
  needs text not null,
  -- Rises with each change of any.
  seq integer not null unique,
  -- When its name was last made to mean it, as a seq; null for one that was posted with a run. Of those of one name the last is meant.
  named integer,
  -- 1 when that is so on nodes too that have another one of that name.
  is_refreshed integer not null default 0,
  kept_at integer not null,
  -- When somebody last registered or posted it, when its name came to mean another, or when a run of it was last seen.
  used_at integer not null
) strict, without rowid;

CREATE INDEX template_named on template (namespace, name, named) where named is not null;

CREATE INDEX template_used on template (used_at, definition, namespace, name, named);

CREATE TABLE token (
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

CREATE INDEX token_run on token (run_id);

CREATE TABLE undoing (
  run_id integer primary key,
  outcome text not null,
  value text not null,
  at integer not null
) strict;

CREATE TABLE wait (
  run_id integer not null,
  path text not null,
  kind text not null,
  -- What is waited for, where the kind alone does not say it.
  name text,
  -- Null without a time limit.
  due_at integer, key text,
  primary key (run_id, path)
) strict, without rowid;

CREATE INDEX wait_diverged on wait (run_id) where kind = 'diverged';

CREATE INDEX wait_run on wait (name) where kind = 'run';

CREATE TABLE waiter (
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

CREATE INDEX waiter_run on waiter (run_id) where run_id is not null;

CREATE INDEX waiter_ticket on waiter (ticket);

CREATE VIEW dead as
select id, name, fingerprint, code, finished_at as at, value as error, run_id
from runs where fingerprint is not null;

CREATE VIEW runs as
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

CREATE VIEW steps as
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
