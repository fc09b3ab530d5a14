// What programs and people start runs with from transactions of their own: a table that takes rows, and a function that writes them.

export const intakeOfStarts = `
create table intake (
  id bigint generated always as identity primary key,
  -- The id of the run that it becomes.
  run text collate "C" not null,
  -- Of a start by start_run: what is started, and its options: JSON.
  name text collate "C",
  options text collate "C",
  -- As it is stored with the run; JSON, or null for none, of a start by start_run.
  input text collate "C",
  -- What a program made of its call: JSON.
  start text collate "C",
  at bigint not null default (extract(epoch from clock_timestamp()) * 1000)::bigint
);

-- How many starts wait there, and since when: by the names of start_run, and null for those that programs made.
create view waiting_starts as
select name, count(*) as starts, min(at) as oldest_at from intake group by name;

-- Temporary tables of whoever calls the function come last: they cannot stand in for those of the store.
select set_config('search_path', current_schema() || ', pg_temp', true);

-- Leaves a start; gives the id of the run that it becomes once the transaction is committed and a node has taken it in.
create function start_run(
  name text,
  input jsonb default null,
  queue text default null,
  priority integer default null,
  delay interval default null,
  at timestamptz default null,
  expires interval default null,
  timeout interval default null,
  retry jsonb default null,
  tags text[] default null,
  correlation_id text default null
) returns text language plpgsql security definer set search_path from current as $$
declare
  now_ms constant bigint := extract(epoch from clock_timestamp()) * 1000;
  begins_at constant timestamptz := coalesce(start_run.at, clock_timestamp() + delay);
  -- UUIDv7: the time, and then the random part of a UUIDv4.
  id constant text :=
    (lpad(to_hex(now_ms), 12, '0') || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid::text;
begin
  if coalesce(char_length(name), 0) not between 1 and 255 then
    raise exception 'name is %: expected the name of a worker, of 1 to 255 characters', coalesce('''' || left(name, 60) || '''', 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if priority not between -100 and 100 then
    raise exception 'priority is %: expected a whole number from -100 to 100', priority using errcode = 'invalid_parameter_value';
  end if;
  if delay is not null and start_run.at is not null then
    raise exception 'delay and at exclude each other: both say when it starts' using errcode = 'invalid_parameter_value';
  end if;
  if not exists (select 1 from definition where definition.name = start_run.name and starts is not null) then
    raise warning 'No process has registered a worker ''%'' yet: run % begins once one has', name, id;
  end if;
  insert into intake (run, name, input, options) values (
    id,
    start_run.name,
    start_run.input::text,
    jsonb_strip_nulls(jsonb_build_object(
      'queue', queue,
      'priority', priority,
      'at', floor(extract(epoch from begins_at) * 1000),
      'expires', floor(extract(epoch from expires) * 1000),
      'timeout', floor(extract(epoch from timeout) * 1000),
      'retry', retry,
      'tags', to_jsonb(tags),
      'correlationId', correlation_id
    ))::text
  );
  return id;
end
$$;

select set_config('search_path', current_schema(), true);

revoke execute on function start_run from public;
`
