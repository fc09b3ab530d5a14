// `troupe fork`: begins another run with what one did up to a step.
import type { BulkOptions } from '../../engine/verbs/bulk.ts'
import type { ForkOptions } from '../../engine/verbs/forking.ts'
import { runStates } from '../../engine/verbs/filters.ts'
import { addCommand, addWhere, type Shell } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { findRun } from '../find-run.ts'
import { parseInput } from '../input.ts'
import type { Io } from '../io.ts'
import { doToAll, type DoingToAll, type ManyFlags } from '../many-runs.ts'
import { failures } from '../state-words.ts'
import { withClient } from '../store-client.ts'
import { usage } from '../usage.ts'
import { toJson } from '../values.ts'
import { addBy, whoDoes } from '../who.ts'

interface ForkFlags extends ManyFlags {
  readonly from?: string
  readonly input?: string
  readonly key?: string
}

export function addFork(shell: Shell): void {
  const command = addCommand<ForkFlags>(shell, {
    name: 'fork',
    takes: '[ID]',
    summary: 'begin another run with what one did up to a step',
    description:
      'Begins another run that remembers what this one did up to a step, prints its id, and lets this one be as it is. Without --from it remembers all that did not fail. In place of an id a filter says which runs are forked.',
    help,
    perform: (flags, [id], io) => (id === undefined ? forkMany(flags, io) : forkCommand(id, flags, io)),
  })
  addBy(addWhere(command, [...runStates, ...Object.keys(failures)]))
    .argument('[id]', 'its id, or at least the first 8 characters')
    .option('--from <step>', 'the path of the step that is done anew, with all that came after it')
    .option('--input <json>', 'another input; - reads standard input')
    .option('--key <text>', 'idempotency key: there is one fork of a run for each key')
    .option('--dry-run', 'only tell what the filter finds')
}

const help = `Examples:
  troupe show 0197f3a2-5c1e               see its steps
  troupe fork 0197f3a2-5c1e --from ship
  troupe fork --name order --state failed --from ship --dry-run
  troupe fork 0197f3a2-5c1e --from 'ship[sku-17]/pack' --input '{"address":"Elm Street 5"}'`

function forkMany(flags: ForkFlags, io: Io): Promise<ExitCode> {
  if (flags.input !== undefined) throw usage('--input goes with the id of one run.')
  return doToAll({ ...doing, options: optionsOf(flags) }, flags, io)
}

const doing: DoingToAll = {
  action: 'fork',
  would: 'forked',
  done: 'forked',
  skipped: 'have no such step, were forked under that key, or changed meanwhile',
  nothing: 'Nothing to fork. See all: troupe runs',
  seeFirst: 'See them: troupe runs',
}

async function forkCommand(typed: string, flags: ForkFlags, io: Io): Promise<ExitCode> {
  if (flags.dryRun === true) throw usage('--dry-run goes with a filter, as in --name.')
  const text = flags.input === '-' ? await io.readStdin() : flags.input
  const input = parseInput(text, `troupe fork ${typed} --input '{"name":"ann"}'`)
  const options: ForkOptions = {
    ...whoDoes(flags),
    ...optionsOf(flags),
    ...(input !== undefined && { input }),
  }
  const { id, from } = await withClient(flags, io, async (troupe) => {
    const run = await findRun(troupe, typed)
    return { id: (await troupe.fork(run.id, options)).id, from: run.id }
  })
  io.stdout.write(flags.json === true ? `${toJson({ id, forkedFrom: from })}\n` : `${id}\n`)
  return exitCodes.ok
}

function optionsOf({ from, key }: ForkFlags): Pick<BulkOptions, 'from' | 'idempotencyKey'> {
  if (key === '') throw usage('--key is empty: give a text that stands for what is mended, as in --key order-17')
  return { ...(from !== undefined && { from }), ...(key !== undefined && { idempotencyKey: key }) }
}
