// What a worker's code is given: who it is, what it was asked, and how it speaks.
import type { Attempt } from '../engine/activation/attempt.ts'
import type { RunLogLevel } from '../engine/activation/speech.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import type { LogFields } from '../lib/log.ts'
import type { Storable } from '../lib/storable.ts'
import { checkFunction } from '../engine/checks.ts'
import { optionInvalid } from '../model/errors.ts'
import { Sleeps } from './sleeps.ts'
import { checkpoint, lastCheckpointOf, type Checkpoint, type CheckpointOptions } from './checkpoints.ts'
import { RunState } from './state.ts'

/** Settings of the program, read by dotted path: `api.base_url`. */
export interface Config {
  get<T = unknown>(path: string, fallback?: T): T
}

/** What a worker's handler is called with. */
export class WorkerContext<Input = unknown> {
  readonly #attempt: Attempt
  /** What the run was started with; undefined stays undefined. */
  readonly payload: Input
  #sleeps: Sleeps | undefined
  #state: RunState | undefined

  /** @internal */
  constructor(attempt: Attempt, payload: Input) {
    this.#attempt = attempt
    this.payload = payload
  }

  get workerName(): string {
    return this.#attempt.definition.name
  }

  get runId(): string {
    return this.#attempt.claimed.id
  }

  /** What the caller knows this work by; undefined when it told nothing. */
  get correlationId(): string | undefined {
    return this.#attempt.claimed.correlationId ?? undefined
  }

  /** The first is 1. */
  get attempt(): number {
    return this.#attempt.claimed.attempt
  }

  /** The tick of the schedule that started this run, in milliseconds since 1970; with `trigger` the time of that, undefined without a schedule. */
  get scheduledAt(): number | undefined {
    return this.#attempt.claimed.scheduledAt ?? undefined
  }

  /** The same for every attempt of this run: pass it to the outside world to make a repetition harmless. */
  get idempotencyKey(): string {
    return this.#attempt.idempotencyKey
  }

  /** Aborted when the attempt times out, the run is cancelled, or this node loses or gives up the run. */
  get signal(): AbortSignal {
    return this.#attempt.signal
  }

  get config(): Config {
    const { config } = this.#attempt.around
    return { get: <T>(path: string, fallback?: T) => (readPath(config, path) ?? fallback) as T }
  }

  get isDevelopment(): boolean {
    return this.#attempt.around.environment === 'development'
  }

  get isProduction(): boolean {
    return this.#attempt.around.environment === 'production'
  }

  /**
   * Sends a message to whoever watches the run. It never fails the run because nobody listens.
   *
   * Saves: one row, with the next commit. Throws: `value_not_storable`, `value_too_large` (256 KiB).
   */
  emit<Message>(message: Message & Storable<Message, 'message'>): boolean {
    return this.#attempt.speech.emit(message)
  }

  /** Says how far the work is: `done` of `total`, which is 100 unless told. Only the newest is kept. */
  progress(done: number, total = 100): void {
    checkProgress(done, total)
    this.#attempt.speech.progress(done, total)
  }

  /** Waits in memory; rejects when the run is cut short. It ends with the attempt, awaited or not. */
  sleep(time: Duration): Promise<void> {
    this.#sleeps ??= new Sleeps(this.#attempt)
    return this.#sleeps.sleep(time)
  }

  /**
   * Ends this attempt here and begins it anew after the time, on whichever node is free; it counts as no attempt. Await it: nothing comes after it.
   *
   * Saves: the time, once what was deferred has run.
   */
  snooze(time: Duration): Promise<never> {
    this.#attempt.snooze(toMs(time))
    return new Promise(() => {})
  }

  /**
   * Keeps how far the work has come and gives the actor back; the handler is called anew, on whichever node is free, and goes on from `lastCheckpoint()`. It counts as
   * no attempt, the run or step stays under way, and the `timeout` begins anew. Another attempt, a process that died and a person's retry go on from the newest one too;
   * what was done since is done again. Await it: nothing comes after it.
   *
   * `cursor` is where to go on (4 KiB); `itemsProcessed` and `results` are all so far, not what came since the last.
   * Saves: one row, which is forgotten once the step or run has succeeded. Throws: `option_invalid` (more than 100,000), `value_not_storable`, `value_too_large` (256 KiB
   * with the results: keep these elsewhere, and a reference here).
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * const sum = worker('sum', {}, async (ctx, numbers: number[]) => {
   *   const { cursor = 0, results = 0 } = ctx.lastCheckpoint<number, number>() ?? {}
   *   const total = results + (numbers[cursor] ?? 0)
   *   if (cursor + 1 < numbers.length) await ctx.checkpoint(cursor + 1, { itemsProcessed: cursor + 1, results: total })
   *   return total
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [sum] })
   * await troupe.start()
   * console.log(await troupe.run(sum, [1, 2, 3])) // 6
   * ```
   */
  async checkpoint<Cursor, Results = undefined>(
    cursor: Cursor & Storable<Cursor, 'cursor'>,
    options: CheckpointOptions<Results & Storable<Results, 'results'>> = {},
  ): Promise<never> {
    checkpoint(this.#attempt, cursor, options)
    return new Promise(() => {})
  }

  /** The newest checkpoint, from which the handler is to go on, as a copy; undefined when there is none. */
  lastCheckpoint<Cursor = unknown, Results = unknown>(): Checkpoint<Cursor, Results> | undefined {
    return lastCheckpointOf(this.#attempt) as Checkpoint<Cursor, Results> | undefined
  }

  /**
   * Runs `cleanUp` at the end of the attempt, whichever end it is: result, error, timeout, cancel, `snooze`, or a node that stops. The last deferred runs first,
   * and all of them before the end is stored, within 30 s (3 s from when its node gives up waiting). Code that was cut short has 1 s to stop by itself before that.
   * What a clean-up defers itself runs too while there is time. Throws: `option_invalid` (more than 10,000 in one attempt).
   *
   * What a clean-up throws is logged, and attached to the error the attempt failed with; it changes no result. A process that dies runs none.
   */
  defer(cleanUp: () => unknown): void {
    checkFunction('what is deferred', cleanUp)
    this.#attempt.defer(cleanUp)
  }

  /**
   * A token with which anyone may finish this run, from any process of the store, with `troupe.complete(token, output)` or `troupe.fail(token, error)`.
   * The run waits for that once the handler has returned, whatever it returned; nothing of it stays in memory. Every call of an attempt gives the same
   * token; another attempt has another one, and the former is refused.
   *
   * The attempt goes on while the run waits: its `timeout` holds, and so does its `heartbeat`, for which `troupe.heartbeat(token)` is a sign of life.
   *
   * Saves: what the token is known by, before it is given. Throws: `option_invalid` in a worker that is `durable: false`.
   */
  async later(): Promise<string> {
    return this.#attempt.later()
  }

  /** Shows that the attempt lives, for the option `heartbeat`. */
  heartbeat(): void {
    this.#attempt.beat()
  }

  /**
   * Keeps a value for the next attempts of this run, until the run ends. Undefined forgets it.
   *
   * Saves: one row, with the next commit. Throws: `option_invalid` (more than 1,000 keys), `value_not_storable`, `value_too_large` (256 KiB).
   */
  setState<Value>(key: string, value: Value & Storable<Value, 'state'>): void {
    this.#kept.set(key, value)
  }

  /** What an attempt of this run kept, as a copy; `fallback` when there is nothing. */
  getState<T = unknown>(key: string, fallback?: T): T {
    return (this.#kept.get(key) ?? fallback) as T
  }

  /** Forgets one value, or all of them. */
  clearState(key?: string): void {
    if (key === undefined) this.#kept.clearAll()
    else this.#kept.clear(key)
  }

  /**
   * Says a line: to the log of this process, and to whoever reads `handle.logs()`. `fields` are kept with it, as data: what JSON does not keep is described.
   *
   * Saves: one row, with the next commit, of the first 1,000 lines of an attempt. Never fails the run.
   */
  log(level: RunLogLevel, text: string, fields?: LogFields): void {
    this.#attempt.speech.log(level, text, fields)
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

  get #kept(): RunState {
    return (this.#state ??= new RunState(this.#attempt))
  }
}

export function checkProgress(done: number, total: number): void {
  if (!Number.isFinite(done)) throw optionInvalid('progress done', done, 'a finite number')
  if (!Number.isFinite(total))
    throw optionInvalid('progress total', total, 'a finite number: how many there are in all, as in progress(50, 100)')
}

function readPath(config: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = config
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
