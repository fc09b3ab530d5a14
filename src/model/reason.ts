// Why a run is not running: a value for programs, and words for people.
import { differenceText, type Divergence } from './divergence.ts'

/** Why a run waits; one that has ended waits for nothing, and one that is running only where its process is gone, a step of it waits for a limiter or its end for an answer. */
export type WaitReason =
  /** It goes on by itself at `until`, in milliseconds since 1970. */
  | { readonly kind: 'timer'; readonly until: number }
  /** It begins once another run has ended: theirs is the same key of `keepLast`. */
  | { readonly kind: 'run'; readonly runId: string }
  /** It waits for the end of a run, as that which it started; until a time, when it has one. */
  | { readonly kind: 'result'; readonly runId: string; readonly until: number | undefined }
  /** A run that the same schedule started has to end first. */
  | { readonly kind: 'schedule'; readonly schedule: string }
  /** It waits for somebody to finish it from outside; until a time, when it has one. */
  | { readonly kind: 'completion'; readonly until: number | undefined }
  /** It waits to be told something of this name; until a time, when it has one. */
  | { readonly kind: 'message'; readonly name: string; readonly until: number | undefined }
  /** It is an entity that nobody has told anything; until its next reminder, when it has one. */
  | { readonly kind: 'mail'; readonly until: number | undefined }
  /** Its code, or that of a scope of it, has come to its end, and what it was asked by this name is still being answered: that code goes on, or never settles. */
  | { readonly kind: 'answer'; readonly name: string }
  /** The process that ran it died, or lost touch with the store, and no other has taken it over yet: it goes on as soon as a node is there. */
  | { readonly kind: 'node_lost' }
  /** Its code does not ask for what its journal holds, or cannot read it, so it was set aside. It goes on when a process starts that fits, and is tried again at `until`. */
  | { readonly kind: 'diverged'; readonly divergence: Divergence; readonly until: number }
  /** Somebody paused its queue. */
  | { readonly kind: 'queue_paused'; readonly queue: string; readonly pausedAt: number }
  /** No node can perform it: there is none at all, none serves its queue, or none that does knows its definition in this version. */
  | {
      readonly kind: 'not_served'
      readonly missing: 'node' | 'queue' | 'definition'
      readonly queue: string
      readonly name: string
      readonly version: string
    }
  /** `deliveries` processes died while they ran it, so it is begun beside no other such run. */
  | {
      readonly kind: 'suspect'
      readonly deliveries: number
      /** The one that is performed now, where there is one. */
      readonly runId: string | undefined
    }
  /** A limiter has yet to let it pass. */
  | {
      readonly kind: 'limiter'
      readonly limiter: string
      /** Empty for a limiter without keys. */
      readonly key: string
      /** The step that waits, where it is not the run itself. */
      readonly step: string | undefined
      /** What is used up; `turn` when nothing is, and others come first. */
      readonly bound: 'concurrency' | 'total' | 'rate' | 'turn'
      /** The ids of runs that have its slots, at most ten. */
      readonly holders: readonly string[]
    }
  /** Its turn comes when an actor is free. */
  | { readonly kind: 'actor' }

/** One line for people; times are left to whoever shows them. */
export function reasonText(reason: WaitReason): string {
  switch (reason.kind) {
    case 'timer':
      return 'a time'
    case 'run':
      return `the end of run ${reason.runId}, which has its key`
    case 'result':
      return `the end of run ${reason.runId}`
    case 'schedule':
      return `the end of the run before it, of schedule '${reason.schedule}'`
    case 'completion':
      return 'somebody to finish it from outside'
    case 'message':
      return `message '${reason.name}'`
    case 'mail':
      return 'a message'
    case 'answer':
      return `its own answer to '${reason.name}'`
    case 'node_lost':
      return 'a node: its process died'
    case 'diverged':
      if (reason.divergence.unread !== undefined) return `a process that can read it: ${reason.divergence.unread}`
      return `code that fits its journal: ${differenceText(reason.divergence)}`
    case 'queue_paused':
      return `queue '${reason.queue}', which is paused`
    case 'not_served':
      if (reason.missing === 'node') return 'a node: none is running'
      if (reason.missing === 'queue') return `a node that serves queue '${reason.queue}'`
      return `a node that knows '${reason.name}' in version ${reason.version}`
    case 'suspect':
      return suspectText(reason)
    case 'limiter':
      return limiterText(reason)
    case 'actor':
      return 'a free actor'
  }
}

function suspectText({ deliveries, runId }: WaitReason & { kind: 'suspect' }): string {
  const now = runId === undefined ? '' : `; now ${runId}`
  return `its turn: ${deliveries} processes died while they ran it, so it is begun beside no other such run${now}`
}

function limiterText({ limiter, key, step, bound, holders }: WaitReason & { kind: 'limiter' }): string {
  const forKey = key === '' ? '' : ` for '${key}'`
  const name = `limiter '${limiter}'${forKey}${step === undefined ? '' : ` before step '${step}'`}`
  if (bound === 'rate') return `${name}: its rate is used up`
  if (bound === 'turn') return `its turn at ${name}`
  return `${name}: its slots are taken${holders.length === 0 ? '' : ` by ${holders.join(', ')}`}`
}
