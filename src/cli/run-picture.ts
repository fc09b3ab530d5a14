// Everything that is known of one run, drawn for people.
import type { AttemptStatus, RunStatus, StepStatus } from '../engine/verbs/run-status.ts'
import type { WaitStatus } from '../engine/verbs/wait-status.ts'
import type { LeftOutStep } from '../template/perform/reasons.ts'
import { formatMs } from '../lib/duration.ts'
import { isTroupeError } from '../lib/errors.ts'
import { differenceLines, divergenceRemedy } from '../model/divergence.ts'
import { percent, shareOf, drawBar } from './bar.ts'
import { errorWords, failureLines } from './error-text.ts'
import { unlimited } from './io.ts'
import { oneLine, printable, stateStyles, type Paint } from './paint.ts'
import { stateWord } from './state-words.ts'
import { stateWords } from './status-line.ts'
import { drawTable, type Column, type TableLook } from './table.ts'
import { titleLines } from './title.ts'
import { relative, timestamp, tookMs } from './times.ts'
import { prettyValue, shortValue } from './values.ts'
import { drawLeftOut } from './left-out-picture.ts'
import { drawWaits } from './waits-picture.ts'
import { cut, cutMiddle, padEnd } from './width.ts'

// In a pipe.
const longestValue = 120

/** So many lines of a log are counted. */
export const mostCounted = 1_000

export interface PictureLook {
  readonly columns: number
  readonly paint: Paint
  readonly hasColors: boolean
  readonly withStack: boolean
  readonly now: number
  /** Of the project: files in it are named from here. */
  readonly folder: string
  /** Steps shown at most. */
  readonly mostSteps: number
}

const marks: Readonly<Record<RunStatus['state'], string>> = {
  ready: '○',
  scheduled: '○',
  running: '●',
  parked: '◐',
  succeeded: '✓',
  failed: '✗',
  cancelled: '–',
}

export interface Drawn {
  readonly run: RunStatus
  readonly steps: readonly StepStatus[]
  /** Of a template; undefined where it cannot be read. */
  readonly leftOut: readonly LeftOutStep[] | undefined
  /** Those that failed and were followed by another. */
  readonly attempts: readonly AttemptStatus[]
  readonly waits: readonly WaitStatus[]
  /** How many lines it logged, as far as they were counted. */
  readonly logLines: number
}

/** header → facts → steps → what was left out → waits → failed attempts → how it ended */
export function drawRun(drawn: Drawn, look: PictureLook): string[] {
  const { run, steps, leftOut, attempts, waits, logLines } = drawn
  return [
    ...header(run, startOf(run, steps), look),
    '',
    ...facts(run, steps, look),
    ...section(divergenceTitle(run), divergenceLines(run, look), look),
    ...section('Input', run.input === undefined ? [] : valueLines(run.input, look), look),
    ...section(steps.length === 0 ? 'Steps' : `Steps (${steps.length})`, stepLines(run, steps, look), look),
    ...section(
      leftOut === undefined ? 'Left out' : `Left out (${leftOut.length})`,
      drawLeftOut(run, leftOut, look),
      look,
    ),
    ...section(`Waits (${waits.length})`, drawWaits(waits, look), look),
    ...section(`Earlier attempts (${attempts.length})`, attemptLines(drawn, look), look),
    ...section('Logs', logLines === 0 ? [] : [logsWords(run, logLines)], look),
    ...section(errorTitle(run), run.error === undefined ? [] : failureLines(run.error, { ...look, steps }), look),
    ...section('Output', run.output === undefined ? [] : valueLines(run.output, look), look),
  ]
}

/** What a run that has not ended, or succeeded, tells in its place is that this process cannot read it. */
function errorTitle({ state }: RunStatus): string {
  return state === 'failed' || state === 'cancelled' ? 'Error' : 'Cannot be read here'
}

function divergenceTitle({ reason }: RunStatus): string {
  const isUnread = reason?.kind === 'diverged' && reason.divergence.unread !== undefined
  return isUnread ? 'It cannot be read' : 'Its code does not fit its journal'
}

function divergenceLines({ reason }: RunStatus, { paint }: PictureLook): string[] {
  if (reason?.kind !== 'diverged') return []
  const styles: Readonly<Record<string, 'red' | 'green'>> = { '-': 'red', '+': 'green' }
  const lines = differenceLines(reason.divergence).map((line) => {
    const style = styles[line.charAt(0)]
    return style === undefined ? printable(line) : paint(style, printable(line))
  })
  return reason.divergence.unread === undefined ? [...lines, '', divergenceRemedy(reason.divergence)] : lines
}

function logsWords({ id }: RunStatus, lines: number): string {
  const count = lines > mostCounted ? `more than ${mostCounted.toLocaleString('en')}` : String(lines)
  return `${count} ${lines === 1 ? 'line' : 'lines'}: troupe logs ${id}`
}

function header(run: RunStatus, startedAt: number, { paint, now, columns }: PictureLook): string[] {
  const style = stateStyles[run.state]
  const took = tookMs({ ...run, startedAt }, now)
  const isOver = run.finishedAt !== undefined
  const words = isOver ? stateWord(run) : stateWords(run, now)
  // What waits says until when; since when it was started stands below.
  const isWaiting = !isOver && run.state !== 'running'
  const time =
    took === undefined || isWaiting
      ? ''
      : `${isOver ? (run.state === 'succeeded' ? 'in' : 'after') : 'for'} ${formatMs(took)}`
  return [...titleLines(run, columns, paint), `${paint(style, `${marks[run.state]} ${words}`)} ${time}`.trimEnd()]
}

function facts(run: RunStatus, steps: readonly StepStatus[], look: PictureLook): string[] {
  const { now, paint } = look
  const at = (time: number | undefined): string =>
    time === undefined ? '' : `${timestamp(time)}  ${paint('dim', relative(time, now))}`
  const share = shareOf(run.progress)
  const rows: readonly (readonly [string, string])[] = [
    ['created', at(run.createdAt)],
    ['started', run.startedAt === undefined && steps.length === 0 ? '' : at(startOf(run, steps))],
    ['finished', at(run.finishedAt)],
    ['due', at(run.dueAt)],
    ['undoes', run.undoing === undefined ? '' : endWords(run.undoing)],
    ['attempt', run.attempt > 1 ? String(run.attempt) : ''],
    ['crashes', run.deliveries > 0 ? String(run.deliveries) : ''],
    [
      'progress',
      share === undefined || run.progress === undefined
        ? ''
        : `${drawBar(share, 12, paint)} ${percent(share)}  ${paint('dim', `${run.progress.done} of ${run.progress.total}`)}`,
    ],
    ['started by', run.parent ?? ''],
    ['forked from', run.forkedFrom ?? ''],
    ['queue', oneLine(run.queue)],
    ['node', oneLine(run.node ?? '')],
    ['version', oneLine(run.version)],
    ['code', run.state === 'failed' ? oneLine(run.code ?? '') : ''],
    ['fingerprint', run.fingerprint ?? ''],
    ['tags', oneLine(run.tags.join(', '))],
  ]
  return rows.filter(([, value]) => value !== '').map(([name, value]) => `${paint('dim', padEnd(name, 11))} ${value}`)
}

/** How it ends then. */
function endWords({ outcome, error }: NonNullable<RunStatus['undoing']>): string {
  return error === undefined
    ? `what it did, and then it is ${outcome}`
    : `what it did, and then it is ${outcome}: ${errorWords(error)}`
}

function section(title: string, lines: readonly string[], { paint }: PictureLook): string[] {
  return lines.length === 0 ? [] : ['', paint('bold', title), ...lines.map((line) => (line === '' ? '' : `  ${line}`))]
}

function valueLines(value: unknown, { columns, hasColors }: PictureLook): string[] {
  return prettyValue(value, { columns: columns - 2, colors: hasColors }).split('\n')
}

function stepLines(run: RunStatus, steps: readonly StepStatus[], look: PictureLook): string[] {
  if (steps.length === 0) return []
  const shown = steps.slice(0, look.mostSteps)
  const start = startOf(run, steps)
  const room = look.columns - 2
  const table = drawTable(shown, stepColumns(start, valueRoom(look.columns)), { columns: room, paint: look.paint })
  const lines = table ?? shown.flatMap((step) => drawStacked(step, start, { columns: room, paint: look.paint }))
  const more = steps.length - shown.length
  return more === 0 ? lines : [...lines, look.paint('dim', `… and ${more} more: troupe show ${run.id} --all`)]
}

function attemptLines({ run, steps, attempts }: Drawn, look: PictureLook): string[] {
  const start = startOf(run, steps)
  const at = ({ startedAt }: AttemptStatus): string => `+${formatMs(Math.max(0, startedAt - start))}`
  const lines = attempts.slice(0, look.mostSteps).flatMap((attempt) => {
    const where = attempt.path === '' ? 'the run' : `step '${oneLine(attempt.path)}'`
    const head = `${look.paint('red', '✗')} ${where}  ${look.paint('dim', `attempt ${attempt.attempt}  ${at(attempt)}`)}`
    return [head, ...messageLines(attempt.error).map((line) => cut(`  ${line}`.trimEnd(), valueRoom(look.columns) - 2))]
  })
  const more = attempts.length - look.mostSteps
  return more > 0 ? [...lines, look.paint('dim', `… and ${more} more: troupe show ${run.id} --all`)] : lines
}

function messageLines({ name, message }: Error): string[] {
  const [first = '', ...rest] = printable(message).split('\n')
  return [first === '' ? name : `${name}: ${first}`, ...rest]
}

/** When the run first did something: it may have been taken up again since, by this node or another. */
function startOf(run: RunStatus, steps: readonly StepStatus[]): number {
  const first = steps.reduce(
    (earliest, { startedAt }) => Math.min(earliest, startedAt),
    run.startedAt ?? steps[0]?.startedAt ?? run.createdAt,
  )
  // What a fork remembers was done by another run, before it was there.
  return Math.max(first, run.createdAt)
}

function stepColumns(start: number, mostValue: number): Column<StepStatus>[] {
  return [
    {
      title: '',
      cell: (step) => stepMark(step).mark,
      paint: (step, text, paint) => paint(stepMark(step).style, text),
    },
    { title: 'STEP', cell: ({ path }) => printable(path), least: 12, cutAt: 'middle' },
    { title: 'KIND', cell: ({ kind }) => kind, paint: (_step, text, paint) => paint('dim', text) },
    {
      title: 'ATTEMPT',
      cell: ({ attempt }) => (attempt === 0 ? 'by hand' : String(attempt)),
      align: 'right',
      paint: ({ attempt }, text, paint) => (attempt === 1 ? text : paint('yellow', text)),
    },
    { title: 'AT', cell: ({ startedAt }) => `+${formatMs(Math.max(0, startedAt - start))}`, align: 'right' },
    { title: 'TOOK', cell: stepTook, align: 'right' },
    {
      title: 'VALUE',
      cell: (step) => cut(stepValue(step), mostValue),
      least: 10,
      paint: (step, text, paint) => (step.error === undefined ? text : paint(stepMark(step).style, text)),
    },
  ]
}

function drawStacked(step: StepStatus, start: number, { columns, paint }: TableLook): string[] {
  const { mark, style } = stepMark(step)
  const times = `+${formatMs(Math.max(0, step.startedAt - start))}  ${stepTook(step)}${attemptWords(step)}`
  const value = cut(stepValue(step), columns - times.length - 4)
  return [
    `${paint(style, mark)} ${cutMiddle(printable(step.path), columns - 2)}`,
    `  ${paint('dim', times)}  ${value}`.trimEnd(),
  ]
}

/** A step that cannot be read here has not failed for that. */
function stepMark({ error }: StepStatus): { readonly mark: string; readonly style: 'green' | 'red' | 'yellow' } {
  if (error === undefined) return { mark: '✓', style: 'green' }
  return isTroupeError(error, 'value_unreadable') ? { mark: '?', style: 'yellow' } : { mark: '✗', style: 'red' }
}

function attemptWords({ attempt }: StepStatus): string {
  if (attempt === 0) return '  by hand'
  return attempt > 1 ? `  attempt ${attempt}` : ''
}

function stepTook({ startedAt, finishedAt }: StepStatus): string {
  return formatMs(Math.max(0, finishedAt - startedAt))
}

function stepValue({ kind, error, value }: StepStatus): string {
  if (error !== undefined) return errorWords(error)
  return kind === 'sleep' || value === undefined ? '' : shortValue(value)
}

/** A pipe takes lines of any length; people read them all the same. */
function valueRoom(columns: number): number {
  return columns === unlimited ? longestValue : columns
}
