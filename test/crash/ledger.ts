// The ledger: what really happened, appended line by line outside the store, and what user code was told.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

/** One thing that happened in the process `pid`; the order of the lines is the order of the events. */
export type Entry = { readonly pid: number } & (
  | Attempt<'begun'>
  | Attempt<'effect'>
  | Attempt<'failed'>
  /** User code got the result of a step. */
  | { readonly kind: 'seen'; readonly run: string; readonly uuid: string; readonly isFresh: boolean }
  /** The first of a race, as user code saw it. */
  | { readonly kind: 'won'; readonly run: string; readonly uuid: string }
  /** `call` resolved. */
  | { readonly kind: 'called'; readonly run: string; readonly name: string; readonly input: unknown }
  /** `tell` is about to be asked for, and resolved. */
  | { readonly kind: 'tells' | 'told'; readonly run: string; readonly word: string }
  /** `result` resolved. */
  | { readonly kind: 'result'; readonly run: string; readonly output: unknown }
  /** `cancel` is about to be asked for. */
  | { readonly kind: 'cancels'; readonly run: string }
  /** `cancel` resolved. */
  | { readonly kind: 'cancelled'; readonly run: string; readonly isCancelled: boolean }
  /** What a step did, its value, was undone, at this path. */
  | { readonly kind: 'undone'; readonly run: string; readonly path: string; readonly uuid: string }
  /** A step gave a token away. */
  | { readonly kind: 'asked'; readonly run: string; readonly token: string }
  /** `complete` resolved for a token. */
  | { readonly kind: 'answered'; readonly run: string; readonly uuid: string; readonly answer: string }
  /** A tally was asked to count one more, from one time to another of this process, and said its number; null when no answer came. */
  | {
      readonly kind: 'counted'
      readonly key: string
      readonly from: number
      readonly to: number
      readonly n: number | null
    }
  /** A purse was asked to pay: what it answered, or null when no answer came. */
  | { readonly kind: 'pays'; readonly id: string; readonly purse: string; readonly isPaid: boolean | null }
  /** What an entity has at the end. */
  | { readonly kind: 'kept'; readonly entity: string; readonly key: string; readonly state: unknown }
  /** `call` with a key resolved. */
  | { readonly kind: 'keyed'; readonly key: string; readonly run: string }
  /** One passed a limiter, or left; the same clock in all processes. */
  | { readonly kind: 'enters'; readonly run: string; readonly at: number }
  | { readonly kind: 'leaves'; readonly run: string; readonly at: number }
  /** A run is that of this tick of a schedule. */
  | { readonly kind: 'ticked'; readonly run: string; readonly at: number }
  | { readonly kind: 'fired'; readonly place: string }
  /** A write of this process was refused: the run is another's. */
  | { readonly kind: 'lost'; readonly run: string }
  /** This process found at a commit that others had declared it dead. */
  | { readonly kind: 'declaredDead' }
  | { readonly kind: 'rescued'; readonly runs: number }
  | { readonly kind: 'trouble'; readonly text: string }
)

/** An attempt was begun, or ended with this value or an error of this text. */
interface Attempt<Kind> {
  readonly kind: Kind
  readonly run: string
  /** Empty for a plain worker. */
  readonly path: string
  readonly uuid: string
}

type Unsigned<T> = T extends unknown ? Omit<T, 'pid'> : never

export type Note = (entry: Unsigned<Entry>) => void

export type Ledger = Note & { close(): void }

/** Appends to the ledger; a line that was noted is there whatever becomes of the process. */
export function openLedger(path: string, told: (entry: Entry) => void = () => {}): Ledger {
  const file = openSync(path, 'a')
  const note = (unsigned: Unsigned<Entry>): void => {
    const entry = { ...unsigned, pid: process.pid } as Entry
    // Race: a process that is killed within a write may leave half a line; the next one starts a line of its own.
    writeSync(file, `\n${JSON.stringify(entry)}\n`)
    told(entry)
  }
  return Object.assign(note, { close: () => closeSync(file) })
}

export function readLedger(path: string): Entry[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').flatMap(parsed)
}

export function parsed(line: string): Entry[] {
  try {
    return [JSON.parse(line) as Entry]
  } catch {
    // Half a line, of a process that was killed while it wrote it.
    return []
  }
}

export function ofKind<K extends Entry['kind']>(entries: readonly Entry[], kind: K): Extract<Entry, { kind: K }>[] {
  return entries.filter((entry) => entry.kind === kind) as Extract<Entry, { kind: K }>[]
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
