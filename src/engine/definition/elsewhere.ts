// Definitions whose code another process has: what the store keeps of them, and what can be started with that.
import { workerNotHere } from '../../model/errors.ts'
import { unbounded } from '../../model/limiter.ts'
import { retryPolicy } from '../../model/retry.ts'
import type { KnownDefinition } from '../../store/definitions.ts'
import type { AnyDefinition, DefinitionSettings, PoolKind } from './definition.ts'

/** What is kept of a definition; what is made of an input only its code can say. */
interface Starts {
  readonly runsOn: PoolKind
  readonly queue?: string
  readonly priority: number
  readonly tags: readonly string[]
  readonly limits: readonly { readonly name: string; readonly id: number; readonly isKeyed: boolean }[]
  readonly isKeyed: boolean
  readonly cache?: { readonly ttlMs: number; readonly isKeyed: boolean }
  readonly hasSchema: boolean
}

/** As JSON; null where runs cannot be started by others. */
export function startsOf({ settings, runsOn }: AnyDefinition, idOf: (limiter: string) => number): string | null {
  const { queue, priority, tags, limits, keyOf, cache, input, isDurable } = settings
  if (!isDurable) return null
  const starts: Starts = {
    runsOn,
    ...(queue !== undefined && { queue }),
    priority,
    tags,
    limits: limits.map((rule) => ({ name: rule.name, id: idOf(rule.name), isKeyed: rule.keyOf !== undefined })),
    isKeyed: keyOf !== undefined,
    ...(cache !== undefined && { cache: { ttlMs: cache.ttlMs, isKeyed: cache.keyOf !== undefined } }),
    hasSchema: input !== undefined,
  }
  return JSON.stringify(starts)
}

export interface Elsewhere {
  readonly definition: AnyDefinition
  /** The numbers of its limiters. */
  readonly limiters: readonly (readonly [name: string, id: number])[]
}

/** Its runs can be started here; what needs its code throws `worker_not_registered`. */
export function definitionElsewhere(name: string, { version, starts }: KnownDefinition): Elsewhere {
  const { runsOn, queue, priority, tags, limits, isKeyed, cache, hasSchema } = JSON.parse(starts) as Starts
  const refuse = (option: string) => (): never => {
    throw workerNotHere(name, option)
  }
  const settings: DefinitionSettings = {
    input: undefined,
    output: undefined,
    queue,
    priority,
    tags,
    keyOf: isKeyed ? refuse('idempotencyKey') : undefined,
    cache: cache && { ttlMs: cache.ttlMs, keyOf: cache.isKeyed ? refuse('cache.key') : undefined },
    limits: limits.map((limit) => ({
      name: limit.name,
      bounds: unbounded,
      keyOf: limit.isKeyed ? refuse(`the key of limiter '${limit.name}'`) : undefined,
    })),
    timeoutMs: undefined,
    isDurable: true,
    heartbeatMs: undefined,
    messages: { keep: 1, overflow: 'drop-newest' },
    toldRetry: undefined,
    retry: retryPolicy(undefined, 1),
    retention: null,
    onFailure: undefined,
    divergence: undefined,
  }
  const perform = refuse('its handler')
  const definition = { name, version, settings, runsOn, isElsewhere: true, hasUnseenSchema: hasSchema, perform }
  return { definition, limiters: limits.map((limit) => [limit.name, limit.id] as const) }
}
