// `troupe check-deploy`: whether every unfinished run would go on with the code that is here.
import { environmentOf } from '../../engine/settings.ts'
import { createIds } from '../../lib/ids.ts'
import { createLog } from '../../lib/log.ts'
import { differenceLines } from '../../model/divergence.ts'
import { openStore } from '../../store/open.ts'
import { checkRuns, type RunCheck } from '../../workflow/deploy-check.ts'
import { addCommand, type Shell } from '../command.ts'
import { definesNothing, loadSettings, requireStore, type CommonFlags } from '../config.ts'
import { definitionsAtHand } from '../definitions-at-hand.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { oneLine, paintFor, printable, type Paint } from '../paint.ts'
import { toJson } from '../values.ts'

type Verdict = RunCheck['verdict']
type Counts = Record<Verdict, number>

// How often a person sees that it goes on.
const tellEach = 500

export function addCheckDeploy(shell: Shell): void {
  addCommand<CommonFlags>(shell, {
    name: 'check-deploy',
    summary: 'check whether every unfinished run would go on with the code here',
    description:
      'Leads the code that is here through the journals of all unfinished runs: no step is executed, nothing is started or written. Tells of each run whether it continues, repeats a step or diverges, and exits with 1 when one would not go on.',
    help,
    perform: (flags, _operands, io) => checkDeployCommand(flags, io),
  })
}

const help = `continues  it goes on where it is
repeats    so does it, and a step that was or may have been begun is executed again
diverges   its journal does not fit the code: the run would be set aside
fails      the code throws before it comes to where the run is
waits      its version is not here any more

Examples:
  troupe check-deploy --store sqlite:/srv/shop/.troupe/troupe.db
  troupe check-deploy --json | jq 'select(.verdict == "diverges")'

With --json each run is a line of its own, and the counts are the last one.`

async function checkDeployCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const settings = await loadSettings(flags, io.folder)
  const { options, definitions } = await definitionsAtHand(settings)
  if (definitions.length === 0) throw definesNothing(settings)
  requireStore(options.store, io.folder)
  const { clock } = io
  const store = await openStore(options.store, { clock, synchronous: options.synchronous })
  try {
    const log = createLog({ level: 'silent', clock, write: () => undefined })
    const deps = { store, clock, log, ids: createIds(clock), failpoint: () => undefined }
    const environment = options.environment ?? environmentOf(process.env)
    const divergence = options.divergence
    const checks = checkRuns({ deps, definitions, config: options.config, environment, divergence })
    return await tellAll(checks, flags, io)
  } finally {
    await store.close()
  }
}

async function tellAll(checks: AsyncIterable<RunCheck>, flags: CommonFlags, io: Io): Promise<ExitCode> {
  const counts: Counts = { continues: 0, repeats: 0, diverges: 0, fails: 0, waits: 0 }
  const { stdout, stderr, env } = io
  const paint = paintFor(stdout, env)
  let runs = 0
  for await (const check of checks) {
    counts[check.verdict] += 1
    runs += 1
    const lines = flags.json === true ? [toJson(check)] : checkLines(check, paint)
    stdout.write(`${lines.join('\n')}\n`)
    if (stderr.isTerminal && !stdout.isTerminal && runs % tellEach === 0) stderr.write(`\r${counted(runs)} checked`)
  }
  if (stderr.isTerminal && !stdout.isTerminal && runs >= tellEach) stderr.write('\n')
  if (flags.json === true) stdout.write(`${toJson({ runs, ...counts })}\n`)
  else stderr.write(`${summary(runs, counts)}\n`)
  return counts.diverges + counts.fails + counts.waits === 0 ? exitCodes.ok : exitCodes.runFailed
}

const styles: Readonly<Record<Verdict, 'green' | 'yellow' | 'red'>> = {
  continues: 'green',
  repeats: 'yellow',
  diverges: 'red',
  fails: 'red',
  waits: 'red',
}

function checkLines({ id, name, version, verdict, text, difference }: RunCheck, paint: Paint): string[] {
  const head = `${id}  ${oneLine(name)} ${oneLine(version)}  ${paint(styles[verdict], oneLine(text === '' ? verdict : text))}`
  return [head, ...(difference === undefined ? [] : differenceLines(difference).map((line) => `  ${printable(line)}`))]
}

function summary(runs: number, counts: Counts): string {
  if (runs === 0) return 'No run of what is here is unfinished.'
  const parts = Object.entries(counts).flatMap(([verdict, count]) =>
    count === 0 ? [] : [`${count.toLocaleString('en')} ${verdict}`],
  )
  return `${counted(runs)}: ${parts.join(', ')}`
}

function counted(runs: number): string {
  return runs === 1 ? '1 run' : `${runs.toLocaleString('en')} runs`
}
