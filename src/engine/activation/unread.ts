// A run that this process cannot read: one whose key it was not given is left to those that have it, one that was changed has failed.
import { isTroupeError, type TroupeError } from '../../lib/errors.ts'
import { failureOf, failureOfRecord } from '../../lib/coded-text.ts'
import { fromErrorRecord, type ErrorRecord } from '../../lib/error-record.ts'
import type { Difference } from '../../model/divergence.ts'
import type { Claimed, Store } from '../../store/store.ts'
import type { CompletionResult, WaitRecord } from '../../store/waits.ts'
import type { Activation } from './activation.ts'
import { knownDivergence, openWaits, setAside } from './set-aside.ts'

/** Why what a run goes on with gives no value here. */
export function whyUnread(claimed: Claimed): TroupeError | undefined {
  const { unread, input, steps, formerSteps = [], states, awaiting, awaitingSteps } = claimed
  return (
    unread ??
    failureOf(input) ??
    firstOf(steps, ofStep) ??
    firstOf(formerSteps, ofStep) ??
    firstOf(states, ({ value }) => failureOf(value)) ??
    firstOf(awaitingSteps, ofAwaiting) ??
    (awaiting && ofAwaiting(awaiting))
  )
}

function firstOf<Item>(items: readonly Item[], why: (item: Item) => TroupeError | undefined): TroupeError | undefined {
  for (const item of items) {
    const failure = why(item)
    if (failure !== undefined) return failure
  }
  return undefined
}

function ofStep({ isError, value }: CompletionResult): TroupeError | undefined {
  return isError ? failureOfRecord(value) : failureOf(value)
}

function ofAwaiting({ result }: { readonly result: CompletionResult | null }): TroupeError | undefined {
  return result === null ? undefined : whyNotHere(result)
}

/** Why a result that came to a run has to be left to another process. */
export function whyNotHere({ isError, value }: CompletionResult): TroupeError | undefined {
  const why = isError ? (failureOfRecord(value) ?? unreadError(value)) : failureOf(value)
  return why?.retryable === true ? why : undefined
}

/** For the run that takes them. Throws where a process with another key can read one: it is left to that. */
export function readForRun<Row extends { readonly value: string; readonly isError?: boolean }>(
  rows: readonly Row[],
): readonly Row[] {
  for (const { value, isError = false } of rows) {
    const why = whyNotHere({ isError, value })
    if (why !== undefined) throw why
  }
  return rows
}

/** Sets a run aside with all it waits for. Throws why it cannot be read where no other process could. */
export function leaveUnread(
  activation: Activation,
  why: TroupeError,
  waits: readonly WaitRecord[] = openWaits(activation.claimed),
): void {
  if (why.retryable !== true || activation.around.rehearsing !== undefined) throw why
  const { claimed, definition, deps } = activation
  const isNews = knownDivergence(claimed) === undefined
  const fields = { run: claimed.id, definition: definition.name }
  deps.log[isNews ? 'error' : 'debug'](fields, `a run was set aside, as it cannot be read: ${why.message}`)
  const difference: Difference = { holds: { path: '', kind: 'value' }, more: 0, asked: [], unread: why.message }
  setAside(activation, waits, difference)
}

/** Sets a run aside where what is read for it cannot be read here, and another process may read it; undefined then. */
export async function readOrLeave<Read>(activation: Activation, read: () => Promise<Read>): Promise<Read | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!isTroupeError(error, 'template_invalid') || error.retryable !== true) throw error
    if (!activation.isOver) leaveUnread(activation, error)
    return undefined
  }
}

/** Throws when what is written now cannot be read for want of a codec or a key: whoever performs runs here would take those that are not for it. */
export async function checkReadable(store: Store): Promise<void> {
  const [current] = await store.codings.list()
  const [newest] = await store.listRuns({ limit: 1 })
  for (const text of [newest?.input ?? '', current?.proof ?? '']) {
    const why = failureOf(text)
    if (why?.retryable === true) throw why
  }
}

/** A codec gives this in the place of an error that it cannot read. */
function unreadError(text: string): TroupeError | undefined {
  if (!text.includes('"value_unreadable"')) return undefined
  const record = JSON.parse(text) as ErrorRecord
  return record.code === 'value_unreadable' ? (fromErrorRecord(record) as TroupeError) : undefined
}
