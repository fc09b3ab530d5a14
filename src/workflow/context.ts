// What a workflow's code is given: durable steps, and all that a worker has.
import type { Definition } from '../engine/definition/definition.ts'
import type { Answered, MessageName, Received } from '../engine/definition/message-types.ts'
import type { PublishOptions } from '../engine/events/events.ts'
import type { RunLogLevel } from '../engine/activation/speech.ts'
import type { Duration } from '../lib/duration.ts'
import type { LogFields } from '../lib/log.ts'
import type { Storable } from '../lib/storable.ts'
import type { Config } from '../worker/context.ts'
import type { ChildArguments, ChildOptions, ChildRun } from './child-run.ts'
import type { Turn } from './loop.ts'
import type { MapOptions } from './map.ts'
import type { ReceiveOptions } from './mail/receives.ts'
import type { StepContext } from './steps/step.ts'
import type { StepOptions } from './steps/step-options.ts'
import type { TxArguments } from './tx/tx.ts'
import type { PostgresClient, PostgresPool } from './tx/tx-postgres.ts'
import type { SqliteHandle } from './tx/tx-sqlite.ts'

/** What `map` calls for each item, with a context in the scope of the item. */
export type MapFunction<Item, Result, Input, Messages = unknown> = (
  item: Item,
  ctx: WorkflowContext<Input, Messages>,
  index: number,
) => Result

/** What a workflow's handler is called with. The one given to the items of `map` is the same, in the scope of the item. */
export interface WorkflowContext<Input = unknown, Messages = unknown> {
  readonly workerName: string
  readonly runId: string
  /** As in a worker: the tick of the schedule that started this run. */
  readonly scheduledAt: number | undefined
  /** Of the run as a whole; the first is 1. A crash does not count. */
  readonly attempt: number
  readonly payload: Input
  readonly config: Config
  readonly isDevelopment: boolean
  readonly isProduction: boolean
  /** Aborted when the run times out, is cancelled, or is another node's now. */
  readonly signal: AbortSignal
  /**
   * Runs `fn` once in the life of this run and remembers its result.
   *
   * On resume the remembered result is returned and `fn` is not called. If the process dies after `fn` finished
   * but before its result was saved, `fn` runs again: pass `idempotencyKey` to the outside world to make that harmless.
   * With `undo` what it did is undone, when the run fails for good or is cancelled.
   *
   * Saves: one journal row, after `fn` ended for good; one row for each attempt that failed before.
   * Throws: what `fn` threw, once `retry` is used up; `step_name_taken` when the name is under way in this scope;
   * `journal_mismatch` when the path was something else before; `value_not_storable`, `value_too_large`.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const order = workflow('order', {}, async (ctx, amount: number) => {
   *   const receipt = await ctx.step('charge', ({ idempotencyKey }) => ({ amount, key: idempotencyKey.split('/')[1] }))
   *   return receipt
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [order] })
   * await troupe.start()
   * console.log(await troupe.run(order, 5)) // { amount: 5, key: 'charge' }
   * ```
   */
  step<Result>(
    name: string,
    fn: ((step: StepContext) => Result) & Storable<Awaited<Result>, 'result'>,
    options?: StepOptions<Input, Awaited<NoInfer<Result>>>,
  ): Promise<Awaited<Result>>
  /**
   * Runs `fn` in a transaction of a database of yours and remembers its result in that transaction: either both are there or neither, whenever the process dies.
   *
   * With a SQLite handle (node:sqlite, better-sqlite3) `fn` must be done when it returns. Where the handle has the file of this store open, the journal itself is a part of the
   * transaction; elsewhere a row of a table `troupe_step` is, which is made when it is missing. With a pool of `pg`, `fn` is given a client of it, in a transaction.
   * It is a step: `retry`, `timeout`, `limits` and `undo` are as there; an attempt that fails or runs out of time is rolled back.
   *
   * Saves: one journal row; the row of `troupe_step`. Throws: as `step`, and what the database throws.
   */
  tx<Handle extends SqliteHandle, Result>(
    name: string,
    db: Handle,
    ...work: TxArguments<Handle, Result, Input>
  ): Promise<Awaited<Result>>
  tx<Result, Client extends PostgresClient = PostgresClient>(
    name: string,
    db: PostgresPool | PostgresClient,
    ...work: TxArguments<Client, Result, Input>
  ): Promise<Awaited<Result>>
  /**
   * Calls `fn` for every item, at most `concurrency` at a time, and gives the results in the order of the items.
   *
   * Each item has a scope named by its `key`, so its steps are remembered whatever order they finish in.
   * Saves: nothing by itself; what happens outside of steps is repeated on resume.
   * Throws: the first failure, once what is under way has ended; with `onError: 'collect'` nothing.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const pack = workflow('pack', {}, (ctx, skus: string[]) =>
   *   ctx.map('ship', skus, (sku, ctx) => ctx.step('pack', () => sku.toUpperCase()), { key: (sku) => sku, concurrency: 2 }),
   * )
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [pack] })
   * await troupe.start()
   * console.log(await troupe.run(pack, ['a', 'b'])) // [ 'A', 'B' ]
   * ```
   */
  map<Item, Result>(
    name: string,
    items: readonly Item[],
    ...work: [
      fn: MapFunction<Item, Result, Input, Messages>,
      options: MapOptions<Item> & {
        readonly onError: 'collect'
      },
    ]
  ): Promise<PromiseSettledResult<Awaited<Result>>[]>
  map<Item, Result>(
    name: string,
    items: readonly Item[],
    ...work: [fn: MapFunction<Item, Result, Input, Messages>, options?: MapOptions<Item>]
  ): Promise<Awaited<Result>[]>
  /**
   * Waits. A wait of more than a few seconds takes no memory: the run is parked and goes on from its journal, on any node.
   *
   * Saves: one journal row when it is over. No `finally` of yours runs while a run is parked.
   */
  sleep(time: Duration): Promise<void>
  /** Waits until a time: a Date, or milliseconds since 1970. */
  sleepUntil(time: Date | number): Promise<void>
  /**
   * Waits until the run is told something of this name, by `troupe.tell` or `handle.tell`, and gives what it was told; null when the time is up before.
   * What came before it waited was kept. Messages of one name are given in the order in which they came, each to one `receive`; with a `key`, of those
   * that were told with it. A schema that the option `messages` has for the name has checked it: what somebody without the code told that does not fit is
   * not given, but logged and left among `troupe.unread`. One that lost a race takes the next message, until its scope, item of `map` or turn of `loop` ends.
   *
   * A run that waits takes no memory: it is parked and goes on from its journal, on any node.
   *
   * Saves: one journal row, in the commit in which the message is forgotten. Throws: `message_unknown` for a name that `messages` does not have.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const order = workflow('order', {}, async (ctx) => {
   *   const approval = await ctx.receive<{ by: string }>('approve', { timeout: '3d' })
   *   return approval === null ? 'too late' : `approved by ${approval.by}`
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [order] })
   * await troupe.start()
   * const handle = await troupe.call(order)
   * console.log(await handle.tell('approve', { by: 'ann' })) // true
   * console.log(await handle.result()) // approved by ann
   * ```
   */
  receive<Payload = never, Name extends MessageName<Messages> = MessageName<Messages>>(
    name: Name,
    options?: ReceiveOptions,
  ): Promise<([Payload] extends [never] ? Received<Messages, Name> : Payload) | null>
  /**
   * From now on the run answers what it is asked by this name, with `troupe.ask` or `handle.ask`: whatever it does, also while it is parked, which ends for
   * that. What `fn` throws is thrown where it was asked, and the run goes on. Asks and messages come in the order in which they were sent; while `fn` awaits
   * something, the next ones come.
   *
   * `fn` is code of the workflow: it may change its variables, and is called again on resume, at the same place, for what was asked before; steps of the
   * context it is given are done once. Whoever asks has one answer, whatever crashes. Called again for a name, the newer `fn` answers; in a scope, an item of
   * `map` or a turn of `loop` it answers until that ends. The run ends, fails or continues as new once what it has begun to answer is answered.
   *
   * An answer that the `reply` declared in `messages` refuses is `validation_failed` for whoever asked.
   *
   * Saves: two journal rows for each ask, what was asked and the answer. Throws: `message_unknown` for a name that `messages` does not have; `option_invalid`.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const export_ = workflow('export', {}, async (ctx) => {
   *   let done = 0
   *   ctx.answer('progress', () => `${done} of 2`)
   *   for (const part of ['first', 'second']) {
   *     await ctx.receive(part)
   *     done += 1
   *   }
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [export_] })
   * await troupe.start()
   * const handle = await troupe.call(export_)
   * await handle.tell('first')
   * console.log(await handle.ask('progress')) // 1 of 2
   * ```
   */
  answer<
    Name extends MessageName<Messages>,
    Payload extends Received<Messages, Name> = Received<Messages, Name>,
    Reply extends Answered<Messages, Name> = Answered<Messages, Name>,
  >(
    name: Name,
    fn: ((payload: Payload, ctx: WorkflowContext<Input, Messages>) => Reply) & Storable<Awaited<Reply>, 'answer'>,
  ): void
  /**
   * Starts another run, a child of this one, and gives what its result can be awaited by.
   *
   * It is started once in the life of this run, in the commit that remembers it. When this run ends, in whatever way, what it started and is unfinished
   * is cancelled, unless it is `detached`. A run that is tried again starts those anew that failed.
   *
   * Saves: the child with its input, and one journal row. Throws: what `troupe.call` throws; `step_name_taken` when one of the same name is under way
   * in this scope; `recursion_too_deep` when 32 runs stand above it; `circular_wait` when its key gives a run that waits for this one.
   *
   * ```ts
   * import { Troupe, worker, workflow } from 'troupe'
   * const resize = worker('resize', {}, (ctx, width: number) => `${width} pixels`)
   * const album = workflow('album', {}, async (ctx) => {
   *   const small = await ctx.call(resize, 100, { name: 'small' })
   *   const large = await ctx.call(resize, 900, { name: 'large' })
   *   return [await small.result(), await large.result()]
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [resize, album] })
   * await troupe.start()
   * console.log(await troupe.run(album)) // [ '100 pixels', '900 pixels' ]
   * ```
   */
  call(name: string, input?: unknown, options?: ChildOptions): Promise<ChildRun>
  call<ChildInput, Output>(
    definition: Definition<ChildInput, Output>,
    ...args: ChildArguments<ChildInput, NoInfer<Output>>
  ): Promise<ChildRun<Output>>
  /**
   * Starts another run, as `call` does, and waits for its result. A run that waits long is parked and holds nothing.
   *
   * Saves: as `call`, and one journal row for the result. Throws: what the child failed with; `run_cancelled`; what `call` throws.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const factorial = workflow('factorial', {}, async (ctx, n: number): Promise<number> =>
   *   n < 2 ? 1 : n * ((await ctx.run('factorial', n - 1)) as number),
   * )
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [factorial] })
   * await troupe.start()
   * console.log(await troupe.run(factorial, 5)) // 120
   * ```
   */
  run(name: string, input?: unknown, options?: ChildOptions): Promise<unknown>
  run<ChildInput, Output>(
    definition: Definition<ChildInput, Output>,
    ...args: ChildArguments<ChildInput, NoInfer<Output>>
  ): Promise<Output>
  /**
   * Calls `fn` with a context whose steps have a scope of their own: their names are theirs alone, whatever goes on beside it.
   *
   * Saves: nothing by itself. Throws: what `fn` throws; `step_name_taken` when a scope or step of this name is under way.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const trip = workflow('trip', {}, (ctx) =>
   *   Promise.all(['outward', 'return'].map((way) => ctx.scope(way, (ctx) => ctx.step('book', () => `booked ${way}`)))),
   * )
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [trip] })
   * await troupe.start()
   * console.log(await troupe.run(trip)) // [ 'booked outward', 'booked return' ]
   * ```
   */
  scope<Result>(name: string, fn: (ctx: WorkflowContext<Input, Messages>) => Result): Promise<Awaited<Result>>
  /**
   * Publishes an event, once in the life of this run: whoever subscribed is told, as with `troupe.publish`. It is published in the commit that remembers it;
   * with the mode `fast`, which is for this process alone, after that, or not when the process dies in between.
   *
   * Saves: one journal row, and the event for each subscription. Throws: `option_invalid`, `value_not_storable`, `value_too_large` (256 KiB).
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const order = workflow('order', {}, async (ctx, id: number) => {
   *   await ctx.step('charge', () => `charged ${id}`)
   *   await ctx.publish('order.paid', { id })
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [order] })
   * await troupe.start()
   * const told = new Promise((resolve) => troupe.subscribe('order.*', resolve, { group: 'mail' }))
   * await troupe.run(order, 7)
   * console.log(await told) // { id: 7 }
   * ```
   */
  publish<Payload>(
    event: string,
    payload?: Payload & Storable<Payload, 'payload'>,
    options?: PublishOptions,
  ): Promise<void>
  /**
   * The time, in milliseconds since 1970, remembered: on resume it is the time at which the code came here first. Saves one journal row.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const voucher = workflow('voucher', {}, async (ctx) => ({ code: await ctx.uuid(), validUntil: (await ctx.now()) + 86_400_000 }))
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [voucher] })
   * await troupe.start()
   * const { code, validUntil } = await troupe.run(voucher)
   * console.log(code.length, validUntil > Date.now()) // 36 true
   * ```
   */
  now(): Promise<number>
  /** A number from 0 up to but not 1, remembered: the same on resume. Saves one journal row. */
  random(): Promise<number>
  /** A UUID, remembered: the same on resume. Saves one journal row. */
  uuid(): Promise<string>
  /**
   * Calls `fn` with a state, again and again, until it returns `{ done: result }`; with `{ again: state }` the next turn begins with that state.
   *
   * Only the newest state and the steps of the turn under way are remembered, so a loop of a million turns costs and resumes as one of ten.
   * What a turn does in steps is done once, as elsewhere. Saves: one journal row for the loop, changed with each turn.
   * Throws: what `fn` throws; `step_name_taken`; `option_invalid` for what is no turn; `value_not_storable`, `value_too_large` for a state.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const poll = workflow('poll', {}, (ctx) =>
   *   ctx.loop('look', { looks: 0 }, async ({ looks }, ctx) => {
   *     const isThere = await ctx.step('look', () => looks === 2)
   *     if (isThere) return { done: `there at look ${looks}` }
   *     await ctx.sleep('10ms')
   *     return { again: { looks: looks + 1 } }
   *   }),
   * )
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [poll] })
   * await troupe.start()
   * console.log(await troupe.run(poll)) // there at look 2
   * ```
   */
  loop<State, Result>(
    name: string,
    state: State,
    fn: ((state: State, ctx: WorkflowContext<Input, Messages>) => Turn<State, Result> | Promise<Turn<State, Result>>) &
      Storable<State, 'state'>,
  ): Promise<Result>
  /**
   * Whether a change of the code holds for this run: true for runs that come here with it, false for those that had been further before.
   *
   * So that runs under way go on with what they remember, while new ones take the new way. Saves one journal row when it is true.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const order = workflow('order', {}, async (ctx) => {
   *   if (await ctx.patch('charge-by-card')) return ctx.step('charge card', () => 'by card')
   *   return ctx.step('send bill', () => 'by bill')
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [order] })
   * await troupe.start()
   * console.log(await troupe.run(order)) // by card
   * ```
   */
  patch(id: string): Promise<boolean>
  /**
   * Ends what the code does here and begins the workflow anew with another input: the same run, in its next generation, without memory of what it did.
   * For what goes on for months; attempts count anew, the time that its call gave the run does not. Never returns.
   *
   * What it has begun to answer is answered first. What was told to the run and not received, its state and its children stay. Saves: the input; the journal is deleted.
   * Throws: `validation_failed`, `value_not_storable`, `value_too_large` for the input; `definition_invalid` in the function of an answer, which would never be given.
   *
   * ```ts
   * import { Troupe, workflow } from 'troupe'
   * const months = workflow('months', {}, async (ctx, month: number) => {
   *   await ctx.step('bill', () => `billed month ${month}`)
   *   return month === 3 ? 'ended after three' : ctx.continueAsNew(month + 1)
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [months] })
   * await troupe.start()
   * console.log(await troupe.run(months, 1)) // ended after three
   * ```
   */
  continueAsNew(input: Input): Promise<never>
  /** Sends a message to whoever watches the run; not repeated on resume. Saves one row with the next commit. */
  emit<Message>(message: Message & Storable<Message, 'message'>): boolean
  /** Says how far the work is. Only the newest is kept. */
  progress(done: number, total?: number): void
  /** Says a line with its fields, as `log` of a worker does; what was said before is not said again. */
  log(level: RunLogLevel, text: string, fields?: LogFields): void
  debug(text: string, fields?: LogFields): void
  info(text: string, fields?: LogFields): void
  warn(text: string, fields?: LogFields): void
  error(text: string, fields?: LogFields): void
}
