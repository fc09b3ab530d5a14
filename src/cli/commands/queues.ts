// `troupe queues`: what is in the queues of a store, and pausing and resuming one.
import type { QueueStatus } from '../../engine/queue-status.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { oneLine, paintFor } from '../paint.ts'
import { withClient } from '../store-client.ts'
import { drawTable, type Column } from '../table.ts'
import { age } from '../times.ts'
import { checkVerb, usage } from '../usage.ts'
import { toJson } from '../values.ts'
import { addBy, whoDoes, type ByFlags } from '../who.ts'

const verbs = ['pause', 'resume'] as const

export function addQueues(shell: Shell): void {
  const program = addCommand<CommonFlags>(shell, {
    name: 'queues',
    takes: '[pause|resume NAME]',
    summary: 'list queues, pause or resume one',
    description:
      'Lists the queues with what is in them. A paused queue starts nothing, on any node, until it is resumed; what runs goes on.',
    perform: (flags, operands, io) => {
      checkVerb('troupe queues', operands, verbs)
      return queuesCommand(flags, io)
    },
  }).allowExcessArguments()
  for (const verb of verbs) {
    const command = addCommand<CommonFlags & ByFlags>(
      { ...shell, program },
      {
        name: verb,
        takes: 'NAME',
        description: verb === 'pause' ? 'Lets nothing of a queue start.' : 'Lets a paused queue go on.',
        perform: (flags, [name = ''], io) => pauseCommand({ verb, name }, flags, io),
      },
    )
    addBy(command).argument('<name>', 'the queue')
  }
}

async function queuesCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const queues = await withClient(flags, io, (troupe) => troupe.queues())
  if (flags.json === true) io.stdout.write(`${toJson(queues, io.stdout.isTerminal ? 2 : 0)}\n`)
  else if (queues.length === 0) io.stderr.write('No queues yet: the first run or node makes one.\n')
  else printQueues(queues, io)
  return exitCodes.ok
}

interface PauseRequest {
  readonly verb: 'pause' | 'resume'
  readonly name: string
}

/** Throws `usage` for a name that no run and no node ever had: it would be a slip of the pen. */
async function pauseCommand({ verb, name }: PauseRequest, flags: CommonFlags & ByFlags, io: Io): Promise<ExitCode> {
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

function doneText(verb: 'pause' | 'resume', name: string, hasChanged: boolean): string {
  if (verb === 'resume') return hasChanged ? `Queue '${name}' goes on.` : `Queue '${name}' was not paused.`
  if (!hasChanged) return `Queue '${name}' was paused already.`
  return `Queue '${name}' is paused: what runs goes on, nothing else starts. Go on with: troupe queues resume ${name}`
}

function printQueues(queues: readonly QueueStatus[], io: Io): void {
  const look = { columns: io.stdout.columns, paint: paintFor(io.stdout, io.env) }
  const now = io.clock.now()
  const lines = drawTable(queues, columnsFor(now), look) ?? queues.map((queue) => drawNarrow(queue, now))
  io.stdout.write(`${lines.join('\n')}\n`)
}

function columnsFor(now: number): Column<QueueStatus>[] {
  return [
    { title: 'QUEUE', cell: ({ name }) => oneLine(name), least: 8, cutAt: 'middle' },
    { title: 'READY', cell: ({ ready }) => String(ready), align: 'right' },
    { title: 'RUNNING', cell: ({ running }) => String(running), align: 'right' },
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

function drawNarrow({ name, ready, running, pausedAt }: QueueStatus, now: number): string {
  const paused = pausedAt === undefined ? '' : `  paused ${age(pausedAt, now)}`
  return `${oneLine(name)}  ${ready} ready  ${running} running${paused}`
}
