// The statements of one transaction: those of which nobody needs the answer wait for the next that is awaited, and are sent in one piece with it.
import { performLater, performOnce, type Answer, type Query, type Request } from '../query.ts'
import type { PoolClient } from './client.ts'
import { say, type Statement } from './piece.ts'
import type { Statements } from './statements.ts'

const unread: Answer = { rows: [], changes: 0 }

/** What goes ahead of all else. */
export interface Opening {
  readonly statements: readonly Statement[]
  /** Told the answers as soon as they are there, also where what follows failed; what it throws comes first. */
  readonly answered?: (answers: readonly Answer[]) => void
}

export interface AskingOptions {
  readonly statements: Statements
  readonly opening?: Opening
}

export class Asking {
  readonly #client: PoolClient
  readonly #statements: Statements
  #opening: Opening | undefined
  #waiting: Request[] = []

  constructor(client: PoolClient, { statements, opening }: AskingOptions) {
    this.#client = client
    this.#statements = statements
    this.#opening = opening
  }

  perform<T>(work: () => Query<T>): Promise<T> {
    return performLater(work(), (requests) => this.#ask(requests))
  }

  performOnce<T>(work: () => Query<T>): Promise<{ readonly value: T } | undefined> {
    return performOnce(work(), (requests) => this.#send(requests))
  }

  /** Sends what waits, and commits; nothing of it when a statement fails. */
  async commit(): Promise<void> {
    if (this.#opening !== undefined) await this.#send([])
    await this.#say([...this.#waited(), this.#statements.plain('commit', 'commit')])
  }

  #ask(requests: readonly Request[]): readonly Answer[] | Promise<readonly Answer[]> {
    if (!requests.every(({ isBlind }) => isBlind === true)) return this.#send(requests)
    this.#waiting.push(...requests)
    return requests.map(() => unread)
  }

  async #send(requests: readonly Request[]): Promise<readonly Answer[]> {
    const asked = requests.map((request) => this.#statements.of(request))
    const answers = await this.#say([...this.#waited(), ...asked])
    return answers.slice(answers.length - asked.length)
  }

  /** Throws what the first statement that failed was refused for. */
  async #say(statements: readonly Statement[]): Promise<readonly Answer[]> {
    const opening = this.#opening
    this.#opening = undefined
    const ahead = opening?.statements ?? []
    const { answers, error } = await say(this.#client, [...ahead, ...statements])
    if (answers.length >= ahead.length) opening?.answered?.(answers.slice(0, ahead.length))
    if (error !== undefined) throw error
    return answers.slice(ahead.length)
  }

  #waited(): readonly Statement[] {
    const waiting = this.#waiting
    this.#waiting = []
    return waiting.map((request) => this.#statements.of(request))
  }
}
