// `troupe schedules`: the schedules of a store, and pausing, resuming, triggering, backfilling and foreseeing one.
import type { ScheduleStatus } from '../../engine/schedule/schedule-verbs.ts'
import { formatMs } from '../../lib/duration.ts'
import { instant, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { printListing } from '../listing.ts'
import { oneLine } from '../paint.ts'
import { withClient } from '../store-client.ts'
import type { Column } from '../table.ts'
import { relative, timestamp } from '../times.ts'
import { toJson } from '../values.ts'
import { addThings, type VerbRequest } from '../verbs.ts'
import { whoDoes, type ByFlags } from '../who.ts'

type ScheduleVerb = 'pause' | 'resume' | 'trigger' | 'next' | 'backfill'

/** Of `backfill`. */
interface SpanFlags {
  readonly from?: number
  readonly to?: number
}

export function addSchedules(shell: Shell): void {
  addThings<ScheduleVerb>(shell, {
    name: 'schedules',
    thing: 'schedule',
    summary: 'list schedules, pause, resume, trigger, backfill or foresee one',
    description:
      'Lists the schedules of the store. Those that code declares are among them while a node that has it runs.',
    verbs: {
      pause: { description: 'Keeps a schedule from firing, on any node, until it is resumed.' },
      resume: { description: 'Lets a schedule fire again, from its next tick on.' },
      trigger: { description: 'Starts a run of a schedule now, and prints its id.' },
      backfill: {
        description: 'Starts a run for every tick between two times that has none, and prints their ids.',
        addFlags: (command) =>
          command
            .requiredOption('--from <time>', 'the first tick, as in 2026-05-01T02:30:00Z', instant)
            .option('--to <time>', 'the last one (default: now)', instant),
      },
      next: { description: 'Prints the next times at which a schedule fires.', isReading: true },
    },
    list: schedulesCommand,
    perform: scheduleCommand,
  })
}

async function schedulesCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const rows = await withClient(flags, io, (troupe) => troupe.schedules())
  const now = io.clock.now()
  const nothing = 'No schedules: those that code declares are here while it runs.'
  const narrow = (one: ScheduleStatus): string => [oneLine(one.name), nextText(one, now)].join('  ')
  printListing({ rows, nothing, columns: columnsFor(now), narrow }, flags, io)
  return exitCodes.ok
}

/** Throws `schedule_not_found`. */
async function scheduleCommand(
  { verb, name }: VerbRequest<ScheduleVerb>,
  flags: CommonFlags & ByFlags & SpanFlags,
  io: Io,
): Promise<ExitCode> {
  const who = whoDoes(flags)
  const { from = 0, to = io.clock.now() } = flags
  const done = await withClient(flags, io, async (troupe) => {
    if (verb === 'next') return { name, next: await troupe.nextFires(name) }
    if (verb === 'trigger') return { name, run: (await troupe.trigger(name, who)).id }
    if (verb === 'backfill') return { name, runs: (await troupe.backfill(name, { from, to }, who)).map(({ id }) => id) }
    await (verb === 'pause' ? troupe.pauseSchedule(name, who) : troupe.resumeSchedule(name, who))
    return { name, paused: verb === 'pause' }
  })
  if (flags.json === true) io.stdout.write(`${toJson(done)}\n`)
  else if ('next' in done) printTimes(done.next ?? [], io)
  else if ('runs' in done) printRuns(done.runs ?? [], io)
  else if ('run' in done) io.stdout.write(`${done.run}\n`)
  else io.stderr.write(`${oneLine(done.paused === true ? pausedText(name) : `Schedule '${name}' goes on.`)}\n`)
  return exitCodes.ok
}

function pausedText(name: string): string {
  return `Schedule '${name}' is paused: what runs goes on. Go on with: troupe schedules resume ${name}`
}

function printRuns(ids: readonly string[], io: Io): void {
  if (ids.length === 0) io.stderr.write('Every tick of that time has its run.\n')
  for (const id of ids) io.stdout.write(`${id}\n`)
}

function printTimes(times: readonly number[], io: Io): void {
  if (times.length === 0) io.stderr.write('It fires no more.\n')
  const now = io.clock.now()
  for (const at of times) io.stdout.write(`${timestamp(at)}  ${relative(at, now)}\n`)
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
