// What the run of an entity is started with: its key.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { decode } from '../lib/codec.ts'
import { entityCalled } from '../model/entity-errors.ts'

/** The input of the run of an entity. */
export interface EntityStart {
  readonly entity: string
  readonly key: string
}

/** Lets nobody else start a run of an entity: it would have no key. */
export function startSchema(name: string): StandardSchemaV1 {
  const validate = (value: unknown): StandardSchemaV1.Result<unknown> => {
    if (!isStart(value) || value.entity !== name) throw entityCalled(name)
    return { value }
  }
  return { '~standard': { version: 1, vendor: 'troupe', validate } }
}

/** Throws `definition_invalid` for a run that was started as one of a worker. */
export function keyOfInput(name: string, input: string): string {
  const start = decode(input)
  if (!isStart(start)) throw entityCalled(name)
  return start.key
}

function isStart(value: unknown): value is EntityStart {
  if (typeof value !== 'object' || value === null) return false
  const { entity, key } = value as Partial<EntityStart>
  return typeof entity === 'string' && typeof key === 'string'
}
