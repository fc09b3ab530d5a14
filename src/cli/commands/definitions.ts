// `troupe definitions`: what can be started, as the config and the workers folder define it.
import { addCommand, type Shell } from '../command.ts'
import { definesNothing, loadSettings, openFor, type CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { paintFor } from '../paint.ts'
import { toJson } from '../values.ts'

export function addDefinitions(shell: Shell): void {
  addCommand<CommonFlags>(shell, {
    name: 'definitions',
    summary: 'list what can be started',
    description:
      'Lists the workers, workflows and templates that the config, or else the folders of workers and templates, define.',
    perform: (flags, _operands, io) => definitionsCommand(flags, io),
  })
}

async function definitionsCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const settings = await loadSettings(flags, io.folder)
  // In memory: to look at definitions needs no store, and makes none.
  const { troupe } = await openFor(settings, { store: 'sqlite::memory:', logLevel: 'error' }, io)
  const names = troupe.definitions().toSorted()
  await troupe.stop()
  if (flags.json === true) io.stdout.write(`${toJson(names)}\n`)
  else if (names.length === 0) throw definesNothing(settings)
  else {
    io.stdout.write(`${names.join('\n')}\n`)
    io.stderr.write(`${paintFor(io.stderr, io.env)('dim', `from ${settings.origins.join(' and ')}`)}\n`)
  }
  return exitCodes.ok
}
