// `troupe nodes`: the processes that serve queues, as the store knows them.
import type { NodeInfo } from '../../engine/node-status.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { oneLine, paintFor } from '../paint.ts'
import { withClient } from '../store-client.ts'
import { drawTable, type Column } from '../table.ts'
import { age } from '../times.ts'
import { toJson } from '../values.ts'

export function addNodes(shell: Shell): void {
  addCommand<CommonFlags>(shell, {
    name: 'nodes',
    summary: 'list the processes that serve queues',
    description: 'Lists the nodes of the store: their processes, leases, queues, and how many runs each performs.',
    perform: (flags, _operands, io) => nodesCommand(flags, io),
  })
}

async function nodesCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const nodes = await withClient(flags, io, (troupe) => troupe.nodes())
  if (flags.json === true) io.stdout.write(`${toJson(nodes, io.stdout.isTerminal ? 2 : 0)}\n`)
  else if (nodes.length === 0) io.stderr.write('No node serves this store: start one with troupe start.\n')
  else printNodes(nodes, io)
  return exitCodes.ok
}

function printNodes(nodes: readonly NodeInfo[], io: Io): void {
  const look = { columns: io.stdout.columns, paint: paintFor(io.stdout, io.env) }
  const now = io.clock.now()
  const lines = drawTable(nodes, columnsFor(now), look) ?? nodes.map((node) => drawNarrow(node, now))
  io.stdout.write(`${lines.join('\n')}\n`)
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
