// Messages to runs: told by anybody, kept until the run has received them.
import { decode, encode } from '../../lib/codec.ts'
import { runNotFound } from '../../model/errors.ts'
import { mailboxOfRunFull, runEndedBefore, runNotStored } from '../../model/message-errors.ts'
import type { TellAnswer, TellRecord } from '../../store/waits.ts'
import { checkKey, checkName, checkOptions } from '../checks.ts'
import type { Face } from './face.ts'
import type { TellArguments } from '../definition/message-types.ts'
import { Tell } from '../processor.ts'
import { RequestWrite } from '../request-write.ts'
import { messageBytes } from '../value-size.ts'
import type { TellingVerbs } from './verbs.ts'

/** What was told to a run and that it has not received. Times are milliseconds since 1970. */
export interface UnreadMessage {
  readonly name: string
  readonly payload: unknown
  readonly at: number
  /** There when it was told with one. */
  readonly key?: string
  /** Why the run does not take it; there when it came after the run had ended, or from a process without the run's code and does not fit its schema. */
  readonly refused?: string
}

export interface TellOptions {
  /** What the message is about, as an order number: `ctx.receive(name, { key })` receives only those of its key. */
  readonly key?: string
}

// More than a person reads.
const mostShown = 1_000

const noOptions: TellOptions = {}

export class Telling implements TellingVerbs {
  readonly #face: Face

  constructor(face: Face) {
    this.#face = face
  }

  async tell(runId: string, name: string, ...[payload, options = noOptions]: TellArguments<unknown>): Promise<true> {
    checkName('The name of a message', name)
    checkTellOptions(name, options)
    // Race: what the caller gave is read before anything is awaited.
    const value = encodeMessage(payload)
    refuseLocalRun(this.#face, runId)
    const checked = await checkedMessage(this.#face, { runId, name }, value)
    return this.#tell({ id: runId, name, key: options.key, ...checked })
  }

  async unread(runId: string): Promise<UnreadMessage[]> {
    await this.#face.existing(runId)
    const rows = await this.#face.deps.store.listMessages({ id: runId, name: null, limit: mostShown })
    return rows.map(({ name, value, at, key, refused }) => ({
      name,
      payload: decode(value),
      at,
      ...(key !== null && { key }),
      ...(refused !== null && { refused }),
    }))
  }

  async #tell(record: TellRecord): Promise<true> {
    const { id, name } = record
    const told = await bringMessage(this.#face, record)
    if (told === 'not_found') throw runNotFound(id)
    if (told === 'full') throw mailboxOfRunFull(id)
    if (told === 'finished') throw runEndedBefore(id, name)
    return true
  }
}

/** Brings a message to the store; whoever runs that run hears of it. */
export function bringMessage(face: Face, record: TellRecord): Promise<TellAnswer> {
  const bring = async (): Promise<TellAnswer> => {
    const write = new RequestWrite('tells', record)
    await face.engine.door.bring(new Tell({ write }))
    return write.answer
  }
  return face.askTwice(bring, (told) => told !== 'not_found')
}

/** Throws `option_invalid` for a run that is not stored, `engine_stopped`. */
export function refuseLocalRun({ engine, checkOpen }: Face, runId: string): void {
  checkOpen()
  if (engine.local.find(runId) !== undefined) throw runNotStored(runId)
}

export function encodeMessage(payload: unknown): string {
  return encode(payload, { maxBytes: messageBytes, what: 'message' })
}

function checkTellOptions(name: string, options: TellOptions): void {
  if (options === noOptions) return
  checkOptions(`the message '${name}'`, options, ['key'])
  if (options.key !== undefined) checkKey(`The key of the message '${name}'`, options.key)
}

/** A message as the schema of its run's definition gives it back, where that is known here; else whoever receives it finds out. */
export async function checkedMessage(
  face: Face,
  message: { readonly runId: string; readonly name: string },
  value: string,
): Promise<Pick<TellRecord, 'value' | 'isChecked'>> {
  const { registry, deps } = face
  if (!registry.hasToldChecks) return { value }
  const findDefinition = (): Promise<number | undefined> => deps.store.definitions.findOf(message.runId)
  const definitionId = await face.askTwice(findDefinition, (id) => id !== undefined)
  if (definitionId === undefined) throw runNotFound(message.runId)
  const told = registry.byId(definitionId)?.told
  if (told === undefined) return { value }
  told.checkName(message.name)
  return { value: encodeMessage(await told.check(message, decode(value))), isChecked: true }
}
