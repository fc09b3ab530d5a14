// What a workflow answers when it is asked: each ask is taken once in the life of the run, in the order of its journal, and so is its answer.
import { errorText } from '../../engine/error-text.ts'
import { valueSize } from '../../engine/value-size.ts'
import { decode, encode } from '../../lib/codec.ts'
import { toError } from '../../lib/errors.ts'
import type { AskRow } from '../../store/asks.ts'
import type { RememberedStep } from '../../store/store.ts'
import type { WaitRecord } from '../../store/waits.ts'
import { keptOf } from '../waits/kept-waits.ts'
import { answerPath, LateAnswers, type AnswerUnderWay } from './late-answers.ts'
import type { LookoutOwner } from '../waits/lookout.ts'
import { refuse } from './receives.ts'

/** One way to answer: `fn` is given the scope of the ask. */
export interface Answer {
  readonly path: string
  readonly name: string
  readonly fn: (payload: unknown, scope: string) => unknown
}

/** What an ask is remembered as. */
interface AskedBefore {
  readonly ask: number
  readonly payload: unknown
}

/** What they need of the steps of the run. */
export interface AnswersOwner extends LookoutOwner {
  /** Whether the next use of this path is remembered. */
  isRemembered(path: string): boolean
  /** Gives what was asked, in its turn: what is remembered, or `ask`, once that is. */
  take(path: string, ask: Pick<AskRow, 'seq' | 'value'> | undefined): Promise<AskedAt>
  /** Remembers an answer, once in the life of the run. */
  answered(path: string, answer: AnswerRecord): Promise<void>
  /** The code that answers has left its scope. */
  left(scope: string): void
}

export interface AskedAt {
  readonly path: string
  readonly value: unknown
}

export interface AnswerRecord {
  readonly ask: number
  readonly isError: boolean
  readonly value: string
}

interface Begun extends AnswerUnderWay {
  /** Of the answer. */
  readonly path: string
  scope: string | undefined
  answered: Promise<void>
}

export class Answers {
  readonly #owner: AnswersOwner
  readonly #answers = new Map<string, Answer>()
  // Begun and not answered.
  readonly #underWay = new Set<Begun>()
  // Of what is to be answered, by the path of the answer.
  readonly #asks = new Map<string, number>()
  // Taken, and perhaps not yet so in the store.
  readonly #taken = new Set<number>()
  readonly #late: LateAnswers
  #isClosed = false

  constructor(owner: AnswersOwner) {
    this.#owner = owner
    this.#late = new LateAnswers(owner.activation, (begun) => this.#underWay.has(begun as Begun))
  }

  /** Whether anything can be answered. */
  get isOpen(): boolean {
    return this.#answers.size > 0 && !this.#isClosed
  }

  /** What can be asked. */
  get names(): readonly string[] {
    return this.isOpen ? Array.from(this.#answers.values(), ({ name }) => name) : []
  }

  /** What a run that is parked is woken for. */
  get waits(): readonly WaitRecord[] {
    if (!this.isOpen) return []
    return Array.from(this.#answers.values(), ({ path, name }) => ({ path, kind: 'ask', name, dueAt: null }))
  }

  get takenCount(): number {
    return this.#taken.size
  }

  /** From now on the run answers so; what it was asked before, it is asked again. */
  add(answer: Answer): void {
    // The newest of a name is the last.
    this.#answers.delete(answer.path)
    this.#answers.set(answer.path, answer)
    while (this.#owner.isRemembered(answer.path)) this.#begin(answer.path, undefined)
  }

  /** Those that are not taken yet of all that are open in the store. */
  untaken(rows: readonly AskRow[]): readonly AskRow[] {
    const there = new Set(rows.map(({ seq }) => seq))
    for (const seq of this.#taken) if (!there.has(seq)) this.#taken.delete(seq)
    return this.#taken.size === 0 ? rows : rows.filter(({ seq }) => !this.#taken.has(seq))
  }

  /** Begins to answer. */
  async take(row: AskRow): Promise<void> {
    const fitting = await this.#fitting(row)
    const answer = this.#find(row.name)
    if (fitting === undefined || answer === undefined || !this.isOpen) return
    this.#taken.add(row.seq)
    this.#begin(answer.path, fitting)
  }

  /** Nothing more of this scope is answered, of the whole run when it is empty; resolves once what was begun in it is. */
  close(scope: string): Promise<void> | undefined {
    if (this.#answers.size === 0) return undefined
    this.#isClosed ||= scope === ''
    const inside = scope === '' ? '' : `${scope}/`
    const open = [...this.#underWay].filter(({ path }) => path.startsWith(inside))
    if (open.length > 0) {
      this.#late.wait(open)
      return Promise.all(open.map(({ answered }) => answered)).then(() => this.close(scope))
    }
    for (const path of this.#answers.keys()) if (path.startsWith(inside)) this.#answers.delete(path)
    return undefined
  }

  /** The run is over here. */
  over(): void {
    this.#late.over()
  }

  /** The name of the answer whose code this scope is in. */
  answering(scope: string): string | undefined {
    for (const begun of this.#underWay) {
      const isInside = begun.scope !== undefined && `${scope}/`.startsWith(`${begun.scope}/`)
      if (isInside) return begun.name
    }
    return undefined
  }

  /** An answer is durable: whoever waits for it here is told. */
  recorded({ path, isError, value }: RememberedStep): void {
    const ask = this.#asks.get(path)
    this.#asks.delete(path)
    if (ask !== undefined) this.#owner.activation.around.post.replies.tell(ask, { isError, value })
  }

  /** As its schema gives it back, where whoever asked could not ask that; undefined when it does not fit, and is answered so. */
  async #fitting(row: AskRow): Promise<AskRow | undefined> {
    const { activation } = this.#owner
    const { told } = activation.definition
    if (told === undefined || row.isChecked) return row
    try {
      const about = { runId: activation.claimed.id, name: row.name }
      return { ...row, value: encode(await told.check(about, decode(row.value))) }
    } catch (error) {
      if (activation.isOver) return undefined
      this.#taken.add(row.seq)
      const why = errorText(toError(error))
      const { replies } = activation.around.post
      refuse(this.#owner, { ask: row.seq, why }, () => replies.tell(row.seq, { isError: true, value: why }))
      return undefined
    }
  }

  #find(name: string): Answer | undefined {
    let found: Answer | undefined
    for (const answer of this.#answers.values()) if (answer.name === name) found = answer
    return found
  }

  #begin(path: string, row: AskRow | undefined): void {
    // What a former activation stored of it goes once it is answered.
    if (row === undefined) keptOf(this.#owner.activation)
    const { name = '' } = this.#answers.get(path) ?? {}
    const begun: Begun = { path, name, scope: undefined, answered: Promise.resolve() }
    begun.answered = this.#owner.take(path, row).then((asked) => {
      begun.scope = asked.path
      return this.#perform(path, asked)
    })
    this.#underWay.add(begun)
    void begun.answered.then(() => this.#underWay.delete(begun))
  }

  /** Calls the code that answers, and remembers what came of it. */
  async #perform(path: string, asked: AskedAt): Promise<void> {
    const { ask, payload } = asked.value as AskedBefore
    const own = answerPath(asked.path)
    const answer = await this.#answerOf(path, payload, asked.path)
    this.#owner.left(asked.path)
    this.#asks.set(own, ask)
    await this.#owner.answered(own, { ask, ...answer })
  }

  async #answerOf(path: string, payload: unknown, scope: string): Promise<Omit<AnswerRecord, 'ask'>> {
    const answer = this.#answers.get(path)
    const { claimed, definition } = this.#owner.activation
    try {
      const own = await answer?.fn(payload, scope)
      const check = definition.told?.replyCheck(answer?.name ?? '')
      const value = check === undefined ? own : await check(claimed.id, own)
      const what = `answer to '${answer?.name}'`
      return { isError: false, value: encode(value, valueSize(this.#owner.activation.around.maxValueBytes, what)) }
    } catch (error) {
      return { isError: true, value: errorText(toError(error)) }
    }
  }
}

/** What is remembered of an ask. */
export function askValue({ seq, value }: Pick<AskRow, 'seq' | 'value'>): string {
  return encode({ ask: seq, payload: decode(value) } satisfies AskedBefore)
}
