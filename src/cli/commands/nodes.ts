// `troupe nodes`: the processes that serve queues, as the store knows them.
import type { NodeInfo } from '../../engine/verbs/nodes.ts'
import { formatMs } from '../../lib/duration.ts'
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
    description:
      'Lists the nodes of the store: their processes, versions, leases and queues, how many runs each performs, and by how much a clock is wrong. With --json also what each can perform.',
    perform: (flags, _operands, io) => nodesCommand(flags, io),
  })
}

async function nodesCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const rows = await withClient(flags, io, (troupe) => troupe.nodes())
  const now = io.clock.now()
  const nothing = 'No node serves this store: start one with troupe start.'
  printListing({ rows, nothing, columns: columnsFor(rows, now), narrow: (node) => drawNarrow(node, now) }, flags, io)
  return exitCodes.ok
}

function columnsFor(nodes: readonly NodeInfo[], now: number): Column<NodeInfo>[] {
  return [
    { title: 'NO', cell: ({ number }) => String(number), align: 'right' },
    { title: 'NODE', cell: ({ name }) => oneLine(name), least: 8, cutAt: 'middle' },
    { title: 'STATE', cell: ({ state }) => state, paint: ({ state }, text, paint) => paint(stateStyles[state], text) },
    { title: 'VERSION', cell: ({ version }) => oneLine(version ?? '') },
    { title: 'PID', cell: ({ pid }) => String(pid), align: 'right' },
    { title: 'RUNNING', cell: ({ running }) => String(running), align: 'right' },
    { title: 'QUEUES', cell: ({ queues }) => oneLine(queues.join(', ')), least: 8 },
    { title: 'STARTED', cell: ({ startedAt }) => age(startedAt, now), align: 'right' },
    { title: 'LEASE', cell: (node) => leaseText(node, now), align: 'right' },
    ...(nodes.some(isSkewed) ? [ofClock] : []),
  ]
}

const stateStyles = { serving: 'green', draining: 'yellow', expired: 'red' } as const

const ofClock: Column<NodeInfo> = {
  title: 'CLOCK',
  cell: (node) => (isSkewed(node) ? clockText(node) : ''),
  align: 'right',
  paint: (_node, text, paint) => paint('yellow', text),
}

// What a person would not notice is no news.
const muchMs = 100

function isSkewed({ clockAheadMs }: NodeInfo): boolean {
  return Math.abs(clockAheadMs) >= muchMs
}

function clockText({ clockAheadMs }: NodeInfo): string {
  return `${formatMs(Math.abs(clockAheadMs))} ${clockAheadMs > 0 ? 'ahead' : 'behind'}`
}

function leaseText({ state, leaseUntil }: NodeInfo, now: number): string {
  if (state === 'expired') return `ended ${age(leaseUntil, now)}`
  return `${Math.max(0, Math.ceil((leaseUntil - now) / 1_000))} s left`
}

function drawNarrow(node: NodeInfo, now: number): string {
  return `${node.number} ${oneLine(node.name)}  ${node.state}  ${node.running} running  ${leaseText(node, now)}`
}
