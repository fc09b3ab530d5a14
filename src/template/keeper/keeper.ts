// The templates of an engine: those of its folder, those that are registered, and those of the store, which everybody shares.
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import type { HandlerMap, HandlerResolver, ResolverOptions } from '../../engine/definition/handler.ts'
import type { KeptDefinitions, Registry } from '../../engine/definition/registry.ts'
import type { Deps } from '../../engine/deps.ts'
import { checkText } from '../../engine/checks.ts'
import type { TemplateCounts } from '../../engine/verbs/node-status.ts'
import type { LookingVerbs } from '../../engine/verbs/verbs.ts'
import type { Changes } from '../../engine/watch/changes.ts'
import type { HandlerNeed, TemplateNaming } from '../../store/templates.ts'
import type { Template } from '../model/template.ts'
import { nameOf, titleOf, versionOf, type TemplateTitle } from '../model/title.ts'
import { isLoaded, loadedDefinition, type LoadedDefinition } from '../perform/loaded.ts'
import { leftOutSteps } from '../perform/left-out.ts'
import { hasTemplate } from '../perform/perform.ts'
import type { LeftOutStep } from '../perform/reasons.ts'
import { readFolder, requireAll, type TemplateFolder } from './folder.ts'
import { Handlers } from '../handlers/handlers.ts'
import { needsOf } from '../handlers/needs.ts'
import { compiledFrom, damagedText } from './kept-definition.ts'
import { PostedTemplates, renewMs } from './posted-templates.ts'
import { performable, type TemplatesRefreshed } from './refreshing.ts'
import { TemplateNews } from './news.ts'
import { TemplateRequirements } from './requirements.ts'
import { ServedTemplates } from './served.ts'
import { TemplateCache } from './template-cache.ts'
import type { TemplateStatus } from './template-verbs.ts'

export interface KeeperParts {
  readonly deps: Deps
  readonly registry: Registry
  /** What templates say of it holds. */
  readonly environment: string
  /** A folder of templates. */
  readonly templates: string | undefined
  readonly handlers: HandlerMap | HandlerResolver | readonly (HandlerMap | HandlerResolver)[] | undefined
  /** Performs what was started here and nothing else: its names are meant by nobody else. */
  readonly isOwnOnly: boolean
}

export class TemplateKeeper implements KeptDefinitions {
  readonly #parts: KeeperParts
  readonly #handlers: Handlers
  readonly #cache: TemplateCache
  readonly #served: ServedTemplates
  readonly #requirements: TemplateRequirements
  readonly #news: TemplateNews
  /** Those that were registered, by their numbers. */
  readonly #own = new Map<number, LoadedDefinition>()
  /** Those whose handlers may have yet to be registered. */
  #open: LoadedDefinition[] | undefined = []
  readonly #posted: PostedTemplates
  #renewedAt: number
  #isServing = false
  #refreshing: Promise<unknown> = Promise.resolve()

  constructor(parts: KeeperParts) {
    const { deps, registry } = parts
    this.#parts = parts
    this.#renewedAt = deps.store.now()
    this.#posted = new PostedTemplates(deps, (definition) => this.post(definition))
    this.#handlers = new Handlers(registry)
    this.#cache = new TemplateCache((id) => this.#read(id))
    this.#served = new ServedTemplates({ deps, registry, cache: this.#cache, handlers: this.#handlers })
    this.#requirements = new TemplateRequirements(registry, deps.store, this.#handlers)
    this.#news = new TemplateNews({
      deps,
      registry,
      served: this.#served,
      isOwn: (id) => this.#own.has(id),
      isTemplate: (name) => this.#requirements.templateOf(name) !== undefined,
      find: (id) => this.find(id),
      renew: () => this.#renew(),
    })
  }

  /** Registers the templates of the folder, and keeps all that were registered so far. Throws `template_invalid` with everything that is wrong with any of them. */
  async begin(): Promise<void> {
    const { registry, handlers = [] } = this.#parts
    for (const each of Array.isArray(handlers) ? handlers : [handlers]) await this.#handlers.add(each as HandlerMap)
    const found = await this.#readFolder()
    if (found !== undefined) {
      requireAll(found.files)
      registry.searched({ ...found, files: found.files.map(({ file }) => file) })
    }
    await this.#registerAll((found?.files ?? []).flatMap(({ template }) => template ?? []))
  }

  /** Adds what does the work of steps, and tries what was left for the lack of it. */
  async handlers(given: HandlerMap | HandlerResolver, options?: ResolverOptions): Promise<void> {
    await this.#handlers.add(given, options)
    await this.#served.tryAgain()
  }

  /** From now on this process performs the runs of all templates whose handlers it has, and its names are meant by those who have none. */
  async serve(changes: Changes): Promise<void> {
    if (this.#isServing) return
    this.#isServing = true
    await this.#name([...this.#own.values()])
    await this.#news.serve()
    this.#news.listen(changes)
  }

  /** Hears of what others refresh, where there is something of its own that they may change. */
  attend(changes: Changes): void {
    if (this.#own.size > 0) this.#news.listen(changes)
  }

  close(): void {
    this.#news.close()
  }

  counts(): TemplateCounts {
    return this.#cache.counts()
  }

  /** The steps that a run left out; none where nothing is known of what its template says. */
  async leftOut(runId: string, looking: Pick<LookingVerbs, 'get' | 'steps'>): Promise<readonly LeftOutStep[]> {
    const { deps, registry } = this.#parts
    const [run, steps] = [await looking.get(runId), await looking.steps(runId)]
    const id = await deps.store.definitions.findOf(runId)
    if (run === undefined || id === undefined) return []
    const definition = (await this.find(id)) ?? registry.own(id)
    if (definition === undefined || !hasTemplate(definition)) return []
    return leftOutSteps(definition.template, { run, steps }, deps.clock)
  }

  async list(): Promise<TemplateStatus[]> {
    const { store } = this.#parts.deps
    const views = await store.templates.list()
    return views.map((view) => ({
      ...view,
      name: nameOf(view),
      problem: view.steps === null ? damagedText(view, store.location) : null,
    }))
  }

  /** Reads the folder and the store anew; one after another, when several ask. */
  async refresh(namespace?: string): Promise<TemplatesRefreshed> {
    if (namespace !== undefined) checkText('namespace', namespace, 'the namespace of templates')
    const refreshed = this.#refreshing.then(() => this.#refresh(namespace))
    this.#refreshing = refreshed.catch(() => undefined)
    return refreshed
  }

  async #refresh(namespace?: string): Promise<TemplatesRefreshed> {
    const isMeant = (template: Template): boolean => namespace === undefined || template.namespace === namespace
    const added: TemplateTitle[] = []
    const changed: TemplateTitle[] = []
    const unchanged: TemplateTitle[] = []
    const files = (await this.#readFolder())?.files ?? []
    const known = Object.keys(await this.#requirements.handlersFor([]))
    const checks = [await this.#requirements.limiterCheck(), await this.#parts.registry.publisherCheck()]
    const { templates, failed } = performable(files, {
      known,
      isMeant,
      checks,
      templateOf: (name) => this.#requirements.templateOf(name),
    })
    for (const template of templates) {
      const before = await this.#hashOf(nameOf(template))
      const list = before === undefined ? added : before === template.hash ? unchanged : changed
      list.push(titleOf(template))
    }
    await this.#registerAll(templates)
    for (const template of templates) await this.#take(template)
    await this.#news.look()
    return { added, changed, unchanged, failed }
  }

  /** Throws `template_invalid` for handlers that nobody has; of those that are read together once all are there. */
  async check(definition: AnyDefinition): Promise<void> {
    if (isLoaded(definition) && this.#open === undefined) await this.#requirements.ofRegistered(definition)
  }

  async registered(definition: AnyDefinition, id: number): Promise<void> {
    await this.#served.tryAgain()
    if (!isLoaded(definition)) return
    this.#own.set(id, definition)
    await this.#adoptLimiters(definition)
    if (this.#open !== undefined) return void this.#open.push(definition)
    await this.#keep(definition)
    if (this.#isServing) await this.#name([definition])
  }

  async find(id: number): Promise<LoadedDefinition | undefined> {
    return this.#own.get(id) ?? this.#cache.get(id)
  }

  canPost(definition: AnyDefinition): boolean {
    return isLoaded(definition)
  }

  isKept(definition: AnyDefinition): boolean {
    return this.#posted.has(definition)
  }

  /** Throws `template_invalid` for handlers that nobody has, `definition_invalid` for limiters and publishers. */
  async post(definition: AnyDefinition): Promise<number> {
    if (!isLoaded(definition)) throw new Error('Only templates can be posted')
    const needs = await this.#requirements.ofPosted(definition)
    const { name, version } = definition
    // Its name alone starts nothing: what one posts no other means.
    const id = await this.#parts.deps.store.internDefinition(name, version)
    await this.#write(definition.template, { id, needs })
    this.#posted.add(definition)
    if (this.#isServing) await this.#news.look()
    await this.#served.again(id)
    return id
  }

  /** Keeps what was registered. What is not here is elsewhere on purpose: whoever else performs it need not have it either. */
  async #keep(definition: LoadedDefinition): Promise<void> {
    const needs = await this.#requirements.ofRegistered(definition)
    await this.#writeHere(definition, needs)
    await this.#news.registered()
  }

  async #writeHere(definition: LoadedDefinition, needs: readonly HandlerNeed[]): Promise<void> {
    const here = needs.filter((need) => this.#handlers.has(need))
    await this.#write(definition.template, { id: this.#parts.registry.idOf(definition), needs: here })
  }

  /** What is registered here, and what its names start, is kept: the store forgets what nobody has. */
  async #renew(): Promise<void> {
    const { deps, registry } = this.#parts
    const now = deps.store.now()
    if (now - this.#renewedAt < renewMs) return
    this.#renewedAt = now
    const started = [...this.#own.values()].flatMap(({ name }) => registry.definition(name) ?? [])
    for (const definition of new Set([...this.#own.values(), ...started.filter(isLoaded)]))
      await this.#writeHere(definition, needsOf(definition.template))
  }

  async #write(
    { hash, namespace, name, version, form }: Template,
    { id, needs }: { readonly id: number; readonly needs: readonly HandlerNeed[] },
  ): Promise<void> {
    const text = JSON.stringify(form)
    const record = { hash, definitionId: id, namespace, name, version, form: text, needs }
    await this.#parts.deps.store.templates.keep(record)
  }

  /** Those of the text that its name starts: older ones go on under them. */
  async #adoptLimiters(definition: LoadedDefinition): Promise<void> {
    const { registry } = this.#parts
    if (registry.definition(definition.name) !== definition) return
    for (const rule of definition.limiters) await registry.adoptLimiter(rule)
  }

  /** Of those of one name the one that it starts here. */
  async #name(definitions: readonly LoadedDefinition[]): Promise<void> {
    const { registry, deps, isOwnOnly } = this.#parts
    if (isOwnOnly) return
    const meant = definitions.filter((each) => registry.definition(each.name) === each)
    const namings = meant.map(({ template }): TemplateNaming => ({ hash: template.hash, isRefreshed: false }))
    await deps.store.templates.name(namings)
  }

  /** Those that are read together may use each other, so they are kept once all of them are registered. */
  async #registerAll(templates: readonly Template[]): Promise<void> {
    this.#open ??= []
    for (const template of templates) await this.#register(template)
    const open = this.#open
    this.#open = undefined
    for (const definition of open) await this.#keep(definition)
    if (this.#isServing) await this.#name(open)
  }

  async #register(template: Template): Promise<void> {
    const { registry } = this.#parts
    const definition = loadedDefinition(template)
    if (!registry.isRegistered(definition)) await registry.register(definition)
  }

  /** Its name means it from now on, whatever was registered, here and on all nodes. */
  async #take({ hash, namespace, name, version }: Template): Promise<void> {
    const { registry, deps } = this.#parts
    const pinned = { name: nameOf({ namespace, name }), version: versionOf({ version, hash }) }
    const id = await deps.store.internDefinition(pinned.name, pinned.version)
    const definition = this.#own.get(id)
    if (definition === undefined) return
    const isNew = registry.definition(pinned.name) !== definition
    if (isNew) registry.rename(definition, id)
    await this.#adoptLimiters(definition)
    await deps.store.templates.name([{ hash, isRefreshed: true }])
  }

  /** What the name starts here, or would for those who have nothing of that name. */
  async #hashOf(name: string): Promise<string | undefined> {
    const { registry, deps } = this.#parts
    const here = registry.definition(name)
    if (here !== undefined) return isLoaded(here) ? here.template.hash : ''
    const known = await deps.store.definitions.find(name)
    const found = known && (await this.find(known.id))
    return found?.template.hash
  }

  async #readFolder(): Promise<TemplateFolder | undefined> {
    const { templates: folder, environment, deps } = this.#parts
    if (folder === undefined) return undefined
    const found = await readFolder(folder, {
      environment,
      handlersFor: (needs) => this.#requirements.handlersFor(needs),
    })
    for (const { message, file, line, column } of found.files.flatMap(({ warnings }) => warnings))
      deps.log.warn({}, `${file}:${line}:${column}: ${message}`)
    return found
  }

  async #read(id: number): Promise<LoadedDefinition | undefined> {
    const { store } = this.#parts.deps
    const form = await store.templates.findForm(id)
    if (form === undefined) return undefined
    const limiters = await store.listLimiters()
    const declared = limiters.filter(({ isLive }) => !isLive).map(({ name, bounds }) => [name, bounds] as const)
    return compiledFrom(form, new Map(declared))
  }
}
