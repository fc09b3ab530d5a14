// Whether the limiters of templates can be had: those they declare, and those their steps name.
import type { Registry } from '../../engine/definition/registry.ts'
import type { Store } from '../../store/store.ts'
import { limiterUnknown } from '../errors.ts'
import type { Template } from '../model/template.ts'
import type { LoadedDefinition } from '../perform/loaded.ts'

/** Throws `definition_invalid` for a limiter that nobody has, or that code here declares otherwise. */
export type CheckLimiters = (definition: LoadedDefinition) => void

/** By what is registered here, and what others have registered on this store. */
export async function limiterCheck(registry: Registry, store: Store): Promise<CheckLimiters> {
  const known = new Set((await store.listLimiters()).map(({ name }) => name))
  return ({ template, limiters }) => {
    for (const rule of limiters) registry.checkLimiter(rule)
    const missing = namedBy(template).find((name) => !Object.hasOwn(template.limiters, name) && !known.has(name))
    if (missing !== undefined) throw limiterUnknown(missing)
  }
}

function namedBy({ steps }: Template): readonly string[] {
  return steps.flatMap(({ limits }) => limits.map(({ name }) => name))
}
