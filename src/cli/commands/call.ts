// `troupe call`: starts a run for whoever serves its queue, and leaves.
import { InvalidArgumentError, Option } from 'commander'
import type { CallOptions } from '../../engine/verbs/call.ts'
import type { RunStatus } from '../../engine/verbs/run-status.ts'
import { addCommand, instant, wholeNumber, type Shell } from '../command.ts'
import { definesNothing, loadSettings, openFor, skippedLines, type CommonFlags } from '../config.ts'
import { earlierText, hasOtherInput, type Asked } from '../earlier-run.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { parseInput } from '../input.ts'
import type { Io } from '../io.ts'
import { checkTime, unknownWorker, usage } from '../usage.ts'
import { toJson } from '../values.ts'

interface CallFlags extends CommonFlags {
  readonly key?: string
  readonly onConflict?: 'attach' | 'reject' | 'replace'
  readonly debounce?: string
  readonly throttle?: string
  readonly keepLast?: boolean
  readonly delay?: string
  readonly at?: number
  readonly expires?: string
  readonly timeout?: string
  readonly attempts?: number
  readonly queue?: string
  readonly priority?: number
  readonly tag?: readonly string[]
  readonly correlationId?: string
}

interface CallRequest {
  readonly name: string
  /** JSON, or `-` for standard input. */
  readonly input: string | undefined
  readonly flags: CallFlags
}

export function addCall(shell: Shell): void {
  addCommand<CallFlags>(shell, {
    name: 'call',
    takes: 'NAME [JSON]',
    summary: 'start a run and leave it to whoever serves its queue',
    description:
      'Starts a run of a worker, workflow or template and prints its id. It is performed where its queue is served.',
    perform: (flags, [name = '', input], io) => callCommand({ name, input, flags }, io),
  })
    .argument('<name>', 'the worker, workflow or template')
    .argument('[json]', 'its input; - reads standard input')
    .option('--key <text>', 'idempotency key: the same key is the same run')
    .addOption(new Option('--on-conflict <what>', 'when a run has the key').choices(['attach', 'reject', 'replace']))
    .addOption(
      new Option('--debounce <time>', 'waits so long after the last call of the key').conflicts(othersThan('debounce')),
    )
    .addOption(new Option('--throttle <time>', 'one run of the key in so long').conflicts(othersThan('throttle')))
    .addOption(
      new Option('--keep-last', 'one run of the key at a time, and the last call after it').conflicts(
        othersThan('keepLast'),
      ),
    )
    .option('--delay <time>', 'how much later it starts, as in 30s, 5m, 2h')
    .option('--at <time>', 'when it starts, as in 2026-05-01T02:30:00Z', instant)
    .option('--expires <time>', 'fails unless it has begun so long after it could')
    .option('--timeout <time>', 'how long the whole run may take')
    .option('--attempts <n>', 'how often it is tried in all', wholeNumber)
    .option('--queue <name>', 'the queue it waits in')
    .option('--priority <n>', 'from -100 to 100, higher first', priority)
    .option('--tag <tag...>', 'to find it by')
    .option('--correlation-id <id>', 'what you know this work by elsewhere')
}

async function callCommand({ name, input, flags }: CallRequest, io: Io): Promise<ExitCode> {
  const text = input === '-' ? await io.readStdin() : input
  const payload = parseInput(text, `troupe call ${name} '{"name":"ann"}'`)
  const settings = await loadSettings(flags, io.folder)
  const { origins } = settings
  const { troupe, skipped } = await openFor(settings, { logLevel: 'error' }, io)
  try {
    const known = troupe.definitions()
    if (known.length === 0) throw definesNothing(settings)
    if (!known.includes(name)) throw unknownWorker({ name, known, origins, skipped: skippedLines(skipped, io.folder) })
    const askedAt = io.clock.now()
    const handle = await troupe.call(name, payload, callOptions(flags))
    const { id } = handle
    if (flags.key !== undefined && isJoining(flags))
      tellOfOther(await handle.status(), { payload, askedAt, key: flags.key }, io)
    io.stdout.write(flags.json === true ? `${toJson({ id, name })}\n` : `${id}\n`)
    if (flags.json !== true && io.stdout.isTerminal)
      io.stderr.write(`It runs where its queue is served: troupe start. Look at it: troupe show ${id}\n`)
    return exitCodes.ok
  } finally {
    await troupe.stop()
  }
}

/** Whether a run that has the key stays as it is: a debounced or kept call changes it. */
function isJoining({ debounce, keepLast }: CallFlags): boolean {
  return debounce === undefined && keepLast !== true
}

/** Who gives other input under a key that is taken is told that it is not used. */
function tellOfOther(status: RunStatus, asked: Asked, io: Io): void {
  const earlier = hasOtherInput(status, asked) ? earlierText(status, asked, io) : undefined
  if (earlier !== undefined) io.stderr.write(`${earlier}\n`)
}

// What is done with a key is one of these.
function othersThan(rule: string): string[] {
  return ['onConflict', 'debounce', 'throttle', 'keepLast'].filter((one) => one !== rule)
}

/** Throws `usage` for what needs a key and has none. */
function keyOptions({ key, onConflict, debounce, throttle, keepLast }: CallFlags): CallOptions {
  const rule = Object.entries({ '--debounce': debounce, '--throttle': throttle, '--keep-last': keepLast }).find(
    ([, value]) => value !== undefined,
  )
  if (key === undefined && rule !== undefined)
    throw usage(`${rule[0]} is about calls that share a key: give it with --key`)
  for (const [flag, time] of Object.entries({ debounce, throttle }))
    if (time !== undefined) checkTime(`--${flag}`, time)
  if (key === undefined) return onConflict === undefined ? {} : { onConflict }
  if (debounce !== undefined) return { debounce: { key, period: debounce } }
  if (throttle !== undefined) return { throttle: { key, period: throttle } }
  if (keepLast === true) return { keepLast: { key } }
  return { idempotencyKey: key, ...(onConflict !== undefined && { onConflict }) }
}

function callOptions(flags: CallFlags): CallOptions {
  const { delay, at, expires, timeout, attempts, queue, priority: urgency, tag, correlationId } = flags
  for (const [flag, time] of Object.entries({ delay, expires, timeout }))
    if (time !== undefined) checkTime(`--${flag}`, time)
  return {
    ...keyOptions(flags),
    ...(delay !== undefined && { delay }),
    ...(at !== undefined && { at }),
    ...(expires !== undefined && { expires }),
    ...(timeout !== undefined && { timeout }),
    ...(attempts !== undefined && { retry: { attempts } }),
    ...(queue !== undefined && { queue }),
    ...(urgency !== undefined && { priority: urgency }),
    ...(tag !== undefined && { tags: tag }),
    ...(correlationId !== undefined && { correlationId }),
  }
}

function priority(text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && Math.abs(number) <= 100 && text.trim() !== '') return number
  throw new InvalidArgumentError('Give a whole number from -100 to 100.')
}
