// `troupe nodes`: the processes that serve queues, as the store knows them.
import type { NodeInfo } from '../../engine/verbs/node-status.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { oneLine } from '../paint.ts'
import { withClient } from '../store-client.ts'
import type { Column } from '../table.ts'
import { age } from '../times.ts'

export function addNodes(shell: Shell): void {
  addCommand<CommonFlags>(shell, {
    name: 'nodes',
    summary: 'list the processes that serve queues',
    description: 'Lists the nodes of the store: their processes, leases, queues, and how many runs each performs.',
    perform: (flags, _operands, io) => nodesCommand(flags, io),
  })
}

async function nodesCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const rows = await withClient(flags, io, (troupe) => troupe.nodes())
  const now = io.clock.now()
  const nothing = 'No node serves this store: start one with troupe start.'
  printListing({ rows, nothing, columns: columnsFor(now), narrow: (node) => drawNarrow(node, now) }, flags, io)
  return exitCodes.ok
}

function columnsFor(now: number): Column<NodeInfo>[] {
  return [
    { title: 'NODE', cell: ({ name }) => oneLine(name), least: 8, cutAt: 'middle' },
    { title: 'PID', cell: ({ pid }) => String(pid), align: 'right' },
    { title: 'RUNNING', cell: ({ running }) => String(running), align: 'right' },
    { title: 'QUEUES', cell: ({ queues }) => oneLine(queues.join(', ')), least: 8 },
    { title: 'STARTED', cell: ({ startedAt }) => age(startedAt, now), align: 'right' },
    {
      title: 'LEASE',
      cell: (node) => leaseText(node, now),
      paint: ({ isExpired }, text, paint) => (isExpired ? paint('red', text) : text),
    },
  ]
}

function leaseText({ isExpired, leaseUntil }: NodeInfo, now: number): string {
  return isExpired ? `ended ${age(leaseUntil, now)}` : `${Math.max(0, Math.ceil((leaseUntil - now) / 1_000))} s left`
}

function drawNarrow(node: NodeInfo, now: number): string {
  return `${oneLine(node.name)}  ${node.running} running  ${leaseText(node, now)}`
}
