// Starts that share a key: whether one begins a run of its own, joins the run that is there, changes it or takes its place.

/** What a start asks for when its key is taken. Every rule but the first two has keys of its own. */
export type StartKey =
  /** The run of the key, in whatever state, or a new one that takes the place of one that has not ended. */
  | { readonly rule: 'attach' | 'replace'; readonly key: string }
  /** The run that waits gets the newer input and the later time, but starts `mostMs` after its first call at the latest. */
  | { readonly rule: 'debounce'; readonly key: string; readonly mostMs: number | null }
  /** The run that was started less than `periodMs` ago. */
  | { readonly rule: 'throttle'; readonly key: string; readonly periodMs: number }
  /** One runs, and one waits for its end with the newest input. */
  | { readonly rule: 'keepLast'; readonly key: string }
  /** The run that waits gets the items of this input behind its own, while there is room for them. */
  | { readonly rule: 'append'; readonly key: string; readonly size: number | null; readonly maxBytes: number }
  /** The run whose output is `ttlMs` old at most, or is being made. */
  | { readonly rule: 'cache'; readonly key: string; readonly ttlMs: number }
  /** The entity of the key. One that failed or was cancelled keeps its state, and is not begun anew behind anybody's back. */
  | { readonly rule: 'entity'; readonly key: string }

export type KeyRule = StartKey['rule']

/** Where keys live: the same text in two of them is two keys. */
export type KeyScope = 'idempotency' | Exclude<KeyRule, 'attach' | 'replace'>

/** How far the run of a key has come. `waiting`: nobody has ever run it. `failed`: or cancelled. */
export type KeyedState = 'none' | 'waiting' | 'under_way' | 'succeeded' | 'failed'

/** What becomes of a start. `follow`: it begins, and waits for the end of the run of its key. */
export type KeyMove = 'start' | 'attach' | 'amend' | 'replace' | 'follow'

/** The last word is that of time where a rule has a window: `attach_in_time` starts a run once it has passed. */
type KeyDecision = KeyMove | 'attach_in_time'

export const keyMoves: Readonly<Record<KeyRule, Readonly<Record<KeyedState, KeyDecision>>>> = {
  attach: { none: 'start', waiting: 'attach', under_way: 'attach', succeeded: 'attach', failed: 'attach' },
  replace: { none: 'start', waiting: 'replace', under_way: 'replace', succeeded: 'start', failed: 'start' },
  debounce: { none: 'start', waiting: 'amend', under_way: 'start', succeeded: 'start', failed: 'start' },
  throttle: {
    none: 'start',
    waiting: 'attach_in_time',
    under_way: 'attach_in_time',
    succeeded: 'attach_in_time',
    failed: 'attach_in_time',
  },
  keepLast: { none: 'start', waiting: 'amend', under_way: 'follow', succeeded: 'start', failed: 'start' },
  append: { none: 'start', waiting: 'amend', under_way: 'start', succeeded: 'start', failed: 'start' },
  cache: { none: 'start', waiting: 'attach', under_way: 'attach', succeeded: 'attach_in_time', failed: 'start' },
  entity: { none: 'start', waiting: 'attach', under_way: 'attach', succeeded: 'start', failed: 'attach' },
}

export function scopeOf(rule: KeyRule): KeyScope {
  return rule === 'attach' || rule === 'replace' ? 'idempotency' : rule
}

/** The run that has a key. */
export interface KeyedRun {
  readonly state: Exclude<KeyedState, 'none'>
  readonly createdAt: number
  /** Null until it has ended. */
  readonly finishedAt: number | null
}

export function decideStart(asked: StartKey, found: KeyedRun | undefined, now: number): KeyMove {
  const decision = keyMoves[asked.rule][found?.state ?? 'none']
  if (decision !== 'attach_in_time') return decision
  return found !== undefined && now < endOfWindow(asked, found) ? 'attach' : 'start'
}

function endOfWindow(asked: StartKey, found: KeyedRun): number {
  if (asked.rule === 'throttle') return found.createdAt + asked.periodMs
  return asked.rule === 'cache' ? (found.finishedAt ?? Infinity) + asked.ttlMs : -Infinity
}
