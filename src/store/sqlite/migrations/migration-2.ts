// The second step of the schema. It was released: it never changes.

export const step2 = `
-- What kind of error a run ended with; null for none, and for an error without a code.
alter table finished add column code text;
update finished set code = value ->> 'code' where outcome <> 'succeeded' and json_valid(value);

-- Whether it may have rows in state.
alter table live add column has_state integer not null default 0;

-- What the attempts of a run keep for the next one; gone with its end.
create table state (
  run_id integer not null,
  key text not null,
  value text not null,
  primary key (run_id, key)
) strict, without rowid;

-- How runs ended, one row for each way; the times are from the first start to the end.
create table rollup (
  definition integer not null,
  outcome text not null,
  is_timeout integer not null,
  runs integer not null,
  total_ms integer not null,
  last_at integer not null,
  last_ms integer not null,
  primary key (definition, outcome, is_timeout)
) strict, without rowid;
-- SQLite takes last_ms from the row that has the maximum.
insert into rollup
select definition, outcome, is_timeout, count(*), sum(elapsed_ms), max(finished_at), elapsed_ms from (
  select run.definition, outcome, coalesce(code = 'timed_out', 0) as is_timeout, finished_at,
    max(0, finished_at - coalesce(started_at, finished_at)) as elapsed_ms
  from finished join run on run.id = finished.run_id
)
group by definition, outcome, is_timeout;

drop view runs;
create view runs as
select
  run.public_id as id,
  definition.name as name,
  definition.version as version,
  queue.name as queue,
  coalesce(live.state, finished.outcome) as state,
  finished.code as code,
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
-- The newest of its generations alone.
left join finished on finished.run_id = run.id and live.run_id is null
  and finished.generation = (select max(newest.generation) from finished as newest where newest.run_id = run.id)
left join node on node.id = live.node
left join progress on progress.run_id = run.id;
`
