// `troupe cancel`: asks a run to end.
import type { CancelOptions } from '../../engine/activation/cancel-order.ts'
import { runMoves } from '../../model/run.ts'
import { addCommand, addWhere, type Shell } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { findRun } from '../find-run.ts'
import type { Io } from '../io.ts'
import { doToAll, type DoingToAll, type ManyFlags } from '../many-runs.ts'
import { withClient } from '../store-client.ts'
import { usage } from '../usage.ts'
import { toJson } from '../values.ts'
import { addBy, whoDoes } from '../who.ts'

interface CancelFlags extends ManyFlags {
  readonly reason?: string
  readonly undo?: boolean
}

export function addCancel(shell: Shell): void {
  const command = addCommand<CancelFlags>(shell, {
    name: 'cancel',
    takes: '[ID]',
    summary: 'ask a run to end',
    description:
      'Asks a run to end, and waits until it has. Exit code 1 when it had succeeded or failed before; a run that was cancelled already is fine. In place of an id a filter says which runs are asked; their ends are not waited for.',
    perform: (flags, [id], io) => (id === undefined ? cancelMany(flags, io) : cancelCommand(id, flags, io)),
  })
  addBy(addWhere(command, runMoves.cancel.from))
    .argument('[id]', 'its id, or at least the first 8 characters')
    .option('--reason <text>', 'is told to the run and kept with it')
    .option('--no-undo', 'lets stay what its steps did; one that undoes already ends at once')
    .option('--dry-run', 'only tell what the filter finds')
}

function reasonOf({ reason, undo = true }: CancelFlags): CancelOptions {
  return { undo, ...(reason !== undefined && { reason }) }
}

function cancelMany(flags: CancelFlags, io: Io): Promise<ExitCode> {
  return doToAll({ ...doing, options: reasonOf(flags) }, flags, io)
}

const doing: DoingToAll = {
  action: 'cancel',
  would: 'asked to end',
  done: 'asked to end',
  nothing: 'Nothing to cancel: no such run is unfinished. See all: troupe runs',
  seeFirst: 'See them: troupe runs',
}

/** Waits until the run has ended: a run that is running ends when its node has heard of it. */
async function cancelCommand(typed: string, flags: CancelFlags, io: Io): Promise<ExitCode> {
  if (flags.dryRun === true) throw usage('--dry-run goes with a filter, as in --name.')
  const { id, isCancelled, state, isOver } = await withClient(flags, io, async (troupe) => {
    const run = await findRun(troupe, typed)
    const isOver = run.finishedAt !== undefined
    const isCancelled = isOver
      ? run.state === 'cancelled'
      : await troupe.cancel(run.id, { ...reasonOf(flags), ...whoDoes(flags) })
    const state = (await troupe.get(run.id))?.state ?? run.state
    return { id: run.id, isCancelled, state, isOver }
  })
  if (flags.json === true) io.stdout.write(`${toJson({ id, cancelled: isCancelled, state })}\n`)
  else if (isCancelled) io.stderr.write(`Run ${id} ${isOver ? 'was cancelled already' : 'is cancelled'}.\n`)
  else io.stderr.write(`Run ${id} had ended already: ${state}.\n`)
  return isCancelled ? exitCodes.ok : exitCodes.runFailed
}
