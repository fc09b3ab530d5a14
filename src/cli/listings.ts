// The commands that only list something.
import { definitionsCommand } from './commands/definitions.ts'
import { nodesCommand } from './commands/nodes.ts'
import type { CommonFlags } from './config.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Io } from './io.ts'

export interface Listing {
  readonly name: string
  readonly summary: string
  readonly description: string
  readonly print: (flags: CommonFlags, io: Io) => Promise<ExitCode>
}

export const definitions: Listing = {
  name: 'definitions',
  summary: 'list what can be started',
  description: 'Lists the workers and workflows that the config and the workers folder define.',
  print: definitionsCommand,
}

export const nodes: Listing = {
  name: 'nodes',
  summary: 'list the processes that serve queues',
  description: 'Lists the nodes of the store: their processes, leases, queues, and how many runs each performs.',
  print: nodesCommand,
}
