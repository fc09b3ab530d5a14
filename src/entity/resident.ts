// An entity while it is on this node: takes its messages one after another, has what came of them written, and is put aside when none comes.
import type { Activation } from '../engine/activation/activation.ts'
import type { Performance } from '../engine/activation/surroundings.ts'
import { nextAttempt } from '../engine/activation/next-attempt.ts'
import { destroyName } from './entity-ref.ts'
import { errorText } from '../engine/error-text.ts'
import { valueSize } from '../engine/value-size.ts'
import { decode, encode } from '../lib/codec.ts'
import { toError } from '../lib/errors.ts'
import { engineStopped } from '../model/errors.ts'
import { messageDeadly } from '../model/entity-errors.ts'
import type { MailRow, WaitRecord } from '../store/waits.ts'
import type { Behaviour } from './behaviour.ts'
import { Commits, ownRecord } from './commits.ts'
import { keyOfInput } from './entity-key.ts'
import { EntityPost, toldTo } from './entity-post.ts'
import { Kept } from './kept.ts'
import { Mailbox } from './mailbox.ts'
import { MessageLimits } from './message-limits.ts'
import { Signal } from './signal.ts'
import { Turn } from './turn.ts'

// A process that has no actor left for others learns of it so soon.
const lookMs = 500
// So many processes may die while they handle a message: the run is given up with the next.
const mostDeaths = 3

export class Resident implements Performance {
  readonly #activation: Activation
  readonly #behaviour: Behaviour
  readonly #key: string
  readonly #kept: Kept
  readonly #mailbox: Mailbox
  readonly #commits: Commits
  readonly #signal: Signal
  readonly #post: EntityPost
  readonly #limits: MessageLimits
  /** What has come may kill the process, as it did: each message is written before the next is begun. */
  readonly #isCareful: boolean
  #hadDeliveries: boolean
  #turn: Turn | undefined
  #isDraining = false
  /** When a message was last there, by the clock that does not jump. */
  #busyAt: number
  #leave: (() => void) | undefined

  constructor(activation: Activation, behaviour: Behaviour) {
    const { around, claimed, deps } = activation
    this.#activation = activation
    this.#behaviour = behaviour
    this.#key = keyOfInput(behaviour.name, claimed.input)
    this.#kept = new Kept(this.#key, behaviour, around.maxValueBytes)
    this.#mailbox = new Mailbox(deps.store, claimed.held.runId)
    this.#commits = new Commits(activation, this.#kept)
    this.#signal = new Signal(deps.clock)
    const { draft, post } = around
    this.#post = new EntityPost({ deps, draft, replies: post.replies, bring: (write) => around.write(write) })
    this.#limits = new MessageLimits(activation, behaviour)
    this.#busyAt = deps.clock.monotonic()
    this.#isCareful = claimed.deliveries > 0
    this.#hadDeliveries = this.#isCareful
  }

  /** restore → take → handle → rest. Settles only where what is kept cannot be read: an activation ends from within. */
  async run(): Promise<unknown> {
    const { around, claimed } = this.#activation
    await this.#kept.restore(claimed.states)
    this.#activation.attach(this)
    this.#leave = around.post.mailboxes.open(() => this.mailed())
    if (this.#activation.isOver) this.#leave()
    await this.#refuseDeadly()
    while (!this.#activation.isOver) {
      if (this.#isDraining) await this.#giveBack()
      else await this.#next()
    }
    return new Promise(() => {})
  }

  mailed(): void {
    this.#mailbox.mailed()
    this.#signal.ring()
  }

  drain(): void {
    this.#isDraining = true
    this.#signal.ring()
  }

  over(reason: Error | undefined): void {
    this.#leave?.()
    this.#turn?.end(reason ?? engineStopped())
    this.#limits.leave()
    this.#signal.ring()
  }

  async #next(): Promise<void> {
    this.#remind()
    await this.#commits.room()
    const mail = this.#mailbox.take()
    if (mail !== undefined) {
      await this.#handle(mail)
      // Invariant: what waits first after a death is what was being handled, also behind one that failed.
      if (this.#isCareful) await this.#commits.rest()
      this.#busyAt = this.#activation.deps.clock.monotonic()
      return
    }
    if (this.#mailbox.hasNews) return this.#mailbox.fetch()
    await this.#rest()
  }

  /** What is due becomes a message, in the commit that takes it away. */
  #remind(): void {
    const { claimed, deps } = this.#activation
    const dueAt = this.#kept.dueAt
    if (dueAt === null || dueAt > deps.store.now()) return
    const most = Number.MAX_SAFE_INTEGER
    const tells = this.#kept
      .takeDue(deps.store.now())
      .map(({ message, args }) => ({ id: claimed.id, name: message, value: encode(args), most }))
    this.#commits.add(ownRecord(this.#activation, { tells }))
  }

  async #handle(mail: MailRow): Promise<void> {
    const { deps } = this.#activation
    // Nobody waits for it any more.
    if (mail.until !== null && mail.until <= deps.store.now()) return
    const begunAt = deps.store.now()
    for (let attempt = 1; !this.#activation.isOver; attempt++) {
      const failure = await this.#perform(mail, attempt)
      if (failure === undefined) break
      const elapsedMs = deps.store.now() - begunAt
      const policy = this.#behaviour.retry
      const failed = { error: failure, failedAttempts: attempt, elapsedMs }
      const { error, delayMs } = nextAttempt(policy, failed, () => deps.ids.random())
      if (mail.until !== null || delayMs === undefined) return this.#fail(mail, error)
      await this.#pause(delayMs)
      if (this.#isDraining) return
    }
  }

  /** Undefined when it was handled, or the activation is over. */
  async #perform(mail: MailRow, attempt: number): Promise<Error | undefined> {
    const place = { activation: this.#activation, behaviour: this.#behaviour, key: this.#key, post: this.#post }
    try {
      const args = decode(mail.value) as readonly unknown[]
      if (this.#behaviour.limits.length > 0 && !(await this.#passes(mail, args))) return undefined
      const turn = (this.#turn = new Turn(place, { message: mail.name, args }, attempt))
      const result = await turn.perform(mail.name === destroyName ? undefined : this.#kept.begin().value)
      const said = await turn.record()
      if (this.#activation.isOver) return undefined
      const reply = mail.until === null ? undefined : { isError: false, value: this.#encoded(result) }
      if (turn.isDestroying) this.#kept.forget()
      else this.#kept.take(turn.state, turn.reminders)
      this.#written(mail, { ...said, reply }, turn.events)
      return undefined
    } catch (error) {
      this.#kept.undo()
      return this.#activation.isOver ? undefined : toError(error)
    } finally {
      this.#turn = undefined
      this.#limits.leave()
    }
  }

  /** Whether it is handled now: it has the slots that it needs, and somebody still waits for it. */
  async #passes({ name, until }: MailRow, args: readonly unknown[]): Promise<boolean> {
    if (name === destroyName) return true
    if ((await this.#limits.enter({ key: this.#key, message: name, args })) === 'elsewhere') {
      this.#isDraining = true
      return false
    }
    return !this.#activation.isOver && (until === null || until > this.#activation.deps.store.now())
  }

  #encoded(result: unknown): string {
    return encode(result, valueSize(this.#activation.around.maxValueBytes, 'reply'))
  }

  /** Who asked is told why; what was told is a dead letter. */
  #fail(mail: MailRow, error: Error): void {
    const { claimed, deps } = this.#activation
    if (mail.until !== null) return this.#written(mail, { reply: { isError: true, value: errorText(error) } }, [])
    const { name } = this.#behaviour
    deps.log.error(
      { run: claimed.id, key: this.#key, err: error },
      `entity '${name}' could not handle '${mail.name}', which is a dead letter now: ${error.message}`,
    )
    this.#written(mail, { refused: `the entity could not handle it: ${error.message}` }, [])
  }

  #written(
    { seq, until }: MailRow,
    said: Parameters<typeof ownRecord>[1],
    events: Parameters<Commits['add']>[0]['events'],
  ): void {
    const which = until === null ? { message: seq } : { ask: seq }
    const hadDeliveries = this.#hadDeliveries
    this.#hadDeliveries = false
    const { record } = ownRecord(this.#activation, { ...said, ...which, ...(hadDeliveries && { hadDeliveries }) })
    this.#commits.add({ record, events })
  }

  /** The first message is what killed one process after another, as each was written alone. */
  async #refuseDeadly(): Promise<void> {
    const { deliveries } = this.#activation.claimed
    if (deliveries < mostDeaths) return
    await this.#mailbox.fetch()
    const mail = this.#mailbox.take()
    if (mail === undefined || this.#activation.isOver) return
    this.#fail(
      mail,
      messageDeadly(toldTo({ name: this.#behaviour.name, key: this.#key }, { message: mail.name }), deliveries),
    )
    await this.#commits.rest()
  }

  async #pause(ms: number): Promise<void> {
    const { store } = this.#activation.deps
    const overAt = store.now() + ms
    // What comes meanwhile is seen afterwards.
    while (!this.#activation.isOver && !this.#isDraining && store.now() < overAt)
      await this.#signal.within(Math.max(1, overAt - store.now()))
  }

  /** Waits for a message until it is time to be put aside. */
  async #rest(): Promise<void> {
    const { around, deps } = this.#activation
    this.#renewDeliveries()
    for (;;) {
      const leftMs = around.isFull() ? 0 : this.#behaviour.idleMs - (deps.clock.monotonic() - this.#busyAt)
      const dueMs = (this.#kept.dueAt ?? Infinity) - deps.store.now()
      if (dueMs <= 0) return
      if (leftMs <= 0) break
      if (await this.#signal.within(Math.min(leftMs, dueMs, lookMs))) return
    }
    await this.#putAside()
  }

  /** Nothing that was told to it killed its process. */
  #renewDeliveries(): void {
    if (!this.#hadDeliveries) return
    this.#hadDeliveries = false
    this.#commits.add(ownRecord(this.#activation, { hadDeliveries: true }))
  }

  async #putAside(): Promise<void> {
    await this.#commits.rest()
    if (this.#mailbox.hasNews || this.#isDraining) return
    this.#activation.park(this.#waits())
  }

  #waits(): WaitRecord[] {
    const mail: WaitRecord = { path: 'mail', kind: 'mail', name: null, dueAt: null }
    const { dueAt } = this.#kept
    if (dueAt !== null) return [mail, { path: 'remind', kind: 'sleep', name: null, dueAt }]
    return this.#kept.isEmpty ? [mail, { path: 'end', kind: 'end', name: null, dueAt: null }] : [mail]
  }

  async #giveBack(): Promise<void> {
    await this.#commits.rest()
    this.#activation.release()
  }
}
