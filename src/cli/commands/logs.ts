// `troupe logs`: what the code of a run said.
import { Option } from 'commander'
import type { LogsOptions, RunLogLine } from '../../engine/watch/log-reader.ts'
import { runLogLevels, type RunLogLevel } from '../../engine/activation/speech.ts'
import type { Troupe } from '../../troupe.ts'
import { addCommand, wholeNumber, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { findRun } from '../find-run.ts'
import type { Io, Signal } from '../io.ts'
import { fieldsText, levelStyles } from '../line-log.ts'
import { oneLine, paintFor, type Paint } from '../paint.ts'
import { exitCodeFor } from '../signals.ts'
import { withClient } from '../store-client.ts'
import { timestamp } from '../times.ts'
import { toJson } from '../values.ts'

interface LogsFlags extends CommonFlags {
  readonly follow?: boolean
  readonly level?: RunLogLevel
  readonly from?: string
  readonly limit?: number
}

export function addLogs(shell: Shell): void {
  addCommand<LogsFlags>(shell, {
    name: 'logs',
    takes: 'ID',
    summary: 'print what the code of a run logged',
    description:
      'Prints the lines that the code of a run logged with ctx.info and the like, of all its attempts, the oldest first. With --json each is an object on a line of its own.',
    help,
    perform: (flags, [id = ''], io) => logsCommand(id, flags, io),
  })
    .argument('<id>', 'its id, or at least the first 8 characters')
    .option('--follow', 'wait for what it has yet to say, until it has ended')
    .addOption(new Option('--level <level>', 'only lines of this level and above').choices([...runLogLevels]))
    .option('--from <offset>', 'only lines behind the one of this offset, which --json shows')
    .option('--limit <n>', 'how many at most', wholeNumber)
}

const help = `Examples:
  troupe logs 0197f3a2-5c1e
  troupe logs 0197f3a2-5c1e --follow --level warn
  troupe logs 0197f3a2-5c1e --json | jq -r .text`

async function logsCommand(typed: string, flags: LogsFlags, io: Io): Promise<ExitCode> {
  const leaving = new AbortController()
  let signal: Signal | undefined
  const stopListening = io.onSignal((came) => {
    signal = came
    leaving.abort()
  })
  try {
    const told = await withClient(flags, io, (troupe) => printLogs({ troupe, typed, flags, leaving }, io))
    if (told === 0 && signal === undefined) io.stderr.write(`${noneText(flags)}\n`)
    return signal === undefined ? exitCodes.ok : exitCodeFor(signal)
  } finally {
    stopListening()
  }
}

function noneText({ level, from }: LogsFlags): string {
  if (from !== undefined) return 'No more lines are kept of this run behind that offset.'
  return level === undefined
    ? 'No lines are kept of this run.'
    : `No lines of level ${level} or above are kept of this run: without --level you see the others.`
}

interface Reading {
  readonly troupe: Troupe
  readonly typed: string
  readonly flags: LogsFlags
  readonly leaving: AbortController
}

/** Gives how many there were. */
async function printLogs({ troupe, typed, flags, leaving }: Reading, { stdout, env }: Io): Promise<number> {
  const { follow = false, level, from, limit, json } = flags
  const options: LogsOptions = { follow, level, from, limit, signal: leaving.signal }
  const run = await findRun(troupe, typed)
  const paint = paintFor(stdout, env)
  let told = 0
  for await (const line of (await troupe.handle(run.id)).logs(options)) {
    stdout.write(`${json === true ? toJson(line) : drawLine(line, paint)}\n`)
    told += 1
  }
  return told
}

function drawLine({ at, level, text, fields }: RunLogLine, paint: Paint): string {
  const told = fields === undefined ? '' : `  ${paint('dim', fieldsText(fields))}`
  return `${paint('dim', timestamp(at))} ${paint(levelStyles[level], level.padEnd(5))} ${oneLine(text)}${told}`
}
