// `troupe show`: everything that is known of one run.
import { isTroupeError } from '../../lib/errors.ts'
import type { LeftOutStep } from '../../template/perform/reasons.ts'
import type { Troupe } from '../../troupe.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { findRun } from '../find-run.ts'
import { unlimited, type Io } from '../io.ts'
import { paintFor, plain } from '../paint.ts'
import { drawRun, mostCounted, type Drawn } from '../run-picture.ts'
import { seenRun, taskerJson, taskerLines } from '../tasker-lines.ts'
import { withClient } from '../store-client.ts'
import { printJson } from '../values.ts'

interface ShowFlags extends CommonFlags {
  /** Also the steps past the first hundred. */
  readonly all?: boolean
  /** Also its states as Tasker calls them. */
  readonly tasker?: boolean
}

const mostSteps = 100

export function addShow(shell: Shell): void {
  addCommand<ShowFlags>(shell, {
    name: 'show',
    takes: 'ID',
    summary: 'show one run: times, input, steps, error, output',
    description: 'Shows everything of one run: its times, input, progress, steps, error and output.',
    help,
    perform: (flags, [id = ''], io) => showCommand(id, flags, io),
  })
    .argument('<id>', 'its id, or at least the first 8 characters')
    .option('--all', 'show all steps, however many')
    .option('--tasker', 'also in the words of Tasker: the state of the task, and of each step')
}

const help = `Examples:
  troupe show 0197f3a2-5c1e-7a00-8000-3f1c2b9d4e5f
  troupe show 0197f3a2-5c1e --verbose  with the stack of its error
  troupe show 0197f3a2-5c1e --json | jq .output`

async function showCommand(id: string, flags: ShowFlags, io: Io): Promise<ExitCode> {
  const [found, seen] = await withClient(flags, io, async (troupe) => {
    const drawn = await find(troupe, id)
    return [drawn, flags.tasker === true ? await seenRun(troupe, drawn) : undefined] as const
  })
  const { run, steps, leftOut, attempts, waits, logLines } = found
  const { stdout, env, clock, folder } = io
  if (flags.json === true) {
    const tasker = seen && { tasker: taskerJson(seen) }
    const shown = { ...run, steps, leftOut, waits, failedAttempts: attempts, logLines, ...tasker }
    printJson(shown, io)
    return exitCodes.ok
  }
  const paint = paintFor(stdout, env)
  const look = {
    columns: stdout.columns,
    paint,
    hasColors: paint !== plain,
    withStack: flags.verbose === true,
    now: clock.now(),
    folder,
    mostSteps: flags.all === true || !stdout.isTerminal ? unlimited : mostSteps,
  }
  const words = seen === undefined ? [] : taskerLines(seen, paint)
  stdout.write(`${[...drawRun(found, look), ...words].join('\n')}\n`)
  return exitCodes.ok
}

async function find(troupe: Troupe, id: string): Promise<Drawn> {
  const run = await findRun(troupe, id)
  const [steps, attempts] = [await troupe.steps(run.id), await troupe.attempts(run.id)]
  const [waits, leftOut] = [await troupe.waits(run.id), await leftOutOf(troupe, run.id)]
  return { run, steps, leftOut, attempts, waits, logLines: await countLines(troupe, run.id) }
}

/** All else is shown although its template is damaged, or was written for another library. */
function leftOutOf(troupe: Troupe, id: string): Promise<readonly LeftOutStep[] | undefined> {
  return troupe.leftOut(id).catch((error: unknown) => {
    if (isTroupeError(error, 'template_invalid')) return undefined
    throw error
  })
}

async function countLines(troupe: Troupe, id: string): Promise<number> {
  let lines = 0
  for await (const _line of (await troupe.handle(id)).logs({ follow: false, limit: mostCounted + 1 })) lines += 1
  return lines
}
