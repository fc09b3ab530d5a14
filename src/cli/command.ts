// How a command is made: its words for the help, what it takes, and where its exit code goes.
import { InvalidArgumentError, Option, type Command } from 'commander'
import { instantOf } from '../lib/instant.ts'
import type { CommonFlags } from './config.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Io } from './io.ts'
import { stateStyles } from './paint.ts'
import { failures } from './state-words.ts'

/** Where commands are added, and what they are performed with. */
export interface Shell {
  readonly program: Command
  readonly io: Io
  readonly done: (code: ExitCode) => void
}

export interface Wording<Flags extends CommonFlags> {
  readonly name: string
  /** What the help shows behind its name. */
  readonly takes?: string
  /** One line in the list of all commands. */
  readonly summary?: string
  readonly description: string
  /** Examples, and what else stands below its flags. */
  readonly help?: string
  readonly perform: (flags: Flags, operands: readonly string[], io: Io) => Promise<ExitCode>
}

/** Adds a command; arguments and flags are declared on what it returns. */
export function addCommand<Flags extends CommonFlags>(shell: Shell, wording: Wording<Flags>): Command {
  const { program, io, done } = shell
  const { name, takes = '', summary = '', description, help, perform } = wording
  const command = program
    .command(name)
    .helpOption('-h, --help', 'print this help')
    .usage(`${takes} [options]`.trim())
    .summary(summary)
    .description(description)
  if (help !== undefined) command.addHelpText('after', `\n${help}`)
  return command.action(async () => {
    done(await perform(command.optsWithGlobals<Flags>(), command.args, io))
  })
}

const everyState = [...Object.keys(stateStyles), ...Object.keys(failures)]

/** Declares the flags that say which runs. */
export function addWhere(command: Command, states: readonly string[] = everyState): Command {
  return command
    .addOption(new Option('--state <state>', 'only runs in this state').choices(states))
    .option('--name <name>', 'only runs of this worker, workflow or template')
    .option('--code <code>', 'only runs that ended with an error of this code')
    .option('--tag <tag...>', 'only runs that have all of these tags')
    .option('--fingerprint <text>', 'only runs that failed for this reason: see troupe dead')
    .option('--parent <id>', 'only runs that this one started')
}

export function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('Give a whole number from 1.')
  return number
}

/** In milliseconds since 1970. */
export function instant(text: string): number {
  const at = instantOf(text)
  if (at !== undefined) return at
  throw new InvalidArgumentError('Give a date and time, as in 2026-05-01T02:30:00Z.')
}
