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
 * Where the database answers at once nothing is ever yielded; elsewhere, statements to be sent together, for as many answers.
 */
export type Query<T> = Iterable<readonly Request[], T, readonly Answer[]>

/** Performs a query on a database that answers at once. */
export function performNow<T>(query: Query<T>): T {
  const step = query[Symbol.iterator]().next()
  // Invariant: a transaction is over before anything else runs.
  if (step.done !== true) throw new Error(`This is not answered at once: ${step.value[0]?.sql}`)
  return step.value
}

/** Performs a query on a database that answers later: `ask` sends one statement after the other. */
export async function performLater<T>(
  query: Query<T>,
  ask: (requests: readonly Request[]) => readonly Answer[] | Promise<readonly Answer[]>,
): Promise<T> {
  const steps = query[Symbol.iterator]()
  let step = steps.next()
  while (step.done !== true) {
    const answers = ask(step.value)
    step = steps.next(answers instanceof Promise ? await answers : answers)
  }
  return step.value
}

/** Performs a query that asks once at most; undefined for one that wants to ask more, of which nothing is known then. */
export async function performOnce<T>(
  query: Query<T>,
  ask: (requests: readonly Request[]) => readonly Answer[] | Promise<readonly Answer[]>,
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
class AnsweredNow<T> implements Iterator<readonly Request[], T, readonly Answer[]> {
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

type Results<Queries extends readonly Query<unknown>[]> = {
  -readonly [Place in keyof Queries]: Queries[Place] extends Query<infer Result> ? Result : never
}

/** What some queries give of which none needs to know what another did: a database that answers later is asked for all of them at once, in this order. */
export function* together<const Queries extends readonly Query<unknown>[]>(queries: Queries): Query<Results<Queries>> {
  const all = queries.map((query) => {
    const steps = query[Symbol.iterator]()
    return { steps, step: steps.next() }
  })
  for (;;) {
    const asking = all.filter(({ step }) => step.done !== true)
    if (asking.length === 0) return all.map(({ step }) => step.value) as Results<Queries>
    const answers = yield asking.flatMap(({ step }) => (step.done === true ? [] : step.value))
    let at = 0
    for (const one of asking) {
      const asked = one.step.done === true ? 0 : one.step.value.length
      one.step = one.steps.next(answers.slice(at, at + asked))
      at += asked
    }
  }
}

/** What a query gives for each of these, none of which needs to know what was done for another. */
export function mapTogether<T, R>(all: readonly T[], query: (one: T, place: number) => Query<R>): Query<R[]> {
  return together(all.map(query))
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
