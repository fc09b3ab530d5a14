// The fourth step of the schema: runs that somebody has to look at.

export const step4 = `
-- What people say of a run that failed for good or that they want to be looked at, and that it was declared stale.
create table investigation (
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
`
