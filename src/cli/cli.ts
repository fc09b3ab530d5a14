// The command line: which commands there are, what they take, and what exit code they end with.
import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { toErrorRecord } from '../lib/error-record.ts'
import { isTroupeError, type TroupeError } from '../lib/errors.ts'
import { auditCommand, type AuditFlags } from './commands/audit.ts'
import { callCommand, type CallFlags } from './commands/call.ts'
import { cancelCommand, type CancelFlags } from './commands/cancel.ts'
import { deadCommand, type DeadFlags } from './commands/dead.ts'
import { definitions, nodes, type Listing } from './listings.ts'
import { devCommand } from './commands/dev.ts'
import { pauseCommand, queuesCommand } from './commands/queues.ts'
import { retryCommand, type RetryFlags } from './commands/retry.ts'
import { runCommand, type RunFlags } from './commands/run.ts'
import { runsCommand, type RunsFlags } from './commands/runs.ts'
import { scheduleCommand, schedulesCommand, scheduleVerbs } from './commands/schedules.ts'
import { showCommand, type ShowFlags } from './commands/show.ts'
import { startCommand, type StartFlags } from './commands/start.ts'
import type { CommonFlags } from './config.ts'
import { errorLines } from './error-text.ts'
import { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.ts'
import { isSet, type Io } from './io.ts'
import { paintFor, plain, printable, stateStyles, type Paint } from './paint.ts'
import { failures } from './state-words.ts'
import { toJson } from './values.ts'
import { wrap } from './width.ts'

/** Performs what the arguments ask for and gives the exit code; it throws nothing and does not end the process. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const ending: { code: ExitCode } = { code: exitCodes.ok }
  const program = buildProgram(io, (code) => (ending.code = code))
  try {
    if (argv.length === 0) program.help({ error: true })
    await program.parseAsync(argv, { from: 'user' })
    return ending.code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    printError(error, program.opts<CommonFlags>(), io)
    return exitCodeOf(error)
  }
}

type Done = (code: ExitCode) => void

interface Out {
  readonly io: Io
  readonly done: Done
}

function buildProgram(io: Io, done: Done): Command {
  const program = withLook(new Command('troupe'), io)
    .description('Runs workers and durable workflows, and shows what became of them.')
    .usage('COMMAND [options]')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showHelpAfterError('(add --help for what it takes)')
    .option('--store <url>', 'where runs are kept (default: sqlite:.troupe/troupe.db)')
    .option('--config <file>', 'the config file (default: troupe.config.ts, .mts, .js or .mjs)')
    .option('--json', 'print JSON for programs')
    .option('--verbose', 'print stacks and debug lines')
    .addHelpText('after', `\n${mainHelp}`)
  addDev(program, io, done)
  addStart(program, io, done)
  addRun(program, io, done)
  addCall(program, io, done)
  addRuns(program, io, done)
  addDead(program, io, done)
  addRetry(program, io, done)
  addAudit(program, io, done)
  addShow(program, io, done)
  addCancel(program, io, done)
  addListing(program, definitions, { io, done })
  addQueues(program, io, done)
  addSchedules(program, io, done)
  addListing(program, nodes, { io, done })
  return program
}

const mainHelp = `Definitions come from troupe.config.ts, which exports the options of Troupe.open
by default, else from the files of ./workers.

Examples:
  troupe dev                           serve the queues, and reload on change
  troupe run greet '"ann"'             start a worker and wait for its result
  troupe runs --state failed           list what failed
  troupe show 0197f3a2-5c1e            look at one run

Exit codes: 0 success, 1 the run failed, 2 wrong usage or input,
69 the store is unavailable, 78 the configuration is refused, 130 interrupted.`

function addRun(program: Command, io: Io, done: Done): void {
  const command = inherit(program, 'run')
  command
    .summary('start a run, stream its messages, print its result')
    .description(
      'Starts a run of a worker or workflow in this process, streams its messages and progress to standard error, and prints its result.',
    )
    .argument('<name>', 'the worker or workflow')
    .argument('[json]', 'its input; - reads standard input')
    .option('--key <text>', 'idempotency key: the same key is the same run, which goes on where it stopped')
    .option('--timeout <time>', 'how long the whole run may take, as in 30s, 5m, 2h')
    .addHelpText('after', `\n${runHelp}`)
    .action(async (name: string, input: string | undefined) => {
      done(await runCommand({ name, input, flags: command.optsWithGlobals<RunFlags>() }, io))
    })
}

const runHelp = `Examples:
  troupe run greet '"ann"'
  troupe run order '{"items":["book","pen"]}' --key order-17
  cat order.json | troupe run order -
  troupe run report > report.json      the result is JSON when it goes into a file

Ctrl-C stops gracefully: the run stays in the store, and the same command with the
same --key goes on with it. A second Ctrl-C stops at once, and loses nothing either.`

function addDev(program: Command, io: Io, done: Done): void {
  const command = inherit(program, 'dev')
  command
    .summary('serve the queues, and reload on change')
    .description(
      'Performs what is ready in the queues of the store, and starts anew whenever a source file of this folder changes. Runs go on with the new code; a file that cannot be loaded changes nothing.',
    )
    .action(async () => {
      done(await devCommand(command.optsWithGlobals<CommonFlags>(), io))
    })
}

function addStart(program: Command, io: Io, done: Done): void {
  const command = inherit(program, 'start')
  command
    .summary('serve the queues until told to stop')
    .description(
      'Performs what is ready in the queues of the store. SIGTERM or Ctrl-C stops gracefully: what is not finished in time goes back into its queue. A second signal stops at once.',
    )
    .option('--within <time>', 'how long a stop waits for what is executing (default: 30s)')
    .action(async () => {
      done(await startCommand(command.optsWithGlobals<StartFlags>(), io))
    })
}

function addCall(program: Command, io: Io, done: Done): void {
  const command = inherit(program, 'call')
  command
    .summary('start a run and leave it to whoever serves its queue')
    .description('Starts a run of a worker or workflow and prints its id. It is performed where its queue is served.')
    .argument('<name>', 'the worker or workflow')
    .argument('[json]', 'its input; - reads standard input')
    .option('--key <text>', 'idempotency key: the same key is the same run')
    .option('--delay <time>', 'how much later it starts, as in 30s, 5m, 2h')
    .option('--timeout <time>', 'how long the whole run may take')
    .option('--queue <name>', 'the queue it waits in')
    .action(async (name: string, input: string | undefined) => {
      done(await callCommand({ name, input, flags: command.optsWithGlobals<CallFlags>() }, io))
    })
}

function addCancel(program: Command, io: Io, done: Done): void {
  const command = inherit(program, 'cancel')
  command
    .summary('ask a run to end')
    .description('Asks a run to end, and waits until it has. Exit code 1 when it had ended in another way.')
    .argument('<id>', 'its id, or at least the first 8 characters')
    .option('--reason <text>', 'is told to the run and kept with it')
    .action(async (id: string) => {
      done(await cancelCommand(id, command.optsWithGlobals<CancelFlags>(), io))
    })
}

function addSchedules(program: Command, io: Io, done: Done): void {
  const command = inherit(program, 'schedules')
  command
    .summary('list schedules, pause, resume, trigger or foresee one')
    .description(
      'Lists the schedules of the store. Those that code declares are among them while a node that has it runs.',
    )
    .action(async () => {
      done(await schedulesCommand(command.optsWithGlobals<CommonFlags>(), io))
    })
  for (const verb of Object.keys(scheduleVerbs) as (keyof typeof scheduleVerbs)[]) {
    const sub = command.command(verb).helpOption('-h, --help', 'print this help').usage('NAME [options]')
    sub.description(scheduleVerbs[verb]).argument('<name>', 'the schedule')
    sub.action(async (name: string) => {
      done(await scheduleCommand({ verb, name }, sub.optsWithGlobals<CommonFlags>(), io))
    })
  }
}

function addListing(program: Command, { name, summary, description, print }: Listing, { io, done }: Out): void {
  const command = inherit(program, name)
  command.summary(summary).description(description)
  command.action(async () => {
    done(await print(command.optsWithGlobals<CommonFlags>(), io))
  })
}

function addQueues(program: Command, io: Io, done: Done): void {
  const command = inherit(program, 'queues')
  command
    .summary('list queues, pause or resume one')
    .description(
      'Lists the queues with what is in them. A paused queue starts nothing, on any node, until it is resumed; what runs goes on.',
    )
    .action(async () => {
      done(await queuesCommand(command.optsWithGlobals<CommonFlags>(), io))
    })
  for (const verb of ['pause', 'resume'] as const) {
    const sub = command
      .command(verb)
      .helpOption('-h, --help', 'print this help')
      .usage('NAME [options]')
      .description(verb === 'pause' ? 'Lets nothing of a queue start.' : 'Lets a paused queue go on.')
      .argument('<name>', 'the queue')
      .action(async (name: string) => {
        done(await pauseCommand({ verb, name }, sub.optsWithGlobals<CommonFlags>(), io))
      })
  }
}

function addRuns(program: Command, io: Io, done: Done): void {
  const command = addWhere(inherit(program, 'runs'))
  command
    .summary('list runs, the newest first')
    .description('Lists runs, the newest first.')
    .option('--after <id>', 'only runs older than this one')
    .option('--limit <n>', 'how many at most (default: 20)', wholeNumber)
    .addHelpText('after', `\n${runsHelp}`)
    .action(async () => {
      done(await runsCommand(command.optsWithGlobals<RunsFlags>(), io))
    })
}

const runsHelp = `Examples:
  troupe runs
  troupe runs --state failed --name order
  troupe runs --state timed-out        or crashed: both are failed
  troupe runs --json --limit 1000 | jq -r '.[].id'`

function addShow(program: Command, io: Io, done: Done): void {
  const command = inherit(program, 'show')
  command
    .summary('show one run: times, input, steps, error, output')
    .description('Shows everything of one run: its times, input, progress, steps, error and output.')
    .argument('<id>', 'its id, or at least the first 8 characters')
    .option('--all', 'show all steps, however many')
    .addHelpText('after', `\n${showHelp}`)
    .action(async (id: string) => {
      done(await showCommand(id, command.optsWithGlobals<ShowFlags>(), io))
    })
}

const showHelp = `Examples:
  troupe show 0197f3a2-5c1e-7a00-8000-3f1c2b9d4e5f
  troupe show 0197f3a2-5c1e --verbose  with the stack of its error
  troupe show 0197f3a2-5c1e --json | jq .output`

function addWhere(command: Command): Command {
  const states = [...Object.keys(stateStyles), ...Object.keys(failures)]
  return command
    .addOption(new Option('--state <state>', 'only runs in this state').choices(states))
    .option('--name <name>', 'only runs of this worker or workflow')
    .option('--code <code>', 'only runs that ended with an error of this code')
    .option('--tag <tag...>', 'only runs that have all of these tags')
    .option('--fingerprint <text>', 'only runs that failed for this reason: see troupe dead')
}

function addRetry(program: Command, io: Io, done: Done): void {
  const command = addWhere(inherit(program, 'retry'))
  command
    .summary('try runs again that failed or were cancelled')
    .description(
      'Tries runs again by their ids, or all that a filter finds: those that failed, unless --state says cancelled. A workflow remembers the steps that succeeded.',
    )
    .argument('[id...]', 'their ids, or at least the first 8 characters of each')
    .option('--dry-run', 'only count what the filter finds')
    .option('--by <name>', 'who does it, for troupe audit (default: the user of this machine)')
    .addHelpText('after', `\n${retryHelp}`)
    .action(async (ids: string[]) => {
      done(await retryCommand(ids, command.optsWithGlobals<RetryFlags>(), io))
    })
}

const retryHelp = `Examples:
  troupe retry 0197f3a2-5c1e
  troupe dead                          see what failed, by reason
  troupe retry --fingerprint 9f2c1d07aa31b4e6 --dry-run
  troupe retry --name order --state timed-out`

function addAudit(program: Command, io: Io, done: Done): void {
  const command = inherit(program, 'audit')
  command
    .summary('list what people did')
    .description('Lists what people did to runs, the newest first.')
    .option('--limit <n>', 'how many at most (default: 20)', wholeNumber)
    .action(async () => {
      done(await auditCommand(command.optsWithGlobals<AuditFlags>(), io))
    })
}

function addDead(program: Command, io: Io, done: Done): void {
  const command = inherit(program, 'dead')
  command
    .summary('list what failed for good, by reason')
    .description(
      'Lists what failed for good and was not tried again, the latest first. Runs that failed for the same reason have one fingerprint.',
    )
    .option('--name <name>', 'only runs of this worker or workflow')
    .option('--limit <n>', 'how many reasons at most (default: 20)', wholeNumber)
    .action(async () => {
      done(await deadCommand(command.optsWithGlobals<DeadFlags>(), io))
    })
}

function inherit(program: Command, name: string): Command {
  return program
    .command(name)
    .helpOption('-h, --help', 'print this help')
    .usage(usages[name] ?? '')
}

const usages: Readonly<Record<string, string>> = {
  dev: '[options]',
  start: '[options]',
  run: 'NAME [JSON] [options]',
  call: 'NAME [JSON] [options]',
  cancel: 'ID [options]',
  definitions: '[options]',
  queues: '[pause|resume NAME] [options]',
  schedules: '[pause|resume|trigger|next NAME] [options]',
  nodes: '[options]',
  runs: '[options]',
  dead: '[options]',
  retry: '[ID...] [options]',
  audit: '[options]',
  show: 'ID [options]',
}

function withLook(program: Command, { stdout, stderr, env }: Io): Command {
  const paint = paintFor(stdout, env)
  return program
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => helpWidth(stdout.columns),
      getErrHelpWidth: () => helpWidth(stderr.columns),
      getOutHasColors: () => paintFor(stdout, env) !== plain,
      getErrHasColors: () => paintFor(stderr, env) !== plain,
      outputError: (text, write) => write(printable(text.replace(/^error: /, 'troupe: '))),
    })
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (text) => paint('bold', text),
      styleOptionText: (text) => paint('cyan', text),
      styleSubcommandText: (text) => paint('cyan', text),
      styleArgumentText: (text) => paint('cyan', text),
    })
}

function helpWidth(columns: number): number {
  return Math.min(columns, 90)
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('Give a whole number from 1.')
  return number
}

function printError(error: unknown, flags: CommonFlags, { stderr, env }: Io): void {
  if (flags.json === true) {
    stderr.write(`${toJson({ error: toErrorRecord(error) })}\n`)
    return
  }
  const paint = paintFor(stderr, env)
  const withStack = flags.verbose === true || isSet(env['TROUPE_DEBUG'])
  const lines =
    isTroupeError(error) && !withStack
      ? ownError(error, paint, stderr.columns)
      : errorLines(error, { paint, withStack: true })
  stderr.write(`${lines.join('\n')}\n`)
}

/** Our messages say what to do; what caused them is for those who ask. */
function ownError({ message, code }: TroupeError, paint: Paint, columns: number): string[] {
  const tag = code === 'usage' ? '' : ` [${code}]`
  const [first = '', ...rest] = printable(message).split('\n')
  const [head = '', ...more] = wrap(`troupe: ${first}${tag}`, columns)
  // What is indented is to be copied, or points at something: it stays as it is.
  const others = rest.flatMap((line) => (line.startsWith('  ') ? [line] : wrap(line, columns)))
  return [head.replace('troupe:', paint(['red', 'bold'], 'troupe:')), ...more, ...others]
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
