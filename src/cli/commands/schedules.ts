// `troupe schedules`: the schedules of a store, and pausing, resuming, triggering and foreseeing one.
import type { ScheduleStatus } from '../../engine/schedule-verbs.ts'
import { formatMs } from '../../lib/duration.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { oneLine, paintFor } from '../paint.ts'
import { withClient } from '../store-client.ts'
import { drawTable, type Column } from '../table.ts'
import { relative, timestamp } from '../times.ts'
import { checkVerb } from '../usage.ts'
import { toJson } from '../values.ts'
import { addBy, whoDoes, type ByFlags } from '../who.ts'

/** What can be done to one, and what it does, for the help. */
const scheduleVerbs = {
  pause: 'Keeps a schedule from firing, on any node, until it is resumed.',
  resume: 'Lets a schedule fire again, from its next tick on.',
  trigger: 'Starts a run of a schedule now, and prints its id.',
  next: 'Prints the next times at which a schedule fires.',
} as const

interface ScheduleRequest {
  readonly verb: keyof typeof scheduleVerbs
  readonly name: string
}

const verbs = Object.keys(scheduleVerbs) as (keyof typeof scheduleVerbs)[]

export function addSchedules(shell: Shell): void {
  const program = addCommand<CommonFlags>(shell, {
    name: 'schedules',
    takes: '[pause|resume|trigger|next NAME]',
    summary: 'list schedules, pause, resume, trigger or foresee one',
    description:
      'Lists the schedules of the store. Those that code declares are among them while a node that has it runs.',
    perform: (flags, operands, io) => {
      checkVerb('troupe schedules', operands, verbs)
      return schedulesCommand(flags, io)
    },
  }).allowExcessArguments()
  for (const verb of verbs) {
    const command = addCommand<CommonFlags & ByFlags>(
      { ...shell, program },
      {
        name: verb,
        takes: 'NAME',
        description: scheduleVerbs[verb],
        perform: (flags, [name = ''], io) => scheduleCommand({ verb, name }, flags, io),
      },
    )
    const named = verb === 'next' ? command : addBy(command)
    named.argument('<name>', 'the schedule')
  }
}

async function schedulesCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const schedules = await withClient(flags, io, (troupe) => troupe.schedules())
  if (flags.json === true) io.stdout.write(`${toJson(schedules, io.stdout.isTerminal ? 2 : 0)}\n`)
  else if (schedules.length === 0) io.stderr.write('No schedules: those that code declares are here while it runs.\n')
  else printSchedules(schedules, io)
  return exitCodes.ok
}

/** Throws `schedule_not_found`. */
async function scheduleCommand(
  { verb, name }: ScheduleRequest,
  flags: CommonFlags & ByFlags,
  io: Io,
): Promise<ExitCode> {
  const who = whoDoes(flags)
  const done = await withClient(flags, io, async (troupe) => {
    if (verb === 'next') return { name, next: await troupe.nextFires(name) }
    if (verb === 'trigger') return { name, run: (await troupe.trigger(name, who)).id }
    await (verb === 'pause' ? troupe.pauseSchedule(name, who) : troupe.resumeSchedule(name, who))
    return { name, paused: verb === 'pause' }
  })
  if (flags.json === true) io.stdout.write(`${toJson(done)}\n`)
  else if ('next' in done) printTimes(done.next ?? [], io)
  else if ('run' in done) io.stdout.write(`${done.run}\n`)
  else io.stderr.write(`${oneLine(done.paused === true ? pausedText(name) : `Schedule '${name}' goes on.`)}\n`)
  return exitCodes.ok
}

function pausedText(name: string): string {
  return `Schedule '${name}' is paused: what runs goes on. Go on with: troupe schedules resume ${name}`
}

function printTimes(times: readonly number[], io: Io): void {
  if (times.length === 0) io.stderr.write('It fires no more.\n')
  const now = io.clock.now()
  for (const at of times) io.stdout.write(`${timestamp(at)}  ${relative(at, now)}\n`)
}

function printSchedules(schedules: readonly ScheduleStatus[], io: Io): void {
  const look = { columns: io.stdout.columns, paint: paintFor(io.stdout, io.env) }
  const columns = columnsFor(io.clock.now())
  const narrow = (): string[] => schedules.map((one) => [oneLine(one.name), nextText(one, io.clock.now())].join('  '))
  io.stdout.write(`${(drawTable(schedules, columns, look) ?? narrow()).join('\n')}\n`)
}

function columnsFor(now: number): Column<ScheduleStatus>[] {
  return [
    { title: 'SCHEDULE', cell: ({ name }) => oneLine(name), least: 8, cutAt: 'middle' },
    { title: 'RULE', cell: ruleText, least: 8 },
    { title: 'STARTS', cell: ({ definition }) => oneLine(definition), least: 8, cutAt: 'middle' },
    { title: 'NEXT', cell: (one) => nextText(one, now) },
    { title: 'LAST', cell: ({ lastTickAt }) => (lastTickAt === undefined ? '' : relative(lastTickAt, now)) },
    { title: 'SKIPPED', cell: ({ skipped }) => String(skipped), align: 'right' },
  ]
}

function ruleText({ rule }: ScheduleStatus): string {
  if ('cron' in rule) return oneLine(rule.zone === 'UTC' ? rule.cron : `${rule.cron} ${rule.zone}`)
  return 'at' in rule ? `at ${timestamp(rule.at)}` : `every ${formatMs(rule.every)}`
}

function nextText({ isPaused, nextAt }: ScheduleStatus, now: number): string {
  if (isPaused) return 'paused'
  return nextAt === undefined ? 'never' : relative(nextAt, now)
}
