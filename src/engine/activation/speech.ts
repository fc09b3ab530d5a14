// What a run says: messages to whoever watches it, log lines, progress. Written with the next commit.
import { isLogged, type LogFields, type LogLevel } from '../../lib/log.ts'
import { plainFields } from '../../lib/plain.ts'
import { escapeUnstorable, textOf } from '../../lib/text.ts'
import type { Activation } from './activation.ts'
import type { Surroundings } from './surroundings.ts'
import { checkChoice } from '../checks.ts'
import { OutgoingMessages } from '../mailboxes/outgoing-messages.ts'
import type { HeldRecord, WriteOwner } from '../writes.ts'

// Invariant: I15. What one activation may leave behind for readers, besides its messages.
const mostLogLines = 1_000
const longestLogLine = 65_536

const tooManyLines = {
  level: 'warn',
  text: `No more lines of this attempt are kept: ${mostLogLines.toLocaleString('en')} are the most.`,
  fields: null,
} as const

export const runLogLevels = ['debug', 'info', 'warn', 'error'] as const

export type RunLogLevel = Exclude<LogLevel, 'silent'>

export class Speech implements WriteOwner {
  readonly #activation: Activation
  readonly #around: Surroundings
  readonly #messages: OutgoingMessages
  #logLines = 0

  constructor(activation: Activation, around: Surroundings) {
    this.#activation = activation
    this.#around = around
    this.#messages = new OutgoingMessages(activation)
  }

  /** False when it was dropped: the run is over, or has said too much. */
  emit(message: unknown): boolean {
    return this.#messages.emit(message)
  }

  /** What was said comes before what is written next. */
  flush(): void {
    this.#messages.flush()
  }

  progress(done: number, total: number): void {
    if (!this.#activation.isHeard) return
    this.#say({ list: 'progress', record: { held: this.#activation.held, done, total } })
  }

  log(level: RunLogLevel, text: string, fields?: LogFields): void {
    checkLevel(level)
    if (!isLogged(level, this.#around.logLevel)) return this.#activation.beat()
    const said = spoken(text, fields)
    const line = logLine(said.text)
    const kept = plainFields(said.fields)
    const { claimed, definition, deps } = this.#activation
    deps.log[level](
      { ...kept, worker: definition.name, run: claimed.id },
      `[Worker:${definition.name} run:${claimed.id}] ${line}`,
    )
    this.#keepLine({ level, text: line, fields: kept === undefined ? null : JSON.stringify(kept) })
  }

  #keepLine(line: { readonly level: RunLogLevel; readonly text: string; readonly fields: string | null }): void {
    const { deps, held, isHeard } = this.#activation
    if (!isHeard || this.#logLines > mostLogLines) return
    this.#logLines += 1
    // Whoever reads them is told that there were more.
    const said = this.#logLines > mostLogLines ? tooManyLines : line
    this.#say({ list: 'logs', record: { held, n: this.#logLines, ...said, at: deps.store.now() } })
  }

  written(): void {
    this.#around.heard(this.#activation.claimed.id)
  }

  /** Words are not worth a run: what could not be written is gone, and the next real write tells. */
  writeFailed(error: Error): void {
    this.#around.deps.log.warn({ run: this.#activation.claimed.id, err: error }, 'what a run said was lost')
  }

  #say(record: HeldRecord): void {
    this.#activation.beat()
    this.#activation.send(this, [record])
  }
}

/** What is said and its data. Also in the order of pino, data first, which would keep `[object Object]`. */
export function spoken(text: unknown, fields: unknown): { readonly text: unknown; readonly fields: unknown } {
  const isReversed = typeof fields === 'string' && typeof text === 'object' && text !== null
  return isReversed ? { text: fields, fields: text } : { text, fields }
}

export function checkLevel(level: unknown): void {
  checkChoice('The level of a log line', level, runLogLevels)
}

/** What was said, which need be no text, without what no store keeps. */
function logLine(said: unknown): string {
  const text = textOf(said)
  const cut = text.length - longestLogLine
  return escapeUnstorable(cut <= 0 ? text : `${text.slice(0, longestLogLine)}… (${cut} more characters)`)
}
