// What stands behind the names that steps use: first what the program says, then what is registered, then what its resolvers find.
import { checkFunction, checkName, checkOptions } from '../../engine/checks.ts'
import { isDefinition, type AnyDefinition } from '../../engine/definition/definition.ts'
import type { HandlerMap, HandlerResolver, ResolverOptions } from '../../engine/definition/handler.ts'
import type { Registry } from '../../engine/definition/registry.ts'
import { optionInvalid } from '../../model/errors.ts'
import type { HandlerNeed } from '../../store/templates.ts'
import { handlerName } from '../model/template.ts'
import { methodsOf, workerOf } from './methods.ts'

interface Resolver {
  readonly name: string
  readonly find: HandlerResolver
}

export class Handlers {
  readonly #registry: Registry
  readonly #resolvers: Resolver[] = []

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Names of resolvers, for whoever misspelt one. */
  get resolvers(): readonly string[] {
    return this.#resolvers.map(({ name }) => name)
  }

  /** Throws `option_invalid`, `definition_exists`. */
  async add(given: HandlerMap | HandlerResolver, options: ResolverOptions = {}): Promise<void> {
    if (typeof given === 'function') return this.#addResolver(given, options)
    if (typeof given !== 'object' || given === null)
      throw optionInvalid('handlers', given, 'an object with a handler for each name, or a function that finds one')
    checkOptions('handlers', options, [])
    for (const [name, handler] of Object.entries(given)) {
      checkName('The name of a handler', name)
      const methods = methodsOf(`The handler of '${name}'`, handler)
      if (isDefinition(handler)) await this.#stand(name, handler)
      else for (const method of methods) await this.#registry.register(workerOf({ name, handler, method }))
    }
  }

  /** Whether somebody here does it. */
  has(need: HandlerNeed): boolean {
    return this.#registry.definition(handlerName(need)) !== undefined
  }

  /** Asks the resolvers for what is not known yet. Rejects with what one of them throws. */
  async resolve(needs: readonly HandlerNeed[]): Promise<void> {
    if (this.#resolvers.length === 0) return
    for (const need of needs) if (!this.has(need)) await this.#resolve(need)
  }

  #addResolver(find: HandlerResolver, options: ResolverOptions): void {
    checkOptions('handlers', options, ['name'])
    const { name = find.name } = options
    if (name === '')
      throw optionInvalid('name of a resolver', name, "a name, as in handlers(find, { name: 'billing' })")
    checkName('The name of a resolver', name)
    checkFunction(`resolver '${name}'`, find)
    if (this.resolvers.includes(name)) throw optionInvalid('name of a resolver', name, 'one that no other resolver has')
    this.#resolvers.push({ name, find })
  }

  async #resolve(need: HandlerNeed): Promise<void> {
    const { uses, method, resolver } = need
    const asked = this.#resolvers.filter(({ name }) => resolver === undefined || name === resolver)
    for (const { name, find } of asked) {
      const handler = await find(uses, { method })
      if (handler === undefined) continue
      const methods = methodsOf(`What resolver '${name}' gave for '${uses}'`, handler)
      // What has no such method is told by whoever needs it.
      if (!methods.includes(method ?? 'call')) return
      const key = handlerName(need)
      await this.#stand(
        key,
        isDefinition(handler) ? handler : workerOf({ name: key, handler, method: method ?? 'call', isWhole: true }),
      )
      return
    }
  }

  /** A worker that is found by its own name need not be named otherwise. */
  async #stand(name: string, definition: AnyDefinition): Promise<void> {
    if (!this.#registry.isRegistered(definition)) await this.#registry.register(definition)
    if (definition.name !== name) this.#registry.alias(name, definition)
  }
}
