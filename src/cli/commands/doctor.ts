// `troupe doctor`: how the database of the store is, and what to do where it is slow.
import { counted } from '../../lib/text.ts'
import type { Finding } from '../../store/health.ts'
import { openStore, requireStore } from '../../store/open.ts'
import { addCommand, type Shell } from '../command.ts'
import { loadStore, shown, type CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { oneLine, paintFor, type Paint } from '../paint.ts'
import { toJson } from '../values.ts'
import { padEnd, wrap } from '../width.ts'

interface DoctorFlags extends CommonFlags {
  readonly thorough?: boolean
}

export function addDoctor(shell: Shell): void {
  addCommand<DoctorFlags>(shell, {
    name: 'doctor',
    summary: 'look how the database of the store is, and what makes it slow',
    description:
      'Looks at the database of the store: of Postgres who holds the oldest transaction, dead rows, starts that nobody takes in, autovacuum, settings, connections, the clock; of a file its size, its log and its free pages. Says what to do, changes nothing, and exits with 1 when there is an error.',
    help,
    perform: (flags, _operands, io) => doctorCommand(flags, io),
  }).option('--thorough', 'of a file also whether it is whole, which reads all of it')
}

const help = `Examples:
  troupe doctor --store postgres://app:secret@db.internal:5432/app
  troupe doctor --json | jq 'select(.severity != "ok")'

With --json each finding is a line of its own.`

async function doctorCommand(flags: DoctorFlags, io: Io): Promise<ExitCode> {
  const findings = await look(flags, io)
  if (flags.json === true) io.stdout.write(findings.map((finding) => `${toJson(finding)}\n`).join(''))
  else print(findings, io)
  return countOf(findings, 'error') === 0 ? exitCodes.ok : exitCodes.runFailed
}

async function look(flags: DoctorFlags, io: Io): Promise<Finding[]> {
  const { store: url, migrate } = await loadStore(flags, io.folder)
  await requireStore(url, (path) => shown(path, io.folder))
  const store = await openStore(url, { clock: io.clock, synchronous: 'full', isLooking: true, migrate })
  try {
    return await store.listFindings({ isThorough: flags.thorough === true })
  } finally {
    await store.close()
  }
}

const styles = { ok: 'green', warning: 'yellow', error: 'red' } as const

function print(findings: readonly Finding[], { stdout, stderr, env }: Io): void {
  const paint = paintFor(stdout, env)
  const widths = { severity: 'SEVERITY'.length, code: Math.max(...findings.map(({ code }) => code.length)) }
  const head = paint('dim', `${padEnd('SEVERITY', widths.severity)}  ${padEnd('CHECK', widths.code)}  FINDING`)
  const drawing = { paint, widths, columns: stdout.columns }
  const lines = findings.flatMap((finding) => drawFinding(finding, drawing))
  stdout.write(`${[head, ...lines].join('\n')}\n`)
  stderr.write(`${counted(countOf(findings, 'error'), 'error')}, ${counted(countOf(findings, 'warning'), 'warning')}\n`)
}

interface Drawing {
  readonly paint: Paint
  readonly widths: { readonly severity: number; readonly code: number }
  readonly columns: number
}

// Where there is less room than that, nothing is gained by columns.
const leastRoom = 20

/** Sentences go on below themselves: cut, they would be of no use. */
function drawFinding({ severity, code, text, remedy }: Finding, { paint, widths, columns }: Drawing): string[] {
  const front = `${paint(styles[severity], padEnd(severity, widths.severity))}  ${padEnd(code, widths.code)}  `
  const margin = widths.severity + widths.code + 4
  const room = Math.max(leastRoom, columns - margin)
  const sentences = [text, ...(remedy === undefined ? [] : [`→ ${remedy}`])]
  const [first = '', ...rest] = sentences.flatMap((sentence) => wrap(oneLine(sentence), room))
  return [`${front}${first}`, ...rest.map((line) => `${' '.repeat(margin)}${line}`)]
}

function countOf(findings: readonly Finding[], severity: Finding['severity']): number {
  return findings.filter((finding) => finding.severity === severity).length
}
