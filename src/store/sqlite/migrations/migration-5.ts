// The fifth step of the schema. Until it is released, what is new is added at its end.

export const step5 = `
-- Templates by the hash of what they say, so that whoever has their handlers can go on with their runs.
create table template (
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
create index template_named on template (namespace, name, named) where named is not null;
create index template_used on template (used_at, definition, namespace, name, named);

-- The version of the library; null for a node that did not say.
alter table node add column version text;
-- Since when it is asked to stop; null while nobody asks that.
alter table node add column drain_at integer;
-- By how much its clock was ahead of the time of the store when it last told.
alter table node add column clock_ahead_ms integer not null default 0;

-- Rows that each batch changes may be divided into several.
create table mark_divided (
  node integer not null,
  slot integer not null,
  seq integer not null,
  epoch integer not null,
  -- What only that transaction could tell: JSON; null when nothing was lost and nothing cancelled.
  answer text,
  primary key (node, slot)
) strict, without rowid;
insert into mark_divided select node, 0, seq, epoch, answer from mark;
drop table mark;
alter table mark_divided rename to mark;
create table rollup_divided (
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
insert into rollup_divided select definition, outcome, is_timeout, 0, runs, total_ms, last_at, last_ms from rollup;
drop table rollup;
alter table rollup_divided rename to rollup;
`
