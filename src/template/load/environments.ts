// What is otherwise in an environment: keys of steps, by their name, or of all of them.
import { clip } from '../../lib/text.ts'
import { meantText } from '../../lib/nearest.ts'
import { isPlainObject, type PlainObject } from '../expression/values.ts'
import { Draft } from './draft.ts'
import type { Problems } from './problems.ts'
import type { Source } from './source.ts'

export interface Overriding {
  readonly problems: Problems
  /** A name that no step has is an error, not a warning. */
  readonly isStrict: boolean
  /** A step with what an environment says of it. */
  readonly merge: (step: PlainObject, override: PlainObject) => PlainObject
}

const allSteps = 'ALL'

// Comparing a name with all others takes time.
const mostHints = 25

/** The steps as they are in an environment, what it says of all of them first; names that no step has are told of, in the others too. */
export function inEnvironment(
  form: PlainObject,
  environment: string | undefined,
  overriding: Overriding,
): readonly unknown[] {
  const steps: readonly unknown[] = Array.isArray(form['steps']) ? form['steps'] : []
  const { environments } = form
  if (!isPlainObject(environments)) return steps
  const names = steps.filter(isPlainObject).map(({ name }) => name)
  for (const each of Object.keys(environments)) checkNames(overridesOf(environments[each]), names, overriding)
  if (environment === undefined || !Object.hasOwn(environments, environment)) return steps
  const overrides = overridesOf(environments[environment])
  const ofAll = overrides.filter(({ name }) => name === allSteps)
  const byName = new Map<unknown, PlainObject[]>()
  for (const override of overrides) {
    const { name } = override
    const those = byName.get(name)
    if (those === undefined) byName.set(name, [override])
    else those.push(override)
  }
  return steps.map((step) => {
    if (!isPlainObject(step)) return step
    const own = step['name'] === allSteps ? [] : (byName.get(step['name']) ?? [])
    return [...ofAll, ...own].reduce(overriding.merge, step)
  })
}

function overridesOf(environment: unknown): readonly PlainObject[] {
  const steps: unknown = isPlainObject(environment) ? environment['steps'] : undefined
  return Array.isArray(steps) ? steps.filter(isPlainObject) : []
}

function checkNames(overrides: readonly PlainObject[], names: readonly unknown[], overriding: Overriding): void {
  const { problems, isStrict } = overriding
  const known = new Set<unknown>([allSteps, ...names])
  let hints = mostHints
  for (const override of overrides) {
    const { name } = override
    if (known.has(name)) continue
    if (problems.isFull) return
    hints -= 1
    const near = typeof name === 'string' && hints >= 0 ? meantText(clip(name, 255), names.map(String)) : ''
    const shown = typeof name === 'string' ? `'${clip(name, 60)}'` : 'without a name'
    const message = `An environment says something of step ${shown}, which there is not.${near}`
    if (isStrict) problems.error(message, { owner: override, key: 'name' })
    else problems.warn(message, { owner: override, key: 'name' })
  }
}

/** Keys in place of those of the step, but for `config`, whose keys go beside those of the step. */
export function mergeNative(source: Source): Overriding['merge'] {
  return (step, override) => {
    const merged = new Draft(source, step).putAll(step).putAll(override)
    if (isPlainObject(step['config']) && isPlainObject(override['config'])) {
      const config = new Draft(source, step['config']).putAll(step['config']).putAll(override['config'])
      merged.put('config', config.object, { owner: step, key: 'config' })
    }
    return merged.put('name', step['name'], { owner: step, key: 'name' }).object
  }
}
