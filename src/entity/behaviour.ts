// What an entity is made of, checked where it is defined.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnyDefinition, DefinitionSettings } from '../engine/definition/definition.ts'
import { checkFunction, checkName, checkObject, checkOptions, checkWhole } from '../engine/checks.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import { definitionInvalid, optionInvalid } from '../model/errors.ts'
import type { RetryOptions } from '../model/retry.ts'
import type { Limiter } from '../worker/limiter.ts'
import { checkSchema, definitionSettings } from '../worker/options.ts'
import type { EntityContext } from './context.ts'
import type { EntityMessage } from './message-limits.ts'

/** What handles the messages of an entity, by their names. */
export type EntityHandlers<State> = Readonly<Record<string, (ctx: EntityContext<State>, ...args: never[]) => unknown>>

export interface EntityOptions<State> {
  /** Makes the state of an entity that has none, with its first message. */
  readonly state: (key: string) => State
  /** Checks the state whenever an entity comes to a node. Any Standard Schema. */
  readonly schema?: StandardSchemaV1<unknown, State>
  /** Makes the state of now from what was stored, whenever an entity comes to a node; before the schema. Give back what needs no change. */
  readonly migrate?: (stored: unknown) => State
  /** How many messages, and how many asks, may wait for one entity; 10,000 unless told. */
  readonly mailbox?: number
  /** An entity that nobody tells anything stays in memory for so long; 5 s unless told. */
  readonly idle?: Duration
  /** How long a handler may take; as long as it likes unless told. */
  readonly timeout?: Duration
  /** What becomes of a message, not an ask, whose handler throws: it is tried again before all that wait behind it. Once unless told, and then it is a dead letter. */
  readonly retry?: RetryOptions
  /** What each message passes before it is handled, on all nodes together; whose key is made of the message. Its slots are free when it is handled. */
  readonly limits?: readonly Limiter<EntityMessage>[]
  /** Where it waits for a node that serves that queue; `default` unless told. */
  readonly queue?: string
  /** From -100 to 100, higher first; 0 unless told. */
  readonly priority?: number
  /** Of its run. */
  readonly tags?: readonly string[]
}

export type AnyHandler = (ctx: EntityContext<unknown>, ...args: readonly unknown[]) => unknown

/** The same as its runs need it. */
export interface Behaviour {
  readonly name: string
  readonly state: (key: string) => unknown
  readonly schema: StandardSchemaV1 | undefined
  readonly migrate: ((stored: unknown) => unknown) | undefined
  readonly mailbox: number
  readonly idleMs: number
  readonly timeoutMs: number | undefined
  readonly retry: DefinitionSettings['retry']
  readonly limits: DefinitionSettings['limits']
  readonly handlers: ReadonlyMap<string, AnyHandler>
}

export interface AnyEntity extends AnyDefinition {
  readonly behaviour: Behaviour
}

const known = [
  'state',
  'schema',
  'migrate',
  'mailbox',
  'idle',
  'timeout',
  'retry',
  'limits',
  'queue',
  'priority',
  'tags',
]

export const defaultMailbox = 10_000

const defaultIdleMs = 5_000

/** Throws `option_invalid`, `definition_invalid`. */
export function behaviourOf(
  name: string,
  options: EntityOptions<unknown>,
  handlers: EntityHandlers<never>,
): { readonly behaviour: Behaviour; readonly settings: DefinitionSettings } {
  const what = `entity '${name}'`
  checkOptions(what, options, known)
  const { state, schema, migrate, mailbox = defaultMailbox, idle, timeout, retry, limits = [], ...shared } = options
  const settings = definitionSettings(name, pick(shared))
  checkFunction(`state of ${what}`, state)
  if (schema !== undefined) checkSchema(`schema of ${what}`, schema)
  if (migrate !== undefined) checkFunction(`migrate of ${what}`, migrate)
  checkWhole(`mailbox of ${what}`, mailbox, 1)
  const ofMessages = definitionSettings(name, {
    ...(retry !== undefined && { retry }),
    limits: limits as readonly Limiter[],
  })
  const behaviour: Behaviour = {
    name,
    state,
    schema,
    migrate,
    mailbox,
    idleMs: idle === undefined ? defaultIdleMs : toMs(idle, `idle of ${what}`),
    timeoutMs: timeout === undefined ? undefined : toMs(timeout, `timeout of ${what}`),
    retry: ofMessages.retry,
    limits: ofMessages.limits,
    handlers: handlersOf(what, handlers),
  }
  return { behaviour, settings }
}

function pick({ queue, priority, tags }: Pick<EntityOptions<unknown>, 'queue' | 'priority' | 'tags'>): {
  queue?: string
  priority?: number
  tags?: readonly string[]
} {
  return {
    ...(queue !== undefined && { queue }),
    ...(priority !== undefined && { priority }),
    ...(tags !== undefined && { tags }),
  }
}

function handlersOf(what: string, handlers: EntityHandlers<never>): ReadonlyMap<string, AnyHandler> {
  checkObject(`The handlers of ${what}`, handlers, 'an object of functions by the names of messages')
  const byName = new Map<string, AnyHandler>()
  for (const [name, handler] of Object.entries(handlers)) {
    checkName(`The name of a handler of ${what}`, name)
    if (name.startsWith('$')) throw optionInvalid(`The name of a handler of ${what}`, name, 'a name without $ in front')
    checkFunction(`Handler '${name}' of ${what}`, handler)
    byName.set(name, handler as unknown as AnyHandler)
  }
  if (byName.size === 0) throw definitionInvalid(`The handlers of ${what} are none: expected functions by name.`)
  return byName
}

/** Whether a definition is one of an entity. */
export function isEntity(definition: unknown): definition is AnyEntity {
  return typeof definition === 'object' && definition !== null && 'behaviour' in definition
}
