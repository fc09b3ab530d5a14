// The runs of an engine that performs only what was started by it: those that have not ended, with all that they started.
import { runMoves } from '../../model/run.ts'
import type { Started } from '../../store/start.ts'
import type { Deps } from '../deps.ts'

// So many children are looked for at a time.
const pageSize = 1_000

export class OwnRuns {
  readonly #deps: Deps
  readonly #found: () => void
  readonly #ids = new Set<string>()

  /** `found` is called when there are more. */
  constructor(deps: Deps, found: () => void) {
    this.#deps = deps
    this.#found = found
  }

  get size(): number {
    return this.#ids.size
  }

  ids(): string[] {
    return [...this.#ids]
  }

  add(id: string): void {
    this.#ids.add(id)
  }

  delete(id: string): void {
    this.#ids.delete(id)
  }

  /** Those that have the key of an earlier run go on with what that has started. */
  started(started: readonly Started[]): void {
    for (const { id } of started) this.#ids.add(id)
    const joined = started.filter(({ isNew }) => !isNew)
    if (joined.length > 0) this.takeOver(joined.map(({ id }) => id))
  }

  /** Runs that were there before, perhaps of a process that has ended, and what they have started and waits to be performed. */
  takeOver(ids: readonly string[]): void {
    for (const id of ids) this.#ids.add(id)
    this.#takeChildren(ids).catch((error: unknown) => {
      this.#deps.log.error({ err: error }, 'the children of a run that is taken over could not be looked for')
    })
  }

  async #takeChildren(parents: readonly string[]): Promise<void> {
    for (const parent of parents) {
      const children = await this.#childrenOf(parent)
      for (const id of children) this.#ids.add(id)
      if (children.length === 0) continue
      this.#found()
      await this.#takeChildren(children)
    }
  }

  async #childrenOf(parent: string): Promise<string[]> {
    const all: string[] = []
    for (let after: string | undefined; ;) {
      const page = { parent, state: runMoves.cancel.from, limit: pageSize, ...(after !== undefined && { after }) }
      const children = await this.#deps.store.listRuns(page)
      all.push(...children.map(({ id }) => id))
      after = children.at(-1)?.id
      if (children.length < pageSize) return all
    }
  }
}
