// How big and how patient a node is: options first, then environment variables, then defaults.
import { availableParallelism } from 'node:os'
import type { LogLevel } from '../../lib/log.ts'
import { optionInvalid } from '../../model/errors.ts'
import { checkOptions } from '../checks.ts'
import type { PoolBounds } from '../pool/pool.ts'

/**
 * How many actors there are of each kind, from the start and at most.
 *
 * A worker or step that awaits another run keeps its task actor meanwhile: when all of them wait, none is left to work and nothing goes on.
 * Let `task.max` be larger than the number of those that may wait at one time.
 */
export interface PoolOptions {
  readonly workflow?: { readonly min?: number; readonly max?: number }
  readonly task?: { readonly min?: number; readonly max?: number }
  /** How many attempts of workers with `thread` run at a time: one for each processor unless told, and two at least. */
  readonly thread?: { readonly max?: number }
}

export interface PoolSizes {
  readonly workflow: PoolBounds
  readonly task: PoolBounds
  readonly thread: { readonly max: number }
}

type Environment = Readonly<Record<string, string | undefined>>

/** `WORKFLOW_ACTOR_POOL_SIZE` (10) and `TASK_ACTOR_POOL_SIZE` (50) set the least; explicit options win; bad values are errors. */
export function poolBounds(options: PoolOptions, env: Environment): PoolSizes {
  checkOptions('pools', options, ['workflow', 'task', 'thread'])
  const { thread = {} } = options
  checkOptions('pools.thread', thread, ['max'])
  return {
    workflow: bounds('workflow', options.workflow, { min: fromEnv(env, 'WORKFLOW_ACTOR_POOL_SIZE', 10), max: 1_000 }),
    task: bounds('task', options.task, { min: fromEnv(env, 'TASK_ACTOR_POOL_SIZE', 50), max: 500 }),
    thread: { max: size('pools.thread.max', thread.max ?? Math.max(2, availableParallelism())) },
  }
}

/** `TROUPE_ENV`, else `NODE_ENV`, else development. */
export function environmentOf(env: Environment): string {
  const named = [env['TROUPE_ENV'], env['NODE_ENV']].find((name) => name !== undefined && name !== '')
  return named ?? 'development'
}

/** What is logged unless told: everything while developing, nothing but trouble in tests. */
export function defaultLogLevel(environment: string): LogLevel {
  if (environment === 'development') return 'debug'
  return environment === 'test' ? 'warn' : 'info'
}

function bounds(name: string, given: { min?: number; max?: number } | undefined, defaults: PoolBounds): PoolBounds {
  if (given !== undefined) checkOptions(`pools.${name}`, given, ['min', 'max'])
  const most = given?.max === undefined ? Infinity : size(`pools.${name}.max`, given.max)
  const min = size(`pools.${name}.min`, given?.min ?? Math.min(defaults.min, most))
  const max = given?.max ?? Math.max(defaults.max, min)
  if (min > max) throw optionInvalid(`pools.${name}.min`, min, `at most pools.${name}.max, which is ${max}`)
  return { min, max }
}

function fromEnv(env: Environment, variable: string, fallback: number): number {
  const text = env[variable]
  return text === undefined || text === '' ? fallback : size(variable, Number(text), text)
}

function size(name: string, value: number, received: unknown = value): number {
  if (!Number.isSafeInteger(value) || value < 1) throw optionInvalid(name, received, 'a whole number from 1')
  return value
}
