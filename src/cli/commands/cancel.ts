// `troupe cancel`: asks a run to end.
import type { CancelOptions } from '../../engine/cancel-order.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { findRun } from '../find-run.ts'
import type { Io } from '../io.ts'
import { withClient } from '../store-client.ts'
import { toJson } from '../values.ts'
import { addBy, whoDoes, type ByFlags } from '../who.ts'

interface CancelFlags extends CommonFlags, ByFlags {
  readonly reason?: string
  readonly undo?: boolean
}

export function addCancel(shell: Shell): void {
  const command = addCommand<CancelFlags>(shell, {
    name: 'cancel',
    takes: 'ID',
    summary: 'ask a run to end',
    description:
      'Asks a run to end, and waits until it has. Exit code 1 when it had succeeded or failed before; a run that was cancelled already is fine.',
    perform: (flags, [id = ''], io) => cancelCommand(id, flags, io),
  })
  addBy(command)
    .argument('<id>', 'its id, or at least the first 8 characters')
    .option('--reason <text>', 'is told to the run and kept with it')
    .option('--no-undo', 'lets stay what its steps did; one that undoes already ends at once')
}

function reasonOf({ reason, undo = true }: CancelFlags): CancelOptions {
  return { undo, ...(reason !== undefined && { reason }) }
}

/** Waits until the run has ended: a run that is running ends when its node has heard of it. */
async function cancelCommand(typed: string, flags: CancelFlags, io: Io): Promise<ExitCode> {
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
