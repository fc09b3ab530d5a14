// The definitions this process knows, by name and by their number in the store.
import { relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { TroupeError } from '../../lib/errors.ts'
import type { Discovered } from '../../model/discovered.ts'
import { definitionExists, limiterTaken, publisherUnknown, workerNotRegistered } from '../../model/errors.ts'
import type { LifecycleRules } from '../../model/lifecycle.ts'
import type { Bounds } from '../../model/limiter.ts'
import { compareVersions } from '../../model/version.ts'
import type { Store } from '../../store/store.ts'
import { asDefinition, type AnyDefinition, type Definition, type PoolKind } from './definition.ts'
import { definitionElsewhere, startsOf } from './elsewhere.ts'
import type { LimiterRule } from '../limits/limits.ts'

/** What is known of definitions that are data: nobody need have registered them for their runs to go on. */
export interface KeptDefinitions {
  /** Throws where one cannot be performed and so is not registered. */
  check(definition: AnyDefinition): Promise<void>
  /** One was registered. */
  registered(definition: AnyDefinition, id: number): Promise<void>
  /** What the store keeps of one, all of it. */
  find(id: number): Promise<AnyDefinition | undefined>
  /** Whether it may be started although nobody registered it. */
  canPost(definition: AnyDefinition): boolean
  /** False for one that was posted so long ago that the store may have forgotten it. */
  isKept(definition: AnyDefinition): boolean
  /** Makes such a one known to all, and gives its number. */
  post(definition: AnyDefinition): Promise<number>
}

export class Registry {
  /** Set by whoever keeps them. */
  kept: KeptDefinitions | undefined
  readonly #store: Store
  readonly #publishers: readonly string[]
  readonly #newest = new Map<string, AnyDefinition>()
  readonly #aliases = new Map<string, AnyDefinition>()
  readonly #versions = new Map<string, AnyDefinition>()
  readonly #byId = new Map<number, AnyDefinition>()
  /** Those of which no run is taken for now. */
  readonly #resting = new Set<number>()
  readonly #ids = new WeakMap<AnyDefinition, number>()
  readonly #searched = new Map<string, Discovered>()
  readonly #limiters = new Map<string, { readonly id: number; readonly bounds: Bounds }>()
  readonly #rules = new Set<LimiterRule>()
  /** The names of those that code declares. */
  readonly #coded = new Set<string>()
  readonly #learnt = new Map<string, { readonly definition: AnyDefinition; readonly starts: string }>()
  readonly #learntLimiters = new Map<string, number>()
  #added: () => void = () => {}
  /** Whether one of the definitions declares its messages. */
  hasToldChecks = false

  /** `publishers`: the names of those of this process. */
  constructor(store: Store, publishers: readonly string[] = []) {
    this.#store = store
    this.#publishers = publishers
  }

  /** Adds a definition; the one of the highest version is what its name starts. */
  async register(definition: AnyDefinition, options: { replace?: boolean } = {}): Promise<void> {
    const version = keyOf(definition)
    const known = this.#versions.get(version)
    if (known === definition) return
    if (known !== undefined && options.replace !== true) throw definitionExists(definition.name, definition.version)
    // Race: the name is taken before the store is asked, or two of one name could both get in.
    this.#versions.set(version, definition)
    const id = await this.#intern(definition, () =>
      known === undefined ? this.#versions.delete(version) : this.#versions.set(version, known),
    )
    const newest = this.#newest.get(definition.name)
    if (newest === undefined || compareVersions(definition.version, newest.version) >= 0)
      this.#newest.set(definition.name, definition)
    this.#byId.set(id, definition)
    this.#resting.delete(id)
    this.#ids.set(definition, id)
    this.hasToldChecks ||= definition.told !== undefined
    await this.#takeOver(definition, id)
    await this.kept?.registered(definition, id)
    this.#added()
  }

  /** Performs the runs of a definition that is not registered here. */
  serve(definition: AnyDefinition, id: number): void {
    if (!this.#resting.delete(id) && this.#byId.has(id)) return
    if (!this.#byId.has(id)) {
      this.#byId.set(id, definition)
      this.#ids.set(definition, id)
    }
    this.#added()
  }

  /** Takes no more runs of what was served so, until it is served again. */
  unserve(id: number): void {
    this.#resting.add(id)
  }

  /** Lets a name start a definition that is not registered here, in the place of the one it started. */
  rename(definition: AnyDefinition, id: number): void {
    this.#ids.set(definition, id)
    this.#newest.set(definition.name, definition)
  }

  /** One of this name and version is there. */
  isRegistered(definition: Definition): boolean {
    return this.#versions.has(keyOf(definition))
  }

  /** Calls whenever a definition was added: runs of it may be waiting. */
  whenAdded(added: () => void): void {
    this.#added = added
  }

  /** Remembers what a folder brought, for the error that somebody may need. */
  searched(found: Discovered): void {
    this.#searched.set(found.folder, found)
  }

  /** Another name for a definition that is registered. */
  alias(name: string, definition: AnyDefinition): void {
    this.#aliases.set(name, definition)
    this.#added()
  }

  /** What the name stands for, else the newest of its name. */
  definition(name: string): AnyDefinition | undefined {
    return this.#aliases.get(name) ?? this.#newest.get(name)
  }

  /** One that a definition here names. */
  limiter(name: string): LimiterRule | undefined {
    for (const rule of this.#rules) if (rule.name === name) return rule
    return undefined
  }

  missing(name: string): Error {
    return this.#unknown(name)
  }

  find(name: string): AnyDefinition {
    const definition = this.definition(name)
    if (definition === undefined) throw this.#unknown(name)
    return definition
  }

  /**
   * The definition of a name whose code others have, as far as the store knows it: enough to start its runs, the newest that is served.
   * Throws `worker_not_registered`.
   */
  async learn(name: string): Promise<AnyDefinition> {
    const { definitions } = this.#store
    const known = await definitions.find(name)
    if (known === undefined) throw this.#unknown(name, await definitions.listNames())
    const whole = await this.kept?.find(known.id)
    if (whole !== undefined) {
      this.#ids.set(whole, known.id)
      return whole
    }
    const learnt = this.#learnt.get(name)
    if (learnt !== undefined && this.#ids.get(learnt.definition) === known.id && learnt.starts === known.starts)
      return learnt.definition
    // What was learnt before is said no more.
    if (learnt !== undefined) this.#ids.delete(learnt.definition)
    const { definition, limiters } = definitionElsewhere(name, known)
    for (const [limiter, id] of limiters) this.#learntLimiters.set(limiter, id)
    this.#learnt.set(name, { definition, starts: known.starts })
    this.#ids.set(definition, known.id)
    return definition
  }

  /** Whether the store has to be asked what is meant. */
  isAway(target: Definition | string): boolean {
    if (typeof target === 'string') return !this.has(target)
    const definition = asDefinition(target)
    if (this.#ids.has(definition)) return this.kept?.isKept(definition) === false
    return !this.isRegistered(definition) && this.kept?.canPost(definition) === true
  }

  /** What is meant by a name whose code is elsewhere, or by what is posted with its run. Throws `worker_not_registered`, `template_invalid`. */
  async bring(target: Definition | string): Promise<AnyDefinition> {
    if (typeof target === 'string') return this.learn(target)
    const definition = asDefinition(target)
    const id = await this.kept?.post(definition)
    if (id === undefined) return this.resolve(definition)
    this.#ids.set(definition, id)
    return definition
  }

  /** The definition itself, or the one of its name and version that is known in its place. */
  resolve(definition: AnyDefinition): AnyDefinition {
    if (this.#ids.has(definition)) return definition
    const known = this.#versions.get(keyOf(definition))
    if (known !== undefined) return known
    const { name } = definition
    const others = [...this.#byId.values()].filter((other) => other.name === name).map(({ version }) => version)
    throw others.length === 0 ? this.#unknown(name) : versionNotRegistered(definition, others)
  }

  has(name: string): boolean {
    return this.#newest.has(name) || this.#aliases.has(name)
  }

  /** All that stand for something, other names too. */
  names(): string[] {
    return [...new Set([...this.#newest.keys(), ...this.#aliases.keys()])].sort()
  }

  idOf(definition: AnyDefinition): number {
    const id = this.#ids.get(definition)
    if (id === undefined) throw this.#unknown(definition.name)
    return id
  }

  byId(id: number): AnyDefinition | undefined {
    return this.#byId.get(id)
  }

  /** The definition of that number, where it was registered itself: not one that takes over the runs of another version. */
  own(id: number): AnyDefinition | undefined {
    const definition = this.#byId.get(id)
    return definition !== undefined && this.#ids.get(definition) === id ? definition : undefined
  }

  /** The number of a limiter, the same on every node. Throws `definition_invalid` when another of its name has other bounds. */
  async keepLimiter({ name, bounds }: LimiterRule): Promise<number> {
    const known = this.#limiters.get(name)
    if (known !== undefined && !isDeepStrictEqual(known.bounds, bounds)) throw limiterTaken(name)
    if (known !== undefined) return known.id
    const id = await this.#store.internLimiter(name, bounds)
    this.#limiters.set(name, { id, bounds })
    return id
  }

  /** The same for a limiter that a step of a definition names. */
  async useLimiter(rule: LimiterRule): Promise<number> {
    const id = await this.keepLimiter(rule)
    this.#rules.add(rule)
    return id
  }

  /** A limiter that data declares: the one that was declared last counts, unless code declares it. */
  async adoptLimiter(rule: LimiterRule): Promise<void> {
    const { name, bounds } = rule
    if (this.#coded.has(name)) return void (await this.keepLimiter(rule))
    const id = await this.#store.internLimiter(name, bounds)
    this.#limiters.set(name, { id, bounds })
    for (const other of this.#rules) if (other.name === name) this.#rules.delete(other)
    this.#rules.add(rule)
  }

  /** Throws `definition_invalid` for a limiter of data that code declares otherwise. */
  checkLimiter({ name, bounds }: LimiterRule): void {
    const known = this.#coded.has(name) ? this.#limiters.get(name) : undefined
    if (known !== undefined && !isDeepStrictEqual(known.bounds, bounds)) throw limiterTaken(name)
  }

  /** Whether a definition names this very limiter. */
  isUsing(rule: LimiterRule): boolean {
    return this.#rules.has(rule)
  }

  limiterId(name: string): number {
    const id = this.#limiters.get(name)?.id ?? this.#learntLimiters.get(name)
    if (id === undefined) throw new Error(`Limiter ${name} was used before it was kept`)
    return id
  }

  /** Throws `definition_invalid` for publishers that nobody has. Those of other processes will do: what goes through them is kept for them. */
  async checkPublishers(definition: AnyDefinition): Promise<void> {
    const named = [...(definition.publishers?.keys() ?? [])]
    if (named.every((publisher) => this.#publishers.includes(publisher))) return
    const check = await this.publisherCheck()
    check(definition)
  }

  /** The same for many definitions: the store is asked once. */
  async publisherCheck(): Promise<(definition: AnyDefinition) => void> {
    const known = [...new Set([...this.#publishers, ...(await this.#store.events.listPublishers())])]
    return ({ name, publishers = new Map() }) => {
      for (const [publisher, step] of publishers)
        if (!known.includes(publisher)) throw publisherUnknown({ publisher, step, template: name, known })
    }
  }

  /** The numbers of all definitions. */
  ids(): number[] {
    return [...this.#byId.keys()].filter((id) => !this.#resting.has(id))
  }

  /** How long runs may be in which state, of those that say so. */
  lifecycles(): ReadonlyMap<number, LifecycleRules> {
    return new Map(
      this.ids().flatMap((id) => {
        const lifecycle = this.own(id)?.lifecycle
        return lifecycle === undefined ? [] : [[id, lifecycle] as const]
      }),
    )
  }

  /** The numbers of all definitions that run on one kind of actor. */
  idsFor(kind: PoolKind): number[] {
    return this.ids().filter((id) => this.#byId.get(id)?.runsOn === kind)
  }

  #unknown(name: string, elsewhere: readonly string[] = []): TroupeError {
    const known = [...new Set([...this.names(), ...elsewhere])].sort()
    return workerNotRegistered(name, { known, searched: [...this.#searched.values()].map(asShown) })
  }

  /** Runs of other versions, unless these are here themselves. */
  async #takeOver({ name, takesOver }: AnyDefinition, id: number): Promise<void> {
    for (const [version, heir] of takesOver ?? []) {
      const formerId = await this.#store.internDefinition(name, version)
      if (!this.#versions.has(keyOf({ name, version }))) this.#byId.set(formerId, heir(id))
    }
  }

  async #intern(definition: AnyDefinition, giveBack: () => void): Promise<number> {
    const { name, version, settings } = definition
    try {
      await this.checkPublishers(definition)
      await this.kept?.check(definition)
      for (const rule of settings.limits) {
        this.#coded.add(rule.name)
        await this.useLimiter(rule)
      }
      const id = await this.#store.internDefinition(name, version)
      const starts = startsOf(definition, (limiter) => this.limiterId(limiter))
      const { retention, onFailure } = settings
      await this.#store.definitions.keep(id, { retention, isTold: onFailure !== undefined, starts })
      return id
    } catch (error) {
      giveBack()
      throw error
    }
  }
}

/** With paths as people write them: the folder from the working directory, the files from the folder. */
function asShown({ folder, files, skipped }: Discovered): Discovered {
  const inFolder = (file: string): string => relative(folder, file)
  return {
    folder: relative('.', folder) || '.',
    files: files.map(inFolder),
    skipped: skipped.map(({ file, why }) => ({ file: inFolder(file), why })),
  }
}

/** The key of a definition among all of all names. */
function keyOf({ name, version }: Pick<AnyDefinition, 'name' | 'version'>): string {
  return JSON.stringify([name, version])
}

function versionNotRegistered({ name, version }: AnyDefinition, known: readonly string[]): TroupeError {
  return new TroupeError(
    'worker_not_registered',
    `Version ${version} of worker '${name}' is not registered: there is ${known.join(', ')}. Pass this definition to Troupe.open({ definitions }), or start the one that is there by its name.`,
    { details: { name, version } },
  )
}
