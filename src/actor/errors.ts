// The errors of the actor core, one factory for each.

import { formatMs } from '../lib/duration.ts'
import { TroupeError } from '../lib/errors.ts'

/** Prints as `Counter(#7)`. */
interface Named {
  toString(): string
}

export function actorStopped(actor: Named): TroupeError {
  return new TroupeError(
    'actor_stopped',
    `${actor} has stopped and takes no messages: spawn it anew, or keep its ref out of reach once it is stopped.`,
    {
      details: { actor: String(actor) },
      retryable: false,
    },
  )
}

export function actorKilled(actor: Named): TroupeError {
  return new TroupeError(
    'actor_killed',
    `${actor} was killed: its pending messages are dead letters; spawn it anew to go on.`,
    {
      details: { actor: String(actor) },
      retryable: false,
    },
  )
}

export function actorFailed(actor: Named, cause: Error): TroupeError {
  return new TroupeError(
    'actor_failed',
    `${actor} has failed (${cause.message}): its pending messages are dead letters; see the cause, then spawn it anew.`,
    {
      cause,
      details: { actor: String(actor) },
      retryable: false,
    },
  )
}

export function actorRestarted(actor: Named): TroupeError {
  return new TroupeError(
    'actor_restarted',
    `${actor} was restarted while it handled this message; it may have done part of it. Make the message harmless to repeat, then send it again.`,
    { details: { actor: String(actor) }, retryable: true },
  )
}

export function restartsUsedUp(
  actor: Named,
  cause: Error | undefined,
  limits: { max: number; withinMs: number },
): TroupeError {
  const { max, withinMs } = limits
  const last = cause === undefined ? 'it stopped by itself' : cause.message
  return new TroupeError(
    'restarts_used_up',
    `${actor} is not restarted any more: it was restarted ${max} times within ${formatMs(withinMs)} and ended again (${last}). See the cause, or allow more with max, within and backoff.`,
    { cause, details: { actor: String(actor), max, withinMs }, retryable: false },
  )
}

export function deadlock(actor: Named, message: string, path: readonly Named[]): TroupeError {
  const cycle = path.join(' → ')
  return new TroupeError(
    'deadlock',
    `Waiting for ${actor} to take ${message} would never end (${cycle}): use tell on one side, or let the answer come later with ctx.task(() => ref.ask(…), onResult).`,
    { details: { actor: String(actor), message, cycle }, retryable: false },
  )
}

export function askTimeout(actor: Named, message: string, timeoutMs: number): TroupeError {
  return new TroupeError(
    'ask_timeout',
    `${actor} did not answer ${message} within ${formatMs(timeoutMs)}; it may still have handled it. Make the message harmless to repeat, or give a longer timeout.`,
    { details: { actor: String(actor), message, timeoutMs }, retryable: true },
  )
}

export function mailboxFull(actor: Named, message: string, capacity: number): TroupeError {
  return new TroupeError(
    'mailbox_full',
    `The mailbox of ${actor} is full (${capacity}) and fails on overflow, so ${message} became a dead letter: slow down, or use overflow 'wait'.`,
    { details: { actor: String(actor), message, capacity }, retryable: true },
  )
}

export function messageDiscarded(actor: Named, message: string, capacity: number): TroupeError {
  return new TroupeError(
    'message_discarded',
    `The mailbox of ${actor} is full (${capacity}) and dropped ${message}: give it more room, or use overflow 'wait'.`,
    { details: { actor: String(actor), message, capacity }, retryable: true },
  )
}

export function messageUnknown(actor: Named, message: string): TroupeError {
  return new TroupeError(
    'message_unknown',
    `${actor} has no public method ${message}, so the message became a dead letter: check the name or the tag.`,
    {
      details: { actor: String(actor), message },
      retryable: false,
    },
  )
}

export function nameTaken(name: string, holder: Named): TroupeError {
  return new TroupeError(
    'name_taken',
    `The name ${JSON.stringify(name)} belongs to ${holder}, which is still alive: stop it first, or choose another name.`,
    {
      details: { name, actor: String(holder) },
    },
  )
}

export function systemStopped(system: string): TroupeError {
  return new TroupeError(
    'system_stopped',
    `The actor system ${JSON.stringify(system)} is stopped and starts no more actors: make a new ActorSystem.`,
    {
      details: { system },
    },
  )
}

export function capacityInvalid(received: unknown): TroupeError {
  return optionInvalid('mailbox capacity', received, 'a whole number of 1 or more')
}

export function overflowInvalid(received: unknown): TroupeError {
  return optionInvalid('mailbox overflow', received, "'wait', 'fail', 'drop-oldest' or 'drop-newest'")
}

export function intervalInvalid(received: unknown): TroupeError {
  return optionInvalid('interval', received, 'a duration above zero')
}

export function priorityOff(actor: Named, message: string): TroupeError {
  return new TroupeError(
    'option_invalid',
    `${actor} has no priority lane for ${message}: spawn it with { priority: true }.`,
    { details: { actor: String(actor), message } },
  )
}

export function overlapInvalid(className: string, name: string, why: string): TroupeError {
  return new TroupeError('definition_invalid', `${className} declares ${name} as concurrent or shared, but ${why}.`, {
    details: { class: className, message: name },
  })
}

export function stashOutside(actor: Named): TroupeError {
  return new TroupeError(
    'definition_invalid',
    `${actor} has no message to stash: call stash() while a message is handled, and not in a concurrent or shared handler.`,
    { details: { actor: String(actor) } },
  )
}

export function stashFull(actor: Named, capacity: number): TroupeError {
  return new TroupeError(
    'mailbox_full',
    `The stash of ${actor} is full (${capacity}, as its mailbox): unstash earlier, or give it a larger mailbox.`,
    { details: { actor: String(actor), capacity }, retryable: false },
  )
}

export function limitInvalid(received: unknown): TroupeError {
  return optionInvalid('limit of a task', received, 'a whole number of 1 or more')
}

export function restartInvalid(received: unknown): TroupeError {
  return optionInvalid('restart policy', received, "'permanent', 'transient' or 'temporary'")
}

export function restartMaxInvalid(received: unknown): TroupeError {
  return optionInvalid('number of restarts (max)', received, 'a whole number of 0 or more')
}

export function strategyInvalid(received: unknown): TroupeError {
  return optionInvalid('strategy', received, "'one-for-one', 'one-for-all' or 'rest-for-one'")
}

export function entryInvalid(key: string, received: unknown): TroupeError {
  return optionInvalid(
    `entry ${JSON.stringify(key)}`,
    received,
    'a function that makes the actor, a class without arguments, or { make, … } with options',
  )
}

export function registryFailed(key: string, cause: Error): TroupeError {
  return new TroupeError(
    'registry_failed',
    `The registry did not start, because its entry ${JSON.stringify(key)} failed (${cause.message}); those started before it were stopped again. See the cause, then start it anew.`,
    { cause, details: { entry: key }, retryable: false },
  )
}

export function openTelemetryMissing(cause: unknown): TroupeError {
  return new TroupeError(
    'package_missing',
    'The actor system is to trace, but the package @opentelemetry/api cannot be loaded: run `npm install @opentelemetry/api`, or hand the module in as { tracing: api }.',
    { cause, details: { package: '@opentelemetry/api' }, retryable: false },
  )
}

export function poolSizeInvalid(received: unknown): TroupeError {
  return optionInvalid('size (or min, or max) of the pool', received, 'a whole number of 1 or more')
}

export function poolLimitsInvalid(min: number, max: number): TroupeError {
  return optionInvalid('min of the pool', min, `at most its max, which is ${max}`)
}

export function poolLimitsMixed(size: number): TroupeError {
  return optionInvalid('size of the pool', size, 'either size or min and max, not both')
}

export function routeInvalid(received: unknown): TroupeError {
  return optionInvalid('route', received, "'round-robin', 'least-busy', 'random', 'hash' or 'broadcast'")
}

export function keyMissing(): TroupeError {
  return optionInvalid(
    'key of the pool',
    undefined,
    "a function of name and payload, as route 'hash' goes by what it returns",
  )
}

export function idleTimeInvalid(received: unknown): TroupeError {
  return optionInvalid('idleAfter', received, 'a duration above zero')
}

export function watchUnheard(className: string): TroupeError {
  return new TroupeError(
    'definition_invalid',
    `${className} has no method Terminated to hear of the end with: add it, or give watch a function.`,
    { details: { class: className } },
  )
}

export function actorBoundTwice(holder: Named): TroupeError {
  return new TroupeError(
    'definition_invalid',
    `This object already lives as ${holder}: let spawn make a new one each time, as in spawn(() => new Counter()).`,
    {
      details: { actor: String(holder) },
    },
  )
}

export function contextMissing(className: string): TroupeError {
  return new TroupeError(
    'definition_invalid',
    `${className} has no ctx before it is spawned: use ctx from started() on, not in the constructor.`,
    {
      details: { class: className },
    },
  )
}

function optionInvalid(option: string, received: unknown, wanted: string): TroupeError {
  const quoted = typeof received === 'string' ? JSON.stringify(received) : String(received)
  return new TroupeError('option_invalid', `The ${option} is ${quoted}: give ${wanted}.`, {
    details: { option, received: quoted },
  })
}
