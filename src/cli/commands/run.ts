// `troupe run`: starts a run here, tells how it is doing, and prints its result.
import type { CallOptions } from '../../engine/verbs/call.ts'
import type { RunHandle } from '../../engine/watch/run-handle.ts'
import type { RunStatus } from '../../engine/verbs/run-status.ts'
import type { RunLogLevel } from '../../engine/activation/speech.ts'
import { isTroupeError } from '../../lib/errors.ts'
import { isLogged, type Log, type LogFields, type LogLevel } from '../../lib/log.ts'
import type { SkippedFile } from '../../model/discovered.ts'
import type { Troupe } from '../../troupe.ts'
import { addCommand, type Shell } from '../command.ts'
import { earlierText } from '../earlier-run.ts'
import { definesNothing, loadSettings, openFor, skippedLines, type CommonFlags, type Settings } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { parseInput } from '../input.ts'
import { isSet, type Io } from '../io.ts'
import { JsonReport } from '../json-report.ts'
import { fieldsText, leastLevel } from '../line-log.ts'
import { LiveReport } from '../live-report.ts'
import { canRedraw } from '../paint.ts'
import { PlainReport } from '../plain-report.ts'
import type { RunReport } from '../run-report.ts'
import { exitCodeFor, listenForSignals, type Interruption } from '../signals.ts'
import { checkTime, unknownWorker, usage } from '../usage.ts'
import { writeResult } from '../result.ts'

interface RunFlags extends CommonFlags {
  readonly key?: string
  readonly timeout?: string
}

interface RunRequest {
  readonly name: string
  /** JSON, or `-` for standard input. */
  readonly input: string | undefined
  readonly flags: RunFlags
}

// How long Ctrl-C waits for what is executing; a second one does not wait.
const patience = '10s'
// For what the run itself has started and left behind.
const leave = '10s'

const firstLookMs = 100

export function addRun(shell: Shell): void {
  addCommand<RunFlags>(shell, {
    name: 'run',
    takes: 'NAME [JSON]',
    summary: 'start a run, stream its messages, print its result',
    description:
      'Starts a run of a worker, workflow or template, performs it in this process and nothing else that waits in the store, streams its messages and progress to standard error, and prints its result.',
    help,
    perform: (flags, [name = '', input], io) => runCommand({ name, input, flags }, io),
  })
    .argument('<name>', 'the worker, workflow or template')
    .argument('[json]', 'its input; - reads standard input')
    .option('--key <text>', 'idempotency key: the same key is the same run, which goes on where it stopped')
    .option('--timeout <time>', 'how long the whole run may take, as in 30s, 5m, 2h')
}

const help = `Examples:
  troupe run greet '"ann"'
  troupe run order '{"items":["book","pen"]}' --key order-17
  cat order.json | troupe run order -
  troupe run report > report.json      the result is JSON when it goes into a file

Ctrl-C stops gracefully: the run stays in the store, and the same command with the
same --key goes on with it. A second Ctrl-C stops at once, and loses nothing either.`

async function runCommand(request: RunRequest, io: Io): Promise<ExitCode> {
  const input = await readInput(request, io)
  const options = callOptions(request.flags)
  const settings = await loadSettings(request.flags, io.folder)
  const report = reportFor(request.flags, io)
  const followed: Followed = { id: undefined }
  const logLevel = leastLevel(request.flags, settings.options, io)
  const log = reportLog(settings, { report, followed, least: logLevel })
  const { troupe, skipped } = await openFor(settings, { performs: 'own', log, logLevel }, io)
  const notice = (text: string): void => report.notice(text)
  const interruption = listenForSignals(troupe, { patience, notice }, io)
  try {
    const done = perform({ request, io, settings, report, troupe, skipped, interruption, input, options, followed })
    return await Promise.race([done, interruption.impatient])
  } finally {
    interruption.end()
    report.close()
  }
}

interface Job {
  readonly request: RunRequest
  readonly io: Io
  readonly settings: Settings
  readonly report: RunReport
  readonly troupe: Troupe
  readonly skipped: readonly SkippedFile[]
  readonly interruption: Interruption
  readonly input: unknown
  readonly options: CallOptions
  readonly followed: Followed
}

/** The run that this command is about, once there is one. */
interface Followed {
  id: string | undefined
}

/** start → follow → tell → stop */
async function perform(job: Job): Promise<ExitCode> {
  const { report, troupe, interruption } = job
  let handle: RunHandle | undefined
  try {
    handle = await start(job)
    const ended = await follow(handle, job)
    report.close()
    return await tell(ended, job)
  } catch (error) {
    report.close()
    if (interruption.signal() === undefined || !isTroupeError(error, 'engine_stopped')) throw error
    await troupe.stop()
    report.notice(farewell(handle, job.request))
    return exitCodeFor(interruption.signal() ?? 'SIGINT')
  } finally {
    await troupe.stop({ within: leave })
  }
}

async function start(job: Job): Promise<RunHandle> {
  const { request, io, settings, report, troupe, input, options, followed } = job
  const { name } = request
  const known = troupe.definitions()
  if (known.length === 0) throw definesNothing(settings)
  if (!known.includes(name))
    throw unknownWorker({
      name,
      known,
      origins: settings.origins,
      skipped: skippedLines(job.skipped, io.folder),
    })
  const askedAt = io.clock.now()
  const handle = await troupe.call(name, input, options)
  followed.id = handle.id
  report.started(handle)
  if (request.flags.key !== undefined) tellEarlier(await handle.status(), askedAt, job)
  await troupe.start()
  return handle
}

/** What is told of the run next was not begun by this command. */
function tellEarlier(status: RunStatus, askedAt: number, { request, report, input, io }: Job): void {
  const earlier = earlierText(status, { payload: input, askedAt, key: request.flags.key ?? '' }, io)
  if (earlier === undefined) return
  report.notice(`${earlier} ${status.finishedAt === undefined ? 'It goes on.' : 'It has ended: nothing is started.'}`)
}

interface Ended {
  readonly status: RunStatus
  readonly output: unknown
  readonly error: unknown
}

/** Tells of the run until it has ended. Throws when it can no longer be followed. */
async function follow(handle: RunHandle, job: Job): Promise<Ended> {
  const { report } = job
  const stopLooking = lookRegularly(handle, job)
  try {
    const [messages, result] = await Promise.allSettled([tellMessages(handle, report), handle.result()])
    const status = result.status === 'fulfilled' ? await handle.status() : await statusAfter(handle, result.reason)
    if (messages.status === 'rejected') throw messages.reason
    if (result.status === 'fulfilled') return { status, output: result.value, error: undefined }
    return { status, output: undefined, error: result.reason }
  } finally {
    stopLooking()
  }
}

/** The run that ended with an error; throws that error when it is not the end of the run, but ours. */
async function statusAfter(handle: RunHandle, error: unknown): Promise<RunStatus> {
  if (isTroupeError(error, 'engine_stopped')) throw error
  const status = await handle.status()
  if (status.finishedAt === undefined) throw error
  return status
}

async function tellMessages(handle: RunHandle, report: RunReport): Promise<void> {
  for await (const message of handle) report.message(message)
}

function lookRegularly(handle: RunHandle, { report, io }: Job): () => void {
  let isOver = false
  const look = async (): Promise<void> => {
    if (isOver) return
    try {
      const status = await handle.status()
      if (!isOver && status.finishedAt === undefined) report.looked(status)
    } catch {
      // What is wrong with the store reaches the waiting result too, and is told there.
    }
    if (!isOver) io.clock.after(report.lookEveryMs, () => void look(), { background: true })
  }
  // Before then most runs are still on their way to an actor, or already over.
  io.clock.after(firstLookMs, () => void look(), { background: true })
  return () => {
    isOver = true
  }
}

async function tell({ status, output, error }: Ended, { report, request, io, troupe }: Job): Promise<ExitCode> {
  if (status.state !== 'succeeded') {
    report.failed(error, status, await troupe.steps(status.id))
    return exitCodes.runFailed
  }
  report.succeeded(status)
  writeResult(output, request.flags, io)
  return exitCodes.ok
}

function farewell(handle: RunHandle | undefined, { name, input, flags }: RunRequest): string {
  if (handle === undefined) return 'Stopped before anything was started.'
  const again = [
    'troupe run',
    name,
    ...(input === undefined ? [] : [quoted(input)]),
    '--key',
    quoted(flags.key ?? ''),
  ].join(' ')
  const how =
    flags.key === undefined
      ? 'It goes on when its queue is served: troupe start. A run started with --key can be followed again.'
      : `Go on with it:  ${again}`
  return `Stopped. Run ${handle.id} stays in the store.\n${how}\nLook at it:     troupe show ${handle.id}`
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

function reportFor(flags: RunFlags, io: Io): RunReport {
  if (flags.json === true) return new JsonReport(io)
  const options = { withStack: flags.verbose === true || isSet(io.env['TROUPE_DEBUG']) }
  return canRedraw(io.stderr, io.env) ? new LiveReport(io, options) : new PlainReport(io, options)
}

interface LogParts {
  readonly report: RunReport
  readonly followed: Followed
  readonly least: LogLevel
}

function reportLog({ options }: Settings, { report, followed, least }: LogParts): Log {
  if (options.log !== undefined) return options.log
  let latest = ''
  const at = (level: RunLogLevel) => (fields: Readonly<Record<string, unknown>>, line: string) => {
    if (!isLogged(level, least)) return
    const message = wordsOf(fields, line, followed)
    const { err } = fields
    const text = err instanceof Error ? `${message}: ${err.message}` : message
    // A store that is in trouble says so at every write: once is enough. What the run says is its own affair.
    if (err !== undefined && text === latest) return
    latest = text
    report.logged(level, text)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** What the run that is followed says needs no name; lines about other runs say whose they are. */
function wordsOf({ run, worker, ...fields }: LogFields, line: string, { id }: Followed): string {
  const mark = `[Worker:${String(worker)} run:${String(run)}] `
  if (line.startsWith(mark)) {
    const said = run === id ? line.slice(mark.length) : line
    return Object.keys(fields).length === 0 ? said : `${said} ${fieldsText(fields)}`
  }
  return typeof run !== 'string' || run === id ? line : `run ${run}: ${line}`
}

function callOptions({ key, timeout }: RunFlags): CallOptions {
  if (key === '') throw usage('--key is empty: give a text that stands for this run, as in --key order-17')
  if (timeout !== undefined) checkTime('--timeout', timeout)
  return { ...(key !== undefined && { idempotencyKey: key }), ...(timeout !== undefined && { timeout }) }
}

async function readInput({ name, input }: RunRequest, io: Io): Promise<unknown> {
  const text = input === '-' ? await io.readStdin() : input
  return parseInput(text, `troupe run ${name} '{"name":"ann"}'`)
}
