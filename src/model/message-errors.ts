// The errors around messages to runs: each is written here once.
import { formatMs } from '../lib/duration.ts'
import { TroupeError } from '../lib/errors.ts'
import { meantText } from '../lib/nearest.ts'
import { optionInvalid } from './errors.ts'

/** Of a run that lives in one process only. */
export function runNotStored(runId: string): TroupeError {
  return optionInvalid('The run', runId, 'one that is stored: its worker is durable: false')
}

export function mailboxOfRunFull(runId: string): TroupeError {
  return new TroupeError(
    'mailbox_full',
    `Run ${runId} has received none of its last 10,000 messages, and takes no more until it has: let its code receive them, or tell it less.`,
    { details: { runId }, retryable: true },
  )
}

/** `whose` says what declares the names, as in `workflow 'order'`. */
export function messageUndeclared(name: string, whose: string, known: readonly string[]): TroupeError {
  const list = known.length === 0 ? 'none' : known.join(', ')
  return new TroupeError(
    'message_unknown',
    `Message '${name}' is not among those that ${whose} declares: ${list}.${meantText(name, known)} Add it to its option { messages }, or correct the name.`,
    { details: { message: name }, retryable: false },
  )
}

/** A message was told too late. */
export function runEndedBefore(runId: string, name: string): TroupeError {
  return new TroupeError(
    'run_ended',
    `Run ${runId} has ended, so nobody receives '${name}': it is kept as a dead letter alone, as troupe.unread() shows. Start another run, or try this one again if it failed, and tell it then.`,
    { details: { runId, message: name }, retryable: false },
  )
}

/** A run was asked too late, or ended before it answered. */
export function runEndedUnasked(runId: string, name: string): TroupeError {
  return new TroupeError(
    'run_ended',
    `Run ${runId} has ended and answers '${name}' no more: look at its result or its steps.`,
    { details: { runId, message: name }, retryable: false },
  )
}

/** A run has come to wait and cannot be asked this. */
export function answerMissing(runId: string, name: string): TroupeError {
  return new TroupeError(
    'answer_missing',
    `Run ${runId} waits and has no answer to '${name}': let its code call ctx.answer('${name}', …) before it first waits, or correct the name.`,
    { details: { runId, message: name } },
  )
}

/** `isBegun`: the run goes on to answer, and nobody hears it. */
export function askLate(
  runId: string,
  name: string,
  { timeoutMs, isBegun }: { readonly timeoutMs: number; readonly isBegun: boolean },
): TroupeError {
  const what = isBegun ? 'it has begun to, and goes on' : 'it had not begun to, and will not'
  return new TroupeError(
    'ask_timeout',
    `Run ${runId} did not answer '${name}' within ${formatMs(timeoutMs)}: ${what}. Ask with a longer { timeout }, or see that a node serves the run.`,
    { details: { runId, message: name, timeoutMs, isBegun }, retryable: true },
  )
}
