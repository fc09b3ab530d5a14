// Which entity is meant.
import { checkKey, checkName, checkOptions } from '../engine/checks.ts'
import { toMs } from '../lib/duration.ts'
import { optionInvalid } from '../model/errors.ts'
import { isEntity } from './behaviour.ts'
import type { Address } from './entity-post.ts'
import type { Entity } from './entity.ts'
import type { EntityRefOptions } from './entity-ref.ts'

const defaultTimeout = '30s'

/** Throws `option_invalid`. */
export function addressOf(
  target: Entity | string,
  key: string,
  options: EntityRefOptions = {},
): { readonly address: Address; readonly timeoutMs: number } {
  checkOptions('entity()', options, ['timeout'])
  const timeoutMs = toMs(options.timeout ?? defaultTimeout, 'timeout')
  checkKey('The key of an entity', key)
  if (typeof target === 'string') {
    checkName('The name of an entity', target)
    return { address: { name: target, key, behaviour: undefined }, timeoutMs }
  }
  if (!isEntity(target))
    throw optionInvalid('The first argument of entity()', target, 'what entity() returned, or its name')
  return { address: { name: target.name, key, behaviour: target.behaviour }, timeoutMs }
}
