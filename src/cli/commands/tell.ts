// `troupe tell` and `troupe ask`: what a run is told and asked by a person.
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { findRun } from '../find-run.ts'
import { parseInput } from '../input.ts'
import type { Io } from '../io.ts'
import { oneLine } from '../paint.ts'
import { withCode } from '../store-client.ts'
import { writeResult } from '../result.ts'
import { checkTime } from '../usage.ts'
import { toJson } from '../values.ts'

interface TellFlags extends CommonFlags {
  readonly key?: string
}

interface AskFlags extends CommonFlags {
  readonly timeout?: string
}

interface Message<Flags> {
  readonly typed: string
  readonly name: string
  readonly json: string | undefined
  readonly flags: Flags
}

export function addTell(shell: Shell): void {
  addCommand<TellFlags>(shell, {
    name: 'tell',
    takes: 'ID NAME [JSON]',
    summary: 'tell a run something it waits for, or will',
    description:
      'Tells a run a message by its name, as ctx.receive takes it. It is kept until the run receives it, also when nobody performs it now. What its schema says is checked here when its code is in this folder, else by whoever performs it.',
    help: `Examples:
  troupe show 0197f3a2-5c1e                see what it waits for
  troupe tell 0197f3a2-5c1e approve '{"by":"ann"}'
  troupe tell 0197f3a2-5c1e paid 20 --key order-17`,
    perform: (flags, [typed = '', name = '', json], io) => tellCommand({ typed, name, json, flags }, io),
  })
    .argument('<id>', 'its id, or at least the first 8 characters')
    .argument('<name>', 'the message')
    .argument('[json]', 'its payload; - reads standard input')
    .option('--key <text>', 'what it is about: a receive of another key leaves it alone')
}

export function addAsk(shell: Shell): void {
  addCommand<AskFlags>(shell, {
    name: 'ask',
    takes: 'ID NAME [JSON]',
    summary: 'ask a run something, and print its answer',
    description:
      'Asks a run by the name of one of its answers, as ctx.answer gives them, and prints what it answers. One that is parked is woken for it, where its queue is served.',
    help: `Examples:
  troupe ask 0197f3a2-5c1e status
  troupe ask 0197f3a2-5c1e add '"book"' --timeout 5s`,
    perform: (flags, [typed = '', name = '', json], io) => askCommand({ typed, name, json, flags }, io),
  })
    .argument('<id>', 'its id, or at least the first 8 characters')
    .argument('<name>', 'what is asked')
    .argument('[json]', 'its payload; - reads standard input')
    .option('--timeout <time>', 'how long the answer is waited for (default: 30s)')
}

async function tellCommand(message: Message<TellFlags>, io: Io): Promise<ExitCode> {
  const { typed, name, flags } = message
  const payload = await payloadOf('tell', message, io)
  const id = await withCode(flags, io, async (troupe) => {
    const run = await findRun(troupe, typed)
    await troupe.tell(run.id, name, payload, flags.key === undefined ? {} : { key: flags.key })
    return run.id
  })
  if (flags.json === true) io.stdout.write(`${toJson({ id, name })}\n`)
  else io.stderr.write(`${oneLine(`Run ${id} was told '${name}'.`)}\n`)
  return exitCodes.ok
}

async function askCommand(message: Message<AskFlags>, io: Io): Promise<ExitCode> {
  const { typed, name, flags } = message
  const { timeout } = flags
  if (timeout !== undefined) checkTime('--timeout', timeout)
  const payload = await payloadOf('ask', message, io)
  const answer = await withCode(flags, io, async (troupe) => {
    const run = await findRun(troupe, typed)
    return troupe.ask(run.id, name, payload, timeout === undefined ? {} : { timeout })
  })
  writeResult(answer, flags, io)
  return exitCodes.ok
}

async function payloadOf(command: string, { typed, name, json }: Message<unknown>, io: Io): Promise<unknown> {
  const text = json === '-' ? await io.readStdin() : json
  return parseInput(text, `troupe ${command} ${typed} ${name} '{"by":"ann"}'`)
}
