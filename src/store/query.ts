// Queries: what the store asks of its database, written once for a database that answers at once and for one that answers later.

/** A statement for a database that answers later. */
export interface Request {
  readonly sql: string
  readonly values: readonly unknown[]
  /** Nobody looks at the answer. */
  readonly isBlind?: boolean
}

/** What it gave. */
export interface Answer {
  readonly rows: readonly unknown[]
  readonly changes: number
}

/**
 * Something asked of the database: `yield*` performs it and gives its result. Without that nothing happens.
 *
 * A function that asks is a generator, and its caller performs it in turn, up to the transaction that all of it is a part of.
 * Where the database answers at once nothing is ever yielded.
 */
export type Query<T> = Iterable<Request, T, Answer>

/** Performs a query on a database that answers at once. */
export function performNow<T>(query: Query<T>): T {
  const step = query[Symbol.iterator]().next()
  // Invariant: a transaction is over before anything else runs.
  if (step.done !== true) throw new Error(`This is not answered at once: ${step.value.sql}`)
  return step.value
}

/** Performs a query on a database that answers later: `ask` sends one statement after the other. */
export async function performLater<T>(
  query: Query<T>,
  ask: (request: Request) => Answer | Promise<Answer>,
): Promise<T> {
  const steps = query[Symbol.iterator]()
  let step = steps.next()
  while (step.done !== true) {
    const answer = ask(step.value)
    step = steps.next(answer instanceof Promise ? await answer : answer)
  }
  return step.value
}

/** Performs a query that asks once at most; undefined for one that wants to ask more, of which nothing is known then. */
export async function performOnce<T>(
  query: Query<T>,
  ask: (request: Request) => Promise<Answer>,
): Promise<{ readonly value: T } | undefined> {
  const steps = query[Symbol.iterator]()
  const first = steps.next()
  const last = first.done === true ? first : steps.next(await ask(first.value))
  return last.done === true ? { value: last.value } : undefined
}

/** A query that is answered at once, by `work`. */
export function answerNow<T>(work: () => T): Query<T> {
  return new AnsweredNow(work)
}

// Measured: on Node 24 a statement costs 40 ns less than with a generator.
class AnsweredNow<T> implements Iterator<Request, T, Answer> {
  readonly #work: () => T

  constructor(work: () => T) {
    this.#work = work
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorReturnResult<T> {
    return { done: true, value: this.#work() }
  }
}

/** What a query gives for each of these, one after the other. */
export function* mapEach<T, R>(all: Iterable<T>, query: (one: T, place: number) => Query<R>): Query<R[]> {
  const results: R[] = []
  for (const one of all) results.push(yield* query(one, results.length))
  return results
}

/** Those of these for which a query gives true, asked one after the other. */
export function* filterEach<T>(all: Iterable<T>, query: (one: T) => Query<boolean>): Query<T[]> {
  const kept: T[] = []
  for (const one of all) if (yield* query(one)) kept.push(one)
  return kept
}
