// `troupe start`: serves the queues of a store until it is told to stop.
import type { Duration } from '../../lib/duration.ts'
import { isPostgresUrl, placeOf } from '../../store/postgres/place.ts'
import type { Troupe } from '../../troupe.ts'
import { addCommand, type Shell } from '../command.ts'
import { definesNothing, loadSettings, openFor, queuesHelp, type CommonFlags, type Settings } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { leastLevel, lineLog } from '../line-log.ts'
import { listenForSignals } from '../signals.ts'
import { checkTime } from '../usage.ts'

interface StartFlags extends CommonFlags {
  /** How long a stop, or a drain, waits for what is executing. */
  readonly within?: string
}

// As a stop of the library: what supervisors of services give at least.
const defaultPatience = '30s'
const mostNames = 12

export function addStart(shell: Shell): void {
  addCommand<StartFlags>(shell, {
    name: 'start',
    summary: 'serve the queues until told to stop',
    description:
      'Performs what is ready in the queues of the store. SIGTERM or Ctrl-C stops gracefully: what is not finished in time goes back into its queue. A second signal stops at once.',
    help: queuesHelp,
    perform: (flags, _operands, io) => startCommand(flags, io),
  }).option(
    '--within <time>',
    'how long a stop, or a drain, waits for what is executing (default: stopWithin of the config, else 30s)',
  )
}

/** open → serve → wait for a signal → stop */
async function startCommand(flags: StartFlags, io: Io): Promise<ExitCode> {
  if (flags.within !== undefined) checkTime('--within', flags.within)
  const settings = await loadSettings(flags, io.folder)
  const { options } = settings
  const within = flags.within ?? timeText(options.stopWithin ?? defaultPatience)
  const logLevel = leastLevel(flags, options, io)
  const log = options.log ?? lineLog(flags, logLevel, io)
  const { troupe } = await openFor(settings, { log, logLevel, stopWithin: within }, io)
  const notice = (text: string): void => log.info({}, text)
  const interruption = listenForSignals(troupe, { patience: within, notice }, io)
  try {
    const stopped = untilStopped(troupe, notice, io)
    const drained = untilDrained(troupe, notice)
    await serve(troupe, settings)
    notice(`serving ${what(troupe, settings)}; Ctrl-C stops`)
    return await Promise.race([stopped, drained, interruption.impatient])
  } finally {
    interruption.end()
  }
}

async function serve(troupe: Troupe, settings: Settings): Promise<void> {
  try {
    if (troupe.definitions().length === 0) throw definesNothing(settings)
    await troupe.start()
  } catch (error) {
    await troupe.stop({ within: 0 })
    throw error
  }
}

/** A service that stops because it was told to has done well. */
function untilStopped(troupe: Troupe, notice: (text: string) => void, { onSignal }: Io): Promise<ExitCode> {
  return new Promise((resolve) => {
    const stopListening = onSignal(() => {
      stopListening()
      void stopTelling(troupe, notice).then(() => resolve(exitCodes.ok))
    })
  })
}

/** Whoever drained it wants it to be gone, and not to be started anew as after a failure. */
async function untilDrained(troupe: Troupe, notice: (text: string) => void): Promise<ExitCode> {
  await troupe.drained
  notice('stopped, as it was drained')
  return exitCodes.ok
}

function timeText(time: Duration): string {
  return typeof time === 'number' ? `${time}ms` : time
}

/** What was under way and has not ended here is for the next process. */
async function stopTelling(troupe: Troupe, notice: (text: string) => void): Promise<void> {
  const underWay = troupe.runningHere().length
  const before = (await troupe.status()).executed
  await troupe.stop()
  const ended = (await troupe.status()).executed - before
  const left = Math.max(0, underWay - ended)
  const rest = left === 0 ? '' : `; ${left} ${left === 1 ? 'run goes on' : 'runs go on'} where the queue is served next`
  notice(`stopped${rest}`)
}

function what(troupe: Troupe, { options, origins }: Settings): string {
  const { queues = ['default'], store } = options
  const names = troupe.definitions()
  const listed = names.slice(0, mostNames).join(', ')
  const more = names.length > mostNames ? `, and ${names.length - mostNames} more` : ''
  const queueText = queues.length === 1 ? `queue ${queues[0]}` : `queues ${queues.join(', ')}`
  return `${queueText} of ${storeShown(String(store))} with ${listed}${more} (from ${origins.join(' and ')})`
}

/** For people: the password is nobody's business. */
function storeShown(store: string): string {
  return isPostgresUrl(store) ? placeOf(store).shown : store
}
