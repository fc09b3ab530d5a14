// The errors of the actor core: one factory for each, and three for options that are refused.

import { TroupeError } from '../lib/errors.ts'
import type { ErrorCode, ErrorOptions } from '../lib/errors.ts'
import { textOf } from '../lib/text.ts'

/** Prints as `Counter(#7)`. */
interface Named {
  toString(): string
}

export function actorStopped(actor: Named): TroupeError {
  const text = `${actor} has stopped: spawn it anew to go on.`
  return about(actor, text, { code: 'actor_stopped', retryable: false })
}

export function actorKilled(actor: Named): TroupeError {
  const text = `${actor} was killed: spawn it anew to go on.`
  return about(actor, text, { code: 'actor_killed', retryable: false })
}

export function actorFailed(actor: Named, cause: Error): TroupeError {
  const text = `${actor} has failed (${cause.message}): see the cause, then spawn it anew to go on.`
  return about(actor, text, { code: 'actor_failed', cause, retryable: false })
}

export function actorRestarted(actor: Named): TroupeError {
  const text = `${actor} was restarted while it handled this message: send it again if it is harmless to repeat.`
  return about(actor, text, { code: 'actor_restarted', retryable: true })
}

export function restartsUsedUp(
  actor: Named,
  cause: Error | undefined,
  { max, withinMs }: { max: number; withinMs: number },
): TroupeError {
  const last = cause === undefined ? 'it stopped by itself' : cause.message
  const text = `${actor} is not restarted any more: it was restarted ${max} times within ${duration(withinMs)} and ended again (${last}). See the cause, or allow more with max, within and backoff.`
  return about(actor, text, { code: 'restarts_used_up', cause, details: { max, withinMs }, retryable: false })
}

export function deadlock(actor: Named, message: string, path: readonly Named[]): TroupeError {
  const cycle = path.join(' → ')
  const text = `Waiting for ${actor} to take ${message} would never end (${cycle}): use tell on one side, or let the answer come later with ctx.task(() => ref.ask(…), onResult).`
  return about(actor, text, { code: 'deadlock', details: { message, cycle }, retryable: false })
}

export function askTimeout(actor: Named, message: string, timeoutMs: number): TroupeError {
  const text = `${actor} did not answer ${message} within ${duration(timeoutMs)}; it may still have handled it. Make the message harmless to repeat, or give a longer timeout.`
  return about(actor, text, { code: 'ask_timeout', details: { message, timeoutMs }, retryable: true })
}

export function mailboxFull(actor: Named, message: string, capacity: number): TroupeError {
  const text = `The mailbox of ${actor} is full (${capacity}) and refused ${message}: give it more room, or use overflow 'wait'.`
  return about(actor, text, { code: 'mailbox_full', details: { message, capacity }, retryable: true })
}

export function messageDiscarded(actor: Named, message: string, capacity: number): TroupeError {
  const text = `The mailbox of ${actor} is full (${capacity}) and dropped ${message}: give it more room, or use overflow 'wait'.`
  return about(actor, text, { code: 'message_discarded', details: { message, capacity }, retryable: true })
}

export function messageUnknown(actor: Named, message: string): TroupeError {
  const text = `${actor} has no public method ${message}: check the name or the tag.`
  return about(actor, text, { code: 'message_unknown', details: { message }, retryable: false })
}

export function nameTaken(name: string, holder: Named): TroupeError {
  const text = `The name ${JSON.stringify(name)} belongs to ${holder}, which is still alive: stop it first, or choose another name.`
  return about(holder, text, { code: 'name_taken', details: { name } })
}

export function systemStopped(system: string): TroupeError {
  const text = `The actor system ${JSON.stringify(system)} is stopped and starts no more actors: make a new ActorSystem.`
  return new TroupeError('system_stopped', text, { details: { system } })
}

export function priorityOff(actor: Named, message: string): TroupeError {
  const text = `${actor} has no priority lane for ${message}: spawn it with { priority: true }.`
  return about(actor, text, { code: 'option_invalid', details: { message } })
}

export function overlapInvalid(className: string, message: string, why: string): TroupeError {
  return misused(className, `${className} declares ${message} as concurrent or shared, but ${why}.`)
}

export function stashOutside(actor: Named): TroupeError {
  const text = `${actor} has no message to stash: call stash() in a handler that is neither concurrent nor shared.`
  return about(actor, text, { code: 'definition_invalid' })
}

export function stashFull(actor: Named, capacity: number): TroupeError {
  const text = `The stash of ${actor} is full (${capacity}, as its mailbox): unstash earlier, or give it a larger mailbox.`
  return about(actor, text, { code: 'mailbox_full', details: { capacity }, retryable: false })
}

export function registryFailed(entry: string, cause: Error): TroupeError {
  const text = `The registry did not start, because its entry ${JSON.stringify(entry)} failed (${cause.message}); those started before it were stopped again. See the cause, then start it anew.`
  return new TroupeError('registry_failed', text, { cause, details: { entry }, retryable: false })
}

export function openTelemetryMissing(cause: unknown): TroupeError {
  const text =
    'Tracing needs the package @opentelemetry/api: run `npm install @opentelemetry/api`, or hand the module in as { tracing: api }.'
  return new TroupeError('package_missing', text, {
    cause,
    details: { package: '@opentelemetry/api' },
    retryable: false,
  })
}

export function watchUnheard(className: string): TroupeError {
  return misused(
    className,
    `${className} has no method Terminated to hear of the end with: add it, or give watch a function.`,
  )
}

export function threadEnded(actor: string, exitCode: number): TroupeError {
  return new TroupeError('thread_ended', `The thread of ${actor} ended by itself with exit code ${exitCode}.`, {
    details: { actor, exitCode },
    retryable: true,
  })
}

export function exportMissing(className: string, module: string): TroupeError {
  return new TroupeError(
    'definition_invalid',
    `${module} exports no class ${className}: export it under its own name, or as default.`,
    { details: { class: className, module } },
  )
}

export function payloadNotCopied(actor: string, message: string, cause: Error): TroupeError {
  return new TroupeError(
    'value_not_copied',
    `The payload of ${message} cannot be copied into the thread of ${actor} (${cause.message}): send plain data, without refs and functions.`,
    { cause, details: { actor, message } },
  )
}

export function argumentsNotCopied(actor: string, cause: Error): TroupeError {
  return new TroupeError(
    'value_not_copied',
    `The args cannot be copied into the thread of ${actor} (${cause.message}): give plain data, without refs and functions.`,
    { cause, details: { actor } },
  )
}

export function replyNotCopied(cause: Error): TroupeError {
  return new TroupeError(
    'value_not_copied',
    `The reply cannot be copied out of its thread (${cause.message}): return plain data, without refs and functions.`,
    { cause },
  )
}

export function makeInvalid(made: unknown): TroupeError {
  return optionInvalid(
    'actor to spawn',
    made,
    'a function that returns an actor, or a class of actors that needs no arguments',
  )
}

export function actorBoundTwice(holder: Named): TroupeError {
  const text = `This object already lives as ${holder}: spawn a new one, as in spawn(() => new Counter()).`
  return about(holder, text, { code: 'definition_invalid' })
}

export function contextMissing(className: string): TroupeError {
  return misused(
    className,
    `${className} has no ctx before it is spawned: use ctx from started() on, not in the constructor.`,
  )
}

/** What was received, unless it is no whole number of `least` or more. */
export function wholeNumber(option: string, received: number | undefined, least: number): number {
  if (received !== undefined && Number.isInteger(received) && received >= least) return received
  throw optionInvalid(option, received, `a whole number of ${least} or more`)
}

/** What was received, unless it is no object. */
export function anObject<T>(option: string, received: T): T {
  if (typeof received === 'object' && received !== null) return received
  throw optionInvalid(option, received, 'an object')
}

/** What was received, unless it is none of the `choices`. */
export function oneOf<T extends string>(option: string, received: T, choices: readonly T[]): T {
  if (choices.includes(received)) return received
  const quoted = choices.map((choice) => `'${choice}'`)
  throw optionInvalid(option, received, `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`)
}

export function optionInvalid(option: string, value: unknown, wanted: string): TroupeError {
  const received = typeof value === 'string' ? JSON.stringify(value) : textOf(value)
  const text = `The ${option} is ${received}: give ${wanted}.`
  return new TroupeError('option_invalid', text, { details: { option, received } })
}

interface Particulars extends ErrorOptions {
  readonly code: ErrorCode
}

function about(actor: Named, text: string, { code, details, ...options }: Particulars): TroupeError {
  return new TroupeError(code, text, { ...options, details: { actor: String(actor), ...details } })
}

function misused(className: string, text: string): TroupeError {
  return new TroupeError('definition_invalid', text, { details: { class: className } })
}

function duration(ms: number): string {
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`
}
