// `troupe check-deploy`: whether every unfinished run would go on with the code that is here.
import { checkTroupeOptions } from '../../engine/options/options.ts'
import { counted } from '../../lib/text.ts'
import { differenceLines, type RunVerdict } from '../../model/divergence.ts'
import { requireStore } from '../../store/open.ts'
import { definitionsAtHand } from '../../worker/definitions-at-hand.ts'
import { checkStore } from '../../workflow/check-deploy/check-deploy.ts'
import type { RunCheck } from '../../workflow/check-deploy/run-check.ts'
import { addCommand, type Shell } from '../command.ts'
import { definesNothing, loadSettings, shown, type CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { canRedraw, eraseLine, oneLine, paintFor, printable, type Paint } from '../paint.ts'
import { withUserOutput } from '../user-output.ts'
import { toJson } from '../values.ts'
import { cut } from '../width.ts'

type Counts = Record<RunVerdict, number>

// How often a person sees that it goes on.
const tellEachMs = 100

export function addCheckDeploy(shell: Shell): void {
  addCommand<CommonFlags>(shell, {
    name: 'check-deploy',
    summary: 'check whether every unfinished run would go on with the code here',
    description:
      'Leads the code that is here through the journals of all unfinished runs: no step is executed, nothing is started or written. Tells of each run whether it continues, repeats a step or diverges, and exits with 1 when one would not go on.',
    help,
    perform: (flags, _operands, io) => withUserOutput(io.stderr, () => checkDeployCommand(flags, io)),
  })
}

const help = `continues  it goes on where it is
repeats    so does it, and a step that was or may have been begun is executed again
diverges   its journal does not fit the code: the run would be set aside
fails      the code throws where the run is, goes no further, or throws where nothing awaits it
waits      its version is not here any more

Examples:
  troupe check-deploy --store sqlite:/srv/shop/.troupe/troupe.db
  troupe check-deploy --json | jq 'select(.verdict == "diverges")'

With --json each run is a line of its own, and the counts are the last one.`

async function checkDeployCommand(flags: CommonFlags, io: Io): Promise<ExitCode> {
  const settings = await loadSettings(flags, io.folder)
  const options = checkTroupeOptions(settings.options)
  const definitions = await definitionsAtHand(options)
  if (definitions.length === 0) throw definesNothing(settings)
  await requireStore(options.store, (path) => shown(path, io.folder))
  const counts: Counts = { continues: 0, repeats: 0, diverges: 0, fails: 0, waits: 0 }
  const report = new CheckReport(io, flags.json === true)
  for await (const check of checkStore({ ...options, definitions, clock: io.clock })) {
    counts[check.verdict] += 1
    report.checked(check, counts)
  }
  report.ended(counts)
  return counts.diverges + counts.fails + counts.waits === 0 ? exitCodes.ok : exitCodes.runFailed
}

/** What is found goes to standard output; how far it is, to a person at a terminal. */
class CheckReport {
  readonly #io: Io
  readonly #isJson: boolean
  readonly #paint: Paint
  readonly #isWatched: boolean
  #toldAt: number

  constructor(io: Io, isJson: boolean) {
    this.#io = io
    this.#isJson = isJson
    this.#paint = paintFor(io.stdout, io.env)
    this.#isWatched = canRedraw(io.stderr, io.env)
    this.#toldAt = io.clock.monotonic()
  }

  checked(check: RunCheck, counts: Counts): void {
    const { stdout, stderr, clock } = this.#io
    const lines = this.#isJson ? [toJson(check)] : checkLines(check, this.#paint)
    // On one screen with what is found, the line of before goes first.
    const erase = this.#isWatched && stdout.isTerminal ? eraseLine : ''
    stdout.write(`${erase}${lines.join('\n')}\n`)
    if (!this.#isWatched || clock.monotonic() - this.#toldAt < tellEachMs) return
    this.#toldAt = clock.monotonic()
    stderr.write(`${eraseLine}${cut(`checking… ${summary(counts)}`, stderr.columns - 1)}`)
  }

  ended(counts: Counts): void {
    const { stdout, stderr } = this.#io
    if (this.#isWatched) stderr.write(eraseLine)
    if (this.#isJson) stdout.write(`${toJson({ runs: runsIn(counts), ...counts })}\n`)
    else stderr.write(`${summary(counts)}\n`)
  }
}

const styles: Readonly<Record<RunVerdict, 'green' | 'yellow' | 'red'>> = {
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

function summary(counts: Counts): string {
  const runs = runsIn(counts)
  if (runs === 0) return 'No run of what is here is unfinished.'
  const parts = Object.entries(counts).flatMap(([verdict, count]) =>
    count === 0 ? [] : [`${count.toLocaleString('en')} ${verdict}`],
  )
  return `${counted(runs, 'run')}: ${parts.join(', ')}`
}

function runsIn(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
