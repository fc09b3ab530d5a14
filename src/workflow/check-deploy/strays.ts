// What the code of a run throws where nothing awaits it: it is found to be that run's, and does not end the process that only checks it.
import { AsyncLocalStorage } from 'node:async_hooks'
import { toError } from '../../lib/errors.ts'

export class Strays<Run extends object> {
  readonly #performed = new AsyncLocalStorage<Run>()
  readonly #found = new WeakMap<Run, Error>()

  constructor() {
    process.on('unhandledRejection', this.#rejected)
    process.on('uncaughtException', this.#thrown)
  }

  /** What this begins is the run's, also what comes of it later. */
  within<T>(run: Run, work: () => T): T {
    return this.#performed.run(run, work)
  }

  of(run: Run): Error | undefined {
    return this.#found.get(run)
  }

  close(): void {
    process.off('unhandledRejection', this.#rejected)
    process.off('uncaughtException', this.#thrown)
  }

  readonly #rejected = (error: unknown): void => this.#hear('unhandledRejection', error)

  readonly #thrown = (error: unknown): void => this.#hear('uncaughtException', error)

  #hear(event: 'unhandledRejection' | 'uncaughtException', error: unknown): void {
    const run = this.#performed.getStore()
    if (run !== undefined) this.#found.set(run, this.#found.get(run) ?? toError(error))
    // What is of no run ends the process, as it would without this, unless somebody else listens.
    else if (process.listenerCount(event) === 1) throw toError(error)
  }
}
