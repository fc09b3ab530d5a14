// What is kept of an entity between its messages: its state, and its reminders.
import { decode, encode } from '../lib/codec.ts'
import { optionInvalid } from '../model/errors.ts'
import { entityUnreadable } from '../model/entity-errors.ts'
import { valueSize } from '../engine/value-size.ts'
import type { Held, RememberedState } from '../store/store.ts'
import type { StateRecord } from '../store/speech.ts'
import { validate } from '../worker/validate.ts'
import type { Behaviour } from './behaviour.ts'

/** A message that the entity is told at a time. */
export interface Reminder {
  readonly dueAt: number
  /** Null for one that comes once. */
  readonly everyMs: number | null
  readonly message: string
  readonly args: readonly unknown[]
}

/** What a turn does to the reminders: null takes one away. */
export type ReminderChanges = ReadonlyMap<string, Reminder | null>

// Invariant: I15.
const mostReminders = 1_000

const stateKey = 'state'
const reminderKey = 'remind:'

export class Kept {
  readonly #key: string
  readonly #behaviour: Behaviour
  readonly #maxBytes: number
  /** Encoded, as after the last message that was handled; undefined while there is none. */
  #text: string | undefined
  /** The state itself, while it is what the text says. */
  #state: { value: unknown } | undefined
  readonly #reminders = new Map<string, Reminder>()
  /** What is to be written, by its keys. */
  readonly #changes = new Map<string, string | null>()

  constructor(key: string, behaviour: Behaviour, maxBytes: number) {
    this.#key = key
    this.#behaviour = behaviour
    this.#maxBytes = maxBytes
  }

  /** Takes in what was stored. Throws `validation_failed` where it does not fit. */
  async restore(states: readonly RememberedState[]): Promise<void> {
    for (const { key, value } of states) {
      if (key === stateKey) this.#text = value
      if (key.startsWith(reminderKey)) this.#reminders.set(key.slice(reminderKey.length), decode(value) as Reminder)
    }
    const { migrate, schema, name } = this.#behaviour
    if (this.#text === undefined || (migrate === undefined && schema === undefined)) return
    try {
      const stored = decode(this.#text)
      const migrated = migrate === undefined ? stored : migrate(stored)
      const value = await validate(schema, migrated, `The state of entity '${name}'`)
      this.#take(value)
    } catch (error) {
      throw entityUnreadable(name, this.#key, error)
    }
  }

  get isEmpty(): boolean {
    return this.#text === undefined && this.#reminders.size === 0
  }

  /** When the next reminder is due; null for never. */
  get dueAt(): number | null {
    let dueAt: number | null = null
    for (const reminder of this.#reminders.values()) dueAt = Math.min(dueAt ?? Infinity, reminder.dueAt)
    return dueAt
  }

  /** The state, to be changed by a turn. */
  begin(): { value: unknown } {
    return (this.#state ??= {
      value: this.#text === undefined ? this.#behaviour.state(this.#key) : decode(this.#text),
    })
  }

  /** The turn came to nothing. */
  undo(): void {
    this.#state = undefined
  }

  /** The turn has come to its end: the state is what it is now. Throws `option_invalid`, `value_not_storable`, `value_too_large`, and then nothing has changed. */
  take(state: unknown, reminders: ReminderChanges): void {
    this.#checkRoom(reminders)
    this.#take(state)
    for (const [name, reminder] of reminders) this.#setReminder(name, reminder)
  }

  /** Forgets all. */
  forget(): void {
    if (this.#text !== undefined) this.#changes.set(stateKey, null)
    this.#text = undefined
    this.#state = undefined
    for (const name of this.#reminders.keys()) this.#setReminder(name, null)
  }

  /** Those that are due, of which those that come once are taken away. */
  takeDue(now: number): Reminder[] {
    const due = [...this.#reminders].filter(([, reminder]) => reminder.dueAt <= now)
    for (const [name, reminder] of due) {
      const { everyMs, dueAt } = reminder
      // What was missed comes once.
      const next = everyMs === null ? null : dueAt + everyMs * (Math.floor((now - dueAt) / everyMs) + 1)
      this.#setReminder(name, next === null ? null : { ...reminder, dueAt: next })
    }
    return due.map(([, reminder]) => reminder).sort((one, other) => one.dueAt - other.dueAt)
  }

  /** What has changed since this was last asked, as it is written. */
  takeChanges(held: Held): StateRecord[] {
    const records = Array.from(this.#changes, ([key, value]) => ({ held, key, value }))
    this.#changes.clear()
    return records
  }

  #checkRoom(changes: ReminderChanges): void {
    let count = this.#reminders.size
    for (const [name, reminder] of changes) {
      if (reminder !== null && !this.#reminders.has(name)) count += 1
      if (reminder === null && this.#reminders.has(name)) count -= 1
    }
    if (count > mostReminders)
      throw optionInvalid('The number of reminders', count, `at most ${mostReminders} of one entity`)
  }

  #take(value: unknown): void {
    const text = encode(value, valueSize(this.#maxBytes, 'state'))
    if (text !== this.#text) this.#changes.set(stateKey, text)
    this.#text = text
    this.#state = { value }
  }

  #setReminder(name: string, reminder: Reminder | null): void {
    if (reminder === null) this.#reminders.delete(name)
    else this.#reminders.set(name, reminder)
    this.#changes.set(`${reminderKey}${name}`, reminder === null ? null : encode(reminder))
  }
}
