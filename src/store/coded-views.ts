// What is read from a store with codecs, and what each value is to them.
import { failureOf } from '../lib/coded-text.ts'
import { fromErrorRecord, toErrorRecord, type ErrorRecord } from '../lib/error-record.ts'
import type { ErrorCode, TroupeError } from '../lib/errors.ts'
import type { Coding } from '../model/codecs/codecs.ts'
import { divergenceFrom, divergenceText, turnsFrom, type Divergence } from '../model/divergence.ts'
import type { StartKey } from '../model/start-key.ts'
import type { AskEnd } from './asks.ts'
import type { EventRecord } from './events.ts'
import type { ForkRecord, ResolveRecord } from './operating.ts'
import type { ScheduleRecord, ScheduleView } from './schedules.ts'
import type { StartRecord } from './start.ts'
import type { Claimed, FinishedRun, RememberedStep, StepKind, StepRecord } from './store.ts'
import type { RunView } from './views.ts'
import type { CompletionResult, HandledRecord, MailRow, MessageRow, TellRecord, WaitRecord } from './waits.ts'

/** A coding that knows what is where. */
export interface Places extends Coding {
  ofStart(this: void, start: StartRecord): StartRecord
  ofTell(this: void, tell: TellRecord): TellRecord
  ofHandled(this: void, handled: HandledRecord): HandledRecord
  ofStep(this: void, step: StepRecord): StepRecord
  ofEvent(this: void, event: EventRecord): EventRecord
  ofNewSchedule(this: void, record: ScheduleRecord): ScheduleRecord
  ofSchedule<View extends ScheduleView | undefined>(view: View): View
  ofFork(fork: ForkRecord): ForkRecord
  ofResolved(result: ResolveRecord): ResolveRecord
  ofResult(result: CompletionResult): CompletionResult
  cancelled<Cancel extends { readonly value: string; readonly reason: string }>(cancel: Cancel): Cancel
  readFields(text: string): string | null
}

// What they hold the store itself writes and reads, or it is no data of the program: the id of a child, that a wait is over, that the code was changed.
const openKinds: ReadonlySet<StepKind> = new Set(['child', 'sleep', 'patch'])

export function placesOf(coding: Coding): Places {
  const ofStart = (start: StartRecord): StartRecord => {
    const input = coding.write(start.input, 'input')
    return { ...start, input, key: digested(coding, start.key) }
  }
  const ofEvent = (event: EventRecord): EventRecord => {
    return { ...event, value: coding.write(event.value, `event:${event.name}`) }
  }
  const ofTell = ({ start, ...tell }: TellRecord): TellRecord => {
    const value = coding.write(tell.value, `message:${tell.name}`)
    return { ...tell, value, ...(start !== undefined && { start: ofStart(start) }) }
  }
  const ofHandled = (handled: HandledRecord): HandledRecord => ({
    ...handled,
    reply: handled.reply && writeResult(coding, handled.reply, 'answer'),
    refused: handled.refused === undefined ? undefined : coding.write(handled.refused, 'refusal'),
    tells: handled.tells.map(ofTell),
    starts: handled.starts.map(ofStart),
    events: handled.events.map(ofEvent),
  })
  const ofStep = (step: StepRecord): StepRecord => {
    if (openKinds.has(step.kind)) return step
    const place = placeOfStep(step)
    // What could not be read is no result: whoever tries the run again reads it anew.
    const failure = step.isError ? undefined : failureOf(step.value)
    if (failure !== undefined)
      return { ...step, isError: true, value: coding.writeError(JSON.stringify(toErrorRecord(failure)), place) }
    const { events } = step
    return writeResult(coding, events === undefined ? step : { ...step, events: events.map(ofEvent) }, place)
  }
  return {
    ...coding,
    ofStart,
    ofTell,
    ofHandled,
    ofStep,
    ofEvent,
    ofNewSchedule: (record) => ({
      ...record,
      input: coding.write(record.input, 'input'),
      key: digested(coding, record.key),
    }),
    ofSchedule: (view) => view && { ...view, input: coding.read(view.input, 'input') },
    ofFork: (fork) => {
      const { input } = fork
      return input === null ? fork : { ...fork, input: { ...input, value: coding.write(input.value, 'input') } }
    },
    ofResolved: (result) => writeResult(coding, result, `step:${result.path}`),
    ofResult: (result) => writeResult(coding, result, 'completion'),
    cancelled: (cancel) => ({
      ...cancel,
      value: coding.writeError(cancel.value, 'outcome'),
      reason: coding.write(cancel.reason, 'reason'),
    }),
    readFields: (text) => {
      const fields = coding.readPlain(text, 'log')
      return fields.startsWith('{') ? fields : JSON.stringify({ fields })
    },
  }
}

/** That of a cache is made of the input, and would tell it to whoever can guess it. */
function digested(coding: Coding, key: StartKey | null): StartKey | null {
  return key?.rule === 'cache' ? { ...key, key: coding.digest(key.key) } : key
}

/** A failed attempt is kept where its step is once that has failed for good; that of a run, where its end is. */
export function placeOfAttempt(path: string): string {
  return path === '' ? 'outcome' : `step:${path}`
}

/** What whoever asked is answered is kept with the question, which knows no step. */
function placeOfStep({ kind, path }: Pick<StepRecord, 'kind' | 'path'>): string {
  return kind === 'answer' ? 'answer' : `step:${path}`
}

function writeResult<Result extends CompletionResult>(coding: Coding, result: Result, place: string): Result {
  const { isError, value } = result
  return { ...result, value: isError ? coding.writeError(value, place) : coding.write(value, place) }
}

function readResult<Result extends CompletionResult>(coding: Coding, result: Result, place: string): Result {
  const { isError, value } = result
  return { ...result, value: isError ? coding.readError(value, place) : coding.read(value, place) }
}

export function readStep<Step extends Omit<RememberedStep, 'hasUndo'>>(places: Places, step: Step): Step {
  return readResult(places, step, placeOfStep(step))
}

/** What somebody with a token told. */
export function readCompletion(places: Places, result: CompletionResult): CompletionResult {
  return readResult(places, result, 'completion')
}

export function readClaimed(places: Places, claimed: Claimed): Claimed {
  const { undoing, awaiting } = claimed
  const read: Claimed = {
    ...claimed,
    input: places.read(claimed.input, 'input'),
    waits: claimed.waits.map((wait) => readWait(places, wait)),
    undoing: undoing && { ...undoing, value: places.readError(undoing.value, 'outcome') },
    steps: claimed.steps.map((step) => readStep(places, step)),
    formerSteps: claimed.formerSteps?.map((step) => readStep(places, step)),
    states: claimed.states.map(({ key, value }) => ({ key, value: places.read(value, `state:${key}`) })),
    awaiting: awaiting && { ...awaiting, result: awaiting.result && readCompletion(places, awaiting.result) },
    awaitingSteps: claimed.awaitingSteps.map((step) => ({
      ...step,
      result: step.result && readCompletion(places, step.result),
    })),
  }
  const unread = unreadFailure(claimed.steps, read.steps)
  return unread === undefined ? read : { ...read, unread }
}

/** Why it is not known with what a step failed: the code of its error as it is kept says that it was something else. */
function unreadFailure(kept: readonly RememberedStep[], read: readonly RememberedStep[]): TroupeError | undefined {
  const unread = read.find(({ isError, value }, at) => {
    const before = kept[at]?.value ?? value
    return isError && before !== value && codeOf(before) !== unreadCode && codeOf(value) === unreadCode
  })
  return unread && (fromErrorRecord(JSON.parse(unread.value) as ErrorRecord) as TroupeError)
}

const unreadCode: ErrorCode = 'value_unreadable'

function codeOf(record: string): string | undefined {
  return (JSON.parse(record) as ErrorRecord).code
}

/** How code ended that does not fit a journal may be told with data of the program. */
export function writeWait(places: Places, wait: WaitRecord): WaitRecord {
  return changedWait(wait, (divergence) => {
    const { end } = divergence
    return end === undefined ? divergence : { ...divergence, end: places.write(end, 'divergence') }
  })
}

function readWait(places: Places, wait: WaitRecord): WaitRecord {
  return changedWait(wait, (divergence) => readDivergence(places, divergence))
}

function changedWait(wait: WaitRecord, change: (divergence: Divergence) => Divergence): WaitRecord {
  const divergence = wait.kind === 'diverged' ? divergenceFrom(wait.name) : undefined
  return divergence === undefined ? wait : { ...wait, name: divergenceText(change(divergence), turnsFrom(wait.name)) }
}

function readDivergence(places: Places, divergence: Divergence): Divergence {
  const { end } = divergence
  return end === undefined ? divergence : { ...divergence, end: places.readPlain(end, 'divergence') }
}

export function readEnd(places: Places, { outcome, value }: FinishedRun): FinishedRun {
  return { outcome, value: readOutcome(places, outcome, value) }
}

export function readRun(places: Places, run: RunView): RunView {
  const { state, value, undoingValue, reason } = run
  return {
    ...run,
    input: places.read(run.input, 'input'),
    value: value === null ? null : readOutcome(places, state, value),
    undoingValue: undoingValue === null ? null : places.readError(undoingValue, 'outcome'),
    reason: reason?.kind === 'diverged' ? { ...reason, divergence: readDivergence(places, reason.divergence) } : reason,
  }
}

function readOutcome(places: Places, state: string, value: string): string {
  return state === 'succeeded' ? places.read(value, 'outcome') : places.readError(value, 'outcome')
}

export function readMessage(places: Places, row: MessageRow): MessageRow {
  return {
    ...row,
    value: places.read(row.value, `message:${row.name}`),
    refused: row.refused === null ? null : places.readPlain(row.refused, 'refusal'),
  }
}

export function readMail(places: Places, row: MailRow): MailRow {
  return { ...row, value: places.read(row.value, `message:${row.name}`) }
}

export function readAnswers(places: Places, ends: ReadonlyMap<number, AskEnd>): ReadonlyMap<number, AskEnd> {
  return new Map(
    [...ends].map(([seq, end]) => [seq, typeof end === 'string' ? end : readResult(places, end, 'answer')]),
  )
}
