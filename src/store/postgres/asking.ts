// The statements of one transaction: those of which nobody needs the answer are sent one behind the other, and their failures come out later.
import { performLater, performOnce, type Answer, type Query, type Request } from '../query.ts'
import { inOnePiece, type PoolClient, type Statements } from './client.ts'

const unread: Answer = { rows: [], changes: 0 }

export interface AskingOptions {
  readonly statements: Statements
  /** Statements may be sent while the answers to others are awaited. */
  readonly isInLine: boolean
}

export class Asking {
  readonly #client: PoolClient
  readonly #options: AskingOptions
  readonly #sent: Promise<unknown>[] = []
  /** What went wrong first: the rest follows from it. */
  #failure: { readonly error: unknown } | undefined

  constructor(client: PoolClient, options: AskingOptions) {
    this.#client = client
    this.#options = options
  }

  async perform<T>(work: () => Query<T>): Promise<T> {
    try {
      return await performLater(work(), (requests) => this.#ask(requests))
    } catch (error) {
      await Promise.all(this.#sent)
      throw this.#failure === undefined ? error : this.#failure.error
    }
  }

  performOnce<T>(work: () => Query<T>): Promise<{ readonly value: T } | undefined> {
    return performOnce(work(), (requests) => this.#ask(requests))
  }

  /** Something that was sent ahead of what follows. */
  sent<T>(answer: Promise<T>): Promise<T> {
    this.#sent.push(answer.catch((error: unknown) => (this.#failure ??= { error })))
    return answer
  }

  /** What went wrong unseen, once all is answered. Race: who was answered last may hear of it first. */
  async whatFailed(): Promise<unknown> {
    await Promise.all(this.#sent)
    return this.#failure?.error ?? new Error('Postgres rolled a transaction back and did not say why')
  }

  #ask(requests: readonly Request[]): readonly Answer[] | Promise<readonly Answer[]> {
    if (!this.#options.isInLine) return this.#inTurn(requests)
    inOnePiece(this.#client)
    const answers = requests.map((request) => this.#send(request))
    const isAwaited = answers.some((answer) => answer instanceof Promise)
    return isAwaited ? Promise.all(answers) : (answers as Answer[])
  }

  /** One after the other, as through a pooler. */
  async #inTurn(requests: readonly Request[]): Promise<Answer[]> {
    const answers: Answer[] = []
    for (const request of requests) answers.push(await this.#options.statements.ask(this.#client, request))
    return answers
  }

  #send(request: Request): Answer | Promise<Answer> {
    const answer = this.sent(this.#options.statements.ask(this.#client, request))
    return request.isBlind === true ? unread : answer
  }
}
