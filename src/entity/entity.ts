// READ FIRST: entities, actors with a key whose state lasts. An entity is a run, so that it is claimed, fenced and taken over as any.
//
// A message:  entity-ref → entity-post → the store, where it begins or wakes the run of its key
// A run:      resident takes what has come from its mailbox → a turn for each message → commits, which write what came of many at once
import type { Definition } from '../engine/definition/definition.ts'
import { retryPolicy } from '../model/retry.ts'
import { behaviourOf, type AnyEntity, type EntityHandlers, type EntityOptions } from './behaviour.ts'
import { startSchema } from './entity-key.ts'
import { Resident } from './resident.ts'

/** What nobody can give: an entity is told and asked, and begins with that; it is not called. */
interface NotCalled {
  readonly 'An entity is not called: tell or ask troupe.entity(definition, key), which begins it': never
}

/** What `entity` returns: a name to reach entities by, and in its type what they handle. */
export interface Entity<Handlers = unknown> extends Definition<NotCalled> {
  /** Only in the types: what handles their messages, by name. */
  readonly handlerTypes?: Handlers
}

/**
 * Defines an actor that lasts: one for each key, whose state outlives processes.
 *
 * A key is active at one place of the cluster at most, and handles one message at a time, in the order in which they were stored. What a handler changes in `ctx.state`,
 * its reply and all that it sends are one commit: all of it is there after a crash, or nothing, and then the message is handled again. A handler that throws changes nothing.
 *
 * Saves: the state, one row; nothing of messages that were handled. Throws: `option_invalid`, `definition_invalid`.
 *
 * ```ts
 * import { Troupe, entity } from 'troupe'
 * const counter = entity('counter', { state: () => ({ n: 0 }) }, {
 *   add(ctx, by: number) {
 *     return (ctx.state.n += by)
 *   },
 * })
 * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [counter] })
 * await troupe.start()
 * const clicks = troupe.entity(counter, 'user-42')
 * await clicks.tell('add', 1)
 * console.log(await clicks.ask('add', 2)) // 3
 * ```
 */
export function entity<State, Handlers extends EntityHandlers<State>>(
  name: string,
  options: EntityOptions<State>,
  handlers: Handlers,
): Entity<Handlers> {
  const { behaviour, settings } = behaviourOf(name, options, handlers as EntityHandlers<never>)
  const definition: AnyEntity = {
    name,
    // Whatever code there is now performs it: it lives longer than any version.
    version: '1',
    noun: 'entity',
    settings: { ...settings, input: startSchema(name), retry: lasting },
    runsOn: 'workflow',
    behaviour,
    perform: (activation) => new Resident(activation, behaviour).run(),
  }
  return definition
}

// One whose state cannot be read is tried until it can.
const lasting = retryPolicy({ attempts: Number.MAX_SAFE_INTEGER }, 1)
