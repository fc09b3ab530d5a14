// What has come for an entity and waits in memory for its turn, fetched from the store some at a time.
import type { Store } from '../store/store.ts'
import type { MailRow } from '../store/waits.ts'

// In one look.
const mostAtOnce = 500

export class Mailbox {
  readonly #store: Pick<Store, 'listMail'>
  readonly #runId: number
  #rows: readonly MailRow[] = []
  #next = 0
  #through = 0
  /** There may be more in the store. */
  #hasNews = true

  constructor(store: Pick<Store, 'listMail'>, runId: number) {
    this.#store = store
    this.#runId = runId
  }

  get hasNews(): boolean {
    return this.#hasNews
  }

  /** Something may have come. */
  mailed(): void {
    this.#hasNews = true
  }

  /** The next of those that were fetched. */
  take(): MailRow | undefined {
    return this.#rows[this.#next++]
  }

  /** Fetches what has come since; all before was taken. */
  async fetch(): Promise<void> {
    // Race: what comes from here on is news again.
    this.#hasNews = false
    this.#rows = await this.#store.listMail(this.#runId, this.#through, mostAtOnce)
    this.#next = 0
    this.#through = this.#rows.at(-1)?.seq ?? this.#through
    if (this.#rows.length === mostAtOnce) this.#hasNews = true
  }
}
