// The handle of a run: its result, its messages, its end. It may be dropped; the run goes on.
import type { Clock } from '../../lib/clock.ts'
import { decode } from '../../lib/codec.ts'
import { toMs, type Duration } from '../../lib/duration.ts'
import { fromErrorRecord, type ErrorRecord } from '../../lib/error-record.ts'
import { reviveError } from '../../model/error-classes.ts'
import { isTroupeError } from '../../lib/errors.ts'
import { runNotFound } from '../../model/errors.ts'
import { resultTimeout } from '../../model/time-errors.ts'
import type { FinishedRun } from '../../store/store.ts'
import type { AskOptions } from '../verbs/asking.ts'
import { auditRecord, type ByOption, type WhyOption } from '../verbs/audit.ts'
import { cancelOptions, cancelOrder, type CancelOptions } from '../activation/cancel-order.ts'
import { checkOptions } from '../checks.ts'
import type { ForkOptions } from '../verbs/forking.ts'
import type { MessageArguments, MessageName, Replied } from '../definition/message-types.ts'
import { look } from './look.ts'
import { logReading, readLogs, type LogsOptions, type RunLogLine } from './log-reader.ts'
import { MessageReader, type MessagesOptions, type RunMessage } from './message-reader.ts'
import type { ResolveOptions } from '../verbs/resolving.ts'
import type { RunFeed } from './run-feed.ts'
import { runStatus, type RunStatus } from '../verbs/run-status.ts'
import type { News } from './ear.ts'

export interface ResultOptions {
  /** How long to wait; for ever unless told. The run goes on whatever happens. */
  readonly timeout?: Duration
}

/** A run as whoever started it, or asks for it by its id, sees it. It may be dropped: the run goes on. */
export class RunHandle<Output = unknown, Messages = unknown> implements AsyncIterable<unknown> {
  readonly id: string
  readonly name: string
  readonly #feed: RunFeed
  readonly #clock: Clock
  #reader: MessageReader | undefined

  /** @internal */
  constructor(feed: RunFeed, clock: Clock) {
    this.#feed = feed
    this.#clock = clock
    this.id = feed.id
    this.name = feed.name
  }

  /**
   * Waits for the end of the run and gives its output.
   *
   * Throws: what the run failed with; `run_cancelled`; `timed_out` when its own time was up;
   * `result_timeout` when `timeout` passed first, with the reason why the run waits, as that nobody serves its queue; `engine_stopped`.
   */
  async result(options: ResultOptions = {}): Promise<Output> {
    checkOptions('handle.result', options, ['timeout'])
    const { outcome, value } = await this.#finished(options)
    if (outcome === 'succeeded') return decode(value) as Output
    throw fromErrorRecord(JSON.parse(value) as ErrorRecord, reviveError)
  }

  /** The next message of the run, in order, from its first one on; undefined when it has ended and all were read. Throws `engine_stopped`. */
  async recv(): Promise<unknown> {
    this.#reader ??= new MessageReader(this.#feed, this.#clock)
    return (await this.#reader.next())?.message
  }

  /** What `recv` gives, until the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void, void> {
    this.#reader ??= new MessageReader(this.#feed, this.#clock)
    for await (const { message } of this.#reader.rest()) yield message
  }

  /**
   * The messages of the run with their offsets, from the first or behind the one of the offset `from`, until the run has ended and all were read.
   *
   * Each reading is its own: a second one, one after a restart and one in another process get the same messages. What the option `messages` of the definition
   * dropped is skipped and counted in `missed`. Throws: `option_invalid` for what is no offset; `engine_stopped`.
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * const count = worker('count', {}, (ctx) => [1, 2, 3].forEach((n) => ctx.emit(n)))
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [count] })
   * await troupe.start()
   * const handle = await troupe.call(count)
   * let from: string | undefined
   * for await (const { offset, message } of handle.messages()) {
   *   from = offset
   *   if (message === 2) break
   * }
   * for await (const { message } of handle.messages({ from })) console.log(message) // 3
   * ```
   */
  messages(options: MessagesOptions = {}): AsyncGenerator<RunMessage, void, void> {
    return new MessageReader(this.#feed, this.#clock, options).rest()
  }

  /**
   * The log lines of the run (`ctx.info` and the like) with their offsets, of all its attempts in order, until the run has ended and all were read;
   * `follow: false` ends with the last one that is there.
   *
   * They are kept as long as the option `retention` says, 7 days unless told; of a run that is `durable: false` none are. Throws: `option_invalid`; `engine_stopped`.
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * const charge = worker('charge', {}, (ctx, card: number) => ctx.info('charging', { card }))
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [charge], logLevel: 'info' })
   * await troupe.start()
   * const handle = await troupe.call(charge, 7)
   * for await (const { level, text, fields } of handle.logs()) console.log(level, text, fields) // info charging { card: 7 }
   * ```
   */
  logs(options: LogsOptions = {}): AsyncGenerator<RunLogLine, void, void> {
    return readLogs(logReading(this.#feed, this.#clock, options))
  }

  /**
   * Asks the run to end, and waits until it has: true when it ended as cancelled, false when it had or got another end first.
   *
   * What its steps did that have `undo` is undone first, unless `undo: false` says that it stays; with that a run ends at once that undoes already.
   *
   * Saves: the end of a run that waits; for one that runs a request, which its node obeys. Throws: `run_not_found`, `engine_stopped`.
   */
  async cancel(reason: string | CancelOptions = '', options: CancelOptions = {}): Promise<boolean> {
    const told = await this.#feed.cancel(cancelOrder('handle.cancel', cancelOptions(reason, options)))
    if (told === 'not_found') throw runNotFound(this.id)
    const { outcome } = await this.#finished({})
    return told !== 'finished' && outcome === 'cancelled'
  }

  /**
   * Tries a run again that failed or was cancelled: the same run with the same id and key goes on in its next generation.
   *
   * What a workflow remembers of steps that succeeded stays remembered, and so does what `ctx.setState` kept; its attempts and its time count anew.
   * `result` waits for the new end; the old one is among the `attempts`. Resolves when that is durable.
   * Saves: the run as ready, who did it. Throws: `retry_refused` for a run in another state; `run_not_found`; `engine_stopped`.
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * let isOpen = false
   * const order = worker('order', {}, () => {
   *   if (!isOpen) throw new Error('the shop is closed')
   *   return 'sent'
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [order] })
   * await troupe.start()
   * const handle = await troupe.call(order)
   * await handle.result().catch((error) => console.log(error.message)) // the shop is closed
   * isOpen = true
   * await handle.retry()
   * console.log(await handle.result()) // sent
   * ```
   */
  async retry(options: WhyOption = {}): Promise<void> {
    await this.#feed.retry(auditRecord('retry', options, { action: 'retry', target: this.id }))
  }

  /**
   * Lets a run be tried at once that was set aside, as its code did not fit what it did. It is also tried by itself, now and then and when a process starts.
   *
   * What it waits for stays: a run that sleeps or waits for a message is not woken by this. Saves: the run as ready, who did it.
   * Throws: `resume_refused` for a run that was not set aside, with what it waits for; `run_not_found`; `option_invalid`; `engine_stopped`.
   */
  async resume(options: ByOption = {}): Promise<void> {
    await this.#feed.wakeSetAside(auditRecord('resume', options, { action: 'resume', target: this.id }))
  }

  /**
   * Makes another run that begins with what this one did before the step `from`, and goes on by itself: with the same input or another one. This run stays as it is,
   * in whatever state it is, also finished.
   *
   * The fork remembers the journal as it was when the step had not been recorded. Without `from` it remembers all, and of a run that failed what succeeded, as `retry` does.
   * What was undone is done again; what it remembers belongs to this run, and is not undone by the fork. With an `idempotencyKey` there is one fork of this run for each key: who asks again gets that.
   *
   * Saves: the new run as ready, its journal, who did it. Throws: `step_not_found`, with the nearest there are; `validation_failed` for an input that its schema refuses;
   * `fork_refused` for a run that is not stored; `run_not_found`, `value_not_storable`, `value_too_large`, `option_invalid`, `engine_stopped`.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const order = workflow('order', {}, async (ctx, item: string) => {
   *   const receipt = await ctx.step('charge', () => 'receipt 1')
   *   return ctx.step('ship', () => `${item}, ${receipt}`)
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [order] })
   * await troupe.start()
   * const handle = await troupe.call(order, 'a book')
   * console.log(await handle.result()) // a book, receipt 1
   * const fork = await handle.fork({ from: 'ship', input: 'a pen' })
   * console.log(await fork.result()) // a pen, receipt 1
   * ```
   */
  async fork(options?: ForkOptions): Promise<RunHandle<Output, Messages>> {
    return (await this.#feed.fork(options)) as RunHandle<Output, Messages>
  }

  /**
   * Records the result of a step by hand, and lets the run go on with it: of a step that fails again and again, waits for somebody's token or for a limiter, or is under way.
   * A run that failed or was cancelled goes on in its next generation, as after `retry`.
   *
   * The first to be recorded is the result. An attempt of the step that is under way is aborted and what it does is not recorded, and so are others of the run
   * that are executed at that moment: these are begun again, as after a crash. While a run undoes what it did, the steps that undo can be resolved.
   *
   * Saves: the result, who did it. Throws: `step_not_found` for one of which nothing is known, with those that are open; `resolve_refused` for a step that has its result
   * and for a run that has none to wait for; `run_not_found`, `value_not_storable`, `value_too_large`, `option_invalid`, `engine_stopped`.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const order = workflow('order', {}, async (ctx) => {
   *   const receipt = await ctx.step('charge', () => { throw new Error('the bank does not answer') }, { retry: { attempts: 1 } })
   *   return `shipped with ${receipt}`
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [order], logLevel: 'silent' })
   * await troupe.start()
   * const handle = await troupe.call(order)
   * await handle.result().catch((error) => console.log(error.message)) // the bank does not answer
   * await handle.resolve('charge', { output: 'receipt 17', by: 'ann' })
   * console.log(await handle.result()) // shipped with receipt 17
   * ```
   */
  resolve(step: string, options: ResolveOptions): Promise<void> {
    return this.#feed.resolve(step, options)
  }

  /** Tells the run something, as `troupe.tell` does, with what that saves and throws; typed where the workflow declares its `messages`. */
  async tell<Name extends MessageName<Messages>, Payload = unknown>(
    name: Name,
    ...[payload, options]: MessageArguments<Messages, Name, Payload>
  ): Promise<true> {
    return this.#feed.tell(name, payload, options)
  }

  /** Asks the run something, as `troupe.ask` does, with what that saves and throws; typed where the workflow declares it in its `messages`, both ways with `reply`. */
  async ask<Reply = never, Name extends MessageName<Messages> = MessageName<Messages>, Payload = unknown>(
    name: Name,
    ...[payload, options]: MessageArguments<Messages, Name, Payload, AskOptions>
  ): Promise<[Reply] extends [never] ? Replied<Messages, Name> : Reply> {
    return (await this.#feed.ask(name, payload, options)) as never
  }

  /** The run as it is now. Throws `run_not_found` when it was deleted. */
  async status(): Promise<RunStatus> {
    const row = await this.#feed.view()
    if (row === undefined) throw runNotFound(this.id)
    return runStatus(row)
  }

  async #finished(options: ResultOptions): Promise<FinishedRun> {
    // A run that is under way in this process tells its end itself: there is nothing to look for yet.
    if (options.timeout === undefined && this.#feed.whenFinished !== undefined) return this.#feed.whenFinished()
    const timeoutMs = options.timeout === undefined ? undefined : toMs(options.timeout, 'timeout')
    const { isHere } = this.#feed
    const see = (news: News) => news.finished ?? this.#feed.finished()
    try {
      return (await look(this.#feed, see, { clock: this.#clock, timeoutMs, isHere, awaitsEnd: true })) as FinishedRun
    } catch (error) {
      throw isTroupeError(error) && error.code === 'result_timeout'
        ? await this.#explained(error, timeoutMs ?? 0)
        : error
    }
  }

  /** The same with what the run waits for, when that can be told. */
  async #explained(error: Error, timeoutMs: number): Promise<Error> {
    try {
      const reason = (await this.#feed.view())?.reason ?? undefined
      return reason === undefined ? error : resultTimeout(this.id, timeoutMs, reason)
    } catch {
      return error
    }
  }
}
