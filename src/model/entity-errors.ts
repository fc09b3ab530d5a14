// The errors around entities: each is written here once.
import { formatMs } from '../lib/duration.ts'
import { TroupeError } from '../lib/errors.ts'
import { meantText } from '../lib/nearest.ts'
import { TimeoutError } from './error-classes.ts'

/** Which entity, and what it was told. */
export interface Told {
  readonly entity: string
  readonly key: string
  readonly message: string
}

export function handlerMissing({ entity, key, message }: Told, known: readonly string[]): TroupeError {
  return new TroupeError(
    'message_unknown',
    `Entity '${entity}' has no handler '${message}': there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ') || 'none'}.${meantText(message, known)} Correct the name, or add the handler.`,
    { details: { entity, key, message }, retryable: false },
  )
}

export function mailboxOfEntityFull({ entity, key, message }: Told): TroupeError {
  return new TroupeError(
    'mailbox_full',
    `Entity '${entity}' of key '${key}' has as many messages as may wait for it, and takes no '${message}': wait with send(), tell it less, or raise its option { mailbox }.`,
    { details: { entity, key, message }, retryable: true },
  )
}

export function entityEnded({ entity, key, message }: Told): TroupeError {
  return new TroupeError(
    'run_ended',
    `Entity '${entity}' of key '${key}' was cancelled, or its run has failed, so nobody handles '${message}': its state is kept. Find its run with troupe runs, and take it up again with troupe retry, or delete it with troupe delete.`,
    { details: { entity, key, message }, retryable: false },
  )
}

export function entityLate({ entity, key, message }: Told, timeoutMs: number): TroupeError {
  return new TroupeError(
    'ask_timeout',
    `Entity '${entity}' of key '${key}' did not answer '${message}' within ${formatMs(timeoutMs)}: it may have handled it all the same, or be about to. Ask with a longer { timeout }, and make it harmless to ask again.`,
    { details: { entity, key, message, timeoutMs }, retryable: true },
  )
}

export function entityAsksItself({ entity, key, message }: Told): TroupeError {
  return new TroupeError(
    'deadlock',
    `Entity '${entity}' of key '${key}' asks itself '${message}' and would wait for its own end: call the function, or tell it.`,
    { details: { entity, key, message }, retryable: false },
  )
}

export function handlerTimedOut({ entity, key, message }: Told, timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `Handler '${message}' of entity '${entity}' timed out after ${formatMs(timeoutMs)}: give the entity a longer { timeout }, or let the handler end when its signal aborts.`,
    { details: { entity, key, message, timeoutMs } },
  )
}

/** Its process died each time it was handled. */
export function messageDeadly({ entity, key, message }: Told, deliveries: number): TroupeError {
  return new TroupeError(
    'run_lost',
    `${deliveries} processes died while entity '${entity}' of key '${key}' handled '${message}': it is not handled again. Find out what it does to its process, and tell it then.`,
    { details: { entity, key, message, deliveries }, retryable: false },
  )
}

/** What is kept of it is not what its definition takes now. */
export function entityUnreadable(entity: string, key: string, cause: unknown): TroupeError {
  return new TroupeError(
    'validation_failed',
    `The state of entity '${entity}' of key '${key}' does not fit its definition: give that a { migrate } which makes the state of now from the one before.`,
    { details: { entity, key }, cause, retryable: true },
  )
}

/** Its run was to be started as that of a worker. */
export function entityCalled(entity: string): TroupeError {
  return new TroupeError(
    'definition_invalid',
    `Entity '${entity}' is not called: tell or ask troupe.entity(${entity}, key), which begins it.`,
    { details: { entity }, retryable: false },
  )
}
