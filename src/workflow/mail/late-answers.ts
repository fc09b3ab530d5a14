// Answers that the end of some code waits for and that take long, or never settle: the status of the run says so, and the log once.
import type { Activation } from '../../engine/activation/activation.ts'
import type { Timer } from '../../lib/clock.ts'
import { keyedPath } from '../../model/path.ts'
import { keepWaits } from '../waits/kept-waits.ts'

// Most are given by then.
const patienceMs = 5_000

/** An answer under way. */
export interface AnswerUnderWay {
  readonly name: string
  /** Where its code is, once that is known. */
  readonly scope: string | undefined
}

/** Where it is remembered what was answered in a scope. */
export function answerPath(scope: string): string {
  return keyedPath(scope, 'answer')
}

export class LateAnswers {
  readonly #activation: Activation
  readonly #isUnderWay: (answer: AnswerUnderWay) => boolean
  readonly #awaited = new Set<AnswerUnderWay>()
  #timer: Timer | undefined
  #hasWarned = false

  constructor(activation: Activation, isUnderWay: (answer: AnswerUnderWay) => boolean) {
    this.#activation = activation
    this.#isUnderWay = isUnderWay
  }

  /** The end of the code around these answers waits for them. */
  wait(answers: readonly AnswerUnderWay[]): void {
    for (const answer of answers) this.#awaited.add(answer)
    this.#timer ??= this.#activation.deps.clock.after(patienceMs, () => this.#look(), { background: true })
  }

  over(): void {
    this.#timer?.cancel()
  }

  #look(): void {
    this.#timer = undefined
    const late = [...this.#awaited].filter((answer) => this.#isUnderWay(answer))
    this.#awaited.clear()
    if (late.length === 0) return
    const waits = late.flatMap(({ name, scope }) =>
      scope === undefined ? [] : [{ path: answerPath(scope), kind: 'answer' as const, name, dueAt: null }],
    )
    if (waits.length > 0) keepWaits(this.#activation, waits)
    if (!this.#hasWarned) this.#warn(late.map(({ name }) => name))
    this.#hasWarned = true
  }

  #warn(names: readonly string[]): void {
    const { deps, claimed } = this.#activation
    const named = [...new Set(names)].map((name) => `'${name}'`).join(', ')
    deps.log.warn(
      { run: claimed.id },
      `The code of the workflow, or of a scope of it, has come to its end, which waits for its answer to ${named}: let that settle, with a timeout for what it awaits.`,
    )
  }
}
