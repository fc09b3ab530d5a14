// `troupe codec-keys`: the keys that what is stored is encrypted under.
import type { CodecKey } from '../../store/operating.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { withClient } from '../store-client.ts'
import type { Column } from '../table.ts'

export function addCodecKeys(shell: Shell): void {
  addCommand<CommonFlags>(shell, {
    name: 'codec-keys',
    summary: 'list the keys that what is stored is encrypted under',
    description:
      'Lists the keys that values of the store are encrypted under, and how many values: a key that is not among them any more, and that no process writes with, can be forgotten. Reads the whole store, and needs no key.',
    perform: (flags, _operands, io) => codecKeysCommand(flags, io),
  })
}

async function codecKeysCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const rows = await withClient(flags, io, (troupe) => troupe.codecKeys())
  const nothing = 'Nothing is stored under a key.'
  printListing({ rows, nothing, columns, narrow: drawNarrow }, flags, io)
  return exitCodes.ok
}

const columns: Column<CodecKey>[] = [
  { title: 'KEY', cell: ({ key }) => key, least: 8, cutAt: 'middle' },
  { title: 'CODEC', cell: ({ codec }) => codec },
  { title: 'VALUES', cell: ({ values }) => values.toLocaleString('en'), align: 'right' },
]

function drawNarrow({ key, codec, values }: CodecKey): string {
  return `${key}  ${codec}  ${values.toLocaleString('en')}`
}
