// The context of a workflow's code: what it asks for goes to the steps of the activation, under paths of this scope.
import { checkFunction, checkKey, checkName, checkOptions, timeOf } from '../engine/checks.ts'
import { storedTime } from '../engine/verbs/call.ts'
import { eventOf, type PublishOptions } from '../engine/events/events.ts'
import { originOf } from '../engine/activation/origin.ts'
import type { RunLogLevel } from '../engine/activation/speech.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import type { LogFields } from '../lib/log.ts'
import { unhurried } from '../lib/unhurried.ts'
import type { Definition } from '../engine/definition/definition.ts'
import { definitionInvalid } from '../model/errors.ts'
import { joinPath, ownPath } from '../model/path.ts'
import { checkProgress, type Config, type WorkerContext } from '../worker/context.ts'
import type { ReceiveOptions } from './mail/receives.ts'
import { performMap, type MapOptions } from './map.ts'
import type { StepContext } from './steps/step.ts'
import { defaultRules, stepRules, type StepOptions } from './steps/step-options.ts'
import { performLoop, type Turn } from './loop.ts'
import { startChild, type ChildRun, type ChildArguments, type ChildOptions } from './child-run.ts'
import type { Steps } from './steps/steps.ts'
import { txFunction, type TxArguments, type TxDatabase } from './tx/tx.ts'
import type { PostgresClient, PostgresPool } from './tx/tx-postgres.ts'
import type { SqliteHandle } from './tx/tx-sqlite.ts'
import type { MapFunction, WorkflowContext } from './context.ts'

/** The context of one activation, in one scope. */
export class BoundContext<Input = unknown> implements WorkflowContext<Input> {
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

  get scheduledAt(): number | undefined {
    return this.#worker.scheduledAt
  }

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

  get signal(): AbortSignal {
    return this.#worker.signal
  }

  step<Result>(
    name: string,
    fn: (step: StepContext) => Result,
    options?: StepOptions<Input, Awaited<NoInfer<Result>>>,
  ): Promise<Awaited<Result>> {
    const path = this.#path(name)
    if (typeof fn !== 'function') throw definitionInvalid(`Step '${name}' has ${typeof fn} in place of a function.`)
    const { definition } = this.#steps.activation
    const rules = options === undefined ? defaultRules : stepRules(name, options, { definition, input: this.payload })
    return this.#steps.step({ path, fn, ...rules }) as Promise<Awaited<Result>>
  }

  tx<Handle extends SqliteHandle, Result>(
    name: string,
    db: Handle,
    ...work: TxArguments<Handle, Result, Input>
  ): Promise<Awaited<Result>>
  tx<Result, Client extends PostgresClient = PostgresClient>(
    name: string,
    db: PostgresPool | PostgresClient,
    ...work: TxArguments<Client, Result, Input>
  ): Promise<Awaited<Result>>
  tx(name: string, db: TxDatabase, ...[fn, options = {}]: TxArguments<never, unknown, Input>): Promise<unknown> {
    const what = `ctx.tx('${name}')`
    const path = this.#path(name)
    checkFunction(`The function of ${what}`, fn)
    const { definition } = this.#steps.activation
    const rules = stepRules(name, options, { definition, input: this.payload })
    const run = txFunction(this.#steps, { what, db, fn, hasUndo: rules.undo !== undefined })
    return this.#steps.step({ path, kind: 'tx', fn: run, ...rules })
  }

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
    const what = `ctx.map('${name}')`
    checkFunction(`The function of ${what}`, fn)
    const work = { what, path: this.#path(name), items, options }
    let done = 0
    const each = async (index: number, scope: string): Promise<unknown> => {
      try {
        return await fn(items[index], this.#within(scope), index)
      } finally {
        const ending = this.#steps.endScope(scope)
        if (ending !== undefined) await ending
        done += 1
        if (options.progress === true) this.progress(done, items.length)
      }
    }
    return unhurried(() => performMap(this.#steps, work, each))
  }

  sleep(time: Duration): Promise<void> {
    const delayMs = toMs(time)
    return this.#steps.sleepUntil(this.#path('sleep'), () => this.#now() + delayMs) as Promise<void>
  }

  sleepUntil(time: Date | number): Promise<void> {
    const dueAt = timeOf('The time of ctx.sleepUntil', time)
    return this.#steps.sleepUntil(this.#path('sleep'), () => dueAt) as Promise<void>
  }

  receive(name: string, options: ReceiveOptions = {}): Promise<never> {
    checkOptions(`receive of '${name}'`, options, ['timeout', 'key'])
    const path = this.#path(`receive ${name}`)
    this.#steps.activation.definition.told?.checkName(name)
    const { key } = options
    if (key !== undefined) checkKey(`key of receive of '${name}'`, key)
    const waitMs = options.timeout === undefined ? undefined : toMs(options.timeout)
    const dueAt = (): number | null => (waitMs === undefined ? null : storedTime(this.#now() + waitMs))
    return this.#steps.mail.receive(path, { name, key }, dueAt) as Promise<never>
  }

  answer(name: string, fn: (payload: never, ctx: WorkflowContext<Input>) => unknown): void {
    checkName('The name of an answer', name)
    const path = ownPath(this.#scope, 'answer', name)
    this.#steps.activation.definition.told?.checkName(name)
    checkFunction(`The function of ctx.answer('${name}')`, fn)
    const work = (payload: unknown, scope: string): unknown => fn(payload as never, this.#within(scope))
    this.#steps.mail.answer({ path, name, fn: work })
  }

  call<ChildInput, Output>(
    definition: Definition<ChildInput, Output>,
    ...args: ChildArguments<ChildInput, NoInfer<Output>>
  ): Promise<ChildRun<Output>>
  call(name: string, input?: unknown, options?: ChildOptions): Promise<ChildRun>
  call(target: Definition | string, input?: unknown, options: ChildOptions<never> = {}): Promise<ChildRun> {
    return unhurried(() => this.#call(target, input, options))
  }

  run<ChildInput, Output>(
    definition: Definition<ChildInput, Output>,
    ...args: ChildArguments<ChildInput, NoInfer<Output>>
  ): Promise<Output>
  run(name: string, input?: unknown, options?: ChildOptions): Promise<unknown>
  run(target: Definition | string, input?: unknown, options: ChildOptions<never> = {}): Promise<unknown> {
    return unhurried(async () => (await this.#call(target, input, options)).result())
  }

  scope<Result>(name: string, fn: (ctx: WorkflowContext<Input>) => Result): Promise<Awaited<Result>> {
    const path = this.#path(name)
    checkFunction(`The function of ctx.scope('${name}')`, fn)
    const work = async (scope: string): Promise<unknown> => fn(this.#within(scope))
    return unhurried(() => this.#steps.scoped(path, work)) as Promise<Awaited<Result>>
  }

  publish(event: string, payload?: unknown, options: PublishOptions = {}): Promise<void> {
    const origin = originOf(this.#steps.activation)
    const published = { ...eventOf(event, payload, options), origin }
    return this.#steps.publish(this.#path(`publish ${event}`), () => [published]) as Promise<void>
  }

  now(): Promise<number> {
    return this.#steps.value(this.#path('now'), () => this.#now()) as Promise<number>
  }

  random(): Promise<number> {
    return this.#steps.value(this.#path('random'), () => this.#steps.activation.deps.ids.random()) as Promise<number>
  }

  uuid(): Promise<string> {
    return this.#steps.value(this.#path('uuid'), () => this.#steps.activation.deps.ids.uuid()) as Promise<string>
  }

  loop<State, Result>(
    name: string,
    state: State,
    fn: (state: State, ctx: WorkflowContext<Input>) => Turn<State, Result> | Promise<Turn<State, Result>>,
  ): Promise<Result> {
    const what = `ctx.loop('${name}')`
    checkFunction(`The function of ${what}`, fn)
    const loop = { what, path: this.#path(name), state }
    const turn = async (now: State, scope: string): Promise<Turn<State, Result>> => fn(now, this.#within(scope))
    return unhurried(() => performLoop(this.#steps, loop, turn))
  }

  patch(id: string): Promise<boolean> {
    checkName('The id of a patch', id)
    return this.#steps.patch(id)
  }

  async continueAsNew(input: Input): Promise<never> {
    const { activation } = this.#steps
    if (activation.claimed.undoing !== undefined) return new Promise<never>(() => {})
    const asked = this.#steps.answering(this.#scope)
    if (asked !== undefined) throw definitionInvalid(continuedInAnswer(asked))
    const { record } = await activation.around.draft(activation.definition, input, {})
    await this.#steps.endScope('')
    if (this.#steps.mayEnd('called continueAsNew')) activation.continueAsNew(record)
    return new Promise<never>(() => {})
  }

  emit(message: unknown): boolean {
    return this.#steps.isEcho || this.#worker.emit<unknown>(message)
  }

  progress(done: number, total = 100): void {
    checkProgress(done, total)
    if (!this.#steps.isEcho) this.#worker.progress(done, total)
  }

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

  #call(target: Definition | string, input: unknown, options: ChildOptions<never>): Promise<ChildRun> {
    return startChild(this.#steps, { target, input, options, pathOf: (name) => this.#path(name) })
  }

  #within(scope: string): WorkflowContext<Input> {
    return new BoundContext(this.#steps, this.#worker, scope)
  }

  #path(name: string): string {
    checkName('The name of a step', name)
    return joinPath(this.#scope, name)
  }

  #now(): number {
    return this.#steps.activation.deps.store.now()
  }
}

function continuedInAnswer(name: string): string {
  return `ctx.continueAsNew was called in the answer to '${name}', which would never be given: let the answer tell the code of the workflow, which then calls it.`
}
