// A log of one line each, for people who watch a service, or as JSON for those who collect it.
import type { TroupeOptions } from '../engine/options/options.ts'
import { environmentOf } from '../engine/options/settings.ts'
import type { RunLogLevel } from '../engine/activation/speech.ts'
import { createLog, isLogged, type Log, type LogFields, type LogLevel } from '../lib/log.ts'
import type { CommonFlags } from './config.ts'
import type { Io } from './io.ts'
import { oneLine, paintFor } from './paint.ts'
import { toJson } from './values.ts'

export const levelStyles = { debug: 'dim', info: 'cyan', warn: 'yellow', error: 'red' } as const

/** What `--verbose` says, else the options; else all while developing, as somebody watches. */
export function leastLevel({ verbose }: CommonFlags, { logLevel, environment }: TroupeOptions, { env }: Io): LogLevel {
  if (verbose === true) return 'debug'
  return logLevel ?? ((environment ?? environmentOf(env)) === 'development' ? 'debug' : 'info')
}

export function lineLog(flags: CommonFlags, least: LogLevel, io: Io): Log {
  const { stderr, clock, env } = io
  if (flags.json === true) return createLog({ level: least, clock, write: (line) => stderr.write(line) })
  const paint = paintFor(stderr, env)
  const at =
    (level: RunLogLevel) =>
    (fields: LogFields, message: string): void => {
      if (!isLogged(level, least)) return
      const time = paint('dim', timeOf(clock.now()))
      const { err, error = err, run } = fields
      const why = error instanceof Error && !message.includes(error.message) ? `: ${error.message}` : ''
      stderr.write(
        `${time} ${paint(levelStyles[level], level.padEnd(5))} ${oneLine(`${whose(run, message)}${message}${why}${said(fields, message)}`)}\n`,
      )
      if (flags.verbose === true && error instanceof Error && error.stack !== undefined)
        stderr.write(`${error.stack}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Which run a line of the engine is about; those of a run's own code say so already. */
function whose(run: unknown, message: string): string {
  return typeof run !== 'string' || message.startsWith('[Worker:') || message.includes(run) ? '' : `run ${run}: `
}

/** The fields of a line of a run's own code. */
function said({ worker: _worker, run: _run, ...fields }: LogFields, message: string): string {
  return message.startsWith('[Worker:') && Object.keys(fields).length > 0 ? ` ${fieldsText(fields)}` : ''
}

/** `card=7 who="ann lee"` */
export function fieldsText(fields: LogFields): string {
  return oneLine(
    Object.entries(fields)
      .map(([name, value]) => `${name}=${wordOf(value)}`)
      .join(' '),
  )
}

function wordOf(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : toJson(value)
}

/** The time of day, in the zone of whoever looks. */
function timeOf(now: number): string {
  return new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' }).format(now)
}
