// `troupe call`: starts a run for whoever serves its queue, and leaves.
import type { CallOptions } from '../../engine/call.ts'
import { Troupe } from '../../troupe.ts'
import { addCommand, type Shell } from '../command.ts'
import { definesNothing, loadSettings, type CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { parseInput } from '../input.ts'
import type { Io } from '../io.ts'
import { unknownWorker } from '../usage.ts'
import { toJson } from '../values.ts'

interface CallFlags extends CommonFlags {
  readonly key?: string
  readonly delay?: string
  readonly timeout?: string
  readonly queue?: string
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
    description: 'Starts a run of a worker or workflow and prints its id. It is performed where its queue is served.',
    perform: (flags, [name = '', input], io) => callCommand({ name, input, flags }, io),
  })
    .argument('<name>', 'the worker or workflow')
    .argument('[json]', 'its input; - reads standard input')
    .option('--key <text>', 'idempotency key: the same key is the same run')
    .option('--delay <time>', 'how much later it starts, as in 30s, 5m, 2h')
    .option('--timeout <time>', 'how long the whole run may take')
    .option('--queue <name>', 'the queue it waits in')
}

async function callCommand({ name, input, flags }: CallRequest, io: Io): Promise<ExitCode> {
  const text = input === '-' ? await io.readStdin() : input
  const payload = parseInput(text, `troupe call ${name} '{"name":"ann"}'`)
  const { options, origins } = await loadSettings(flags, io.folder)
  const troupe = await Troupe.open({ ...options, logLevel: 'error' }, { clock: io.clock })
  try {
    const known = troupe.definitions()
    if (known.length === 0) throw definesNothing(origins)
    if (!known.includes(name)) throw unknownWorker({ name, known, origins })
    const { id } = await troupe.call(name, payload, callOptions(flags))
    io.stdout.write(flags.json === true ? `${toJson({ id, name })}\n` : `${id}\n`)
    if (flags.json !== true && io.stdout.isTerminal)
      io.stderr.write(`It runs where its queue is served: troupe start. Look at it: troupe show ${id}\n`)
    return exitCodes.ok
  } finally {
    await troupe.stop()
  }
}

function callOptions({ key, delay, timeout, queue }: CallFlags): CallOptions {
  return {
    ...(key !== undefined && { idempotencyKey: key }),
    ...(delay !== undefined && { delay }),
    ...(timeout !== undefined && { timeout }),
    ...(queue !== undefined && { queue }),
  }
}
