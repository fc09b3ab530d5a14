// Commands that list things of a kind, with verbs that do something to one of them by its name.
import type { Command } from 'commander'
import { addCommand, type Shell } from './command.ts'
import type { CommonFlags } from './config.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Io } from './io.ts'
import { checkVerb } from './usage.ts'
import { addBy, type ByFlags } from './who.ts'

export interface Verb {
  readonly description: string
  /** It changes nothing, so nobody is told who did it. */
  readonly isReading?: true
  /** Declares the flags of its own. */
  readonly addFlags?: (command: Command) => unknown
}

export interface VerbRequest<Name extends string> {
  readonly verb: Name
  /** Of the thing. */
  readonly name: string
}

export interface Things<Name extends string> {
  /** Of the command. */
  readonly name: string
  readonly thing: string
  readonly summary: string
  readonly description: string
  readonly verbs: Readonly<Record<Name, Verb>>
  readonly list: (flags: CommonFlags, io: Io) => Promise<ExitCode>
  readonly perform: (request: VerbRequest<Name>, flags: CommonFlags & ByFlags, io: Io) => Promise<ExitCode>
}

export function addThings<Name extends string>(shell: Shell, things: Things<Name>): void {
  const { name: noun, thing, summary, description, list, perform } = things
  const verbs = Object.entries<Verb>(things.verbs) as [Name, Verb][]
  const names = verbs.map(([verb]) => verb)
  const program = addCommand<CommonFlags>(shell, {
    name: noun,
    takes: `[${names.join('|')} NAME]`,
    summary,
    description,
    perform: (flags, operands, io) => {
      checkVerb(`troupe ${noun}`, operands, names)
      return list(flags, io)
    },
  }).allowExcessArguments()
  for (const [verb, { description: does, isReading, addFlags }] of verbs) {
    const command = addCommand<CommonFlags & ByFlags>(
      { ...shell, program },
      {
        name: verb,
        takes: 'NAME',
        description: does,
        perform: (flags, [name = ''], io) => perform({ verb, name }, flags, io),
      },
    )
    const named = isReading === true ? command : addBy(command)
    named.argument('<name>', `the ${thing}`)
    addFlags?.(named)
  }
}
