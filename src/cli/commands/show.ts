// `troupe show`: everything that is known of one run.
import type { AttemptStatus, RunStatus, StepStatus } from '../../engine/run-status.ts'
import { runNotFound } from '../../model/errors.ts'
import type { Troupe } from '../../troupe.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { unlimited, type Io } from '../io.ts'
import { paintFor, plain } from '../paint.ts'
import { drawRun } from '../run-picture.ts'
import { withClient } from '../store-client.ts'
import { usage } from '../usage.ts'
import { toJson } from '../values.ts'

export interface ShowFlags extends CommonFlags {
  /** Also the steps past the first hundred. */
  readonly all?: boolean
}

const leastPrefix = 8
// An id may be shortened to what only one of this many newest runs has.
const searched = 1_000
const mostSteps = 100

export async function showCommand(id: string, flags: ShowFlags, io: Io): Promise<ExitCode> {
  const { run, steps, attempts } = await withClient(flags, io, (troupe) => find(troupe, id))
  const { stdout, env, clock, folder } = io
  if (flags.json === true) {
    stdout.write(`${toJson({ ...run, steps, failedAttempts: attempts }, stdout.isTerminal ? 2 : 0)}\n`)
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
  stdout.write(`${drawRun({ run, steps, attempts }, look).join('\n')}\n`)
  return exitCodes.ok
}

interface Found {
  readonly run: RunStatus
  readonly steps: readonly StepStatus[]
  readonly attempts: readonly AttemptStatus[]
}

async function find(troupe: Troupe, id: string): Promise<Found> {
  const run = (await troupe.get(id)) ?? (await findByPrefix(troupe, id))
  return { run, steps: await troupe.steps(run.id), attempts: await troupe.attempts(run.id) }
}

async function findByPrefix(troupe: Troupe, typed: string): Promise<RunStatus> {
  if (typed.length < leastPrefix)
    throw usage(
      `'${typed}' is too short for an id: give at least its first ${leastPrefix} characters. List the ids: troupe runs`,
    )
  const prefix = typed.toLowerCase()
  const runs = (await troupe.runs({ limit: searched })).filter((run) => run.id.startsWith(prefix))
  const [only, ...others] = runs
  if (only === undefined) throw runNotFound(typed)
  if (others.length === 0) return only
  const lines = runs.slice(0, 10).map((run) => `  ${run.id}  ${run.name}`)
  const more = runs.length > lines.length ? `\n  and ${runs.length - lines.length} more` : ''
  throw usage(`${runs.length} runs begin with '${typed}', give more of the id:\n\n${lines.join('\n')}${more}`)
}
