// Entry point `troupe/actor`: the actor core on its own.

export { Actor } from './actor/actor.ts'
export { ActorSystem } from './actor/system.ts'
export type { ActorSystemOptions } from './actor/system.ts'
export type { ActorMetrics, ActorNode, ActorState } from './actor/metrics.ts'
export type { Make, SpawnOptions, Spawned } from './actor/spawn.ts'

export { Message } from './actor/message.ts'
export type { Handler, MessageClass, Protocol, ReplyTo, Tagged } from './actor/message.ts'
export type { AskOptions, Recipient, Ref, Self, SendOptions, WeakActorRef } from './actor/ref.ts'
export { stub } from './actor/stub.ts'
export type { Stub } from './actor/stub.ts'

export type { Context, TaskOptions, Watched } from './actor/context.ts'
export { Terminated } from './actor/watch.ts'
export type { RestartBackoff, RestartLimits } from './actor/restart-budget.ts'
export type { RestartPolicy, Strategy } from './actor/supervision.ts'
export type { ActorResult, EndReason, FailurePhase, Handle, StopOptions, StopReason } from './actor/handle.ts'
export type { MailboxOptions, Overflow } from './actor/mailbox.ts'
export type { DeadLetter, DeadLetterReason, DeadLetters } from './actor/dead-letters.ts'

export { TroupeError, isTroupeError } from './lib/errors.ts'
export type { ErrorCode } from './lib/errors.ts'
export type { Clock, Timer } from './lib/clock.ts'
export type { Duration } from './lib/duration.ts'
export type { Log } from './lib/log.ts'
