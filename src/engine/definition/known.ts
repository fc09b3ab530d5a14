// What names stand for among definitions that are at hand without an engine.
import { workerNotRegistered } from '../../model/errors.ts'
import { compareVersions } from '../../model/version.ts'
import type { Known } from '../activation/surroundings.ts'
import type { AnyDefinition } from './definition.ts'

export function knownAmong(definitions: readonly AnyDefinition[]): Known {
  const newest = new Map<string, AnyDefinition>()
  for (const definition of definitions) {
    const other = newest.get(definition.name)
    if (other === undefined || compareVersions(definition.version, other.version) >= 0)
      newest.set(definition.name, definition)
  }
  return {
    definition: (name) => newest.get(name),
    limiter: (name) => definitions.flatMap(({ settings }) => settings.limits).find((rule) => rule.name === name),
    useLimiter: () => Promise.reject(new Error('Nothing is started where there is no engine')),
    missing: (name) => workerNotRegistered(name, { known: [...newest.keys()], searched: [] }),
  }
}
