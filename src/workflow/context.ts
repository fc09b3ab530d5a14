// What a workflow's code is given: durable steps, and all that a worker has.
import type { Activation } from '../engine/activation.ts'
import { checkFunction, checkName, checkOptions, timeOf } from '../engine/checks.ts'
import { storedTime } from '../engine/call.ts'
import type { RunLogLevel } from '../engine/speech.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import type { LogFields } from '../lib/log.ts'
import { asDefinition, type Definition } from '../engine/definition.ts'
import { definitionInvalid, recursionTooDeep } from '../model/errors.ts'
import { joinPath, keyedPath } from '../model/path.ts'
import { checkProgress, WorkerContext, type Config } from '../worker/context.ts'
import { checkMap, concurrencyOf, keysOf, mapSettled, type MapOptions } from './map.ts'
import type { StepContext } from './step.ts'
import { defaultRules, stepRules, type StepOptions } from './step-options.ts'
import { callOptionsOf, ChildRun, type ChildArguments, type ChildOptions } from './child-run.ts'
import type { Steps } from './steps.ts'

export interface ReceiveOptions {
  /** For ever unless told. */
  readonly timeout?: Duration
}

/** What `map` calls for each item, with a context in the scope of the item. */
export type MapFunction<Item, Result, Input> = (item: Item, ctx: WorkflowContext<Input>, index: number) => Result

// Each was started by the one before.
const mostDepth = 32

/** What a workflow's handler is called with. The one given to the items of `map` is the same, in the scope of the item. */
export class WorkflowContext<Input = unknown> {
  readonly #steps: Steps
  readonly #worker: WorkerContext<Input>
  readonly #scope: string

  constructor(steps: Steps, worker: WorkerContext<Input>, scope = '') {
    this.#steps = steps
    this.#worker = worker
    this.#scope = scope
  }

  get workerName(): string {
    return this.#worker.workerName
  }

  get runId(): string {
    return this.#worker.runId
  }

  /** As in a worker: the tick of the schedule that started this run. */
  get scheduledAt(): number | undefined {
    return this.#worker.scheduledAt
  }

  /** Of the run as a whole; the first is 1. A crash does not count. */
  get attempt(): number {
    return this.#worker.attempt
  }

  get payload(): Input {
    return this.#worker.payload
  }

  get config(): Config {
    return this.#worker.config
  }

  get isDevelopment(): boolean {
    return this.#worker.isDevelopment
  }

  get isProduction(): boolean {
    return this.#worker.isProduction
  }

  /** Aborted when the run times out, is cancelled, or is another node's now. */
  get signal(): AbortSignal {
    return this.#worker.signal
  }

  /**
   * Runs `fn` once in the life of this run and remembers its result.
   *
   * On resume the remembered result is returned and `fn` is not called. If the process dies after `fn` finished
   * but before its result was saved, `fn` runs again: pass `idempotencyKey` to the outside world to make that harmless.
   *
   * Saves: one journal row, after `fn` ended for good; one row for each attempt that failed before.
   * Throws: what `fn` threw, once `retry` is used up; `step_name_taken` when the name is under way in this scope;
   * `journal_mismatch` when the path was something else before; `value_not_storable`, `value_too_large`.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const order = workflow('order', {}, async (ctx, amount: number) => {
   *   const receipt = await ctx.step('charge', ({ idempotencyKey }) => ({ amount, key: idempotencyKey.split('/')[1] }))
   *   return receipt
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [order] })
   * await troupe.start()
   * console.log(await troupe.run(order, 5)) // { amount: 5, key: 'charge' }
   * ```
   */
  step<Result>(
    name: string,
    fn: (step: StepContext) => Result,
    options?: StepOptions<Input>,
  ): Promise<Awaited<Result>> {
    const path = this.#path(name)
    if (typeof fn !== 'function') throw definitionInvalid(`Step '${name}' has ${typeof fn} in place of a function.`)
    const { definition } = this.#steps.activation
    const rules = options === undefined ? defaultRules : stepRules(name, options, { definition, input: this.payload })
    return this.#steps.step({ path, fn, ...rules }) as Promise<Awaited<Result>>
  }

  /**
   * Calls `fn` for every item, at most `concurrency` at a time, and gives the results in the order of the items.
   *
   * Each item has a scope named by its `key`, so its steps are remembered whatever order they finish in.
   * Saves: nothing by itself; what happens outside of steps is repeated on resume.
   * Throws: the first failure, once what is under way has ended; with `onError: 'collect'` nothing.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const pack = workflow('pack', {}, (ctx, skus: string[]) =>
   *   ctx.map('ship', skus, (sku, ctx) => ctx.step('pack', () => sku.toUpperCase()), { key: (sku) => sku, concurrency: 2 }),
   * )
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [pack] })
   * await troupe.start()
   * console.log(await troupe.run(pack, ['a', 'b'])) // [ 'A', 'B' ]
   * ```
   */
  map<Item, Result>(
    name: string,
    items: readonly Item[],
    ...work: [fn: MapFunction<Item, Result, Input>, options: MapOptions<Item> & { readonly onError: 'collect' }]
  ): Promise<PromiseSettledResult<Awaited<Result>>[]>
  map<Item, Result>(
    name: string,
    items: readonly Item[],
    ...work: [fn: MapFunction<Item, Result, Input>, options?: MapOptions<Item>]
  ): Promise<Awaited<Result>[]>
  map(
    name: string,
    items: readonly unknown[],
    ...[fn, options = {}]: [fn: MapFunction<unknown, unknown, Input>, options?: MapOptions<unknown>]
  ): Promise<unknown[]> {
    const scopePath = this.#path(name)
    const what = `ctx.map('${name}')`
    checkMap(what, items, options)
    checkFunction(`The function of ${what}`, fn)
    const concurrency = concurrencyOf(what, options)
    const keys = keysOf(what, items, options)
    const stopsOnError = options.onError !== 'collect'
    return this.#steps.scoped(scopePath, async (path) => {
      const each = async (index: number): Promise<unknown> => {
        const scope = keyedPath(path, keys[index] ?? '')
        return fn(items[index], new WorkflowContext(this.#steps, this.#worker, scope), index)
      }
      const settled = await mapSettled(items.length, each, { concurrency, stopsOnError })
      if (!stopsOnError) return settled
      return settled.map((result) => {
        if (result.status === 'rejected') throw result.reason
        return result.value
      })
    })
  }

  /**
   * Waits. A wait of more than a few seconds takes no memory: the run is parked and goes on from its journal, on any node.
   *
   * Saves: one journal row when it is over. No `finally` of yours runs while a run is parked.
   */
  async sleep(time: Duration): Promise<void> {
    const delayMs = toMs(time)
    await this.#steps.sleepUntil(this.#path('sleep'), () => this.#now() + delayMs)
  }

  /** Waits until a time: a Date, or milliseconds since 1970. */
  async sleepUntil(time: Date | number): Promise<void> {
    const dueAt = timeOf('The time of ctx.sleepUntil', time)
    await this.#steps.sleepUntil(this.#path('sleep'), () => dueAt)
  }

  /**
   * Waits until the run is told something of this name, by `troupe.tell` or `handle.tell`, and gives what it was told; null when the time is up before.
   * What came before it waited was kept. Messages of one name are given in the order in which they came, each to one `receive`.
   *
   * A run that waits takes no memory: it is parked and goes on from its journal, on any node.
   *
   * Saves: one journal row, in the commit in which the message is forgotten.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const order = workflow('order', {}, async (ctx) => {
   *   const approval = await ctx.receive<{ by: string }>('approve', { timeout: '3d' })
   *   return approval === null ? 'too late' : `approved by ${approval.by}`
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [order] })
   * await troupe.start()
   * const handle = await troupe.call(order)
   * console.log(await handle.tell('approve', { by: 'ann' })) // true
   * console.log(await handle.result()) // approved by ann
   * ```
   */
  async receive<Payload = unknown>(name: string, options: ReceiveOptions = {}): Promise<Payload | null> {
    checkOptions(`receive of '${name}'`, options, ['timeout'])
    const { timeout } = options
    const waitMs = timeout === undefined ? undefined : toMs(timeout)
    const dueAt = (): number | null => (waitMs === undefined ? null : storedTime(this.#now() + waitMs))
    return (await this.#steps.receive(this.#path(`receive ${name}`), name, dueAt)) as Payload | null
  }

  /**
   * Starts another run, a child of this one, and gives what its result can be awaited by.
   *
   * It is started once in the life of this run, in the commit that remembers it. When this run ends, in whatever way, what it started and is unfinished
   * is cancelled, unless it is `detached`. A run that is tried again starts those anew that failed.
   *
   * Saves: the child with its input, and one journal row. Throws: what `troupe.call` throws; `step_name_taken` when one of the same name is under way
   * in this scope; `recursion_too_deep` when 32 runs stand above it.
   *
   * ```ts
   * import { Troupe, worker, workflow } from 'troupe'
   * const resize = worker('resize', {}, (ctx, width: number) => `${width} pixels`)
   * const album = workflow('album', {}, async (ctx) => {
   *   const small = await ctx.call(resize, 100, { name: 'small' })
   *   const large = await ctx.call(resize, 900, { name: 'large' })
   *   return [await small.result(), await large.result()]
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [resize, album] })
   * await troupe.start()
   * console.log(await troupe.run(album)) // [ '100 pixels', '900 pixels' ]
   * ```
   */
  call<ChildInput, Output>(
    definition: Definition<ChildInput, Output>,
    ...args: ChildArguments<ChildInput>
  ): Promise<ChildRun<Output>>
  call(name: string, input?: unknown, options?: ChildOptions): Promise<ChildRun>
  async call(target: Definition | string, input?: unknown, options: ChildOptions = {}): Promise<ChildRun> {
    return this.#call(target, input, options)
  }

  /**
   * Starts another run, as `call` does, and waits for its result. A run that waits long is parked and holds nothing.
   *
   * Saves: as `call`, and one journal row for the result. Throws: what the child failed with; `run_cancelled`; what `call` throws.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const factorial = workflow('factorial', {}, async (ctx, n: number): Promise<number> =>
   *   n < 2 ? 1 : n * ((await ctx.run('factorial', n - 1)) as number),
   * )
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [factorial] })
   * await troupe.start()
   * console.log(await troupe.run(factorial, 5)) // 120
   * ```
   */
  run<ChildInput, Output>(
    definition: Definition<ChildInput, Output>,
    ...args: ChildArguments<ChildInput>
  ): Promise<Output>
  run(name: string, input?: unknown, options?: ChildOptions): Promise<unknown>
  async run(target: Definition | string, input?: unknown, options: ChildOptions = {}): Promise<unknown> {
    return (await this.#call(target, input, options)).result()
  }

  /**
   * Calls `fn` with a context whose steps have a scope of their own: their names are theirs alone, whatever goes on beside it.
   *
   * Saves: nothing by itself. Throws: what `fn` throws; `step_name_taken` when a scope or step of this name is under way.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const trip = workflow('trip', {}, (ctx) =>
   *   Promise.all(['outward', 'return'].map((way) => ctx.scope(way, (ctx) => ctx.step('book', () => `booked ${way}`)))),
   * )
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [trip] })
   * await troupe.start()
   * console.log(await troupe.run(trip)) // [ 'booked outward', 'booked return' ]
   * ```
   */
  async scope<Result>(name: string, fn: (ctx: WorkflowContext<Input>) => Result): Promise<Awaited<Result>> {
    const path = this.#path(name)
    checkFunction(`The function of ctx.scope('${name}')`, fn)
    const work = async (scope: string): Promise<unknown> => fn(new WorkflowContext(this.#steps, this.#worker, scope))
    return (await this.#steps.scoped(path, work)) as Awaited<Result>
  }

  /**
   * The time, in milliseconds since 1970, remembered: on resume it is the time at which the code came here first. Saves one journal row.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const voucher = workflow('voucher', {}, async (ctx) => ({ code: await ctx.uuid(), validUntil: (await ctx.now()) + 86_400_000 }))
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [voucher] })
   * await troupe.start()
   * const { code, validUntil } = await troupe.run(voucher)
   * console.log(code.length, validUntil > Date.now()) // 36 true
   * ```
   */
  now(): Promise<number> {
    return this.#steps.value(this.#path('now'), () => this.#now()) as Promise<number>
  }

  /** A number from 0 up to but not 1, remembered: the same on resume. Saves one journal row. */
  random(): Promise<number> {
    return this.#steps.value(this.#path('random'), () => this.#steps.activation.deps.ids.random()) as Promise<number>
  }

  /** A UUID, remembered: the same on resume. Saves one journal row. */
  uuid(): Promise<string> {
    return this.#steps.value(this.#path('uuid'), () => this.#steps.activation.deps.ids.uuid()) as Promise<string>
  }

  /** Sends a message to whoever watches the run; not repeated on resume. Saves one row with the next commit. */
  emit(message: unknown): boolean {
    return this.#steps.isEcho || this.#worker.emit(message)
  }

  /** Says how far the work is. Only the newest is kept. */
  progress(done: number, total = 100): void {
    checkProgress(done, total)
    if (!this.#steps.isEcho) this.#worker.progress(done, total)
  }

  /** Says a line with its fields, as `log` of a worker does; what was said before is not said again. */
  log(level: RunLogLevel, text: string, fields?: LogFields): void {
    if (!this.#steps.isEcho) this.#worker.log(level, text, fields)
  }

  debug(text: string, fields?: LogFields): void {
    this.log('debug', text, fields)
  }

  info(text: string, fields?: LogFields): void {
    this.log('info', text, fields)
  }

  warn(text: string, fields?: LogFields): void {
    this.log('warn', text, fields)
  }

  error(text: string, fields?: LogFields): void {
    this.log('error', text, fields)
  }

  async #call(target: Definition | string, input: unknown, options: ChildOptions): Promise<ChildRun> {
    const name = typeof target === 'string' ? target : asDefinition(target).name
    const call = callOptionsOf(name, options)
    const { activation } = this.#steps
    const { depth, correlationId } = activation.claimed
    const isDetached = options.detached === true
    if (depth >= mostDepth && !isDetached) throw recursionTooDeep(name, depth)
    const ofThis = correlationId === null ? {} : { correlationId }
    const path = this.#path(options.name ?? name)
    const draft = () => activation.around.draft(target, input, { ...ofThis, ...call })
    const child = await this.#steps.child({ path, draft, isDetached })
    return new ChildRun(this.#steps, { ...child, name })
  }

  #path(name: string): string {
    checkName('The name of a step', name)
    return joinPath(this.#scope, name)
  }

  #now(): number {
    return this.#steps.activation.deps.store.now()
  }
}

export function workflowContext<Input>(steps: Steps, activation: Activation, input: Input): WorkflowContext<Input> {
  return new WorkflowContext(steps, new WorkerContext(activation, input))
}
