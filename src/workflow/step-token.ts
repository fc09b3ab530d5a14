// The token of one attempt of a step that somebody finishes from outside: given out once it is durable.
import type { Activation } from '../engine/activation.ts'
import { storedTime } from '../engine/call.ts'
import type { WriteOwner } from '../engine/writes.ts'
import { deferred } from '../lib/deferred.ts'
import { hashOf } from '../lib/secrets.ts'
import type { WaitRecord } from '../store/waits.ts'

export interface TokenOf {
  readonly path: string
  readonly timeoutMs: number | undefined
  readonly startedAt: number
}

export class StepToken implements WriteOwner {
  /** What the step waits for once its function has returned. */
  readonly wait: WaitRecord
  readonly #activation: Activation
  readonly #secret: string
  readonly #given = deferred<string>()

  constructor(activation: Activation, { path, timeoutMs, startedAt }: TokenOf) {
    const timeoutAt = timeoutMs === undefined ? null : storedTime(startedAt + timeoutMs)
    this.#activation = activation
    this.#secret = activation.deps.ids.secret()
    this.wait = { path, kind: 'completion', name: null, dueAt: timeoutAt }
    const record = { held: activation.held, hash: hashOf(this.#secret), path, startedAt, timeoutAt, heartbeatMs: null }
    activation.write(this, [{ list: 'tokens', record }])
  }

  get token(): Promise<string> {
    return this.#given.promise
  }

  written(): void {
    this.#given.resolve(this.#secret)
  }

  lost(): void {
    this.#activation.lost()
  }

  writeFailed(error: Error): void {
    this.#activation.writeFailed(error)
  }
}
