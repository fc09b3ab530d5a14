// What a worker's code is given: who it is, what it was asked, and how it speaks.
import type { Activation } from '../engine/activation.ts'
import type { RunLogLevel } from '../engine/speech.ts'
import type { Duration } from '../lib/duration.ts'
import { optionInvalid } from '../model/errors.ts'
import { Sleeps } from './sleeps.ts'

/** Settings of the program, read by dotted path: `api.base_url`. */
export interface Config {
  get<T = unknown>(path: string, fallback?: T): T
}

/** What a worker's handler is called with. */
export class WorkerContext<Input = unknown> {
  readonly #activation: Activation
  /** What the run was started with; undefined stays undefined. */
  readonly payload: Input
  #sleeps: Sleeps | undefined

  constructor(activation: Activation, payload: Input) {
    this.#activation = activation
    this.payload = payload
  }

  get workerName(): string {
    return this.#activation.definition.name
  }

  get runId(): string {
    return this.#activation.claimed.id
  }

  /** The first is 1. */
  get attempt(): number {
    return this.#activation.claimed.attempt
  }

  /** The same for every attempt of this run: pass it to the outside world to make a repetition harmless. */
  get idempotencyKey(): string {
    return this.#activation.claimed.id
  }

  /** Aborted when the attempt times out, the run is cancelled, or this node loses or gives up the run. */
  get signal(): AbortSignal {
    return this.#activation.signal
  }

  get config(): Config {
    const { config } = this.#activation.around
    return { get: <T>(path: string, fallback?: T) => (readPath(config, path) ?? fallback) as T }
  }

  get isDevelopment(): boolean {
    return this.#activation.around.environment === 'development'
  }

  get isProduction(): boolean {
    return this.#activation.around.environment === 'production'
  }

  /**
   * Sends a message to whoever watches the run. It never fails the run because nobody listens.
   *
   * Saves: one row, with the next commit. Throws: `value_not_storable`, `value_too_large` (256 KiB).
   */
  emit(message: unknown): boolean {
    return this.#activation.speech.emit(message)
  }

  /** Says how far the work is: `done` of `total`. Only the newest is kept. */
  progress(done: number, total: number): void {
    checkProgress(done, total)
    this.#activation.speech.progress(done, total)
  }

  /** Waits in memory; rejects when the run is cut short. It ends with the attempt, awaited or not. */
  sleep(time: Duration): Promise<void> {
    this.#sleeps ??= new Sleeps(this.#activation)
    return this.#sleeps.sleep(time)
  }

  log(level: RunLogLevel, text: string): void {
    this.#activation.speech.log(level, text)
  }

  debug(text: string): void {
    this.log('debug', text)
  }

  info(text: string): void {
    this.log('info', text)
  }

  warn(text: string): void {
    this.log('warn', text)
  }

  error(text: string): void {
    this.log('error', text)
  }
}

export function checkProgress(done: number, total: number): void {
  if (!Number.isFinite(done)) throw optionInvalid('progress done', done, 'a finite number')
  if (!Number.isFinite(total)) throw optionInvalid('progress total', total, 'a finite number')
}

function readPath(config: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = config
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
