// `troupe entities`: the entities of a store, by their keys.
import type { EntityStatus } from '../../entity/listing.ts'
import { formatBytes } from '../../lib/bytes.ts'
import { addCommand, wholeNumber, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { oneLine, stateStyles } from '../paint.ts'
import { withClient } from '../store-client.ts'
import type { Column } from '../table.ts'
import { relative } from '../times.ts'

interface EntitiesFlags extends CommonFlags {
  readonly after?: string
  readonly limit?: number
}

const mostEntities = 20

export function addEntities(shell: Shell): void {
  addCommand<EntitiesFlags>(shell, {
    name: 'entities',
    takes: '[NAME [KEY]]',
    summary: 'list entities, by their keys',
    description:
      'Lists the entities that are there: of all names, of one, or the one of a key. One that keeps nothing and has nothing to handle is not there.',
    help,
    perform: entitiesCommand,
  })
    .argument('[name]', 'only those of this name')
    .argument('[key]', 'only the one of this key')
    .option('--after <key>', 'only those behind this key; with a name')
    .option('--limit <n>', 'how many at most (default: 20)', wholeNumber)
}

const help = `Examples:
  troupe entities
  troupe entities account --after ann
  troupe entities account ann --json
  troupe show ID                       what one waits for, by the id of its run`

async function entitiesCommand(flags: EntitiesFlags, [name, key]: readonly string[], io: Io): Promise<ExitCode> {
  const { after, limit = mostEntities } = flags
  const filter = { ...(key !== undefined && { key }), ...(after !== undefined && { after }) }
  // One more than is shown, to know whether there are more.
  const found = await withClient(flags, io, (troupe) => troupe.entities(name, { ...filter, limit: limit + 1 }))
  const rows = found.slice(0, limit)
  printListing(
    {
      rows,
      nothing: nothingFound(name, key),
      columns: columnsFor(rows, io.clock.now()),
      narrow: ({ name: its, key: own, state }) => `${oneLine(its)}  ${oneLine(own)}  ${state}`,
      hint: found.length > limit ? moreText(name, rows) : undefined,
    },
    flags,
    io,
  )
  return exitCodes.ok
}

function columnsFor(entities: readonly EntityStatus[], now: number): Column<EntityStatus>[] {
  const columns: (Column<EntityStatus> | undefined)[] = [
    { title: 'NAME', cell: ({ name }) => oneLine(name), least: 8, cutAt: 'middle' },
    { title: 'KEY', cell: ({ key }) => oneLine(key), least: 8, cutAt: 'middle' },
    {
      title: 'STATE',
      cell: ({ state }) => state,
      paint: ({ state }, text, paint) => paint(stateStyles[state], text),
    },
    { title: 'KEEPS', cell: ({ stateBytes }) => formatBytes(stateBytes), align: 'right' },
    { title: 'WAITING', cell: ({ waiting }) => String(waiting), align: 'right' },
    entities.some(({ dueAt }) => dueAt !== undefined)
      ? { title: 'NEXT', cell: ({ dueAt }) => (dueAt === undefined ? '' : relative(dueAt, now)) }
      : undefined,
    { title: 'RUN', cell: ({ runId }) => runId, paint: (_entity, text, paint) => paint('dim', text) },
  ]
  return columns.filter((column) => column !== undefined)
}

function moreText(name: string | undefined, rows: readonly EntityStatus[]): string {
  if (name === undefined) return `The first ${rows.length}; name one kind to see all of them: troupe entities NAME`
  return `The first ${rows.length}; see the next with --after ${rows.at(-1)?.key}`
}

function nothingFound(name: string | undefined, key: string | undefined): string {
  if (name === undefined) return 'No entities: one begins with its first message.'
  if (key === undefined) return `No entities of '${name}'. See all: troupe entities`
  return `No entity '${key}' of '${name}'. See all: troupe entities ${name}`
}
