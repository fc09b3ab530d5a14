// What runs wait for, and what comes for them from outside.
import type { EventRecord } from './events.ts'
import type { StartRecord } from './start.ts'
import type { FinishedRun, Held } from './store.ts'

/** Something a run waits for. */
export interface WaitRecord {
  readonly path: string
  readonly kind: WaitKind
  /** What is waited for, where the kind does not say it; null otherwise. */
  readonly name: string | null
  /** Of the message that is waited for; any unless told. */
  readonly key?: string | undefined
  /** Null without a time limit. */
  readonly dueAt: number | null
}

/**
 * The first two wait for their time, the others for a thing, up to their time: `run` for the end of the run that the name gives, `ask` for what it can
 * answer, `mail` for whatever it is told or asked, `answer` for one that is under way though the code around it has come to its end, `limiter` for what the turn in its name wants to pass: see `turnText`. It passes when its run is claimed for it.
 * With `end` a run waits for nothing: where it would wait it ends as succeeded, unless something it was told is there.
 * A run with `diverged` was set aside as its code does not fit its journal, as the name says: none of its other waits wakes it, which are kept for code that fits.
 */
export type WaitKind =
  | 'sleep'
  | 'backoff'
  | 'completion'
  | 'message'
  | 'mail'
  | 'end'
  | 'run'
  | 'ask'
  | 'answer'
  | 'limiter'
  | 'diverged'

/** The run is set aside until the earliest of its waits is due or there; it is ready at once when one of them is there already. */
export interface ParkRecord {
  readonly held: Held
  readonly waits: readonly WaitRecord[]
  readonly dueAt: number | null
}

/** A run stays where it is, and waits for these beside what executes: their times are kept. */
export interface KeepRecord {
  readonly held: Held
  readonly waits: readonly WaitRecord[]
}

/** A run goes on as a new one: with another input, and without memory of what it did. */
export interface ContinueRecord extends Pick<StartRecord, 'input' | 'limits' | 'definitionId'> {
  readonly held: Held
}

/** A turn of a loop: its state takes the place of the one before, and the steps of the turn are forgotten. */
export interface TurnRecord {
  readonly held: Held
  readonly path: string
  readonly seq: number
  /** Encoded. */
  readonly value: string
  /** The scope of the turn that is over. */
  readonly over: string
  /** Waits in that scope were kept. */
  readonly hadWaits?: boolean | undefined
  /** Tokens of its steps were given out, perhaps in that scope. */
  readonly hadTokens?: boolean | undefined
  readonly startedAt: number
  readonly finishedAt: number
}

/** A token with which a run may be finished from outside. */
export interface TokenRecord {
  readonly held: Held
  /** The token itself is kept nowhere. */
  readonly hash: string
  /** Of what waits in the run; empty for the run itself. */
  readonly path: string
  /** When the attempt it belongs to began, and when that has run out of time. */
  readonly startedAt: number
  readonly timeoutAt: number | null
  /** The longest silence. */
  readonly heartbeatMs: number | null
}

/** The attempt asked for a token: nothing has come for that yet, as far as its node knows, or the attempt has taken what came. */
export type TokenUse = 'open' | 'taken'

/** What comes from outside. */
export interface CompletionRecord {
  /** Of the token. */
  readonly hash: string
  /** Null for a sign of life. */
  readonly result: CompletionResult | null
}

export interface CompletionResult {
  readonly isError: boolean
  /** Encoded output, or an error record as JSON. */
  readonly value: string
}

/**
 * What became of what came from outside. `used`: something came before. `superseded`: the run goes on without it, in another attempt. `resolved`: the result of the step was recorded by hand.
 * `finished`: the run has ended in another way.
 */
export type CompletionAnswer = 'accepted' | 'used' | 'superseded' | 'resolved' | 'finished' | 'not_found'

/** A step that waits with a token, under the claim that was made of its run. */
export interface AwaitingStep extends Pick<TokenRecord, 'path' | 'startedAt' | 'timeoutAt'> {
  readonly result: CompletionResult | null
}

/** A step that somebody has finished, while its run went on. */
export interface CompletedStep extends Pick<TokenRecord, 'path' | 'startedAt'> {
  readonly result: CompletionResult
}

/** What a token finishes: a run by its public id, or a step of it. */
export interface TokenView {
  readonly id: string
  readonly definitionId: number
  readonly path: string
}

/** A run that waits with a token. */
export interface Awaiting extends Pick<TokenRecord, 'startedAt' | 'timeoutAt' | 'heartbeatMs'> {
  /** When it last showed a sign of life. */
  readonly heardAt: number
  /** What came for it. */
  readonly result: CompletionResult | null
}

/** A message to a run. */
export interface TellRecord {
  /** The id users see. */
  readonly id: string
  readonly name: string
  /** Encoded. */
  readonly value: string
  /** What it is about: who waits for a message of another key does not receive it. */
  readonly key?: string | undefined
  /** Its schema gave back the value; whoever receives another asks the schema then. */
  readonly isChecked?: boolean | undefined
  /** It is an ask, and whoever asks waits until then: it is not begun later, and forgotten. */
  readonly askedUntil?: number | undefined
  /** It is for the run that has the key of this start, which begins when there is none; `id` is that of the start then. */
  readonly start?: StartRecord | undefined
  /** So many may wait before it; 10,000 unless told. */
  readonly most?: number | undefined
}

/** A message that an entity has handled, and all that follows from it; its new state is written beside it. */
export interface HandledRecord {
  readonly held: Held
  /** Undefined for what nobody told it, as a reminder that is due. */
  readonly message?: number | undefined
  readonly ask?: number | undefined
  /** To who asked. */
  readonly reply?: CompletionResult | undefined
  /** Why the message is kept as one that nobody received. */
  readonly refused?: string | undefined
  readonly tells: readonly TellRecord[]
  readonly starts: readonly StartRecord[]
  readonly events: readonly EventRecord[]
  /** Its deliveries count anew: what killed its process was not this. */
  readonly hadDeliveries?: boolean | undefined
}

/** What an entity was told or asked and has not handled. */
export interface MailRow {
  readonly seq: number
  readonly name: string
  readonly value: string
  /** Of an ask: nobody waits for its answer any more then; null for what it was told. */
  readonly until: number | null
}

/** What the run it was told does not take, because its schema says no: a message is kept as one that nobody receives, an ask is answered so. */
export interface RefusalRecord {
  readonly held: Held
  readonly message?: number | undefined
  readonly ask?: number | undefined
  /** A text; an error record as JSON for an ask. */
  readonly why: string
}

/**
 * `finished`: the run is over, and the message is kept as one that nobody receives. `full`: too many wait to be received, and it is not kept.
 * An ask has its number among all messages; `missing`: the run waits, and has no answer of that name. It is kept only where it has a number.
 */
export type TellAnswer = 'told' | 'finished' | 'full' | 'not_found' | 'missing' | { readonly ask: number }

export interface MessageRow {
  /** Rises with every message of the store. */
  readonly seq: number
  readonly name: string
  readonly value: string
  readonly at: number
  readonly key: string | null
  readonly isChecked: boolean
  readonly refused: string | null
}

/** Some of what was told to a run and not received. */
export interface MessageSlice {
  readonly id: string
  /** All names, and what was refused, when it is null. */
  readonly name: string | null
  /** All keys unless told. */
  readonly key?: string | undefined
  /** Those behind this number alone. */
  readonly after?: number
  readonly limit: number
}

/** The part of the store that is asked about waits. */
export interface WaitStore {
  findToken(hash: string): Promise<TokenView | undefined>
  /** What came for steps of a run under this claim, and has not been recorded. */
  listCompletions(held: Held): Promise<readonly CompletedStep[]>
  /** The ends of those of these runs that have ended, by their ids; `gone` of those that are not in the store. */
  listEnds(ids: readonly string[]): Promise<ReadonlyMap<string, FinishedRun | 'gone'>>
  /** What was told to a run and not received yet, of one name or of all, in the order in which it came. */
  listMessages(slice: MessageSlice): Promise<MessageRow[]>
  /** What a run was told and asked behind this number, and has not handled, in the order in which it came. */
  listMail(runId: number, after: number, limit: number): Promise<MailRow[]>
}
