// What a run says: messages to whoever watches it, log lines, progress. Written with the next commit.
import { isLogged, type LogLevel } from '../lib/log.ts'
import { escapeUnstorable, textOf } from '../lib/text.ts'
import type { Activation } from './activation.ts'
import type { Surroundings } from './surroundings.ts'
import { checkChoice } from './checks.ts'
import { OutgoingMessages } from './outgoing-messages.ts'
import type { HeldRecord, WriteOwner } from './writes.ts'

// Invariant: I15. What one activation may leave behind for readers, besides its messages.
const mostLogLines = 1_000
const longestLogLine = 65_536

const levels = ['debug', 'info', 'warn', 'error']

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

  log(level: RunLogLevel, text: string): void {
    checkLevel(level)
    if (!isLogged(level, this.#around.logLevel)) return this.#activation.beat()
    const line = logLine(text)
    const { claimed, definition, deps, held, isHeard } = this.#activation
    deps.log[level](
      { worker: definition.name, run: claimed.id },
      `[Worker:${definition.name} run:${claimed.id}] ${line}`,
    )
    if (!isHeard || this.#logLines >= mostLogLines) return
    this.#logLines += 1
    const record = { held, n: this.#logLines, level, text: line, at: deps.store.now() }
    this.#say({ list: 'logs', record })
  }

  written(): void {
    this.#around.heard(this.#activation.claimed.id)
  }

  lost(): void {
    this.#activation.lost()
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

export function checkLevel(level: unknown): void {
  checkChoice('The level of a log line', level, levels)
}

/** What was said, which need be no text, without what no store keeps. */
function logLine(said: unknown): string {
  const text = textOf(said)
  const cut = text.length - longestLogLine
  return escapeUnstorable(cut <= 0 ? text : `${text.slice(0, longestLogLine)}… (${cut} more characters)`)
}
