// The statements of one transaction: those of which nobody needs the answer are sent one behind the other, and their failures come out later.
import { performLater, performOnce, type Answer, type Query, type Request } from '../query.ts'
import type { PoolClient, Statements } from './client.ts'

const unread: Answer = { rows: [], changes: 0 }

export interface AskingOptions {
  readonly statements: Statements
  /** Statements may be sent while the answers to others are awaited. */
  readonly isInLine: boolean
}

export class Asking {
  readonly #client: PoolClient
  readonly #options: AskingOptions
  /** What went wrong first: the rest follows from it. */
  #failure: { readonly error: unknown } | undefined

  constructor(client: PoolClient, options: AskingOptions) {
    this.#client = client
    this.#options = options
  }

  async perform<T>(work: () => Query<T>): Promise<T> {
    try {
      return await performLater(work(), (request) => this.#ask(request))
    } catch (error) {
      this.check()
      throw error
    }
  }

  performOnce<T>(work: () => Query<T>): Promise<{ readonly value: T } | undefined> {
    return performOnce(work(), (request) => this.#send(request))
  }

  /** Something that was sent ahead of what follows. */
  sent<T>(answer: Promise<T>): Promise<T> {
    answer.catch((error: unknown) => (this.#failure ??= { error }))
    return answer
  }

  /** Throws what went wrong unseen. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #ask(request: Request): Answer | Promise<Answer> {
    const answer = this.#send(request)
    if (request.isBlind !== true || !this.#options.isInLine) return answer
    void this.sent(answer)
    return unread
  }

  #send(request: Request): Promise<Answer> {
    return this.#options.statements.ask(this.#client, request)
  }
}
