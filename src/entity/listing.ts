// The entities that are there, as people and programs see them.
import { checkKey, checkName, checkOptions, checkWhole } from '../engine/checks.ts'
import type { Face } from '../engine/verbs/face.ts'
import { optionInvalid } from '../model/errors.ts'
import type { RunState } from '../model/run.ts'
import { isEntity } from './behaviour.ts'
import type { Entity } from './entity.ts'

/** Times are milliseconds since 1970. */
export interface EntityStatus {
  readonly name: string
  readonly key: string
  /** The run that it is: for `troupe.cancel`, `troupe.waits` and the like. */
  readonly runId: string
  /** `running`: on a node; `parked`: put aside; `ready`: it has something to handle, and waits for a node; `scheduled`: its state does not fit, and is tried again; `cancelled`: it takes no messages. */
  readonly state: RunState
  /** The one it is on. */
  readonly node: string | undefined
  /** When it goes on by itself: of one that is put aside, its next reminder. */
  readonly dueAt: number | undefined
  /** Of its state and its reminders as they are stored. */
  readonly stateBytes: number
  /** How many messages and asks it has not handled to their end. */
  readonly waiting: number
}

export interface EntitiesFilter {
  /** The one of this key; with a definition. */
  readonly key?: string
  /** Only those behind the one of this key: the last of the page before; with a definition. */
  readonly after?: string
  /** The first so many; 50 unless told. */
  readonly limit?: number
}

const usualLimit = 50

/** Throws `option_invalid`. */
export async function listEntities(
  { deps, checkOpen }: Face,
  target: Entity | string | undefined,
  filter: EntitiesFilter,
): Promise<EntityStatus[]> {
  checkOpen()
  const name = nameOf(target)
  checkFilter(filter, name)
  const { limit = usualLimit } = filter
  const found = await deps.store.listEntities({ ...filter, ...(name !== undefined && { name }), limit })
  return found.map((entity) => ({ ...entity, node: entity.node ?? undefined, dueAt: entity.dueAt ?? undefined }))
}

function nameOf(target: Entity | string | undefined): string | undefined {
  if (typeof target === 'string') checkName('The name of an entity', target)
  if (target === undefined || typeof target === 'string') return target
  if (!isEntity(target))
    throw optionInvalid('The first argument of entities()', target, 'what entity() returned, or its name')
  return target.name
}

function checkFilter(filter: EntitiesFilter, name: string | undefined): void {
  checkOptions('entities()', filter, ['key', 'after', 'limit'])
  const { key, after, limit } = filter
  if (key !== undefined) checkKey('The key of an entity', key)
  if (after !== undefined) checkKey('after', after)
  if (limit !== undefined) checkWhole('limit', limit, 1)
  const [given] = Object.entries({ key, after }).filter(([, value]) => value !== undefined)
  if (name === undefined && given !== undefined)
    throw optionInvalid(`${given[0]} of entities()`, given[1], 'a definition, or its name, before it')
}
