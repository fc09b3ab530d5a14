// What the parts of the engine ask the Committer to write, each with what to do once it is durable.
import { deferred } from '../lib/deferred.ts'
import type { Draft, heldLists } from '../store/lists.ts'
import type * as store from '../store/store.ts'

/** One thing to write. It adds itself to a batch, and is told once what became of it. */
export interface Write {
  /** How many things it really is; one unless told. */
  readonly size?: number
  addTo(draft: Draft): void
  /** The batch is durable; what was refused stands in `committed`. */
  committed(committed: store.Committed): void
  /** Nothing was written. */
  failed(error: Error): void
}

/** Who learns what became of a write for a run. */
export interface WriteOwner {
  written(write: HeldWrite, committed: store.Committed): void
  /** In the place of the run, which gives up without this. */
  writeFailed?(error: Error): void
}

/** A run that this node holds, on whose behalf something is written. */
export interface Writer {
  readonly held: store.Held
  /** The run is not this node's any more. */
  lost(): void
  writeFailed(error: Error): void
}

type HeldList = (typeof heldLists)[number]

/** A record of a held run, for the list it belongs to. */
export type HeldRecord = { [K in HeldList]: { readonly list: K; readonly record: Draft[K][number] } }[HeldList]

/** Writes for a run that this node holds; refused when it does not any more. */
export class HeldWrite implements Write {
  readonly #writer: Writer
  readonly #owner: WriteOwner
  readonly records: readonly HeldRecord[]

  constructor(writer: Writer, owner: WriteOwner, records: readonly HeldRecord[]) {
    this.#writer = writer
    this.#owner = owner
    this.records = records
  }

  get held(): store.Held {
    return this.#writer.held
  }

  addTo(draft: Draft): void {
    for (const { list, record } of this.records) (draft[list] as unknown[]).push(record)
  }

  committed(committed: store.Committed): void {
    if (committed.isNodeLost || committed.lost.has(this.held)) this.#writer.lost()
    else this.#owner.written(this, committed)
  }

  failed(error: Error): void {
    if (this.#owner.writeFailed === undefined) this.#writer.writeFailed(error)
    else this.#owner.writeFailed(error)
  }
}

/** Gives a run back. */
export class ReleaseWrite implements Write {
  readonly #held: store.Held
  readonly #done: () => void

  constructor(held: store.Held, done: () => void) {
    this.#held = held
    this.#done = done
  }

  addTo(draft: Draft): void {
    draft.releases.push(this.#held)
  }

  committed(): void {
    this.#done()
  }

  failed(): void {
    this.#done()
  }
}

/** Tells the store that a run begins that was claimed ahead; nothing when it has ended again by then. */
export class BeginWrite implements Write {
  readonly #run: Writer & { readonly isHeard: boolean }
  readonly #at: number

  constructor(run: Writer & { readonly isHeard: boolean }, at: number) {
    this.#run = run
    this.#at = at
  }

  addTo(draft: Draft): void {
    const { held, isHeard } = this.#run
    if (isHeard) draft.begins.push({ held, at: this.#at })
  }

  committed({ lost }: store.Committed): void {
    if (lost.has(this.#run.held)) this.#run.lost()
  }

  failed(): void {
    // Its death would be counted as no delivery; the run itself goes on.
  }
}

/** Writes nothing; resolves once all that was asked for before it is written, or cannot be. */
export function passBarrier(write: (barrier: Write) => void): Promise<void> {
  const { promise, resolve } = deferred<void>()
  write({ addTo: () => {}, committed: () => resolve(), failed: () => resolve() })
  return promise
}

/** Writes nothing, and makes the next commit tell what others ask of this node. */
export const askForMail: Write = {
  addTo: () => {},
  committed: () => {},
  failed: () => {},
}
