// One message being handled: what the handler may say until its end, all of which comes true together or not at all.
import type { Activation } from '../engine/activation/activation.ts'
import { eventOf, keptOf, type NewEvent, type PublishOptions } from '../engine/events/events.ts'
import type { UnkeyedOptions } from '../engine/verbs/call.ts'
import type { Definition } from '../engine/definition/definition.ts'
import type { Timer } from '../lib/clock.ts'
import { isThenable } from '../lib/thenable.ts'
import { entityAsksItself, handlerMissing, handlerTimedOut, type Told } from '../model/entity-errors.ts'
import type { StartRecord } from '../store/start.ts'
import type { HandledRecord, TellRecord } from '../store/waits.ts'
import type { AnyHandler, Behaviour } from './behaviour.ts'
import { EntityContext } from './context.ts'
import type { Address, EntityPost } from './entity-post.ts'
import { destroyName, type Sending, type Sent } from './entity-ref.ts'
import type { Reminder } from './kept.ts'

/** What a turn is taken by. */
export interface TurnPlace {
  readonly activation: Activation
  readonly behaviour: Behaviour
  readonly key: string
  readonly post: EntityPost
}

export class Turn {
  readonly place: TurnPlace
  readonly attempt: number
  readonly #told: Told
  readonly #sent: Sent
  readonly #abort = new AbortController()
  state: unknown
  isDestroying = false
  readonly reminders = new Map<string, Reminder | null>()
  readonly events: NewEvent[] = []
  readonly #tells: Promise<TellRecord>[] = []
  readonly #starts: Promise<StartRecord>[] = []
  #isOver = false
  #timer: Timer | undefined
  #cut: ((error: Error) => void) | undefined

  constructor(place: TurnPlace, sent: Sent, attempt: number) {
    this.place = place
    this.attempt = attempt
    this.#sent = sent
    this.#told = { entity: place.behaviour.name, key: place.key, message: sent.message }
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Whether what the handler says counts. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Calls the handler, and gives what it returned once all that it sends is made. Throws what it threw, `timed_out`. */
  async perform(state: unknown): Promise<unknown> {
    this.state = state
    try {
      const result = await this.#inTime(this.#handle())
      await Promise.all([...this.#tells, ...this.#starts])
      return result
    } finally {
      this.#isOver = true
      this.#timer?.cancel()
    }
  }

  /** It is over, whatever the handler still does. */
  end(reason: Error): void {
    this.#isOver = true
    this.#abort.abort(reason)
    this.#cut?.(reason)
  }

  /** What is written of it, once it has come to its end. */
  async record(): Promise<Pick<HandledRecord, 'tells' | 'starts' | 'events'>> {
    return {
      tells: await Promise.all(this.#tells),
      starts: await Promise.all(this.#starts),
      events: keptOf(this.events) ?? [],
    }
  }

  /** The ways to another entity, or this. */
  to(address: Address, timeoutMs: number): Sending {
    const tell = (sent: Sent): Promise<true> => this.#send(this.place.post.record(address, sent))
    const ask = (sent: Sent): Promise<unknown> => {
      if (address.name === this.#told.entity && address.key === this.#told.key)
        throw entityAsksItself({ ...this.#told, message: sent.message })
      return this.place.post.to(address, timeoutMs).ask(sent)
    }
    // What goes with a commit finds room.
    return { tell, send: tell, ask }
  }

  tellRun(tell: TellRecord): Promise<true> {
    return this.#send(Promise.resolve(tell))
  }

  /** Gives the id that the run will have. */
  async start(target: Definition | string, input: unknown, options: UnkeyedOptions): Promise<string> {
    if (this.#isOver) return new Promise(() => {})
    const drafted = this.place.activation.around.draft(target, input, options).then(({ record }) => record)
    this.#starts.push(drafted)
    // Nobody need await it: the end of the turn does.
    drafted.catch(() => undefined)
    return (await drafted).id
  }

  publish(name: string, payload: unknown, options: PublishOptions): void {
    const { claimed, definition } = this.place.activation
    const origin = { runId: claimed.id, name: definition.name }
    if (!this.#isOver) this.events.push({ ...eventOf(name, payload, options), origin })
  }

  #send(record: Promise<TellRecord>): Promise<true> {
    if (this.#isOver) return new Promise(() => {})
    // What comes true with the state cannot be refused in part.
    const sent = record.then((tell) => ({ ...tell, most: Number.MAX_SAFE_INTEGER }))
    this.#tells.push(sent)
    const isSent = sent.then((): true => true)
    // Nobody need await it: the end of the turn does.
    isSent.catch(() => undefined)
    return isSent
  }

  #handle(): unknown {
    const { behaviour } = this.place
    const { message, args } = this.#sent
    if (message === destroyName) return void (this.isDestroying = true)
    const handler: AnyHandler | undefined = behaviour.handlers.get(message)
    if (handler === undefined) throw handlerMissing(this.#told, [...behaviour.handlers.keys()])
    return handler(new EntityContext(this), ...args)
  }

  #inTime(result: unknown): unknown {
    if (!isThenable(result)) return result
    const { activation, behaviour } = this.place
    const { timeoutMs } = behaviour
    return new Promise((resolve, reject) => {
      this.#cut = reject
      if (timeoutMs !== undefined) {
        const runOut = (): void => this.end(handlerTimedOut(this.#told, timeoutMs))
        this.#timer = activation.deps.clock.after(timeoutMs, runOut)
      }
      Promise.resolve(result).then(resolve, reject)
    })
  }
}
