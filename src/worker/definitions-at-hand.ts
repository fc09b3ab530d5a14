// What options of an engine define, without an engine: nothing is opened and nothing is written.
import { asDefinition, isDefinition, type AnyDefinition, type Definition } from '../engine/definition/definition.ts'
import type { CheckedOptions } from '../engine/options/options.ts'
import { isSchedule, type Schedule } from '../engine/schedule/schedule.ts'
import { definitionExists } from '../model/errors.ts'
import { discoverInto, type Registrar } from './discover.ts'
import { registration, type AnyHandler, type RegisterOptions } from './registration.ts'

/** Throws what `Troupe.open` throws for them. */
export async function definitionsAtHand({
  definitions,
  workers,
}: Pick<CheckedOptions, 'definitions' | 'workers'>): Promise<readonly AnyDefinition[]> {
  const collector = new Collector()
  for (const definition of definitions) await collector.register(definition)
  if (workers !== undefined) await discoverInto(workers, collector)
  return collector.collected
}

/** Stands for an engine before an exported `install`. */
class Collector implements Registrar {
  readonly collected: AnyDefinition[] = []

  async register(
    target: Definition | Schedule | string,
    options?: RegisterOptions | AnyHandler,
    handler?: AnyHandler,
  ): Promise<unknown> {
    if (typeof target !== 'string' && isSchedule(target)) return undefined
    if (typeof target !== 'string' && isDefinition(target) && this.collected.includes(target)) return undefined
    const { definition, replaces } = registration(target as Definition, options, handler)
    const known = this.collected.findIndex(({ name, version }) => same(definition, { name, version }))
    if (known !== -1 && !replaces) throw definitionExists(definition.name, definition.version)
    this.collected.splice(known === -1 ? this.collected.length : known, 1, asDefinition(definition))
    return typeof target === 'string' ? definition : undefined
  }

  definitions(): readonly string[] {
    return [...new Set(this.collected.map(({ name }) => name))]
  }
}

function same(one: AnyDefinition, other: Pick<AnyDefinition, 'name' | 'version'>): boolean {
  return one.name === other.name && one.version === other.version
}
