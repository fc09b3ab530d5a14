// `troupe resolve`: records the result of a step by hand.
import type { ResolveOptions } from '../../engine/verbs/resolving.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { findRun } from '../find-run.ts'
import { parseInput } from '../input.ts'
import type { Io } from '../io.ts'
import { oneLine } from '../paint.ts'
import { withClient } from '../store-client.ts'
import { usage } from '../usage.ts'
import { toJson } from '../values.ts'
import { addWhy, whyDone, type WhyFlags } from '../who.ts'

interface ResolveFlags extends CommonFlags, WhyFlags {
  readonly output?: string
  readonly error?: string
  readonly force?: boolean
}

interface ResolveRequest {
  readonly typed: string
  readonly step: string
  readonly flags: ResolveFlags
}

export function addResolve(shell: Shell): void {
  const command = addCommand<ResolveFlags>(shell, {
    name: 'resolve',
    takes: 'ID STEP',
    summary: 'record the result of a step by hand',
    description:
      'Records the result of a step that fails again and again, waits for a token or is under way, and lets its run go on with it; a run that failed goes on too.',
    help,
    perform: (flags, [typed = '', step = ''], io) => resolveCommand({ typed, step, flags }, io),
  })
  addWhy(command)
    .argument('<id>', 'its id, or at least the first 8 characters')
    .argument('<step>', 'the path of the step')
    .option('--output <json>', 'what it gives; - reads standard input')
    .option('--error <text>', 'what it fails with, for good')
    .option('--force', 'also when nothing is known of the step, as while it is executed for the first time')
}

const help = `Examples:
  troupe show 0197f3a2-5c1e                see what it waits for
  troupe resolve 0197f3a2-5c1e charge --output '{"receipt":17}'
  troupe resolve 0197f3a2-5c1e charge --output null --reason 'done by telephone'
  troupe resolve 0197f3a2-5c1e charge --error 'the card is blocked'`

async function resolveCommand({ typed, step, flags }: ResolveRequest, io: Io): Promise<ExitCode> {
  const options = { ...(await resultOf(typed, flags, io)), ...whyDone(flags) }
  const id = await withClient(flags, io, async (troupe) => {
    const run = await findRun(troupe, typed)
    await troupe.resolve(run.id, step, options)
    return run.id
  })
  if (flags.json === true) io.stdout.write(`${toJson({ id, step })}\n`)
  else io.stderr.write(`${oneLine(`Step '${step}' of run ${id} is resolved, and the run goes on.`)}\n`)
  return exitCodes.ok
}

async function resultOf(typed: string, { output, error, force }: ResolveFlags, io: Io): Promise<ResolveOptions> {
  if ((output === undefined) === (error === undefined)) throw usage('Give either --output or --error.')
  const forced = force === true ? { force } : {}
  if (error !== undefined) return { error: new Error(error), ...forced }
  const text = output === '-' ? await io.readStdin() : output
  return { output: parseInput(text, `troupe resolve ${typed} charge --output '{"receipt":17}'`), ...forced }
}
