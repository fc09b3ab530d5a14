// `troupe cancel`: asks a run to end.
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { findRun } from '../find-run.ts'
import type { Io } from '../io.ts'
import { withClient } from '../store-client.ts'
import { toJson } from '../values.ts'

interface CancelFlags extends CommonFlags {
  readonly reason?: string
}

export function addCancel(shell: Shell): void {
  addCommand<CancelFlags>(shell, {
    name: 'cancel',
    takes: 'ID',
    summary: 'ask a run to end',
    description: 'Asks a run to end, and waits until it has. Exit code 1 when it had ended in another way.',
    perform: (flags, [id = ''], io) => cancelCommand(id, flags, io),
  })
    .argument('<id>', 'its id, or at least the first 8 characters')
    .option('--reason <text>', 'is told to the run and kept with it')
}

/** Waits until the run has ended: a run that is running ends when its node has heard of it. */
async function cancelCommand(typed: string, flags: CancelFlags, io: Io): Promise<ExitCode> {
  const { id, isCancelled, state } = await withClient(flags, io, async (troupe) => {
    const run = await findRun(troupe, typed)
    const wasCancelled = run.finishedAt === undefined && (await troupe.cancel(run.id, flags.reason))
    const now = await troupe.get(run.id)
    return { id: run.id, isCancelled: wasCancelled, state: now?.state ?? run.state }
  })
  if (flags.json === true) io.stdout.write(`${toJson({ id, cancelled: isCancelled, state })}\n`)
  else io.stderr.write(isCancelled ? `Run ${id} is cancelled.\n` : `Run ${id} had ended already: ${state}.\n`)
  return isCancelled ? exitCodes.ok : exitCodes.runFailed
}
