// `troupe limits`: the limiters of a store, what they allow, who has their slots and who waits.
import type { LimiterStatus } from '../../engine/verbs/queue-status.ts'
import { formatMs } from '../../lib/duration.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { oneLine } from '../paint.ts'
import { withClient } from '../store-client.ts'
import type { Column } from '../table.ts'

export function addLimits(shell: Shell): void {
  addCommand<CommonFlags>(shell, {
    name: 'limits',
    summary: 'list limiters, who has their slots and who waits',
    description:
      'Lists the limiters of the store: what they allow for each key, and in all where that is said, how many slots are taken of all keys, and which runs have them and wait for them, at most ten each. What is no run is only counted.',
    perform: (flags, _operands, io) => limitsCommand(flags, io),
  })
}

async function limitsCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const rows = await withClient(flags, io, (troupe) => troupe.limiters())
  const nothing = 'No limiters: one is known once a process has opened this store with a definition that names it.'
  printListing({ rows, nothing, columns, narrow: drawNarrow }, flags, io)
  return exitCodes.ok
}

const columns: readonly Column<LimiterStatus>[] = [
  { title: 'LIMITER', cell: ({ name }) => oneLine(name), least: 8, cutAt: 'middle' },
  { title: 'ALLOWS', cell: boundsText, least: 8 },
  { title: 'TAKEN', cell: ({ slots }) => String(slots), align: 'right' },
  { title: 'WAITING', cell: ({ waiting }) => String(waiting), align: 'right' },
  { title: 'HELD BY', cell: ({ holders }) => holders.join(' '), least: 8 },
  { title: 'NEXT', cell: ({ waiters }) => waiters.join(' '), least: 8 },
]

function drawNarrow(limiter: LimiterStatus): string {
  return `${oneLine(limiter.name)}  ${boundsText(limiter)}  ${limiter.slots} taken  ${limiter.waiting} waiting`
}

/** `5 at once, 20 in all, 100 in 1s`. */
function boundsText({ bounds, isLive }: LimiterStatus): string {
  const { concurrency, total, rate } = bounds
  const parts = [
    ...(concurrency === null ? [] : [`${concurrency} at once`]),
    ...(total === null ? [] : [`${total} in all`]),
    ...(rate === null ? [] : [`${rate.limit} in ${formatMs(rate.perMs)}`]),
  ]
  return `${parts.length === 0 ? 'all' : parts.join(', ')}${isLive ? ' (live)' : ''}`
}
