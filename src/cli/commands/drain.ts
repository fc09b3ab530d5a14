// `troupe drain`: asks a node to take no more work and to stop.
import type { NodeInfo } from '../../engine/verbs/nodes.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { oneLine } from '../paint.ts'
import { withClient } from '../store-client.ts'
import { toJson } from '../values.ts'
import { addBy, whoDoes, type ByFlags } from '../who.ts'

type DrainFlags = CommonFlags & ByFlags

export function addDrain(shell: Shell): void {
  const command = addCommand<DrainFlags>(shell, {
    name: 'drain',
    takes: 'NODE',
    summary: 'ask a node to take no more work and to stop',
    description:
      'Asks a node to take no more work and to stop: what it performs ends or parks in the time that it gives a stop, the rest goes back into its queue. It does not wait for that: see troupe nodes.',
    help,
    perform: (flags, [typed = ''], io) => drainCommand(typed, flags, io),
  })
  addBy(command).argument('<node>', 'its name, or its number in troupe nodes')
}

const help = `Examples:
  troupe nodes
  troupe drain rack-7:4711
  troupe drain 12 --by ann`

async function drainCommand(typed: string, flags: DrainFlags, io: Io): Promise<ExitCode> {
  const isAsked = await withClient(flags, io, async (troupe) =>
    troupe.drain(meant(typed, await troupe.nodes()), whoDoes(flags)),
  )
  if (flags.json === true) io.stdout.write(`${toJson({ node: typed, changed: isAsked })}\n`)
  else io.stderr.write(`${oneLine(doneText(typed, isAsked))}\n`)
  return exitCodes.ok
}

/** A name comes before a number. */
function meant(typed: string, nodes: readonly NodeInfo[]): string | number {
  const isName = nodes.some(({ name }) => name === typed)
  return isName || !/^\d+$/.test(typed) ? typed : Number(typed)
}

function doneText(typed: string, isAsked: boolean): string {
  if (!isAsked) return `Node ${typed} was asked to stop already.`
  return `Node ${typed} takes no more work, and stops when what it performs has ended or is given back. See: troupe nodes`
}
