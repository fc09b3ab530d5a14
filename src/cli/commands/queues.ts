// `troupe queues`: what is in the queues of a store, and pausing and resuming one.
import type { QueueStatus } from '../../engine/verbs/queue-status.ts'
import type { Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { oneLine } from '../paint.ts'
import { withClient } from '../store-client.ts'
import type { Column } from '../table.ts'
import { age } from '../times.ts'
import { usage } from '../usage.ts'
import { toJson } from '../values.ts'
import { addThings, type VerbRequest } from '../verbs.ts'
import { whoDoes, type ByFlags } from '../who.ts'

type QueueVerb = 'pause' | 'resume'

export function addQueues(shell: Shell): void {
  addThings<QueueVerb>(shell, {
    name: 'queues',
    thing: 'queue',
    summary: 'list queues, pause or resume one',
    description:
      'Lists the queues with what is in them. A paused queue starts nothing, on any node, until it is resumed; what runs goes on.',
    verbs: {
      pause: { description: 'Lets nothing of a queue start.' },
      resume: { description: 'Lets a paused queue go on.' },
    },
    list: queuesCommand,
    perform: pauseCommand,
  })
}

async function queuesCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const rows = await withClient(flags, io, (troupe) => troupe.queues())
  const now = io.clock.now()
  const nothing = 'No queues yet: the first run or node makes one.'
  printListing({ rows, nothing, columns: columnsFor(rows, now), narrow: (queue) => drawNarrow(queue, now) }, flags, io)
  return exitCodes.ok
}

/** Throws `usage` for a name that no run and no node ever had: it would be a slip of the pen. */
async function pauseCommand(
  { verb, name }: VerbRequest<QueueVerb>,
  flags: CommonFlags & ByFlags,
  io: Io,
): Promise<ExitCode> {
  const who = whoDoes(flags)
  const hasChanged = await withClient(flags, io, async (troupe) => {
    const names = (await troupe.queues()).map((queue) => queue.name)
    if (!names.includes(name)) throw usage(`There is no queue '${name}'. There is: ${names.join(', ')}`)
    return verb === 'pause' ? troupe.pause(name, who) : troupe.resume(name, who)
  })
  if (flags.json === true) io.stdout.write(`${toJson({ name, paused: verb === 'pause', changed: hasChanged })}\n`)
  else io.stderr.write(`${oneLine(doneText(verb, name, hasChanged))}\n`)
  return exitCodes.ok
}

function doneText(verb: QueueVerb, name: string, hasChanged: boolean): string {
  if (verb === 'resume') return hasChanged ? `Queue '${name}' goes on.` : `Queue '${name}' was not paused.`
  if (!hasChanged) return `Queue '${name}' was paused already.`
  return `Queue '${name}' is paused: what runs goes on, nothing else starts. Go on with: troupe queues resume ${name}`
}

function columnsFor(queues: readonly QueueStatus[], now: number): Column<QueueStatus>[] {
  const ofLost = { title: 'LOST', cell: ({ lost }: QueueStatus) => String(lost), align: 'right' } as const
  const isOneLost = queues.some(({ lost }) => lost > 0)
  return [
    { title: 'QUEUE', cell: ({ name }) => oneLine(name), least: 8, cutAt: 'middle' },
    { title: 'READY', cell: ({ ready }) => String(ready), align: 'right' },
    { title: 'RUNNING', cell: ({ running }) => String(running), align: 'right' },
    ...(isOneLost ? [ofLost] : []),
    { title: 'SCHEDULED', cell: ({ scheduled }) => String(scheduled), align: 'right' },
    { title: 'PARKED', cell: ({ parked }) => String(parked), align: 'right' },
    {
      title: 'OLDEST',
      cell: ({ oldestReadyAt }) => (oldestReadyAt === undefined ? '' : age(oldestReadyAt, now)),
      align: 'right',
    },
    { title: 'NODES', cell: ({ nodes }) => String(nodes), align: 'right' },
    {
      title: '',
      cell: ({ pausedAt }) => (pausedAt === undefined ? '' : `paused ${age(pausedAt, now)}`),
      paint: (_queue, text, paint) => paint('yellow', text),
    },
  ]
}

function drawNarrow({ name, ready, running, lost, pausedAt }: QueueStatus, now: number): string {
  const ofLost = lost === 0 ? '' : `  ${lost} lost`
  const paused = pausedAt === undefined ? '' : `  paused ${age(pausedAt, now)}`
  return `${oneLine(name)}  ${ready} ready  ${running} running${ofLost}${paused}`
}
