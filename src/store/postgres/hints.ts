// Hints between processes: after a commit one is sent, and whoever hears of it looks. They save time; nothing depends on them.
import type { Clock } from '../../lib/clock.ts'
import { configOf, type Client } from './client.ts'
import type { Place } from './place.ts'

// The first goes out at once; then no more than one in so long.
const everyMs = 10
// How soon a connection that was lost is made anew, at first and at last.
const soonestMs = 50
const latestMs = 5_000
// Where nobody can be heard, as through a pooler, those who listen look so often.
const pollMs = 200

/** Whether others are heard: not through a pooler, and not while the connection is lost. */
export type Hearing = 'listening' | 'pooled' | 'lost'

export interface HintOptions {
  readonly place: Place
  readonly clock: Clock
  readonly connect: (config: ReturnType<typeof configOf>) => Client
}

export class Hints {
  readonly #options: HintOptions
  readonly #channel: string
  readonly #listeners = new Set<() => void>()
  #client: Client | undefined
  #heard = 0
  #delayMs = soonestMs
  #isResting = false
  #isOwed = false
  #isClosed = false

  constructor(options: HintOptions) {
    this.#options = options
    this.#channel = `troupe_${options.place.schema}`
  }

  /** Resolves once it listens, or has found that it cannot for now. */
  async open(): Promise<void> {
    if (!this.#options.place.isPooled) await this.#listen()
  }

  get hearing(): Hearing {
    if (this.#options.place.isPooled) return 'pooled'
    return this.#client === undefined ? 'lost' : 'listening'
  }

  /** Changes when another process may have written. */
  get count(): number {
    // Who hears nothing looks now and then; what is heard is counted the other way.
    return this.#client === undefined ? -Math.ceil(this.#options.clock.monotonic() / pollMs) : this.#heard
  }

  /** Calls `written` when another process has; undefined where that is not heard. */
  whenHeard(written: () => void): (() => void) | undefined {
    if (this.#options.place.isPooled || this.#client === undefined) return undefined
    this.#listeners.add(written)
    return () => this.#listeners.delete(written)
  }

  /** This process has written. */
  send(): void {
    if (this.#isResting) this.#isOwed = true
    else this.#sendNow()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#client?.end().catch(() => undefined)
  }

  #sendNow(): void {
    const client = this.#client
    if (client === undefined) return
    this.#isResting = true
    this.#isOwed = false
    client.query(`notify ${this.#channel}`).catch(() => undefined)
    const rested = (): void => {
      this.#isResting = false
      if (this.#isOwed) this.#sendNow()
    }
    this.#options.clock.after(everyMs, rested, { background: true, upkeep: true })
  }

  #hear(): void {
    this.#heard += 1
    for (const written of this.#listeners) written()
  }

  /** Listens, and begins anew when the connection is lost. */
  async #listen(): Promise<void> {
    if (this.#isClosed) return
    const { place, connect } = this.#options
    const client = connect({ ...configOf(place, 1), pipeline: true })
    // A connection that ends while it is asked tells it twice.
    const lost = onlyOnce(() => this.#lost(client))
    client.once('error', lost)
    client.once('end', lost)
    try {
      await client.connect()
      // It takes a lock of the whole server while it commits, and no hint is worth waiting for a disk.
      await client.query('set synchronous_commit to off')
      client.on('notification', ({ processId }) => {
        if (processId !== (client as unknown as { processID: number }).processID) this.#hear()
      })
      await client.query(`listen ${this.#channel}`)
      if (this.#isClosed) return await client.end()
      this.#client = client
      this.#delayMs = soonestMs
      // What was written before nobody has told of.
      this.#hear()
    } catch {
      lost()
    }
  }

  #lost(client: Client): void {
    client.removeAllListeners('end')
    client.removeAllListeners('error')
    client.on('error', () => {})
    client.end().catch(() => undefined)
    if (this.#client === client) this.#client = undefined
    if (this.#isClosed) return
    this.#options.clock.after(this.#delayMs, () => void this.#listen(), { background: true, upkeep: true })
    this.#delayMs = Math.min(this.#delayMs * 2, latestMs)
  }
}

function onlyOnce(act: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    act()
  }
}
