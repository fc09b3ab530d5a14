// Questions to runs: asked by anybody, and answered by their code while they run or wait.
import { decode } from '../../lib/codec.ts'
import { toMs, type Duration } from '../../lib/duration.ts'
import { fromErrorRecord, type ErrorRecord } from '../../lib/error-record.ts'
import { reviveError } from '../../model/error-classes.ts'
import { runNotFound } from '../../model/errors.ts'
import { answerMissing, askLate, mailboxOfRunFull, runEndedUnasked } from '../../model/message-errors.ts'
import type { AskEnd } from '../../store/asks.ts'
import type { TellAnswer } from '../../store/waits.ts'
import { storedTime } from './call.ts'
import { checkName, checkOptions } from '../checks.ts'
import type { Face } from './face.ts'
import type { TellArguments } from '../definition/message-types.ts'
import { bringMessage, checkedMessage, encodeMessage, refuseLocalRun } from './telling.ts'
import type { AskingVerbs } from './verbs.ts'

export interface AskOptions {
  /** How long to wait for the answer; 30 s unless told. What the run has not begun to answer by then, it does not any more. */
  readonly timeout?: Duration
}

const noOptions: AskOptions = {}
const defaultTimeout = '30s'

interface Asked {
  readonly runId: string
  readonly name: string
  readonly timeoutMs: number
}

export class Asking implements AskingVerbs {
  readonly #face: Face

  constructor(face: Face) {
    this.#face = face
  }

  async ask<Reply = unknown>(
    runId: string,
    name: string,
    ...[payload, options = noOptions]: TellArguments<unknown, AskOptions>
  ): Promise<Reply> {
    checkName('The name of a message', name)
    checkOptions(`the ask '${name}'`, options, ['timeout'])
    const timeoutMs = toMs(options.timeout ?? defaultTimeout, 'timeout')
    // Race: what the caller gave is read before anything is awaited.
    const value = encodeMessage(payload)
    refuseLocalRun(this.#face, runId)
    const checked = await checkedMessage(this.#face, { runId, name }, value)
    const asked = { runId, name, timeoutMs }
    return (await this.#ask(asked, checked)) as Reply
  }

  /** store → wait → take back what is too late */
  async #ask(asked: Asked, message: Awaited<ReturnType<typeof checkedMessage>>): Promise<unknown> {
    const { engine, deps } = this.#face
    const { runId, name, timeoutMs } = asked
    const askedUntil = storedTime(deps.store.now() + timeoutMs)
    const seq = seqOf(asked, await bringMessage(this.#face, { id: runId, name, askedUntil, ...message }))
    return this.#replyOf(asked, seq, await engine.post.replies.wait(seq, timeoutMs))
  }

  async #replyOf(asked: Asked, seq: number, end: AskEnd | 'late'): Promise<unknown> {
    const { runId, name, timeoutMs } = asked
    if (typeof end === 'object') {
      if (end.isError) throw fromErrorRecord(JSON.parse(end.value) as ErrorRecord, reviveError)
      return decode(end.value)
    }
    if (end === 'finished') throw runEndedUnasked(runId, name)
    // Race: the run may have come to answer since it was looked at.
    const isBegun = end === 'gone' ? false : !(await this.#face.deps.store.asks.withdraw(seq))
    if (end === 'missing' && !isBegun) throw answerMissing(runId, name)
    if (end === 'missing') return this.#replyOf(asked, seq, await this.#face.engine.post.replies.wait(seq, timeoutMs))
    throw askLate(runId, name, { timeoutMs, isBegun })
  }
}

function seqOf({ runId, name }: Asked, told: TellAnswer): number {
  if (typeof told === 'object') return told.ask
  switch (told) {
    case 'not_found':
      throw runNotFound(runId)
    case 'full':
      throw mailboxOfRunFull(runId)
    case 'finished':
      throw runEndedUnasked(runId, name)
    case 'missing':
    case 'told':
      throw answerMissing(runId, name)
  }
}
