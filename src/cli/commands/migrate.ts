// `troupe migrate`: makes the tables of a store, or brings them up to date; moves a store from a file to a Postgres.
import { counted } from '../../lib/text.ts'
import { giveUpMove, moveWithin, type MovedTable } from '../../store/moving/moving.ts'
import { migrateTables } from '../../store/open.ts'
import { isPostgresUrl, placeOf } from '../../store/postgres/place.ts'
import { addCommand, type Shell } from '../command.ts'
import { loadStore, shown, type CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { MoveReport } from '../move-report.ts'
import { usage } from '../usage.ts'
import { toJson } from '../values.ts'

interface MigrateFlags extends CommonFlags {
  readonly from?: string
  readonly to?: string
  readonly resume?: boolean
  readonly giveUp?: boolean
}

export function addMigrate(shell: Shell): void {
  addCommand<MigrateFlags>(shell, {
    name: 'migrate',
    summary: 'make the tables of a store, or move it to Postgres',
    description:
      'Makes the tables of a store, or brings them up to date. With --from it moves all that a file holds to a Postgres, where its runs go on: stop all programs first.',
    help,
    perform: (flags, _operands, io) => migrateCommand(flags, io),
  })
    .option('--from <url>', 'the store to move, as sqlite:.troupe/troupe.db')
    .option('--to <url>', 'where to, as postgres://… (default: the store of the configuration)')
    .option('--resume', 'go on with a move that was cut off')
    .option('--give-up', 'take back a move that was cut off')
}

const help = `Examples:
  troupe migrate --store postgres://app@db.internal/app
  troupe migrate --from sqlite:.troupe/troupe.db --to postgres://app@db.internal/app
  troupe migrate --from sqlite:.troupe/troupe.db --give-up`

function migrateCommand(flags: MigrateFlags, io: Io): Promise<ExitCode> {
  const { from, to, resume, giveUp } = flags
  if (resume === true && giveUp === true) throw usage('--resume and --give-up exclude each other: say one of them.')
  if (to !== undefined && giveUp === true)
    throw usage('--give-up takes back what the file of --from began, wherever it was to go: leave --to out.')
  if (from !== undefined) return giveUp === true ? giveUpCommand(from, flags, io) : moveCommand(from, flags, io)
  if (to !== undefined || resume === true || giveUp === true)
    throw usage('What is moved is missing: give it with --from, as in --from sqlite:.troupe/troupe.db.')
  return tablesCommand(flags, io)
}

async function tablesCommand(flags: MigrateFlags, io: Io): Promise<ExitCode> {
  const { store } = await loadStore(flags, io.folder)
  const found = await migrateTables(store, io.clock)
  const location = isPostgresUrl(store) ? found : shown(found, io.folder)
  say({ location }, `The tables of ${location} are those of this version.`, { flags, io })
  return exitCodes.ok
}

async function moveCommand(from: string, flags: MigrateFlags, io: Io): Promise<ExitCode> {
  const to = flags.to ?? (await loadStore(flags, io.folder)).store
  const request = { from: await sourceOf(from, io), to, resume: flags.resume === true }
  const report = new MoveReport(io, { isQuiet: flags.json === true })
  let tables: readonly MovedTable[]
  try {
    tables = await moveWithin(io.clock, { ...request, onProgress: (progress) => report.moved(progress) })
  } finally {
    report.close()
  }
  const words = `Moved ${rowsIn(tables)} from ${from} to ${placeOf(to).shown}: each table has the same rows and the same hash there. Its programs open that store now.`
  say({ tables }, words, { flags, io })
  return exitCodes.ok
}

async function giveUpCommand(from: string, flags: MigrateFlags, io: Io): Promise<ExitCode> {
  await giveUpMove(await sourceOf(from, io))
  say({ from }, `${from} takes writes again. Drop the schema that was begun before you move it anew.`, { flags, io })
  return exitCodes.ok
}

/** Paths start from the folder of the command. */
async function sourceOf(from: string, { folder }: Io): Promise<string> {
  const { store } = await loadStore({ store: from }, folder)
  return store
}

function rowsIn(tables: readonly MovedTable[]): string {
  return counted(
    tables.reduce((sum, { rows }) => sum + rows, 0),
    'row',
  )
}

function say(told: object, words: string, { flags, io }: { readonly flags: CommonFlags; readonly io: Io }): void {
  if (flags.json === true) io.stdout.write(`${toJson(told)}\n`)
  else io.stderr.write(`${words}\n`)
}
