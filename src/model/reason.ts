// Why a run is not running: a value for programs, and words for people.

/** Why a run waits; a run that has ended or is running waits for nothing. */
export type WaitReason =
  /** It goes on by itself at `until`, in milliseconds since 1970. */
  | { readonly kind: 'timer'; readonly until: number }
  /** It begins once another run has ended: theirs is the same key of `keepLast`. */
  | { readonly kind: 'run'; readonly runId: string }
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
  /** Its turn comes when an actor is free. */
  | { readonly kind: 'actor' }

/** One line for people; times are left to whoever shows them. */
export function reasonText(reason: WaitReason): string {
  switch (reason.kind) {
    case 'timer':
      return 'a time'
    case 'run':
      return `the end of run ${reason.runId}, which has its key`
    case 'queue_paused':
      return `queue '${reason.queue}', which is paused`
    case 'not_served':
      if (reason.missing === 'node') return 'a node: none is running'
      if (reason.missing === 'queue') return `a node that serves queue '${reason.queue}'`
      return `a node that knows '${reason.name}' in version ${reason.version}`
    case 'actor':
      return 'a free actor'
  }
}
