// The one line that tells how a run is doing, made to fit.
import type { RunStatus } from '../engine/verbs/run-status.ts'
import { formatMs } from '../lib/duration.ts'
import { reasonText, type WaitReason } from '../model/reason.ts'
import type { RunState } from '../model/run.ts'
import { drawBar, percent, shareOf } from './bar.ts'
import { stateStyles, type Paint } from './paint.ts'
import { widthOf } from './width.ts'

export interface StatusLine {
  readonly run: Pick<RunStatus, 'state' | 'attempt' | 'dueAt' | 'progress'> &
    Partial<Pick<RunStatus, 'reason' | 'undoing'>>
  readonly now: number
  readonly elapsedMs: number
  /** Of progress, a second. */
  readonly rate: number | undefined
  /** Which picture of the spinner. */
  readonly frame: number
}

const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
const leastBar = 8
const mostBar = 30
const numbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })

/** `⠹ running ━━━━╸───── 45%  90,000/200,000  12,400/s  7.2s`; what does not fit is left out, the least important first. */
export function drawStatus(status: StatusLine, width: number, paint: Paint): string {
  const { run, now, elapsedMs, rate, frame } = status
  const share = shareOf(run.progress)
  const spinner = paint(stateStyles[run.state], frames[frame % frames.length] ?? '')
  const words = stateWords(run, now)
  const elapsed = formatMs(Math.floor(elapsedMs / 100) * 100)
  if (share === undefined) return fitted([`${spinner} ${words}`, paint('dim', elapsed)], width)
  const counted =
    run.progress === undefined ? '' : `${numbers.format(run.progress.done)}/${numbers.format(run.progress.total)}`
  const speed = rate === undefined || rate <= 0 ? '' : `${numbers.format(rate < 10 ? rate : Math.round(rate))}/s`
  const lead = `${spinner} ${words}`
  const done = percent(share).padStart(4)
  const tails = [[done, counted, speed, elapsed], [done, counted, elapsed], [done, elapsed], [done]]
  for (const tail of tails) {
    const texts = tail.filter((text) => text !== '')
    const bar = Math.min(mostBar, width - widthOf([lead, ...texts].join('  ')) - 2)
    if (bar >= leastBar)
      return [
        `${lead}  ${drawBar(share, bar, paint)}${texts[0] ?? ''}`,
        ...texts.slice(1).map((text) => paint('dim', text)),
      ].join('  ')
  }
  return fitted([lead, done.trim()], width)
}

/** What a run is doing or waiting for. */
export function stateWords(run: StatusLine['run'], now: number): string {
  if (run.undoing === undefined) return wordsOf(run, now)
  return run.state === 'running' ? 'undoing' : `undoing, ${wordsOf(run, now)}`
}

function wordsOf(run: StatusLine['run'], now: number): string {
  const again = run.attempt > 1 ? ` (attempt ${run.attempt})` : ''
  const left = run.dueAt === undefined ? undefined : leftText(Math.max(0, run.dueAt - now))
  if (run.state === 'ready') return `waiting for ${reasonText(run.reason ?? { kind: 'actor' })}${again}`
  if (run.reason !== undefined && run.reason.kind !== 'timer') return heldUpWords(run.state, run.reason, now)
  if (run.state === 'scheduled') return left === undefined ? `scheduled${again}` : `starts in ${left}${again}`
  if (run.state === 'parked') return left === undefined ? 'waiting' : `sleeping, ${left} left`
  return `${run.state}${again}`
}

/** By something that does not come by itself. */
function heldUpWords(state: RunState, reason: WaitReason, now: number): string {
  const words = `waiting for ${reasonText(reason)}`
  if (reason.kind === 'node_lost') return 'its process died, waiting for a node'
  if (reason.kind === 'diverged') return `set aside, ${words}`
  if (state === 'running') return `running, ${words}`
  // It may go on sooner, as it may wait for other things beside.
  const until = 'until' in reason ? reason.until : undefined
  return until === undefined ? words : `${words}, ${leftText(Math.max(0, until - now))} left`
}

/** Whole seconds, which do not flicker; what is shorter in milliseconds. */
function leftText(ms: number): string {
  return formatMs(ms < 1_000 ? Math.ceil(ms) : Math.ceil(ms / 1_000) * 1_000)
}

function fitted(parts: readonly string[], width: number): string {
  const all = parts.join('  ')
  if (widthOf(all) <= width) return all
  return widthOf(parts[0] ?? '') <= width ? (parts[0] ?? '') : ''
}
