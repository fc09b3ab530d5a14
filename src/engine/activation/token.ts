// The token of one attempt of a run or a step, by which somebody finishes it from outside: given out once it is durable.
import { deferred } from '../../lib/deferred.ts'
import { hashOf } from '../../lib/secrets.ts'
import type { TokenRecord } from '../../store/waits.ts'
import type { Activation } from './activation.ts'
import type { WriteOwner } from '../writes.ts'

export class Token implements WriteOwner {
  readonly #secret: string
  readonly #given = deferred<string>()

  constructor(activation: Activation, attempt: Omit<TokenRecord, 'held' | 'hash'>) {
    this.#secret = activation.deps.ids.secret()
    const record = { ...attempt, held: activation.held, hash: hashOf(this.#secret) }
    activation.write(this, [{ list: 'tokens', record }])
  }

  get given(): Promise<string> {
    return this.#given.promise
  }

  // WriteOwner

  written(): void {
    this.#given.resolve(this.#secret)
  }
}
