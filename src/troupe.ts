// READ THIS FIRST: everything is built here, in the order in which it starts.
import { hostname } from 'node:os'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CallManyOptions, CallOptions } from './engine/verbs/call.ts'
import { Completing } from './engine/verbs/completing.ts'
import type { Definition } from './engine/definition/definition.ts'
import type { Deps } from './engine/deps.ts'
import { Engine } from './engine/engine.ts'
import { Face, type FaceParts } from './engine/verbs/face.ts'
import { isProvedDead, ownIdentity } from './engine/membership/host.ts'
import { Looking } from './engine/verbs/looking.ts'
import { Nodes, type NodeVerbs } from './engine/verbs/nodes.ts'
import { NodeStatuses } from './engine/verbs/node-status.ts'
import { Publishing } from './engine/verbs/publishing.ts'
import { Operating } from './engine/verbs/operating.ts'
import { checkTroupeOptions, type CheckedOptions, type TroupeOptions } from './engine/options/options.ts'
import { Registry } from './engine/definition/registry.ts'
import type { RunHandle } from './engine/watch/run-handle.ts'
import { defaultLogLevel, environmentOf, poolBounds } from './engine/options/settings.ts'
import { ScheduleKeeper } from './engine/schedule/schedule-keeper.ts'
import type { ScheduleRule } from './engine/schedule/schedule-rule.ts'
import type { ScheduleArguments, ScheduleStatus, ScheduleVerbs } from './engine/schedule/schedule-verbs.ts'
import { isSchedule, type Schedule, type Scheduled, type ScheduledByName } from './engine/schedule/schedule.ts'
import { Scheduling } from './engine/schedule/scheduling.ts'
import { Starting, type StartingOptions } from './engine/verbs/starting.ts'
import { Asking } from './engine/verbs/asking.ts'
import { Telling } from './engine/verbs/telling.ts'
import { checkReadable } from './engine/activation/unread.ts'
import type {
  CallArguments,
  CompletingVerbs,
  LookingVerbs,
  OperatingVerbs,
  ReplaceOption,
  RunVerbs,
  StatusVerbs,
  AskingVerbs,
  TellingVerbs,
  EventVerbs,
} from './engine/verbs/verbs.ts'
import { depsOf, upkeepRules, type World } from './engine/options/world.ts'
import { toMs, type Duration } from './lib/duration.ts'
import type { Discovered } from './model/discovered.ts'
import { engineStopped, notOpened } from './model/errors.ts'
import { entityVerbs, type EntityVerbs } from './entity/entity-verbs.ts'
import { Sandbox } from './script/script.ts'
import { TemplateKeeper } from './template/keeper/keeper.ts'
import type { TemplateVerbs } from './template/keeper/template-verbs.ts'
import { discoverInto } from './worker/discover.ts'
import { bindEngine, unbindEngine } from './worker/global.ts'
import { checkNoThread } from './worker/hosted.ts'
import { inputEncoder } from './worker/input.ts'
import {
  registration,
  type AnyHandler,
  type RegisterElsewhere,
  type RegisterOptions,
  type WorkerVerbs,
} from './worker/registration.ts'
import type { StoredHandler } from './worker/worker.ts'

export type { World } from './engine/options/world.ts'

interface TroupeParts extends Omit<FaceParts, 'checkOpen'>, StartingOptions {
  readonly schedules: ScheduleKeeper
  readonly templates: TemplateKeeper
}

/** An engine in this process: it starts and watches runs, and after `start` performs them. */
export class Troupe
  implements WorkerVerbs, RunVerbs, StatusVerbs, NodeVerbs, EntityVerbs, EventVerbs, TemplateVerbs, ScheduleVerbs
{
  readonly #deps: Deps
  readonly #registry: Registry
  readonly #engine: Engine
  readonly #starting: Starting
  readonly #looking: Looking
  readonly #operating: Operating
  readonly #completing: Completing
  readonly #scheduling: Scheduling
  readonly #schedules: ScheduleKeeper
  readonly #templates: TemplateKeeper
  readonly #statuses: NodeStatuses
  readonly #nodes: Nodes
  readonly #telling: Telling
  readonly #asking: Asking
  readonly #publishing: Publishing
  readonly entity: EntityVerbs['entity']
  readonly entities: EntityVerbs['entities']
  readonly drained: NodeVerbs['drained']
  #stopping: Promise<void> | undefined

  private constructor(given: TroupeParts) {
    // JavaScript does not know that it is private.
    if (given?.engine === undefined) throw notOpened()
    const { schedules, templates, ...parts } = given
    this.#schedules = schedules
    this.#templates = templates
    this.#deps = parts.deps
    this.#registry = parts.registry
    this.#engine = parts.engine
    const face = new Face({ ...parts, checkOpen: () => this.#checkOpen() })
    this.#starting = new Starting(face, parts)
    this.#looking = new Looking(face)
    this.#operating = new Operating(face)
    this.#completing = new Completing(face)
    this.#scheduling = new Scheduling(face, schedules)
    this.#telling = new Telling(face)
    this.#asking = new Asking(face)
    this.#publishing = new Publishing(face)
    const { entity, entities } = entityVerbs(face)
    this.entity = entity
    this.entities = entities
    this.#nodes = new Nodes(face, () => this.stop())
    this.drained = this.#nodes.drained
    this.#engine.draft = (target, input, options) => this.#starting.draft(target, input, options)
    const { name: node } = parts.engine.view
    const { breaker: completions } = this.#completing
    this.#statuses = new NodeStatuses(face, { node, completions, templates: () => templates.counts() })
  }

  /**
   * Opens an engine: store, definitions, actors. It performs nothing until `start`.
   *
   * The first one of a process is also what `WORKER` speaks to, unless `global` is false.
   *
   * Saves: the store file, made when missing, and the names of definitions and queues.
   * Throws: `option_invalid`; `value_unreadable` for codecs that are not those of the store; `store_…` naming the file and the remedy; `definition_exists`; `file_not_loaded`; `template_invalid` with all that is wrong with the templates.
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * const double = worker('double', {}, (ctx, n: number) => n * 2)
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [double] })
   * await troupe.start()
   * console.log(await troupe.run('double', 21)) // 42
   * ```
   */
  static open(options: TroupeOptions = {}): Promise<Troupe> {
    return Troupe.openIn(options, {})
  }

  /** @internal */
  static async openIn(options: TroupeOptions, world: World): Promise<Troupe> {
    checkNoThread()
    const checked = checkTroupeOptions(options)
    const pools = poolBounds(checked.pools, process.env)
    const environment = checked.environment ?? environmentOf(process.env)
    const logLevel = checked.logLevel ?? defaultLogLevel(environment)
    const deps = await depsOf(checked, world, logLevel)
    const { store, log } = deps
    try {
      const registry = new Registry(store, Object.keys(checked.publishers))
      const templates = new TemplateKeeper({ ...checked, deps, registry, environment })
      registry.kept = templates
      for (const definition of checked.definitions) await registry.register(definition)
      const queueIds = new Map<string, number>()
      for (const queue of checked.queues) queueIds.set(queue, await store.internQueue(queue))

      const identity = ownIdentity(checked.node ?? `${hostname()}:${process.pid}`)
      const { maxValueBytes, timeout } = checked
      const encodeInput = inputEncoder(maxValueBytes)
      const schedules = new ScheduleKeeper(deps, registry, { encodeInput, maxValueBytes, timeout })
      for (const schedule of checked.schedules) await schedules.declare(schedule)
      const engine = new Engine(deps, registry, {
        ...checked,
        ...upkeepRules(world),
        schedules,
        scripts: new Sandbox({ log }),
        identity,
        isProvedDead: world.isProvedDead ?? ((other) => isProvedDead(other, identity)),
        queues: queueIds,
        pools,
        encodeInput,
        environment,
        logLevel,
      })
      const parts = { ...checked, encodeInput, deps, registry, engine, queueIds, schedules, templates }
      return await new Troupe(parts).#begin(checked, world)
    } catch (error) {
      await store.close()
      throw error
    }
  }

  /**
   * Serves this node's queues from now on, and goes on with what dead nodes left. Harmless to repeat.
   *
   * Saves: that this process is a node, and what it serves. Throws: `engine_stopped`, `store_…`; `value_unreadable` without the key of what is written now.
   */
  async start(): Promise<this> {
    this.#checkOpen()
    await checkReadable(this.#deps.store)
    await this.#templates.serve(this.#engine.changes)
    await this.#engine.start()
    return this
  }

  /**
   * Takes no more work, lets what runs finish `within` (`stopWithin` unless told), gives the rest back uncounted, and closes.
   *
   * A workflow is given back as soon as its executing steps are recorded. Ends at most 5 s later than `within`, also while the store is locked or gone:
   * other nodes then go on with what it ran once its lease has ended. Never rejects because of the store. Harmless to repeat.
   */
  stop(options: { readonly within?: Duration } = {}): Promise<void> {
    this.#stopping ??= this.#stop(toMs(options.within ?? this.#engine.membership.stopWithin, 'within'))
    return this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  shutdown(): Promise<void> {
    this.#engine.underWay.cancelAll('the engine was shut down')
    return this.stop({ within: 0 })
  }

  /**
   * Adds a definition, or makes one of a name, options and a handler as `worker` does, and gives that.
   *
   * One of the same name and version is an error unless `{ replace: true }`; runs under way keep the old one. A schedule is declared from now on.
   * Throws: `definition_exists`, `definition_invalid`, `option_invalid`, `engine_stopped`.
   */
  async register(definition: Definition | Schedule, options?: ReplaceOption): Promise<void>
  async register<Schema extends StandardSchemaV1, Output>(
    name: string,
    options: RegisterOptions<NoInfer<StandardSchemaV1.InferInput<Schema>>> & { readonly input: Schema },
    handler: StoredHandler<StandardSchemaV1.InferOutput<Schema>, Output>,
  ): Promise<Definition<StandardSchemaV1.InferInput<Schema>, Output>>
  async register<Input = unknown, Output = unknown>(
    name: string,
    options: RegisterOptions<Input>,
    handler: StoredHandler<Input, Output>,
  ): Promise<Definition<Input, Output>>
  async register<Input = unknown, Output = unknown>(
    name: string,
    handler: StoredHandler<Input, Output>,
  ): Promise<Definition<Input, Output>>
  async register<Input = unknown, Output = unknown>(
    name: string,
    options: RegisterElsewhere<Input>,
  ): Promise<Definition<Input, Output>>
  async register(
    target: Definition | Schedule | string,
    options?: RegisterOptions | RegisterElsewhere | AnyHandler,
    handler?: AnyHandler,
  ): Promise<unknown> {
    this.#checkOpen()
    if (isSchedule(target)) return this.#schedules.declare(target)
    const { definition, replaces } = registration(target, options, handler)
    await this.#registry.register(definition, { replace: replaces })
    return typeof target === 'string' ? definition : undefined
  }

  /**
   * Registers what the files of a folder export, as the option `workers` does, and tells what it found and left out.
   *
   * Throws: `file_not_loaded` naming the file; `definition_exists`; `engine_stopped`.
   */
  async discover(folder: string): Promise<Discovered> {
    this.#checkOpen()
    const found = await discoverInto(folder, this)
    this.#registry.searched(found)
    return found
  }

  readonly definitions: LookingVerbs['definitions'] = () => this.#looking.definitions()
  readonly running: LookingVerbs['running'] = () => this.#looking.running()
  readonly runningFor: LookingVerbs['runningFor'] = (name) => this.#looking.runningFor(name)
  readonly runningHere: LookingVerbs['runningHere'] = () => this.#looking.runningHere()
  readonly stats: LookingVerbs['stats'] = (name) => this.#looking.stats(name)

  async call(name: string, input?: unknown, options?: CallOptions): Promise<RunHandle>
  async call<Input, Output, Messages>(
    definition: Definition<Input, Output, Messages>,
    ...args: CallArguments<Input>
  ): Promise<RunHandle<Output, Messages>>
  async call(target: Definition | string, input?: unknown, options?: CallOptions): Promise<RunHandle> {
    return this.#starting.call(target, input, options)
  }

  async callMany(name: string, inputs: readonly unknown[], options?: CallManyOptions<unknown>): Promise<RunHandle[]>
  async callMany<Input, Output, Messages>(
    definition: Definition<Input, Output, Messages>,
    inputs: readonly Input[],
    options?: CallManyOptions<Input>,
  ): Promise<RunHandle<Output, Messages>[]>
  async callMany(
    target: Definition | string,
    inputs: readonly unknown[],
    options?: CallManyOptions,
  ): Promise<RunHandle[]> {
    return this.#starting.callMany(target, inputs, options)
  }

  async run(name: string, input?: unknown, options?: CallOptions): Promise<unknown>
  async run<Input, Output>(definition: Definition<Input, Output>, ...args: CallArguments<Input>): Promise<Output>
  async run(target: Definition | string, input?: unknown, options?: CallOptions): Promise<unknown> {
    return (await this.#starting.call(target, input, options)).result()
  }

  readonly cancel: OperatingVerbs['cancel'] = (runId, reason, options) => this.#operating.cancel(runId, reason, options)
  readonly retry: OperatingVerbs['retry'] = (runId, options) => this.#operating.retry(runId, options)
  readonly fork: OperatingVerbs['fork'] = (runId, options) => this.#operating.fork(runId, options)
  readonly resumeRun: OperatingVerbs['resumeRun'] = (runId, options) => this.#operating.resumeRun(runId, options)
  readonly resolve: OperatingVerbs['resolve'] = (runId, step, options) => this.#operating.resolve(runId, step, options)
  readonly investigate: OperatingVerbs['investigate'] = (runId, options) => this.#operating.investigate(runId, options)
  readonly investigations: OperatingVerbs['investigations'] = (filter) => this.#operating.investigations(filter)
  readonly delete: OperatingVerbs['delete'] = (runId, options) => this.#operating.delete(runId, options)
  readonly bulk: OperatingVerbs['bulk'] = (action, where, options) => this.#operating.bulk(action, where, options)
  readonly complete: CompletingVerbs['complete'] = (token, output) => this.#completing.complete(token, output)
  readonly fail: CompletingVerbs['fail'] = (token, error) => this.#completing.fail(token, error)
  readonly heartbeat: CompletingVerbs['heartbeat'] = (token) => this.#completing.heartbeat(token)
  readonly tell: TellingVerbs['tell'] = (...message) => this.#telling.tell(...message)
  readonly ask: AskingVerbs['ask'] = (...message) => this.#asking.ask(...message)
  readonly unread: TellingVerbs['unread'] = (runId) => this.#telling.unread(runId)
  readonly publish: EventVerbs['publish'] = (...event) => this.#publishing.publish(...event)
  readonly subscribe: EventVerbs['subscribe'] = (...wanted) => this.#publishing.subscribe(...wanted)
  readonly setEvents: EventVerbs['setEvents'] = (enabled) => this.#publishing.setEvents(enabled)
  readonly status: StatusVerbs['status'] = () => this.#statuses.status()
  readonly health: StatusVerbs['health'] = () => this.#statuses.health()
  readonly metrics: StatusVerbs['metrics'] = () => this.#statuses.metrics()
  readonly nodes: NodeVerbs['nodes'] = () => this.#nodes.nodes()
  readonly drain: NodeVerbs['drain'] = (node, options) => this.#nodes.drain(node, options)

  readonly handlers: TemplateVerbs['handlers'] = (...given: Parameters<TemplateKeeper['handlers']>) =>
    this.#templates.handlers(...given)
  readonly refreshTemplates: TemplateVerbs['refreshTemplates'] = (namespace) => this.#templates.refresh(namespace)
  readonly templates: TemplateVerbs['templates'] = () => this.#templates.list()
  readonly leftOut: TemplateVerbs['leftOut'] = (runId) => this.#templates.leftOut(runId, this.#looking)

  readonly handle: LookingVerbs['handle'] = (runId) => this.#looking.handle(runId)
  readonly get: LookingVerbs['get'] = (runId) => this.#looking.get(runId)
  readonly runs: LookingVerbs['runs'] = (filter) => this.#looking.runs(filter)
  readonly dead: LookingVerbs['dead'] = (filter) => this.#looking.dead(filter)
  readonly audit: LookingVerbs['audit'] = (filter) => this.#looking.audit(filter)
  readonly codecKeys: LookingVerbs['codecKeys'] = () => this.#looking.codecKeys()
  readonly steps: LookingVerbs['steps'] = (runId) => this.#looking.steps(runId)
  readonly waits: LookingVerbs['waits'] = (runId) => this.#looking.waits(runId)
  readonly attempts: LookingVerbs['attempts'] = (runId) => this.#looking.attempts(runId)
  readonly queues: LookingVerbs['queues'] = () => this.#looking.queues()
  readonly limiters: LookingVerbs['limiters'] = () => this.#looking.limiters()
  readonly limit: OperatingVerbs['limit'] = (name, bounds, options) => this.#operating.limit(name, bounds, options)
  readonly pause: OperatingVerbs['pause'] = (queue, options) => this.#operating.pause(queue, options)
  readonly resume: OperatingVerbs['resume'] = (queue, options) => this.#operating.resume(queue, options)

  async schedule<Input>(name: string, rule: ScheduleRule, ...starts: Scheduled<Input>): Promise<ScheduleStatus>
  async schedule(name: string, rule: ScheduleRule, ...starts: ScheduledByName): Promise<ScheduleStatus>
  async schedule(...declared: ScheduleArguments): Promise<ScheduleStatus> {
    return this.#scheduling.schedule(...declared)
  }

  readonly unschedule: ScheduleVerbs['unschedule'] = (name, options) => this.#scheduling.unschedule(name, options)
  readonly schedules: ScheduleVerbs['schedules'] = () => this.#scheduling.schedules()
  readonly trigger: ScheduleVerbs['trigger'] = (name, options) => this.#scheduling.trigger(name, options)
  readonly backfill: ScheduleVerbs['backfill'] = (name, span, options) => this.#scheduling.backfill(name, span, options)
  readonly nextFires: ScheduleVerbs['nextFires'] = (name, count) => this.#scheduling.nextFires(name, count)
  readonly pauseSchedule: ScheduleVerbs['pauseSchedule'] = (...which) => this.#scheduling.pauseSchedule(...which)
  readonly resumeSchedule: ScheduleVerbs['resumeSchedule'] = (...which) => this.#scheduling.resumeSchedule(...which)

  /** bind → discover → load templates; afterwards it can be used. */
  async #begin({ workers, global, publishers }: CheckedOptions, { opened, discovered }: World): Promise<this> {
    bindEngine(this, this.#engine.slots, global)
    const { watch, local, post } = this.#engine
    opened?.({
      isAwaited: () => watch.listened.length + local.size + post.replies.size > 0 || this.#stopping !== undefined,
      awaited: () => watch.listened,
      tell: (runId, error) => watch.tell(runId, error),
    })
    try {
      for (const [name, publish] of Object.entries(publishers)) await this.#engine.events.addPublisher(name, publish)
      const found = workers === undefined ? undefined : await this.discover(workers)
      if (found !== undefined) discovered?.(found)
      await this.#templates.begin()
      this.#templates.attend(this.#engine.changes)
      return this
    } catch (error) {
      unbindEngine(this)
      throw error
    }
  }

  async #stop(withinMs: number): Promise<void> {
    this.#templates.close()
    try {
      await this.#engine.stop(withinMs)
    } finally {
      unbindEngine(this)
      this.#engine.watch.close(engineStopped())
      this.#engine.post.close(engineStopped())
      await this.#deps.store.close()
    }
  }

  #checkOpen(): void {
    if (this.#stopping !== undefined) throw engineStopped()
  }
}
