// Messages to runs: told by anybody, kept until the run has received them.
import { decode, encode } from '../lib/codec.ts'
import { mailboxOfRunFull, optionInvalid, runNotFound } from '../model/errors.ts'
import type { TellRecord } from '../store/waits.ts'
import { checkName } from './checks.ts'
import type { Face } from './face.ts'
import { Tell } from './processor.ts'
import { RequestWrite } from './request-write.ts'
import { messageBytes } from './value-size.ts'
import type { TellingVerbs } from './verbs.ts'

/** What was told to a run and that it has not received. Times are milliseconds since 1970. */
export interface UnreadMessage {
  readonly name: string
  readonly payload: unknown
  readonly at: number
}

// More than a person reads.
const mostShown = 1_000

export class Telling implements TellingVerbs {
  readonly #face: Face

  constructor(face: Face) {
    this.#face = face
  }

  async tell(runId: string, name: string, payload?: unknown): Promise<boolean> {
    checkName('The name of a message', name)
    // Race: what the caller gave is read before anything is awaited.
    const value = encode(payload, { maxBytes: messageBytes, what: 'message' })
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
  const write = new RequestWrite('tells', record)
  await engine.bring(new Tell({ write }))
  const told = await write.answer
  if (told === 'not_found') throw runNotFound(record.id)
  if (told === 'full') throw mailboxOfRunFull(record.id)
  engine.mailFor(record.id)
  return told === 'told'
}
