// What a program asks of an engine about its runs, whichever way it holds the engine: how runs start, what is seen of them, what is done to them.
import type { CallManyOptions, CallOptions } from './call.ts'
import type { Definition } from '../definition/definition.ts'
import type { LimitBounds } from '../limits/limits.ts'
import type { LimiterStatus, QueueStatus } from './queue-status.ts'
import type { DeadKind } from './dead-kinds.ts'
import type { AuditEntry, ByOption, WhyOption } from './audit.ts'
import type { CancelOptions } from '../activation/cancel-order.ts'
import type { BulkAction } from './bulk-actions.ts'
import type { BulkOptions, BulkProgress } from './bulk.ts'
import type { AuditFilter, DeadFilter, RunsFilter } from './filters.ts'
import type { ForkOptions } from './forking.ts'
import type { InvestigatingVerbs } from './investigating.ts'
import type { ResolveOptions } from './resolving.ts'
import type { RunHandle } from '../watch/run-handle.ts'
import type { RunStats } from './run-stats.ts'
import type { AttemptStatus, RunStatus, StepStatus } from './run-status.ts'
import type { WaitStatus } from './wait-status.ts'
import type { Schedule } from '../schedule/schedule.ts'
import type { EventHandler, PublishOptions, SubscribeOptions } from '../events/events.ts'
import type { Health, Metrics, NodeStatus } from './node-status.ts'
import type { AskOptions } from './asking.ts'
import type { TellOptions, UnreadMessage } from './telling.ts'
import type { Storable } from '../../lib/storable.ts'
import type { CodecKey } from '../../store/operating.ts'
import type { RunsWhere } from '../../store/views.ts'
import type { CompletionAnswer } from '../../store/waits.ts'

/** What a call of a definition takes: nothing, when the definition takes nothing. */
export type CallArguments<Input> = undefined extends Input
  ? [input?: Input, options?: CallOptions]
  : [Input] extends [void]
    ? [input?: undefined, options?: CallOptions]
    : [input: Input, options?: CallOptions]

/** The output of a run of a definition. */
export type OutputOf<D> = D extends Definition<never, infer Output> ? Output : unknown

export interface ReplaceOption {
  /** Takes the place of the definition of the same name and version; without it that is an error. */
  readonly replace?: boolean
}

/** How runs start. */
export interface StartingVerbs {
  /**
   * Starts a run; resolves when that is durable. On a started engine with a free actor it runs at once.
   *
   * Saves: the run with its input. Throws: `worker_not_registered`, `validation_failed`, `option_invalid`,
   * `value_not_storable`, `value_too_large` (1 MiB), `idempotency_conflict`, `engine_stopped`, `store_…`; `intake_full`, with `details.retryAfterMs`, when 100,000 calls or inputs of 256 MiB wait for the store already.
   */
  call(name: string, input?: unknown, options?: CallOptions): Promise<RunHandle>
  call<Input, Output, Messages>(
    definition: Definition<Input, Output, Messages>,
    ...args: CallArguments<Input>
  ): Promise<RunHandle<Output, Messages>>
  /**
   * Starts a run for each input, in their order, and resolves when all are durable. Many times faster than as many calls.
   *
   * All inputs are checked before any is started: one that is refused is named by its place, as in `inputs[17]: …`, and nothing starts.
   * Runs are written a thousand at a time, so that others have their turn: when the store fails in between, the error tells in
   * `details.started` how many there are. Inputs are not to be changed until it resolves.
   *
   * Saves: the runs with their inputs. Throws: what `call` throws, with `details.index` where it is about one input.
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * const double = worker('double', {}, (ctx, n: number) => n * 2)
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [double] })
   * await troupe.start()
   * const handles = await troupe.callMany(double, [1, 2, 3])
   * console.log(await Promise.all(handles.map((handle) => handle.result()))) // [ 2, 4, 6 ]
   * ```
   */
  callMany(name: string, inputs: readonly unknown[], options?: CallManyOptions<unknown>): Promise<RunHandle[]>
  callMany<Input, Output, Messages>(
    definition: Definition<Input, Output, Messages>,
    inputs: readonly Input[],
    options?: CallManyOptions<Input>,
  ): Promise<RunHandle<Output, Messages>[]>
  /** Starts a run and waits for its output; throws what `call` and `result` throw. */
  run(name: string, input?: unknown, options?: CallOptions): Promise<unknown>
  run<Input, Output>(definition: Definition<Input, Output>, ...args: CallArguments<Input>): Promise<Output>
}

/** What can be seen. */
export interface LookingVerbs {
  /** The names that can be called. */
  definitions(): string[]
  /** The ids of all runs that are being performed, on all nodes. */
  running(): Promise<string[]>
  /** The ids of the runs of one definition that are being performed, on all nodes. */
  runningFor(name: string): Promise<string[]>
  /** The ids of the runs that this process performs now. */
  runningHere(): string[]
  /**
   * What became of all runs of a definition that ever ended, on all nodes and of all its versions.
   * Undefined for a name that is neither registered here nor has runs.
   */
  stats(name: string): Promise<RunStats | undefined>
  /** The handle of a run that was started before, by anyone. Throws `run_not_found`. */
  handle(runId: string): Promise<RunHandle>
  /** One run as it is now; undefined when there is none of that id. */
  get(runId: string): Promise<RunStatus | undefined>
  /**
   * Runs, the newest first, a page at a time: `after` the last of a page comes the next one.
   *
   * What timed out, what killed its process and what was cancelled differ in their code:
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * const fetchPage = worker('fetch-page', {}, (ctx, url: string) => url)
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [fetchPage] })
   * await troupe.call(fetchPage, 'https://example.com', { tags: ['shop'] })
   * console.log((await troupe.runs({ tags: ['shop'] })).length) // 1
   * console.log((await troupe.runs({ state: 'failed', code: 'timed_out' })).length) // 0
   * ```
   *
   * Throws: `option_invalid`; `run_not_found` when the run of `after` is there no more.
   */
  runs(filter?: RunsFilter): Promise<RunStatus[]>
  /** What failed for good and was not tried again since, in kinds that have one reason each, the latest first. */
  dead(filter?: DeadFilter): Promise<DeadKind[]>
  /**
   * What people did: `retry`, `fork`, `resolve`, `investigate`, `delete`, `bulk`, `pause`, `resume`, `resumeRun`, `limit`, what was done to schedules by hand, and each
   * `cancel` that told `by` whom; the newest first.
   * Kept for 90 days, unless the option `retention: { audit }` says otherwise.
   */
  audit(filter?: AuditFilter): Promise<AuditEntry[]>
  /**
   * The keys that what is stored is encrypted under, each with how many values: an old key can be forgotten once it is not among them any more, and no process writes with it.
   *
   * Needs no key. Rows of `ctx.tx` in a database of your own are not counted. Reads the whole store, while this process does nothing else: `troupe codec-keys` is one of its own.
   */
  codecKeys(): Promise<CodecKey[]>
  /** What a run remembers, in the order it was recorded. */
  steps(runId: string): Promise<StepStatus[]>
  /**
   * All that a run waits for, the earliest time first: `RunStatus.reason` is one of it. Empty for one that waits for nothing, or has ended.
   *
   * While a run executes, waits of less than 5 s, and what its code has not awaited for a second, are known to its process alone.
   */
  waits(runId: string): Promise<WaitStatus[]>
  /**
   * The attempts of a run and of its steps that failed and were followed by another, in the order in which they ended;
   * how a run ended that was tried again by `retry` is among them.
   */
  attempts(runId: string): Promise<AttemptStatus[]>
  /** All queues that anybody ever named, by name: what is in them, since when, and who serves them. */
  queues(): Promise<QueueStatus[]>
  /** All limiters that anybody ever named: their bounds, and how many have passed and wait. */
  limiters(): Promise<LimiterStatus[]>
}

/** What is done to runs that are there. */
export interface OperatingVerbs extends InvestigatingVerbs {
  /** What `handle.cancel` does, for a run by its id. With `by`, who did it is kept. */
  cancel(
    runId: string,
    reason?: string | (CancelOptions & ByOption),
    options?: CancelOptions & ByOption,
  ): Promise<boolean>
  /**
   * Deletes a run that has ended with all that belongs to it, before its time; its idempotency key is free again, and `stats` goes on counting it.
   * Saves: who did it. Throws: `delete_refused` for a run that has not ended; `run_not_found`.
   */
  delete(runId: string, options?: ByOption): Promise<void>
  /** What `handle.retry` does, for a run by its id. */
  retry(runId: string, options?: WhyOption): Promise<RunHandle>
  /** What `handle.resume` does, for a run by its id. A queue is resumed by `resume`, a schedule by `resumeSchedule`. */
  resumeRun(runId: string, options?: ByOption): Promise<RunHandle>
  /** What `handle.fork` does, for a run by its id: gives the handle of the new run. */
  fork(runId: string, options?: ForkOptions): Promise<RunHandle>
  /** What `handle.resolve` does, for a run by its id. */
  resolve(runId: string, step: string, options: ResolveOptions): Promise<RunHandle>
  /**
   * Tries again, cancels, deletes, forks or resumes all runs that a filter finds, from the newest to the oldest, in slices of 200.
   *
   * `retry` means those that failed, unless `state` says that cancelled ones are meant; `cancel` those that have not ended, and does not wait for their ends.
   * `delete` those that have ended, with their steps, messages, lines and values; `stats` goes on counting them. `fork` those that failed, unless `state` says more,
   * from the step `from` of the options: those that have none of that path are skipped. `resume` those that were set aside.
   * `dryRun` does nothing and gives a `preview`: the newest ids, and what the filter finds besides and why it would be left.
   * Harmless to repeat after a crash: `fork` with an `idempotencyKey`, without which it makes another run each time. Saves: who did it, with the filter. Throws: `option_invalid`, also for a filter that says nothing.
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * let isOpen = false
   * const charge = worker('charge', {}, (ctx, n: number) => {
   *   if (!isOpen) throw new Error(`card ${n} was not charged`)
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [charge] })
   * await troupe.start()
   * for (const n of [1, 2, 3]) await troupe.run(charge, n).catch(() => {})
   * const [kind] = await troupe.dead()
   * console.log(kind?.runs) // 3
   * isOpen = true
   * const { done } = await troupe.bulk('retry', { fingerprint: kind?.fingerprint ?? '' })
   * console.log(done) // 3
   * ```
   */
  bulk(action: BulkAction, where: RunsWhere, options?: BulkOptions): Promise<BulkProgress>
  /**
   * Lets no run of a queue start, on any node, also after a restart, until it is resumed; what runs goes on, and what is started waits.
   * False when it was paused already.
   *
   * Saves: the time, and who did it. Throws: `option_invalid` for a queue that neither the store nor a definition of this process knows.
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * const mail = worker('mail', { queue: 'mail' }, () => 'sent')
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [mail], queues: ['mail'] })
   * await troupe.start()
   * await troupe.pause('mail')
   * const handle = await troupe.call(mail)
   * console.log((await handle.status()).reason?.kind) // queue_paused
   * await troupe.resume('mail')
   * console.log(await handle.result()) // sent
   * ```
   */
  pause(queue: string, options?: ByOption): Promise<boolean>
  /**
   * Changes what a limiter allows, at once and for all nodes, also after a restart: what is given wins over the code, null lets the code's bounds count again.
   * What has passed goes on.
   *
   * Saves: the bounds, and who did it. Throws: `option_invalid`, also for a limiter that the store does not know: no definition names it, and nothing has run under it.
   *
   * ```ts
   * import { limiter, Troupe, worker } from 'troupe'
   * const charge = worker('charge', { limits: [limiter('stripe', { concurrency: 5 })] }, () => 'charged')
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [charge] })
   * await troupe.limit('stripe', { concurrency: 2 })
   * console.log((await troupe.limiters()).map(({ name, bounds, isLive }) => [name, bounds.concurrency, isLive])) // [ [ 'stripe', 2, true ] ]
   * await troupe.limit('stripe', null)
   * ```
   */
  limit(name: string, bounds: LimitBounds | null, options?: ByOption): Promise<void>
  /** Lets the runs of a queue start again; false when it was not paused. Throws: `option_invalid`, as `pause` does. */
  resume(queue: string, options?: ByOption): Promise<boolean>
}

/** How runs and steps that wait with a token of `later()` are finished, by whoever has the token, in any process of the store. */
export interface CompletingVerbs {
  /**
   * Ends a run with this output, which is checked by the `output` schema of its definition; resolves when that is durable. While the handler of the run
   * is still at work, the run ends with it once the handler has.
   *
   * Answers `accepted`; `used` when something came for the token before; `superseded` when the run goes on without it, in another attempt; `resolved` when the result of its step was recorded by hand;
   * `finished` when the run has ended in another way; `not_found`. Saves: the output. Throws: `validation_failed`, which leaves the token as it was;
   * `value_not_storable`, `value_too_large` (1 MiB), `option_invalid`, `engine_stopped`, `store_…`.
   */
  complete<Output>(token: string, output?: Output & Storable<Output, 'output'>): Promise<CompletionAnswer>
  /** Fails the attempt that waits: the run is tried again as its `retry` says, with a new token, or fails. Answers and throws as `complete` does. */
  fail(token: string, error: unknown): Promise<CompletionAnswer>
  /** Shows that the work lives, for the option `heartbeat` of its definition. Answers and throws as `complete` does, and leaves the token open. */
  heartbeat(token: string): Promise<CompletionAnswer>
}

/** What is told to runs. */
export interface TellingVerbs {
  /**
   * Tells a run something; resolves when that is durable. It is kept in order, from before the run first waits for it, until the run receives it
   * (`ctx.receive` of a workflow). Where this process has the code of the run and that declares its `messages`, the payload is checked here, else by the run.
   *
   * Saves: the message. Throws: `run_ended` when the run is over: then the message is kept as a dead letter, which the run does not receive when it is tried again either; `run_not_found`; `message_unknown`,
   * `validation_failed`; `mailbox_full` (10,000 messages were not received); `value_not_storable`, `value_too_large` (256 KiB);
   * `option_invalid`, `engine_stopped`, `store_…`.
   */
  tell<Payload>(
    runId: string,
    name: string,
    payload?: Payload & Storable<Payload, 'message'>,
    options?: TellOptions,
  ): Promise<true>
  /** What was told to a run and that it has not received, the first 1,000; once it is over, its dead letters. Throws `run_not_found`. */
  unread(runId: string): Promise<UnreadMessage[]>
}

/** What is asked of runs. */
export interface AskingVerbs {
  /**
   * Asks a workflow something, and gives what it answers by its `ctx.answer(name, fn)`, from whatever process of the store it is performed in; a run that
   * is parked is woken for it. What is asked and what is told come to the run in one order.
   *
   * The question is durable once it is stored, the answer once it is given: no crash loses or doubles either. Only whoever asks can miss it, by its `timeout`:
   * what the run has not begun to answer by then, it does not any more.
   *
   * Saves: the question, the answer, and two journal rows of the run. Throws: what the run's answer threw; `answer_missing` when the run waits and has none of
   * that name; `run_ended`; `ask_timeout` (30 s unless told), whose `details.isBegun` says whether the run has begun; `run_not_found`; `message_unknown`,
   * `validation_failed`; `mailbox_full` (10,000 were not begun); `value_not_storable`, `value_too_large` (256 KiB); `option_invalid`, `engine_stopped`, `store_…`.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const cart = workflow('cart', {}, async (ctx) => {
   *   const items: string[] = []
   *   ctx.answer('add', (item: string) => items.push(item))
   *   await ctx.receive('pay')
   *   return items
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [cart] })
   * await troupe.start()
   * const handle = await troupe.call(cart)
   * console.log(await troupe.ask(handle.id, 'add', 'book')) // 1
   * console.log(await handle.ask('add', 'pen')) // 2
   * await handle.tell('pay')
   * console.log(await handle.result()) // [ 'book', 'pen' ]
   * ```
   */
  ask<Reply = unknown, Payload = unknown>(
    runId: string,
    name: string,
    payload?: Payload & Storable<Payload, 'message'>,
    options?: AskOptions,
  ): Promise<Reply>
}

/** What happens, told to whoever wants to know. */
export interface EventVerbs {
  /**
   * Tells an event to those who subscribed to it; resolves when that is durable, or for `fast` once they have been called. Nobody wants it: nothing is kept.
   *
   * Saves: one row for each subscription, gone once it was handled. Throws: `option_invalid`, `value_not_storable`, `value_too_large` (256 KiB),
   * `engine_stopped`, `store_…`; never what a subscriber throws.
   *
   * ```ts
   * import { Troupe } from 'troupe'
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:' })
   * const seen = new Promise((resolve) => void troupe.subscribe('order.*', (payload, { name }) => resolve([name, payload])))
   * await troupe.publish('order.paid', { id: 7 })
   * console.log(await seen) // [ 'order.paid', { id: 7 } ]
   * ```
   */
  publish<Payload>(
    event: string,
    payload?: Payload & Storable<Payload, 'event'>,
    options?: PublishOptions,
  ): Promise<void>
  /**
   * Calls `handler` for each event whose name the pattern means (`*` stands for any characters), one after another in the order of publication;
   * gives the way to end that. A handler that throws is called again, up to five times; one that is slow holds up nobody else.
   *
   * With a `group` each event goes to one subscriber of the group and pattern, at least once, also when none is there for a while. Without, this subscriber
   * has all that happens while it is there. The engine publishes `run.started`, `run.retried`, `run.succeeded`, `run.failed`, `run.cancelled` and `run.stale`
   * with `{ runId, name }` when somebody wants them.
   *
   * Saves: the subscription. Throws: `option_invalid`, `engine_stopped`, `store_…`.
   */
  subscribe<Payload = unknown>(
    pattern: string,
    handler: EventHandler<Payload>,
    options?: SubscribeOptions,
  ): Promise<() => Promise<void>>
  /** Stops and starts calling the subscribers of this process; what is durable is kept meanwhile. */
  setEvents(enabled: boolean): void
}

/** How this node and its store are. */
export interface StatusVerbs {
  /** What this process did since its engine was opened. */
  status(): Promise<NodeStatus>
  /**
   * Whether this process can do its work: the store answers, the lease holds, the parts of the engine live, the event loop turns.
   * Answers within seconds, also when the store does not, and when the engine has stopped. Never rejects.
   */
  health(): Promise<Health>
  /** Counters and gauges of this process, and of the queues of the store, as data. */
  metrics(): Promise<Metrics>
}

/** All that is done with runs that are there. */
export interface RunVerbs extends LookingVerbs, OperatingVerbs, CompletingVerbs, TellingVerbs, AskingVerbs {}

/** The verbs that `WORKER` has as well. */
export interface EngineVerbs
  extends
    StartingVerbs,
    Pick<OperatingVerbs, 'cancel'>,
    Pick<LookingVerbs, 'definitions' | 'running' | 'runningFor' | 'stats'> {
  register(definition: Definition | Schedule, options?: ReplaceOption): Promise<void>
  /**
   * Cancels what this process performs, takes no more work, and closes: a `stop` that waits for nothing.
   *
   * What waits for its turn or for a time stays in the store. Cuts a `stop` short that is under way. Harmless to repeat.
   */
  shutdown(): Promise<void>
}
