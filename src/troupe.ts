// READ THIS FIRST: everything is built here, in the order in which it starts.
import { hostname } from 'node:os'
import { checkCallOptions, encodeInput, encodeTags, startTimes, type CallOptions } from './engine/call.ts'
import { asDefinition, type AnyDefinition, type Definition } from './engine/definition.ts'
import type { Deps } from './engine/deps.ts'
import { encodingSchema } from './engine/encoded-input.ts'
import { Engine } from './engine/engine.ts'
import { isProvedDead, ownIdentity } from './engine/host.ts'
import { Registry } from './engine/registry.ts'
import { RunHandle, type HandleOwner } from './engine/run-handle.ts'
import {
  attemptStatus,
  runStatus,
  stepStatus,
  type AttemptStatus,
  type RunStatus,
  type StepStatus,
} from './engine/run-status.ts'
import { environmentOf, poolBounds } from './engine/settings.ts'
import { systemClock } from './lib/clock.ts'
import { deferred } from './lib/deferred.ts'
import { toMs, type Duration } from './lib/duration.ts'
import { createIds } from './lib/ids.ts'
import { createLog } from './lib/log.ts'
import { engineStopped, idempotencyConflict, runNotFound } from './model/errors.ts'
import type { RunState } from './model/run.ts'
import { checkRunId, checkRunsFilter, checkTroupeOptions, type TroupeOptions } from './engine/options.ts'
import { openStore } from './store/open.ts'
import type { Started } from './store/store.ts'
import { discover } from './worker/discover.ts'
import { validate } from './worker/validate.ts'

/** Parts of the world that a test or a simulator may bring along. */
export type World = Partial<Omit<Deps, 'store'>> & { readonly leaseMs?: number; readonly maxDeliveries?: number }

const maxValueBytes = 1_048_576
const leaseMs = 15_000
// The fourth time a process dies over the same step, the run waits for a person.
const maxDeliveries = 4

export interface RunsFilter {
  readonly name?: string
  readonly state?: RunState
  /** The newest so many; 50 unless told. */
  readonly limit?: number
}

/** The output of a run of a definition. */
export type OutputOf<D> = D extends Definition<never, infer Output> ? Output : unknown

/** What a call of a definition takes: nothing, when the definition takes nothing. */
export type CallArguments<Input> = undefined extends Input
  ? [input?: Input, options?: CallOptions]
  : [Input] extends [void]
    ? [input?: undefined, options?: CallOptions]
    : [input: Input, options?: CallOptions]

/** An engine in this process: it starts and watches runs, and after `start` performs them. */
export class Troupe {
  readonly #deps: Deps
  readonly #registry: Registry
  readonly #engine: Engine
  readonly #owner: HandleOwner
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
      clock: deps.clock,
      watch: engine.watch,
      isHere: (id) => engine.isHere(id),
      cancel: (write) => engine.cancel(write),
    }
  }

  /**
   * Opens an engine: store, definitions, actors. It performs nothing until `start`.
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
      if (checked.workers !== undefined) await discover(checked.workers, troupe)
      return troupe
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

  /** Adds a definition; one of the same name and version is an error unless it replaces it. */
  async register(definition: Definition, options: { readonly replace?: boolean } = {}): Promise<void> {
    this.#checkOpen()
    await this.#registry.register(asDefinition(definition), options)
  }

  /** The names that can be called. */
  definitions(): string[] {
    return this.#registry.names()
  }

  /** The ids of the runs that this process performs now. */
  running(): string[] {
    return this.#engine.running()
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
    const { idempotencyKey = '', onConflict = 'attach' } = options
    const started = await this.#order(definition, input, options)
    if (!started.isNew && onConflict === 'reject')
      throw idempotencyConflict(definition.name, idempotencyKey, started.id)
    return new RunHandle(this.#owner, { id: started.id, name: definition.name })
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
    const { name } = await this.#status(runId)
    return new RunHandle(this.#owner, { id: runId, name })
  }

  /** One run as it is now; undefined when there is none of that id. */
  async get(runId: string): Promise<RunStatus | undefined> {
    this.#checkOpen()
    checkRunId(runId)
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

  async #stop(withinMs: number): Promise<void> {
    try {
      await this.#engine.stop(withinMs)
    } finally {
      this.#engine.watch.close(engineStopped())
      await this.#deps.store.close()
    }
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
      tags: encodeTags(options.tags),
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

/** The input as it is stored, checked and filled in by its schema. */
function encodedInput({ name, settings }: AnyDefinition, input: unknown): string | Promise<string> {
  if (settings.input === undefined) return encodeInput(input, maxValueBytes)
  const schema = encodingSchema(settings.input, maxValueBytes)
  return validate(schema, input, `The input of '${name}'`) as Promise<string>
}
