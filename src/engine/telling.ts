// Messages to runs: told by anybody, kept until the run has received them.
import { decode, encode } from '../lib/codec.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import { mailboxOfRunFull, optionInvalid, runNotFound } from '../model/errors.ts'
import type { Committed } from '../store/store.ts'
import type { TellAnswer, TellRecord } from '../store/waits.ts'
import { checkName } from './checks.ts'
import type { Face } from './face.ts'
import { Tell } from './processor.ts'
import type { TellingVerbs } from './verbs.ts'
import type { Draft, Write } from './writes.ts'

/** What was told to a run and that it has not received. Times are milliseconds since 1970. */
export interface UnreadMessage {
  readonly name: string
  readonly payload: unknown
  readonly at: number
}

const mostBytes = 262_144
// More than a person reads.
const mostShown = 1_000

class TellWrite implements Write {
  readonly record: TellRecord
  readonly #answer: Deferred<TellAnswer>
  #place = -1

  constructor(record: TellRecord, answer: Deferred<TellAnswer>) {
    this.record = record
    this.#answer = answer
  }

  addTo(draft: Draft): void {
    this.#place = draft.tells.push(this.record) - 1
  }

  committed({ tells }: Committed): void {
    this.#answer.resolve(tells[this.#place] ?? 'not_found')
  }

  failed(error: Error): void {
    this.#answer.reject(error)
  }
}

export class Telling implements TellingVerbs {
  readonly #face: Face

  constructor(face: Face) {
    this.#face = face
  }

  async tell(runId: string, name: string, payload?: unknown): Promise<boolean> {
    checkName('The name of a message', name)
    // Race: what the caller gave is read before anything is awaited.
    const value = encode(payload, { maxBytes: mostBytes, what: 'message' })
    return tellRun(this.#face, { id: runId, name, value })
  }

  async unread(runId: string): Promise<UnreadMessage[]> {
    await this.#face.existing(runId)
    const rows = await this.#face.deps.store.listMessages({ id: runId, name: null, limit: mostShown })
    return rows.map(({ name, value, at }) => ({ name, payload: decode(value), at }))
  }
}

/** Tells a run that is stored; false when it is over. */
async function tellRun({ engine, checkOpen }: Face, record: TellRecord): Promise<boolean> {
  checkOpen()
  if (engine.local.find(record.id) !== undefined)
    throw optionInvalid('The run', record.id, 'one that is stored: its worker is durable: false')
  const answer = deferred<TellAnswer>()
  await engine.bring(new Tell({ write: new TellWrite(record, answer) }))
  const told = await answer.promise
  if (told === 'not_found') throw runNotFound(record.id)
  if (told === 'full') throw mailboxOfRunFull(record.id)
  engine.mailFor(record.id)
  return told === 'told'
}
