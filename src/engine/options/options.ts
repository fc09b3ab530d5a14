// The options of Troupe.open, checked.
import { toMs, type Duration } from '../../lib/duration.ts'
import { silenceFaults, type Log, type LogLevel } from '../../lib/log.ts'
import type { Coding } from '../../model/codecs/codecs.ts'
import type { ValueCodec } from '../../model/codecs/value-codec.ts'
import { divergencePolicies, type DivergencePolicy } from '../../model/divergence.ts'
import { optionInvalid } from '../../model/errors.ts'
import {
  defaultRetention,
  defaultRetentionBeside,
  retentionBesideOf,
  retentionOf,
  retentionParts,
  retentionPartsBeside,
  type Retention,
  type RetentionBeside,
  type StoreRetentionOptions,
} from '../../model/retention.ts'
import { checkChoice, checkFunction, checkList, checkName, checkObject, checkOptions, checkText } from '../checks.ts'
import { checkedCoding } from './codecs.ts'
import { asDefinition, type AnyDefinition, type Definition } from '../definition/definition.ts'
import type { HandlerMap, HandlerResolver } from '../definition/handler.ts'
import { isSchedule, type Schedule } from '../schedule/schedule.ts'
import type { Publisher } from '../events/publisher.ts'
import type { PoolOptions } from './settings.ts'
import { checkValueBytes, defaultValueBytes } from '../value-size.ts'

export interface TroupeOptions {
  /** `sqlite:PATH` (default `sqlite:.troupe/troupe.db`), `sqlite::memory:`, which keeps nothing, or `postgres://…` for many machines. */
  readonly store?: string
  /** What `worker`, `workflow` and `schedule` return. */
  readonly definitions?: readonly (Definition | Schedule)[]
  /** A folder to find definitions in, from the working directory. */
  readonly workers?: string
  /** A folder of templates, `*.yaml`, `*.yml` and `*.json`, from the working directory. Everything that is wrong with any of them is told at once, and nothing is opened. */
  readonly templates?: string
  /** What does the work of the names that steps of templates use, as `troupe.handlers` takes it; there before the folder of templates is read. */
  readonly handlers?: HandlerMap | HandlerResolver | readonly (HandlerMap | HandlerResolver)[]
  /** False keeps this engine out of `WORKER`, which the first engine of a process becomes. */
  readonly global?: boolean
  /** The queues this node serves; `default` unless told. */
  readonly queues?: readonly string[]
  /**
   * `own`: performs only runs that this engine itself started, in whatever queue, and nothing that others left there; nor does it fire schedules.
   * For scripts that share a store. `all` unless told.
   */
  readonly performs?: 'all' | 'own'
  /** What definitions read with `ctx.config.get`. */
  readonly config?: Readonly<Record<string, unknown>>
  /** How long a run may take in all whose call says nothing of it; for ever unless told. */
  readonly timeout?: Duration
  /** The most bytes that an input, or the result of a run or step, may take as it is stored; 1,048,576 unless told. What is large makes a store large and slow. */
  readonly maxValueBytes?: number
  /** The name of this node, for people. */
  readonly node?: string
  readonly pools?: PoolOptions
  /** How long `stop` lets what runs finish when it is not told, and how long this node does when somebody drains it; 30 s unless told. */
  readonly stopWithin?: Duration
  /**
   * How long runs are kept after their end, for definitions that do not say: 3 days when they succeeded, 30 days otherwise, their log lines 7 days.
   * What people did is kept 90 days (`audit`), events that reached nobody 30 days (`events`). Give all nodes of a store the same.
   */
  readonly retention?: StoreRetentionOptions
  /** `full` (default): a power cut loses nothing acknowledged. `normal`: faster, and it may lose the last commits. */
  readonly durability?: 'full' | 'normal'
  /** False refuses a store whose tables this version would have to make or bring up to date (`store_older`): `troupe migrate` does that then. */
  readonly migrate?: boolean
  /** A pino instance, or anything of its shape; JSON lines to standard error unless told. */
  readonly log?: Log
  /**
   * Lines below it are left out, those of workers and of a `log` of your own too, and not stored: `debug` in development,
   * `warn` in `test`, else `info`, unless told.
   */
  readonly logLevel?: LogLevel
  /** `development`, `production`, `test` or your own word; `TROUPE_ENV`, else `NODE_ENV`, else `development`, unless told. Read once, here. */
  readonly environment?: string
  /**
   * In what form the data of programs is stored: `compress()`, `aesGcm({ keys, current })`, one of your own, or several, of which the first is the first to write.
   * Inputs, outputs, errors, results and states, messages, asks and answers, events and log lines go through it; names, keys, tags and error codes can be read by everybody.
   * Give all processes of a store the same. What was stored before stays readable.
   */
  readonly codec?: ValueCodec | readonly ValueCodec[]
  /**
   * Who decides, by name, what is published of the events that steps of templates publish through them. The same event may come again;
   * what is given to `publish` is published once the function has returned.
   */
  readonly publishers?: Readonly<Record<string, Publisher<never>>>
  /** What becomes of a workflow's run whose code no longer asks for what its journal holds, for definitions that do not say; `strict` unless told. */
  readonly divergence?: DivergencePolicy
}

export interface CheckedOptions {
  readonly coding: Coding | undefined
  readonly publishers: Readonly<Record<string, Publisher>>
  readonly divergence: DivergencePolicy
  readonly retention: Retention
  readonly retentionBeside: RetentionBeside
  readonly store: string
  readonly definitions: readonly AnyDefinition[]
  readonly schedules: readonly Schedule[]
  readonly workers: string | undefined
  readonly templates: string | undefined
  readonly handlers: TroupeOptions['handlers']
  readonly global: boolean
  readonly queues: readonly string[]
  readonly isOwnOnly: boolean
  readonly config: Readonly<Record<string, unknown>>
  readonly node: string | undefined
  readonly timeout: Duration | undefined
  readonly maxValueBytes: number
  readonly pools: PoolOptions
  readonly stopWithin: Duration
  readonly synchronous: 'full' | 'normal'
  readonly migrate: boolean
  readonly log: Log | undefined
  readonly logLevel: LogLevel | undefined
  readonly environment: string | undefined
}

const known = [
  'store',
  'definitions',
  'workers',
  'templates',
  'handlers',
  'global',
  'queues',
  'performs',
  'config',
  'node',
  'timeout',
  'maxValueBytes',
  'pools',
  'stopWithin',
  'retention',
  'durability',
  'migrate',
  'log',
  'logLevel',
  'environment',
  'divergence',
  'codec',
  'publishers',
]
const logLevels = ['debug', 'info', 'warn', 'error', 'silent']
/** Fills in the defaults; throws `option_invalid` or `definition_invalid`, quoting what was given. */
export function checkTroupeOptions(options: TroupeOptions): CheckedOptions {
  checkOptions('Troupe.open', options, known)
  const { store = 'sqlite:.troupe/troupe.db', definitions = [], workers, queues = ['default'], config = {} } = options
  const { global = true, node, pools = {}, durability = 'full', log, logLevel, environment, performs = 'all' } = options
  const { maxValueBytes = defaultValueBytes, divergence = 'strict', templates } = options
  const { migrate = true, stopWithin = '30s' } = options
  checkText('store', store, 'sqlite:PATH, sqlite::memory: or postgres://…')
  checkList('definitions', definitions, 'a list of what worker() and workflow() return')
  if (workers !== undefined) checkText('workers', workers, 'the path of a folder')
  if (templates !== undefined) checkText('templates', templates, 'the path of a folder')
  if (typeof global !== 'boolean') throw optionInvalid('global', global, 'true or false')
  if (typeof migrate !== 'boolean') throw optionInvalid('migrate', migrate, 'true or false')
  if (options.retention !== undefined)
    checkRetention('retention', options.retention, [...retentionParts, ...retentionPartsBeside])
  checkQueues(queues)
  checkChoice('performs', performs, ['all', 'own'])
  checkObject('config', config)
  if (node !== undefined) checkName('node', node)
  checkValueBytes(maxValueBytes)
  checkChoice('divergence', divergence, divergencePolicies)
  if (options.timeout !== undefined) toMs(options.timeout, 'timeout')
  toMs(stopWithin, 'stopWithin')
  checkChoice('durability', durability, ['full', 'normal'])
  if (logLevel !== undefined) checkChoice('logLevel', logLevel, logLevels)
  if (environment !== undefined) checkText('environment', environment, 'development, production or a word of your own')
  if (log !== undefined) checkLog(log)
  return {
    coding: checkedCoding(options.codec),
    publishers: checkedPublishers(options.publishers),
    divergence,
    store,
    definitions: definitions.filter((one) => !isSchedule(one)).map(asDefinition),
    schedules: definitions.filter(isSchedule),
    workers,
    templates,
    handlers: options.handlers,
    global,
    queues,
    isOwnOnly: performs === 'own',
    config,
    node,
    timeout: options.timeout,
    maxValueBytes,
    pools,
    stopWithin,
    retention: { ...defaultRetention, ...(options.retention !== undefined && retentionOf(options.retention)) },
    retentionBeside: {
      ...defaultRetentionBeside,
      ...(options.retention !== undefined && retentionBesideOf(options.retention)),
    },
    synchronous: durability,
    migrate,
    log: log === undefined ? undefined : silenceFaults(log),
    logLevel,
    environment,
  }
}

function checkedPublishers(publishers: TroupeOptions['publishers'] = {}): Readonly<Record<string, Publisher>> {
  checkObject('publishers', publishers, 'an object of functions by name')
  for (const [name, publisher] of Object.entries(publishers)) {
    checkName('The name of a publisher', name)
    checkFunction(`publishers.${name}`, publisher)
  }
  return publishers as Readonly<Record<string, Publisher>>
}

/** Throws `option_invalid`. */
export function checkRetention(
  what: string,
  retention: StoreRetentionOptions,
  parts: readonly string[] = retentionParts,
): void {
  if (typeof retention === 'object' && retention !== null) checkOptions(what, retention, parts)
  const times = typeof retention === 'object' && retention !== null ? Object.values(retention) : [retention]
  if (times.every((time) => time === undefined || time === 'forever' || isDuration(time))) return
  throw optionInvalid(what, retention, `a time such as '7d', 'forever', or times for ${parts.join(', ')}`)
}

function isDuration(time: unknown): boolean {
  try {
    return toMs(time as Duration) >= 0
  } catch {
    return false
  }
}

function checkQueues(queues: readonly string[]): void {
  checkList('queues', queues, 'a list of at least one name')
  if (queues.length === 0) throw optionInvalid('queues', queues, 'a list of at least one name')
  for (const queue of queues) checkName('The name of a queue', queue)
}

function checkLog(log: Log): void {
  checkObject('log', log, 'a pino instance, or anything of its shape')
  for (const level of ['debug', 'info', 'warn', 'error'] as const) checkFunction(`log.${level}`, log[level])
}
