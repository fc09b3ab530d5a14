// Reading the log lines of a run.
import type { Clock } from '../../lib/clock.ts'
import type { LogFields } from '../../lib/log.ts'
import { optionInvalid } from '../../model/errors.ts'
import { checkChoice, checkOptions, checkWhole } from '../checks.ts'
import type { RunFeed } from './run-feed.ts'
import type { LogRow } from '../../store/views.ts'
import { checkFrom, checkSignal, offsetOf, SliceReader, type Reading } from './slice-reader.ts'
import { runLogLevels, type RunLogLevel } from '../activation/speech.ts'

export interface LogsOptions {
  /** The offset of the last line that was read; from the first one unless told. */
  readonly from?: string | undefined
  /** Only lines of this level and above. */
  readonly level?: RunLogLevel | undefined
  /** So many at most. */
  readonly limit?: number | undefined
  /** False ends with the last line that is there now; otherwise the lines of a run that goes on are waited for. */
  readonly follow?: boolean | undefined
  /** Ends the reading, whatever the run does. */
  readonly signal?: AbortSignal | undefined
}

/** A line that the code of a run said. */
export interface RunLogLine {
  /** Give it as `from` to go on behind this line. */
  readonly offset: string
  readonly at: number
  readonly level: RunLogLevel
  readonly text: string
  readonly fields?: LogFields
}

/** What is read, and how much of it. Throws `option_invalid`. */
export function logReading(feed: RunFeed, clock: Clock, options: LogsOptions): Reading<LogRow> & { limit: number } {
  checkOptions('handle.logs', options, ['from', 'level', 'limit', 'follow', 'signal'])
  const { from, level = 'debug', limit = Number.POSITIVE_INFINITY, follow = true, signal } = options
  checkChoice('level', level, runLogLevels)
  if (limit !== Number.POSITIVE_INFINITY) checkWhole('limit', limit, 1)
  if (typeof follow !== 'boolean') throw optionInvalid('follow', follow, 'true or false')
  checkSignal(signal)
  const levels = runLogLevels.slice(runLogLevels.indexOf(level))
  const fetch: Reading<LogRow>['fetch'] = (after, most) => feed.logs({ after, levels, limit: most })
  return { feed, clock, from: checkFrom(from), signal, isFollowed: follow, fetch, limit }
}

export async function* readLogs(reading: Reading<LogRow> & { limit: number }): AsyncGenerator<RunLogLine, void, void> {
  const reader = new SliceReader(reading)
  for (let read = 0; read < reading.limit; read++) {
    const row = await reader.next()
    if (row === undefined) return
    yield lineOf(row)
  }
}

function lineOf(row: LogRow): RunLogLine {
  const { at, level, text, fields } = row
  const kept = fields === null ? {} : { fields: JSON.parse(fields) as LogFields }
  return { offset: offsetOf(row), at, level: level as RunLogLevel, text, ...kept }
}
