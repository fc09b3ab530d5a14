// What a workflow waits to be told: messages are taken in the order in which they came, by those who asked first.
import { isTroupeError, toError } from '../lib/errors.ts'
import { decode, encode } from '../lib/codec.ts'
import type { Duration } from '../lib/duration.ts'
import type { MessageRow, RefusalRecord } from '../store/waits.ts'
import type { LookoutOwner } from './lookout.ts'

export interface ReceiveOptions {
  /** For ever unless told. */
  readonly timeout?: Duration
  /** Only what was told with this key; without one, whatever was told by the name. */
  readonly key?: string
}

/** What is to be received. */
export interface ReceiveAsked {
  readonly name: string
  /** Any unless told. */
  readonly key: string | undefined
}

/** One that waits for a message of a name, and of a key where it says so. */
export interface Receive extends ReceiveAsked {
  readonly path: string
  readonly received: (message: MessageRow) => void
}

export class Receives {
  readonly #owner: LookoutOwner
  readonly #waiting = new Map<string, Receive>()
  // Received, and perhaps not yet forgotten by the store: where those stood who received it.
  readonly #taken = new Map<number, string>()

  constructor(owner: LookoutOwner) {
    this.#owner = owner
  }

  get size(): number {
    return this.#waiting.size
  }

  add(receive: Receive): void {
    this.#waiting.set(receive.path, receive)
  }

  /** It waits no more: its time is up. */
  remove(path: string): void {
    this.#waiting.delete(path)
  }

  /** Nobody waits for these any more. */
  removeWithin(scope: string): void {
    for (const path of this.#waiting.keys()) if (path.startsWith(scope)) this.remove(path)
  }

  clear(): void {
    this.#waiting.clear()
  }

  /** Takes what has come before the message or ask of this number. */
  async see(before: number): Promise<void> {
    const lines = new Map<string, Receive[]>()
    for (const receive of this.#waiting.values()) {
      const line = lines.get(lineOf(receive))
      if (line === undefined) lines.set(lineOf(receive), [receive])
      else line.push(receive)
    }
    for (const [line, receives] of lines) await this.#take(line, receives, before)
  }

  /** Gives those who wait for the same what is there of it. */
  async #take(line: string, receives: readonly Receive[], before: number): Promise<void> {
    const { deps, claimed } = this.#owner.activation
    const { name, key } = receives[0] as Receive
    const limit = receives.length + this.#taken.size
    const rows = await deps.store.listMessages({ id: claimed.id, name, key, limit })
    this.#forget(line, rows.length < limit ? Infinity : (rows.at(-1)?.seq ?? 0), rows)
    let first = 0
    for (const row of rows) {
      if (row.seq >= before) return
      const message = this.#taken.has(row.seq) ? undefined : await this.#checked(row, line)
      while (first < receives.length && !this.#waiting.has((receives[first] as Receive).path)) first += 1
      const receive = receives[first]
      if (receive === undefined) return
      if (message === undefined) continue
      this.#waiting.delete(receive.path)
      this.#taken.set(message.seq, line)
      receive.received(message)
    }
  }

  /** What was taken of a line and is not in the store any more, as far as that was read. */
  #forget(line: string, through: number, rows: readonly MessageRow[]): void {
    if (this.#taken.size === 0) return
    const there = new Set(rows.map(({ seq }) => seq))
    for (const [seq, takenOf] of this.#taken)
      if (takenOf === line && seq <= through && !there.has(seq)) this.#taken.delete(seq)
  }

  /** As its schema gives it back, where whoever told it could not ask that; undefined when it does not fit. */
  async #checked(message: MessageRow, line: string): Promise<MessageRow | undefined> {
    const { activation } = this.#owner
    const { told } = activation.definition
    if (told === undefined || message.isChecked) return message
    try {
      const about = { runId: activation.claimed.id, name: message.name }
      return { ...message, value: encode(await told.check(about, decode(message.value))) }
    } catch (error) {
      if (!activation.isOver) this.#refuse(message.seq, line, toError(error))
      return undefined
    }
  }

  /** Nobody will receive it: the run goes on waiting for one that fits. */
  #refuse(seq: number, line: string, error: Error): void {
    const { activation } = this.#owner
    const why = isTroupeError(error, 'validation_failed') ? error.message : `Its schema threw: ${error.message}`
    this.#taken.set(seq, line)
    activation.deps.log.warn({ run: activation.claimed.id, err: error }, 'a message that does not fit was not received')
    refuse(this.#owner, { message: seq, why })
  }
}

/** Writes that the run does not take what it was told or asked. */
export function refuse(owner: LookoutOwner, refusal: Omit<RefusalRecord, 'held'>, done: () => void = () => {}): void {
  const { activation } = owner
  owner.asking()
  const written = (): void => {
    done()
    owner.asked()
  }
  activation.write({ written }, [{ list: 'refusals', record: { ...refusal, held: activation.held } }])
}

/** Where those stand who wait for the same. */
function lineOf({ name, key }: ReceiveAsked): string {
  return JSON.stringify([name, key])
}
