// What has to be there for a template to be performed: the handlers of its steps, their limiters, and an end.
import type { Registry } from '../../engine/definition/registry.ts'
import type { HandlerNeed } from '../../store/templates.ts'
import type { Store } from '../../store/store.ts'
import type { Handlers } from '../handlers/handlers.ts'
import { limiterCheck, type CheckLimiters } from '../handlers/limiters.ts'
import { needsOf, requireEnd, requireHandlers } from '../handlers/needs.ts'
import type { TemplateHandlers } from '../load/check-handlers.ts'
import type { Template } from '../model/template.ts'
import { isLoaded, type LoadedDefinition } from '../perform/loaded.ts'

export class TemplateRequirements {
  readonly #registry: Registry
  readonly #store: Store
  readonly #handlers: Handlers

  constructor(registry: Registry, store: Store, handlers: Handlers) {
    this.#registry = registry
    this.#store = store
    this.#handlers = handlers
  }

  /** What it needs. Throws `template_invalid` for what nobody has, `definition_invalid` for limiters; itself it may use. */
  async ofRegistered(definition: LoadedDefinition): Promise<readonly HandlerNeed[]> {
    const { name, template } = definition
    const needs = needsOf(template)
    requireHandlers(template, { ...(await this.handlersFor(needs)), [name]: {} })
    requireEnd(template, (other) => this.templateOf(other))
    const checkLimiters = await this.limiterCheck()
    checkLimiters(definition)
    return needs
  }

  /** The same for one that no name starts; its publishers have to be there too. */
  async ofPosted(definition: LoadedDefinition): Promise<readonly HandlerNeed[]> {
    const needs = needsOf(definition.template)
    requireHandlers(definition.template, await this.handlersFor(needs))
    const checkLimiters = await this.limiterCheck()
    checkLimiters(definition)
    await this.#registry.checkPublishers(definition)
    return needs
  }

  /** What steps may name: what is registered here, or found by a resolver, and what others have registered on this store. */
  async handlersFor(needs: readonly HandlerNeed[]): Promise<TemplateHandlers> {
    await this.#handlers.resolve(needs)
    const names = [...this.#registry.names(), ...(await this.#store.definitions.listNames())]
    return Object.fromEntries(names.map((name) => [name, {}]))
  }

  limiterCheck(): Promise<CheckLimiters> {
    return limiterCheck(this.#registry, this.#store)
  }

  /** What a name starts here, where that is a template. */
  templateOf(name: string): Template | undefined {
    const here = this.#registry.definition(name)
    return here !== undefined && isLoaded(here) ? here.template : undefined
  }
}
