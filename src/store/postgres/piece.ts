// A piece of the talk with a server: statements that are sent together, behind which the server is asked for all their answers at once.
//
// Of the driver each query asks for its answer by itself, also where it sends them in line: the server then sends each by itself too, and wakes this process for it.
import type { Client, Connection } from 'pg'
import type { Answer } from '../query.ts'
import { columnsOf, readRow, type Columns, type Field } from './values.ts'

/** A statement with its values, as texts. */
export interface Statement {
  /** Under which it is prepared, once a connection; without one it is prepared each time. */
  readonly name?: string
  readonly text: string
  readonly values: readonly (string | Buffer | null)[]
}

interface Talk {
  parse(statement: { readonly name?: string | undefined; readonly text: string }): void
  bind(statement: { readonly statement?: string | undefined; readonly values: readonly unknown[] }): void
  describe(portal: { readonly type: 'P' }): void
  execute(): void
  close(statement: { readonly type: 'S'; readonly name: string }): void
  sync(): void
  readonly stream: { cork(): void; uncork(): void }
}

/** What is known of a statement on a connection: the columns of its rows, or that it may not have been prepared. */
type Known = Columns | 'doubtful'

const known = new WeakMap<object, Map<string, Known>>()

const noColumns = columnsOf([])

/** What became of a piece. */
export interface Said {
  /** Those before the first that failed; all, where none did. */
  readonly answers: readonly Answer[]
  readonly error: unknown
}

/** Sends a piece. A statement that fails ends it: what follows is not performed. */
export function say(client: Pick<Client, 'query'>, statements: readonly Statement[]): Promise<Said> {
  return new Promise((resolve) => {
    const answers: Answer[] = []
    const ended = (error: unknown): void => resolve({ answers, error: error ?? undefined })
    client.query(new Piece(statements, { answers, ended }))
  })
}

interface Listener {
  readonly answers: Answer[]
  ended(error: unknown): void
}

/** As the driver performs what is no query of its own (node-postgres.com/apis/client#clientquery). */
class Piece {
  /** The driver puts its own before this, which knows how long an answer may take. */
  callback: (error: unknown) => void
  readonly #statements: readonly Statement[]
  readonly #answers: Answer[]
  #known = new Map<string, Known>()
  #columns: Columns | undefined
  #rows: unknown[] = []

  constructor(statements: readonly Statement[], { answers, ended }: Listener) {
    this.#statements = statements
    this.#answers = answers
    this.callback = ended
  }

  submit(connection: Connection): void {
    this.#known = knownOn(connection)
    const talk = connection as unknown as Talk
    talk.stream.cork()
    const sent = new Set<string>()
    for (const statement of this.#statements) {
      this.#submitOne(talk, statement, sent)
      if (statement.name !== undefined) sent.add(statement.name)
    }
    talk.sync()
    talk.stream.uncork()
  }

  #submitOne(talk: Talk, { name, text, values }: Statement, sent: ReadonlySet<string>): void {
    const columns = name === undefined ? undefined : this.#known.get(name)
    const isPrepared = name !== undefined && (sent.has(name) || (columns !== undefined && columns !== 'doubtful'))
    if (!isPrepared && name !== undefined && columns === 'doubtful') talk.close({ type: 'S', name })
    if (!isPrepared) talk.parse({ name, text })
    talk.bind({ statement: name, values })
    if (!isPrepared) talk.describe({ type: 'P' })
    talk.execute()
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    this.#columns = columnsOf(fields)
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.#rows.push(readRow(this.#columnsNow(), fields))
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    const { name } = this.#statement()
    if (name !== undefined) this.#known.set(name, this.#columnsNow())
    // As in `INSERT 0 5`.
    this.#answers.push({ rows: this.#rows, changes: Number(/\d+$/.exec(text)?.[0] ?? 0) })
    this.#rows = []
    this.#columns = undefined
  }

  handleReadyForQuery(): void {
    this.callback(undefined)
  }

  handleError(error: unknown): void {
    const { name } = this.#statement()
    const isPrepared = name === undefined || typeof this.#known.get(name) === 'object'
    if (name !== undefined && !isPrepared) this.#known.set(name, 'doubtful')
    this.callback(error)
  }

  /** That which is answered now. */
  #statement(): Partial<Statement> {
    return this.#statements[this.#answers.length] ?? {}
  }

  #columnsNow(): Columns {
    if (this.#columns !== undefined) return this.#columns
    const { name } = this.#statement()
    const columns = name === undefined ? undefined : this.#known.get(name)
    this.#columns = columns === undefined || columns === 'doubtful' ? noColumns : columns
    return this.#columns
  }
}

function knownOn(connection: object): Map<string, Known> {
  const all = known.get(connection) ?? new Map<string, Known>()
  known.set(connection, all)
  return all
}
