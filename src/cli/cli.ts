// The command line: which commands there are, and what exit code they end with. What each takes stands with it, in commands/.
import { Command, CommanderError } from 'commander'
import { toErrorRecord } from '../lib/error-record.ts'
import { isTroupeError, type TroupeError } from '../lib/errors.ts'
import { packageVersion } from '../lib/package-version.ts'
import type { Shell } from './command.ts'
import { addAudit } from './commands/audit.ts'
import { addCall } from './commands/call.ts'
import { addCancel } from './commands/cancel.ts'
import { addCheckDeploy } from './commands/check-deploy.ts'
import { addCodecKeys } from './commands/codec-keys.ts'
import { addDead } from './commands/dead.ts'
import { addInvestigate, addInvestigations } from './commands/investigations.ts'
import { addDefinitions } from './commands/definitions.ts'
import { addDelete } from './commands/delete.ts'
import { addDev } from './commands/dev.ts'
import { addDoctor } from './commands/doctor.ts'
import { addDrain } from './commands/drain.ts'
import { addEntities } from './commands/entities.ts'
import { addFork } from './commands/fork.ts'
import { addLimits } from './commands/limits.ts'
import { addLogs } from './commands/logs.ts'
import { addMigrate } from './commands/migrate.ts'
import { addNodes } from './commands/nodes.ts'
import { addQueues } from './commands/queues.ts'
import { addResolve } from './commands/resolve.ts'
import { addResume } from './commands/resume.ts'
import { addRetry } from './commands/retry.ts'
import { addRun } from './commands/run.ts'
import { addRuns } from './commands/runs.ts'
import { addSchedules } from './commands/schedules.ts'
import { addShow } from './commands/show.ts'
import { addStart } from './commands/start.ts'
import { addStats } from './commands/stats.ts'
import { addAsk, addTell } from './commands/tell.ts'
import { addTemplates } from './commands/templates.ts'
import type { CommonFlags } from './config.ts'
import { errorLines } from './error-text.ts'
import { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.ts'
import { isSet, type Io } from './io.ts'
import { paintFor, plain, printable, type Paint } from './paint.ts'
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

/** In the order of the help. */
const commands: readonly ((shell: Shell) => void)[] = [
  addDev,
  addStart,
  addRun,
  addCall,
  addTell,
  addAsk,
  addRuns,
  addEntities,
  addStats,
  addDead,
  addInvestigations,
  addInvestigate,
  addRetry,
  addFork,
  addResolve,
  addResume,
  addDelete,
  addAudit,
  addShow,
  addLogs,
  addCancel,
  addDefinitions,
  addTemplates,
  addQueues,
  addLimits,
  addSchedules,
  addNodes,
  addDrain,
  addCodecKeys,
  addMigrate,
  addDoctor,
  addCheckDeploy,
]

function buildProgram(io: Io, done: Shell['done']): Command {
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
  for (const add of commands) add({ program, io, done })
  return program
}

const mainHelp = `Definitions come from troupe.config.ts, which exports the options of Troupe.open
by default, else from the files of ./workers and ./templates.

Examples:
  troupe dev                           serve the queues, and reload on change
  troupe run greet '"ann"'             start a worker and wait for its result
  troupe runs --state failed           list what failed
  troupe show 0197f3a2-5c1e            look at one run

Exit codes: 0 success, 1 the run failed, 2 wrong usage or input,
69 the store is unavailable, 78 the configuration is refused, 130 interrupted.`

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
