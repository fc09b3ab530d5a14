// What a workflow waits to be told: messages are taken in the order in which they came, by those who asked first.
import { readForRun } from '../../engine/activation/unread.ts'
import { isTroupeError, toError } from '../../lib/errors.ts'
import { decode, encode } from '../../lib/codec.ts'
import type { Duration } from '../../lib/duration.ts'
import type { MessageRow, MessageSlice, RefusalRecord } from '../../store/waits.ts'
import type { LookoutOwner } from '../waits/lookout.ts'

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
  /** The first asked first. */
  readonly order: number
  readonly received: (message: MessageRow) => void
}

// In one look at the store.
const mostAtOnce = 500

export class Receives {
  readonly #owner: LookoutOwner
  readonly #waiting = new Map<string, Receive>()
  // Those of each name, in the order in which they asked, by the key they wait for.
  readonly #lines = new Map<string, Map<string | undefined, Set<Receive>>>()
  // Those in each scope.
  readonly #scopes = new Map<string, Set<string>>()
  // Received, and perhaps not yet forgotten by the store.
  readonly #taken = new Map<number, Pick<MessageRow, 'name' | 'key'>>()
  // How much was received in each scope, and in it and the scopes inside, that the code has not had its turn with.
  readonly #unseen = { in: new Map<string, number>(), within: new Map<string, number>() }
  #asked = 0
  /** A message is there for one that may have lost a race by now. */
  isHolding = false

  constructor(owner: LookoutOwner) {
    this.#owner = owner
  }

  get size(): number {
    return this.#waiting.size
  }

  add(receive: Omit<Receive, 'order'>): void {
    const { path, name, key } = receive
    const waiting = { ...receive, order: ++this.#asked }
    this.#waiting.set(path, waiting)
    const lines = this.#lines.get(name) ?? new Map<string | undefined, Set<Receive>>()
    const line = lines.get(key) ?? new Set<Receive>()
    this.#lines.set(name, lines.set(key, line.add(waiting)))
    for (const scope of scopesOf(path)) {
      const inside = this.#scopes.get(scope) ?? new Set<string>()
      this.#scopes.set(scope, inside.add(path))
    }
  }

  /** It waits no more: its time is up. */
  remove(path: string): void {
    const receive = this.#waiting.get(path)
    if (receive === undefined) return
    this.#waiting.delete(path)
    const lines = this.#lines.get(receive.name)
    const line = lines?.get(receive.key)
    line?.delete(receive)
    if (line?.size === 0) lines?.delete(receive.key)
    if (lines?.size === 0) this.#lines.delete(receive.name)
    for (const scope of scopesOf(path)) {
      const inside = this.#scopes.get(scope)
      inside?.delete(path)
      if (inside?.size === 0) this.#scopes.delete(scope)
    }
  }

  /** Nobody waits any more for what is in this scope: tells which those were. */
  removeWithin(scope: string): readonly string[] {
    const paths = [...(this.#scopes.get(scope) ?? [])]
    for (const path of paths) this.remove(path)
    return paths
  }

  /** The code was given what was received at this path, and had its turn. */
  given(path: string): void {
    this.#countUnseen(path, -1)
  }

  clear(): void {
    this.#waiting.clear()
    this.#lines.clear()
    this.#scopes.clear()
  }

  /** Takes what has come before the message or ask of this number. */
  async see(before: number): Promise<void> {
    this.isHolding = false
    for (const name of this.#lines.keys()) await this.#seeOf(name, before)
  }

  /** Goes through what is there of a name, from the first on, as long as somebody waits for it. */
  async #seeOf(name: string, before: number): Promise<void> {
    const { deps, claimed } = this.#owner.activation
    for (let after = 0; ;) {
      const lines = this.#lines.get(name)
      if (lines === undefined) return
      const [[key, line] = [undefined, undefined]] = lines
      const isOne = lines.size === 1
      const limit = isOne ? Math.min(mostAtOnce, (line?.size ?? 0) + this.#taken.size) : mostAtOnce
      const slice = { id: claimed.id, name, key: isOne ? key : undefined, after, limit }
      const rows = readForRun(await deps.store.listMessages(slice))
      this.#forget(slice, rows)
      for (const row of rows) {
        if (row.seq >= before || this.#isHeld(row)) return
        await this.#offer(row)
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < limit) return
      after = last.seq
    }
  }

  /** Gives a message to whoever asked first of those who wait for it. */
  async #offer(row: MessageRow): Promise<void> {
    if (this.#taken.has(row.seq) || this.#find(row) === undefined) return
    const message = await this.#checked(row)
    const receive = message && this.#find(row)
    if (receive === undefined) return
    this.remove(receive.path)
    this.#taken.set(row.seq, row)
    this.#countUnseen(receive.path, 1)
    receive.received(message as MessageRow)
  }

  /**
   * Race: of several in one scope, or in one inside the other, the first that is told something may end that scope. So whoever else waits there is told
   * once the code has had its turn; in scopes beside each other, as the items of a map, all are at once.
   */
  #isHeld(row: MessageRow): boolean {
    const receive = this.#taken.has(row.seq) ? undefined : this.#find(row)
    const scopes = receive === undefined ? [] : scopesOf(receive.path)
    const isHeld = this.#unseen.within.has(scopes[0] ?? '') || scopes.some((scope) => this.#unseen.in.has(scope))
    this.isHolding ||= isHeld
    return isHeld
  }

  #countUnseen(path: string, more: 1 | -1): void {
    const scopes = scopesOf(path)
    for (const scope of scopes.slice(0, 1)) count(this.#unseen.in, scope, more)
    for (const scope of scopes) count(this.#unseen.within, scope, more)
  }

  #find({ name, key }: MessageRow): Receive | undefined {
    const lines = this.#lines.get(name)
    const [anyone] = lines?.get(undefined) ?? []
    const [own] = key === null ? [] : (lines?.get(key) ?? [])
    if (anyone === undefined || own === undefined) return anyone ?? own
    return anyone.order < own.order ? anyone : own
  }

  /** What was taken and is not in the store any more, as far as that was read. */
  #forget({ name, key, after = 0, limit }: MessageSlice, rows: readonly MessageRow[]): void {
    if (this.#taken.size === 0) return
    const through = rows.length < limit ? Infinity : (rows.at(-1)?.seq ?? 0)
    const there = new Set(rows.map(({ seq }) => seq))
    for (const [seq, taken] of this.#taken) {
      const wasRead = taken.name === name && (key === undefined || taken.key === key) && seq > after && seq <= through
      if (wasRead && !there.has(seq)) this.#taken.delete(seq)
    }
  }

  /** As its schema gives it back, where whoever told it could not ask that; undefined when it does not fit. */
  async #checked(message: MessageRow): Promise<MessageRow | undefined> {
    const { activation } = this.#owner
    const { told } = activation.definition
    if (told === undefined || message.isChecked) return message
    try {
      const about = { runId: activation.claimed.id, name: message.name }
      return { ...message, value: encode(await told.check(about, decode(message.value))) }
    } catch (error) {
      if (!activation.isOver) this.#refuse(message, toError(error))
      return undefined
    }
  }

  /** Nobody will receive it: the run goes on waiting for one that fits. */
  #refuse({ seq, name, key }: MessageRow, error: Error): void {
    const { activation } = this.#owner
    const why = isTroupeError(error, 'validation_failed') ? error.message : `Its schema threw: ${error.message}`
    this.#taken.set(seq, { name, key })
    activation.deps.log.warn({ run: activation.claimed.id, err: error }, 'a message that does not fit was not received')
    refuse(this.#owner, { message: seq, why })
  }
}

function count(counts: Map<string, number>, scope: string, more: 1 | -1): void {
  const left = (counts.get(scope) ?? 0) + more
  if (left === 0) counts.delete(scope)
  else counts.set(scope, left)
}

/** The scopes around a path, the innermost first. */
function scopesOf(path: string): string[] {
  const scopes: string[] = []
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) scopes.push(path.slice(0, at))
  return scopes
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
