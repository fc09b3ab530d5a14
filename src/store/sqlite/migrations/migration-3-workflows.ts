// The second half of the third step: workflows and codecs. Until that is released, what is new is added at its end.

export const workflowTables = `
-- What is kept with a line of a log: JSON of an object.
alter table log add column fields text;

-- The run that started it, whether it goes on without that, and how many are above it.
alter table run add column parent integer;
alter table run add column is_detached integer not null default 0;
alter table run add column depth integer not null default 0;
create index run_parent on run (parent) where parent is not null;

-- Whether it started runs that end with it.
alter table live add column has_children integer not null default 0;

-- Runs that have ended and whose children have yet to, those behind the one that is given.
create table ending (
  run_id integer primary key,
  after integer not null
) strict;

-- Who waits for the end of which run.
create index wait_run on wait (name) where kind = 'run';

-- What a message is about, where it says so; whether its schema was asked when it was told; why it was refused by the run it was told.
alter table message add column key text;
alter table message add column is_checked integer not null default 0;
alter table message add column refused text;
-- The key of the message that is waited for, where one is.
alter table wait add column key text;

-- Whose code does not fit their journal: code that starts may.
create index wait_diverged on wait (run_id) where kind = 'diverged';

-- What is asked of runs, and its answer; seq is of the counter of messages. Gone when nobody waits for it any more.
create table ask (
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
create index ask_open on ask (run_id, seq) where is_taken = 0;
create index ask_run on ask (run_id);
create index ask_until on ask (until_at);

-- 1 for a step that can be undone, 2 for one that was resolved by hand, of which its code says whether it can; 1 for a run that has one, 2 for a run that undoes.
alter table step add column has_undo integer not null default 0;
alter table live add column undo integer not null default 0;

-- How a run ends that undoes what it did first.
create table undoing (
  run_id integer primary key,
  outcome text not null,
  value text not null,
  at integer not null
) strict;

-- 1 for a request to end without undoing anything.
alter table cancel_request add column skips_undo integer not null default 0;

-- The run whose journal it began with, by the id that users know.
alter table run add column forked_from text;

-- The generation in which it last began anew with another input.
alter table run add column anew_in integer;

-- Runs that were taken away from a node, which has yet to hear of it.
create table taken (
  run_id integer not null,
  epoch integer not null,
  node integer not null,
  primary key (run_id, epoch)
) strict, without rowid;

-- Runs that were forked under a key: one for each run they come from.
create table fork_key (
  source integer not null,
  key text not null,
  run_id integer not null,
  primary key (source, key)
) strict, without rowid;
create index fork_key_run on fork_key (run_id);

-- What a fork remembers to have been started by the run it comes from: its results may be asked for as long as the fork goes on.
create table shared (
  child integer not null,
  run_id integer not null,
  primary key (child, run_id)
) strict, without rowid;
create index shared_run on shared (run_id);

-- The forms of codecs that values were written in, each with what everybody knows in that form; the one that was used last is the form of whoever opened the store last.
create table coding (
  form text primary key,
  proof text not null,
  used integer not null
) strict, without rowid;

-- The run that published it: JSON; null where it was the program.
alter table event add column origin text;
alter table event add column mode text not null default 'durable';
`
