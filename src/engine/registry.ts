// The definitions this process knows, by name and by their number in the store.
import { definitionExists, workerNotRegistered } from '../model/errors.ts'
import type { Store } from '../store/store.ts'
import type { AnyDefinition, PoolKind } from './definition.ts'

export class Registry {
  readonly #store: Store
  readonly #newest = new Map<string, AnyDefinition>()
  readonly #versions = new Map<string, AnyDefinition>()
  readonly #byId = new Map<number, AnyDefinition>()
  readonly #ids = new Map<AnyDefinition, number>()
  #added: () => void = () => {}

  constructor(store: Store) {
    this.#store = store
  }

  /** Adds a definition; the last one added under a name is what the name starts. */
  async register(definition: AnyDefinition, options: { replace?: boolean } = {}): Promise<void> {
    const version = `${definition.name} ${definition.version}`
    const known = this.#versions.get(version)
    if (known === definition) return
    if (known !== undefined && options.replace !== true) throw definitionExists(definition.name, definition.version)
    // Race: the name is taken before the store is asked, or two of one name could both get in.
    this.#versions.set(version, definition)
    const id = await this.#intern(definition, () =>
      known === undefined ? this.#versions.delete(version) : this.#versions.set(version, known),
    )
    this.#newest.set(definition.name, definition)
    this.#byId.set(id, definition)
    this.#ids.set(definition, id)
    this.#added()
  }

  /** Calls whenever a definition was added: runs of it may be waiting. */
  whenAdded(added: () => void): void {
    this.#added = added
  }

  find(name: string): AnyDefinition {
    const definition = this.#newest.get(name)
    if (definition === undefined) throw workerNotRegistered(name, this.names())
    return definition
  }

  has(definition: AnyDefinition): boolean {
    return this.#ids.has(definition)
  }

  names(): string[] {
    return [...this.#newest.keys()].sort()
  }

  idOf(definition: AnyDefinition): number {
    const id = this.#ids.get(definition)
    if (id === undefined) throw workerNotRegistered(definition.name, this.names())
    return id
  }

  byId(id: number): AnyDefinition | undefined {
    return this.#byId.get(id)
  }

  /** The numbers of all definitions that run on one kind of actor. */
  idsFor(kind: PoolKind): number[] {
    return [...this.#byId].filter(([, definition]) => definition.runsOn === kind).map(([id]) => id)
  }

  async #intern({ name, version }: AnyDefinition, giveBack: () => void): Promise<number> {
    try {
      return await this.#store.internDefinition(name, version)
    } catch (error) {
      giveBack()
      throw error
    }
  }
}
