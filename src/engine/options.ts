// The options of Troupe.open, checked.
import { asDefinition, type AnyDefinition, type Definition } from './definition.ts'
import type { PoolOptions } from './settings.ts'
import type { Log, LogLevel } from '../lib/log.ts'
import { optionInvalid, optionUnknown } from '../model/errors.ts'

export interface TroupeOptions {
  /** `sqlite:PATH` (default `sqlite:.troupe/troupe.db`), or `sqlite::memory:`, which keeps nothing. */
  readonly store?: string
  readonly definitions?: readonly Definition[]
  /** A folder to find definitions in, from the working directory. */
  readonly workers?: string
  /** The queues this node serves; `default` unless told. */
  readonly queues?: readonly string[]
  /** What definitions read with `ctx.config.get`. */
  readonly config?: Readonly<Record<string, unknown>>
  /** The name of this node, for people. */
  readonly node?: string
  readonly pools?: PoolOptions
  /** `full` (default): a power cut loses nothing acknowledged. `normal`: faster, and it may lose the last commits. */
  readonly durability?: 'full' | 'normal'
  /** A pino instance, or anything of its shape; JSON lines to standard error unless told. */
  readonly log?: Log
  /** What is logged when no `log` is given; `warn` unless told. */
  readonly logLevel?: LogLevel
}

export interface CheckedOptions {
  readonly store: string
  readonly definitions: readonly AnyDefinition[]
  readonly workers: string | undefined
  readonly queues: readonly string[]
  readonly config: Readonly<Record<string, unknown>>
  readonly node: string | undefined
  readonly pools: PoolOptions
  readonly synchronous: 'full' | 'normal'
  readonly log: Log | undefined
  readonly logLevel: LogLevel
}

const known = ['store', 'definitions', 'workers', 'queues', 'config', 'node', 'pools', 'durability', 'log', 'logLevel']
const logLevels: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent']

/** Fills in the defaults; throws `option_invalid` or `definition_invalid`, quoting what was given. */
export function checkOptions(options: TroupeOptions): CheckedOptions {
  const unknown = Object.keys(options).find((option) => !known.includes(option))
  if (unknown !== undefined) throw optionUnknown(`Option '${unknown}' of Troupe.open`, known)
  const { definitions = [], queues = ['default'], durability = 'full', logLevel = 'warn' } = options
  if (queues.length === 0 || !queues.every((queue) => typeof queue === 'string' && queue !== '')) {
    throw optionInvalid('queues', queues, 'a list of at least one name')
  }
  if (durability !== 'full' && durability !== 'normal')
    throw optionInvalid('durability', durability, "'full' or 'normal'")
  if (!logLevels.includes(logLevel)) throw optionInvalid('logLevel', logLevel, `one of ${logLevels.join(', ')}`)
  return {
    store: options.store ?? 'sqlite:.troupe/troupe.db',
    definitions: definitions.map(asDefinition),
    workers: options.workers,
    queues,
    config: options.config ?? {},
    node: options.node,
    pools: options.pools ?? {},
    synchronous: durability,
    log: options.log,
    logLevel,
  }
}
