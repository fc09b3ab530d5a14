// READ THIS FIRST: everything is built here, in the order in which it starts.
import { hostname } from 'node:os'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkCallOptions, checkLocalCall, encodeTags, keyFor, startTimes, type CallOptions } from './engine/call.ts'
import { asDefinition, type AnyDefinition, type Definition } from './engine/definition.ts'
import type { Deps } from './engine/deps.ts'
import { Engine } from './engine/engine.ts'
import { isProvedDead, ownIdentity } from './engine/host.ts'
import { endedRuns, runningIds, type Sight } from './engine/looking.ts'
import { Registry } from './engine/registry.ts'
import { LocalFeed, viewOf, type LocalRun } from './engine/local-run.ts'
import { StoredFeed, type FeedOwner } from './engine/run-feed.ts'
import { RunHandle } from './engine/run-handle.ts'
import { runStats, type RunStats } from './engine/run-stats.ts'
import {
  attemptStatus,
  runStatus,
  stepStatus,
  type AttemptStatus,
  type RunStatus,
  type StepStatus,
} from './engine/run-status.ts'
import { environmentOf, poolBounds } from './engine/settings.ts'
import type { CallArguments, ReplaceOption } from './engine/verbs.ts'
import { systemClock } from './lib/clock.ts'
import { deferred } from './lib/deferred.ts'
import { toMs, type Duration } from './lib/duration.ts'
import { createIds } from './lib/ids.ts'
import { createLog } from './lib/log.ts'
import { engineStopped, idempotencyConflict, runNotFound } from './model/errors.ts'
import type { Discovered } from './model/discovered.ts'
import {
  checkRunId,
  checkRunsFilter,
  checkTroupeOptions,
  type CheckedOptions,
  type RunsFilter,
  type TroupeOptions,
} from './engine/options.ts'
import { openStore } from './store/open.ts'
import type { Started } from './store/store.ts'
import { discoverInto } from './worker/discover.ts'
import { bindEngine, unbindEngine } from './worker/global.ts'
import { encodedInput, maxValueBytes } from './worker/input.ts'
import { registration, type AnyHandler, type RegisterOptions, type WorkerVerbs } from './worker/registration.ts'
import type { WorkerHandler } from './worker/worker.ts'

/** Parts of the world that a test or a simulator may bring along. */
export type World = Partial<Omit<Deps, 'store'>> & { readonly leaseMs?: number; readonly maxDeliveries?: number }

const leaseMs = 15_000
// The fourth time a process dies over the same step, the run waits for a person.
const maxDeliveries = 4

/** An engine in this process: it starts and watches runs, and after `start` performs them. */
export class Troupe implements WorkerVerbs {
  readonly #deps: Deps
  readonly #registry: Registry
  readonly #engine: Engine
  readonly #owner: FeedOwner
  readonly #queueIds: Map<string, number>
  #stopping: Promise<void> | undefined

  private constructor(parts: { deps: Deps; registry: Registry; engine: Engine; queueIds: Map<string, number> }) {
    const { deps, registry, engine, queueIds } = parts
    this.#deps = deps
    this.#registry = registry
    this.#engine = engine
    this.#queueIds = queueIds
    this.#owner = {
      store: deps.store,
      watch: engine.watch,
      isHere: (id) => engine.isHere(id),
      cancel: (write) => engine.cancel(write),
    }
  }

  /**
   * Opens an engine: store, definitions, actors. It performs nothing until `start`.
   *
   * The first one of a process is also what `WORKER` speaks to, unless `global` is false.
   *
   * Saves: the store file, made when missing, and the names of definitions and queues.
   * Throws: `option_invalid`; `store_…` naming the file and the remedy; `definition_exists`; `file_not_loaded`.
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * const double = worker('double', {}, (ctx, n: number) => n * 2)
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [double] })
   * await troupe.start()
   * console.log(await troupe.run('double', 21)) // 42
   * ```
   */
  static async open(options: TroupeOptions = {}, world: World = {}): Promise<Troupe> {
    const checked = checkTroupeOptions(options)
    const pools = poolBounds(checked.pools, process.env)

    const clock = world.clock ?? systemClock
    const log =
      world.log ??
      checked.log ??
      createLog({ level: checked.logLevel, clock, write: (line) => process.stderr.write(line) })
    const ids = world.ids ?? createIds(clock)
    const store = await openStore(checked.store, { clock, synchronous: checked.synchronous })
    const deps: Deps = { store, clock, log, ids, failpoint: world.failpoint ?? (() => {}) }

    try {
      const registry = new Registry(store)
      for (const definition of checked.definitions) await registry.register(definition)
      const queueIds = new Map<string, number>()
      for (const queue of checked.queues) queueIds.set(queue, await store.internQueue(queue))

      const identity = ownIdentity(checked.node ?? `${hostname()}:${process.pid}`)
      const engine = new Engine(deps, registry, {
        identity,
        isProvedDead: (other) => isProvedDead(other, identity),
        queues: new Map(queueIds),
        pools,
        leaseMs: world.leaseMs ?? leaseMs,
        maxDeliveries: world.maxDeliveries ?? maxDeliveries,
        maxValueBytes,
        config: checked.config,
        environment: environmentOf(process.env),
      })
      const troupe = new Troupe({ deps, registry, engine, queueIds })
      return await troupe.#begin(checked)
    } catch (error) {
      await store.close()
      throw error
    }
  }

  /** Serves this node's queues from now on, and goes on with what dead nodes left. Harmless to repeat. */
  async start(): Promise<this> {
    this.#checkOpen()
    await this.#engine.start()
    return this
  }

  /**
   * Takes no more work, lets what runs finish `within` (30 s unless told), gives the rest back uncounted, and closes.
   *
   * A workflow is given back as soon as its executing steps are recorded. Ends at most 5 s later than `within`, also while the store is locked or gone:
   * other nodes then go on with what it ran once its lease has ended. Never rejects because of the store. Harmless to repeat.
   */
  stop(options: { readonly within?: Duration } = {}): Promise<void> {
    this.#stopping ??= this.#stop(toMs(options.within ?? '30s'))
    return this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /**
   * Cancels what this process performs, takes no more work, and closes: a `stop` that waits for nothing.
   *
   * What waits for its turn or for a time stays in the store. Cuts a `stop` short that is under way. Harmless to repeat.
   */
  shutdown(): Promise<void> {
    this.#engine.cancelAll('the engine was shut down')
    return this.stop({ within: 0 })
  }

  /**
   * Adds a definition, or makes one of a name, options and a handler as `worker` does, and gives that.
   *
   * One of the same name and version is an error unless `{ replace: true }`; runs under way keep the old one.
   * Throws: `definition_exists`, `definition_invalid`, `option_invalid`, `engine_stopped`.
   */
  async register(definition: Definition, options?: ReplaceOption): Promise<void>
  async register<Schema extends StandardSchemaV1, Output>(
    name: string,
    options: RegisterOptions<NoInfer<StandardSchemaV1.InferInput<Schema>>> & { readonly input: Schema },
    handler: WorkerHandler<StandardSchemaV1.InferOutput<Schema>, Output>,
  ): Promise<Definition<StandardSchemaV1.InferInput<Schema>, Output>>
  async register<Input = unknown, Output = unknown>(
    name: string,
    options: RegisterOptions<Input>,
    handler: WorkerHandler<Input, Output>,
  ): Promise<Definition<Input, Output>>
  async register<Input = unknown, Output = unknown>(
    name: string,
    handler: WorkerHandler<Input, Output>,
  ): Promise<Definition<Input, Output>>
  async register(
    target: Definition | string,
    options?: RegisterOptions | AnyHandler,
    handler?: AnyHandler,
  ): Promise<unknown> {
    this.#checkOpen()
    const { definition, replaces } = registration(target, options, handler)
    await this.#registry.register(definition, { replace: replaces })
    return typeof target === 'string' ? definition : undefined
  }

  /** Registers what the files of a folder export, as the option `workers` does, and tells what it found and left out. */
  async discover(folder: string): Promise<Discovered> {
    this.#checkOpen()
    const found = await discoverInto(folder, this)
    this.#registry.searched(found)
    return found
  }

  /** The names that can be called. */
  definitions(): string[] {
    return this.#registry.names()
  }

  /** The ids of all runs that are being performed, on all nodes. */
  async running(): Promise<string[]> {
    this.#checkOpen()
    return runningIds(this.#sight)
  }

  /** The ids of the runs of one definition that are being performed, on all nodes. */
  async runningFor(name: string): Promise<string[]> {
    this.#checkOpen()
    return runningIds(this.#sight, name)
  }

  /** The ids of the runs that this process performs now. */
  runningHere(): string[] {
    return [...this.#engine.running(), ...this.#engine.local.running()]
  }

  /**
   * What became of all runs of a definition that ever ended, on all nodes and of all its versions.
   * Undefined for a name that is neither registered here nor has runs.
   */
  async stats(name: string): Promise<RunStats | undefined> {
    this.#checkOpen()
    const ended = await endedRuns(this.#sight, name)
    return ended !== undefined || this.#registry.has(name) ? runStats(ended ?? []) : undefined
  }

  /**
   * Starts a run; resolves when that is durable. On a started engine with a free actor it runs at once.
   *
   * Saves: the run with its input. Throws: `worker_not_registered`, `validation_failed`, `option_invalid`,
   * `value_not_storable`, `value_too_large` (1 MiB), `idempotency_conflict`, `engine_stopped`, `store_…`.
   */
  async call<Input, Output>(
    definition: Definition<Input, Output>,
    ...args: CallArguments<Input>
  ): Promise<RunHandle<Output>>
  async call(name: string, input?: unknown, options?: CallOptions): Promise<RunHandle>
  async call(target: Definition | string, input?: unknown, options: CallOptions = {}): Promise<RunHandle> {
    this.#checkOpen()
    checkCallOptions(options)
    const definition =
      typeof target === 'string' ? this.#registry.find(target) : this.#registry.resolve(asDefinition(target))
    if (!definition.settings.isDurable) return this.#startHere(definition, input, options)
    const { onConflict = 'attach' } = options
    const key = keyFor(definition, input, options)
    const started = await this.#order(definition, input, { ...options, ...(key !== null && { idempotencyKey: key }) })
    if (!started.isNew && onConflict === 'reject') throw idempotencyConflict(definition.name, key ?? '', started.id)
    return this.#handleOf({ id: started.id, name: definition.name })
  }

  /** Starts a run and waits for its output; throws what `call` and `result` throw. */
  async run<Input, Output>(definition: Definition<Input, Output>, ...args: CallArguments<Input>): Promise<Output>
  async run(name: string, input?: unknown, options?: CallOptions): Promise<unknown>
  async run(target: Definition | string, input?: unknown, options?: CallOptions): Promise<unknown> {
    const handle = await this.call(target as string, input, options)
    return handle.result()
  }

  /** Asks a run to end; true when it ended as cancelled, false when another end came first. */
  async cancel(runId: string, reason?: string): Promise<boolean> {
    return (await this.handle(runId)).cancel(reason)
  }

  /** The handle of a run that was started before, by anyone. */
  async handle(runId: string): Promise<RunHandle> {
    const here = this.#engine.local.find(runId)
    if (here !== undefined) return this.#localHandle(here)
    const { name } = await this.#status(runId)
    return this.#handleOf({ id: runId, name })
  }

  /** One run as it is now; undefined when there is none of that id. */
  async get(runId: string): Promise<RunStatus | undefined> {
    this.#checkOpen()
    checkRunId(runId)
    const here = this.#engine.local.find(runId)
    if (here !== undefined) return runStatus(viewOf(here))
    const row = await this.#deps.store.findRun(runId)
    return row === undefined ? undefined : runStatus(row)
  }

  /** Runs, the newest first. */
  async runs(filter: RunsFilter = {}): Promise<RunStatus[]> {
    this.#checkOpen()
    checkRunsFilter(filter)
    return (await this.#deps.store.listRuns({ ...filter, limit: filter.limit ?? 50 })).map(runStatus)
  }

  /** What a run remembers, in the order it was recorded. */
  async steps(runId: string): Promise<StepStatus[]> {
    await this.#status(runId)
    return (await this.#deps.store.listSteps(runId)).map(stepStatus)
  }

  /** The attempts of a run and of its steps that failed and were followed by another, in the order in which they ended. */
  async attempts(runId: string): Promise<AttemptStatus[]> {
    await this.#status(runId)
    return (await this.#deps.store.listAttempts(runId)).map(attemptStatus)
  }

  /** bind → discover; afterwards it can be used. */
  async #begin({ workers, global }: CheckedOptions): Promise<this> {
    if (global) bindEngine(this)
    try {
      if (workers !== undefined) await this.discover(workers)
      return this
    } catch (error) {
      unbindEngine(this)
      throw error
    }
  }

  get #sight(): Sight {
    return { store: this.#deps.store, local: this.#engine.local }
  }

  async #stop(withinMs: number): Promise<void> {
    try {
      await this.#engine.stop(withinMs)
    } finally {
      unbindEngine(this)
      this.#engine.watch.close(engineStopped())
      await this.#deps.store.close()
    }
  }

  /** Starts a run that lives in this process only; at once, when its input need not be waited for. */
  #startHere(definition: AnyDefinition, input: unknown, options: CallOptions): RunHandle | Promise<RunHandle> {
    checkLocalCall(definition.name, options)
    const { ids, store } = this.#deps
    const times = startTimes(options, store.now())
    const start = (text: string): RunHandle =>
      this.#localHandle(this.#engine.local.start({ definition, id: ids.uuid(), ...times, input: text }))
    const encoded = encodedInput(definition, input)
    return typeof encoded === 'string' ? start(encoded) : encoded.then(start)
  }

  #localHandle(run: LocalRun): RunHandle {
    return new RunHandle(new LocalFeed(run, this.#engine.local), this.#deps.clock)
  }

  #handleOf(run: { readonly id: string; readonly name: string }): RunHandle {
    return new RunHandle(new StoredFeed(this.#owner, run), this.#deps.clock)
  }

  #checkOpen(): void {
    if (this.#stopping !== undefined) throw engineStopped()
  }

  async #status(runId: string): Promise<RunStatus> {
    const status = await this.get(runId)
    if (status === undefined) throw runNotFound(runId)
    return status
  }

  async #order(definition: AnyDefinition, input: unknown, options: CallOptions): Promise<Started> {
    const queue = options.queue ?? definition.settings.queue ?? 'default'
    const durable = deferred<Started>()
    const record = {
      id: this.#deps.ids.uuid(),
      definitionId: this.#registry.idOf(definition),
      priority: options.priority ?? definition.settings.priority,
      tags: encodeTags(definition.settings.tags, options.tags),
      idempotencyKey: options.idempotencyKey ?? null,
      ...startTimes(options, this.#deps.store.now()),
      // Race: what the caller gave is read before anything is awaited, or changing it after the call would change the run.
      input: await encodedInput(definition, input),
      queueId: this.#queueIds.get(queue) ?? (await this.#internQueue(queue)),
    }
    // Race: it may have been stopped while the input was checked.
    this.#checkOpen()
    await this.#engine.order({ definition, queue, record, durable })
    return durable.promise
  }

  async #internQueue(name: string): Promise<number> {
    const id = await this.#deps.store.internQueue(name)
    this.#queueIds.set(name, id)
    return id
  }
}
