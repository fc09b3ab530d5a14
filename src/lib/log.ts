// A logger with pino's method shape, so that a pino instance can be passed in its place.
import type { Clock } from './clock.ts'
import { toErrorRecord } from './error-record.ts'
import { settle } from './thenable.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

export interface LogOptions {
  /** Lines below this level are left out. */
  readonly level: LogLevel
  readonly clock: Clock
  /** Takes one line with its line break. */
  readonly write: (line: string) => void
}

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }

/** Whether lines of a level are wanted where lines below `least` are left out. */
export function isLogged(level: LogLevel, least: LogLevel): boolean {
  return ranks[level] >= ranks[least]
}

/** Writes JSON lines: `{"time":…,"level":"warn","msg":…}` and the fields. Never throws: a line that `write` refuses is lost. */
export function createLog({ level, clock, write }: LogOptions): Log {
  const at = (name: Exclude<LogLevel, 'silent'>) => (fields: LogFields, message: string) => {
    if (!isLogged(name, level)) return
    try {
      write(`${lineOf({ time: clock.now(), level: name, msg: message }, fields)}\n`)
    } catch {
      // There is nowhere left to say it, and what was being logged matters more than the line.
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** The same log without the lines below a level. */
export function atLevel(log: Log, least: LogLevel): Log {
  const at = (level: keyof Log) => (fields: LogFields, message: string) => {
    if (isLogged(level, least)) log[level](fields, message)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** The same log, whose faults, thrown at once or later, harm nobody: the line is lost. */
export function silenceFaults(log: Log): Log {
  const at = (level: keyof Log) => (fields: LogFields, message: string) =>
    settle(() => log[level](fields, message), ignore, ignore)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function ignore(): void {}

function lineOf(head: LogFields, fields: LogFields): string {
  try {
    return JSON.stringify({ ...head, ...fields, ...head }, replacer)
  } catch (error) {
    return JSON.stringify({ ...head, fieldsLost: String(error) })
  }
}

function replacer(_key: string, value: unknown): unknown {
  if (value instanceof Error) return toErrorRecord(value)
  return typeof value === 'bigint' ? `${value}n` : value
}
