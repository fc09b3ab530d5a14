// The company: builds the actors that run everything, starts them in order and stops them in reverse.
import type { Ref } from '../actor/ref.ts'
import type { BreakerView } from '../lib/breaker.ts'
import { onceDone } from '../lib/once-done.ts'
import { engineStopped } from '../model/errors.ts'
import { isSuspect } from '../model/suspect.ts'
import { ActiveRuns } from './activation/active-runs.ts'
import type { Activation } from './activation/activation.ts'
import type { Surroundings } from './activation/surroundings.ts'
import { Changes } from './watch/changes.ts'
import type { EngineSettings } from './options/engine-settings.ts'
import { CommitTrouble } from './commit-trouble.ts'
import { Committer } from './committer.ts'
import { Company } from './company.ts'
import { Counts } from './counts.ts'
import type { Deps } from './deps.ts'
import { Intake } from './intake.ts'
import { Dispatcher } from './dispatcher.ts'
import { DomainEvents } from './events/domain-events.ts'
import { EventDesk } from './events/event-desk.ts'
import { EventTally } from './events/event-tally.ts'
import { FailureCalls } from './failures/failure-calls.ts'
import { FailureNews } from './failures/failure-news.ts'
import { comeToRest } from './membership/coming-to-rest.ts'
import { goingOn } from './in-time.ts'
import { LocalRuns } from './activation/local-runs.ts'
import { Membership } from './membership/membership.ts'
import type { EngineView } from './verbs/node-status.ts'
import { Pool } from './pool/pool.ts'
import { Post } from './mailboxes/post.ts'
import { ExecuteMany, ExecuteTask, ExecuteWorkflow, Processor, Shutdown, type RunCommand } from './processor.ts'
import type { Registry } from './definition/registry.ts'
import { Slots } from './limits/slots.ts'
import type { DraftStart, ManyStarts, StartOrder } from './starts.ts'
import { Janitor } from './membership/janitor.ts'
import { TaskActor } from './pool/task-actor.ts'
import { threadsOf, type Threads } from './pool/threads.ts'
import { TakingIn } from './membership/taking-in.ts'
import { Timekeeper } from './membership/timekeeper.ts'
import { Timekeeping } from './membership/timekeeping.ts'
import { Unserved } from './watch/unserved.ts'
import { Watch } from './watch/watch.ts'
import { WorkflowActor } from './pool/workflow-actor.ts'
import { askForMail, Barrier, type Write } from './writes.ts'

// How much longer than it was given a stop may take, to write what it has to.
const patienceMs = 5_000

export class Engine {
  readonly watch: Watch
  readonly changes: Changes
  readonly post: Post
  readonly takingIn: TakingIn
  /** The runs that are not durable. */
  readonly local: LocalRuns
  /** What waits for limiters and is no run. */
  readonly slots: Slots
  readonly counts = new Counts()
  readonly intake = new Intake()
  readonly membership: Membership
  readonly #trouble: CommitTrouble
  readonly events: EventDesk
  /** How runs are started from runs. */
  draft: DraftStart = () => Promise.reject(engineStopped())
  readonly #deps: Deps
  readonly #settings: EngineSettings
  readonly #company: Company
  readonly #active: ActiveRuns
  readonly #pools: { readonly workflow: Pool; readonly task: Pool }
  readonly #threads: Threads
  readonly #committer: Ref<Committer>
  readonly #failureCalls: FailureCalls
  readonly #unserved: Unserved
  readonly #dispatcher: Ref<Dispatcher>
  readonly #processor: Ref<Processor>
  readonly #registry: Registry
  readonly #failureNews: FailureNews
  readonly #timekeeping: Timekeeping
  #isStopping = false
  #shutdown: string | undefined

  constructor(deps: Deps, registry: Registry, settings: EngineSettings) {
    this.#registry = registry
    this.#deps = deps
    this.#settings = settings
    this.membership = new Membership(deps, settings, registry)
    this.#active = new ActiveRuns(deps, () => this.#hintClaims())
    this.changes = new Changes(deps.store, deps.clock)
    this.post = new Post(deps, this.changes)
    const awaited = (): void => this.#unserved.watch()
    this.watch = new Watch({ ...deps, changes: this.changes, isHere: this.isHere, awaited })
    this.#company = new Company(deps, (failure) => {
      this.#processor.tell(new Shutdown())
      this.watch.wakeAll({ trouble: failure })
    })
    this.events = this.#makeEvents()
    this.#trouble = new CommitTrouble(deps.clock)
    this.#threads = threadsOf(deps, settings)
    const isServing = (): boolean => this.membership.isServing
    this.#unserved = new Unserved(deps, { awaited: () => this.watch.awaitedIds(), isServing })
    this.slots = new Slots(deps, {
      registry,
      node: this.membership.node,
      join: () => this.#join(),
      opensAt: (at) => this.#opensAt(at),
      nodeLost: () => this.#write(askForMail),
    })
    this.#failureCalls = new FailureCalls(deps, { registry, node: this.membership.node })
    this.#failureNews = new FailureNews(deps, registry, { watch: this.watch, calls: this.#failureCalls })
    this.takingIn = new TakingIn(deps, { taken: (ids) => this.#mayHaveFailed(ids) })
    const employ = () => this.#company.employ('timekeeper', () => this.#makeTimekeeper())
    this.#timekeeping = new Timekeeping({ changes: this.changes, takingIn: this.takingIn, employ })
    const around = this.#surroundings(registry)
    this.local = new LocalRuns(around)
    this.#committer = this.#company.employ('committer', () => this.#makeCommitter()).ref
    this.#pools = {
      task: this.#makePool('task', (work) => new TaskActor(work)),
      workflow: this.#makePool('workflow', (work) => new WorkflowActor(work)),
    }
    const { queues, isOwnOnly } = settings
    const own = { pools: this.#pools, active: this.#active, membership: this.membership, registry, around }
    this.#dispatcher = this.#company.employ('dispatcher', () => new Dispatcher({ ...own, queues, isOwnOnly })).ref
    this.#processor = this.#company.employ('processor', () => new Processor(this.#dispatcher, this.#committer)).ref
    registry.whenAdded(() => {
      this.hint()
      this.membership.definitionAdded()
    })
  }

  /** Makes this process a node: from now on it serves its queues. Harmless to repeat. */
  readonly start = onceDone(() => this.#start())

  /** Takes an order; the order's own promise tells when it is durable. */
  async order(order: StartOrder): Promise<void> {
    const Execute = order.definition.runsOn === 'workflow' ? ExecuteWorkflow : ExecuteTask
    await this.#command(new Execute({ order }))
  }

  /** Takes many; their own promise tells when they are durable. */
  async orderMany(starts: ManyStarts): Promise<void> {
    await this.#command(new ExecuteMany({ starts }))
  }

  /** Runs may have become ready; one that is given was tried again here. */
  hint(again?: string): void {
    this.#hintClaims(again)
    this.slots.look()
  }

  /** Whether the news of this run will come from this process. */
  readonly isHere = (id: string): boolean => this.#active.hasId(id)

  /** Something may be ready, or due sooner than this node knows. */
  lookAgain(): void {
    this.#timekeeping.wake()
    this.hint()
    if (this.#active.size > 0) this.#write(askForMail)
  }

  running(): string[] {
    return this.#active.ids()
  }

  /** Brings what somebody asks of a run. */
  async bring(command: RunCommand): Promise<void> {
    await this.#command(command)
  }

  /** Something was brought to a run, which may be here. */
  mailFor(id: string): void {
    this.#active.findById(id)?.mail()
  }

  /** What can be seen of it from outside. */
  get view(): EngineView {
    const failure = this.#company.failure ?? (this.#isStopping ? engineStopped() : undefined)
    const { node, isServing: serves } = this.membership
    const isServing = serves && this.#timekeeping.isKept && !this.#isStopping
    return { name: this.#settings.identity.name, nodeId: node.nodeId, isServing, failure, pools: this.#pools }
  }

  /** What keeps work that failed from being tried for a while. */
  get breakers(): readonly BreakerView[] {
    return [this.#trouble.view(), ...this.events.breakers.map((breaker) => breaker.view())]
  }

  get maxValueBytes(): number {
    return this.#settings.maxValueBytes
  }

  /** Cancels what runs here, and what still comes here until the `stop` that follows; also while one is under way. */
  cancelAll(reason: string): void {
    this.#shutdown = reason
    for (const activation of this.#active.all()) activation.cancel(reason)
    this.local.cancelAll(reason)
  }

  /** Takes no more work, lets what runs finish or come to rest, gives the rest back, and ends, also when the store does not work. */
  async stop(withinMs: number): Promise<void> {
    const { clock } = this.#deps
    const restBy = clock.monotonic() + withinMs
    const overBy = restBy + patienceMs
    const leftMs = (): number => Math.max(0, overBy - clock.monotonic())
    const waitFor = goingOn(this.#deps, leftMs)
    this.#isStopping = true
    await waitFor('closing the door', this.#processor.ask(new Shutdown()))
    await waitFor('ending the claims', this.#dispatcher.ask('close'))
    // Race: starts and claims on their way bring runs that no other node knows to be free.
    await waitFor('writing what was asked for', this.#passBarrier())
    if (this.#shutdown !== undefined) this.cancelAll(this.#shutdown)
    await comeToRest({ clock, active: this.#active, local: this.local, slots: this.slots }, { restBy, overBy })
    await this.#failureCalls.close(leftMs())
    this.#unserved.close()
    await this.#timekeeping.end(leftMs())
    await waitFor('ending the threads', this.#threads.close())
    await waitFor('ending the scripts', this.#settings.scripts.close())
    this.slots.end()
    for (const pool of Object.values(this.#pools)) pool.close()
    await this.#company.system.stop({ within: leftMs() })
    await waitFor('leaving the store before its lease ends', this.membership.leave())
  }

  async #start(): Promise<void> {
    await this.membership.serve(this.#join)
    this.#company.employ('janitor', () => {
      const { retention: defaults, retentionBeside: beside } = this.#settings
      return new Janitor(this.#deps, this.counts, { defaults, beside })
    })
    await this.#dispatcher.ask('serve', this.membership.node.nodeId)
    this.#failureCalls.serve()
  }

  /** Makes this process a node, which serves nothing before it is started. */
  readonly #join = onceDone(async () => {
    await this.membership.register()
    await this.#timekeeping.begin()
  })

  /** A newer version has changed the schema of the store. The lease is left to end: who knows that schema goes on with what ran here. */
  #outdated(reason: Error): void {
    if (!this.#company.endWork(reason)) return
    this.#dispatcher.tell('close')
    this.#active.loseAll('outdated')
    this.slots.inDoubt()
    void this.#timekeeping.end(patienceMs)
    this.watch.close(reason)
  }

  async #command(command: ExecuteWorkflow | ExecuteTask | ExecuteMany | RunCommand): Promise<void> {
    try {
      await this.#processor.send(command)
    } catch {
      // The one way in which it can fail; callers know of no processor.
      throw this.#company.end
    }
  }

  #opensAt(at: number): void {
    if (at <= this.#deps.store.now()) this.hint()
    else this.#timekeeping.dueAt(at)
  }

  /** Another node has taken this one for dead: gives up what runs here and, unless it stops, starts anew. */
  async #declaredDead(): Promise<boolean> {
    const isAnew = !this.#isStopping
    if (isAnew) this.membership.tellOfDeath()
    this.#active.loseAll('taken over')
    if (!isAnew) return false
    await this.membership.register()
    this.slots.startAnew()
    return true
  }

  async #passBarrier(): Promise<void> {
    const barrier = new Barrier()
    this.#write(barrier)
    await barrier.passed.promise
  }

  #surroundings(registry: Registry): Surroundings {
    const { maxValueBytes, encodeInput, config, environment, logLevel, divergence, scripts } = this.#settings
    return {
      deps: this.#deps,
      divergence,
      maxValueBytes,
      encodeInput,
      config,
      environment,
      logLevel,
      known: registry,
      counts: this.counts,
      threads: this.#threads,
      scripts,
      slots: this.slots,
      watch: this.watch,
      post: this.post,
      draft: (target, input, options) => this.draft(target, input, options),
      isFull: () => this.#pools.workflow.free === 0,
      events: this.events,
      startedByRun: (id) => void this.#dispatcher.tell('startedByRun', id),
      write: (write) => this.#write(write),
      execute: (task) => this.#pools.task.execute(task),
      ended: (activation) => this.#ended(activation),
      failed: (failure) => this.#failureNews.failed(failure),
      heard: (id, finished) => {
        this.post.replies.look()
        this.watch.wake(id, finished && { finished })
        if (this.#settings.isOwnOnly && finished !== undefined) this.#dispatcher.tell('ended', id)
      },
      troubled: (id, error) => {
        this.#timekeeping.doubt()
        this.watch.wake(id, { trouble: error })
      },
      dueAt: (at) => this.#timekeeping.dueAt(at),
    }
  }

  #write(write: Write): void {
    // Waits for room when a flood comes. What is refused, or never handled, is a dead letter and told so.
    void this.#committer.send('write', write)
  }

  #ended(activation: Activation): void {
    this.#active.remove(activation)
    this.events.look()
    this.takingIn.soon()
    // Others may have waited for its end, or it waits for an actor itself.
    if (activation.wasPutBack || isSuspect(activation.claimed.deliveries)) this.#hintClaims()
  }

  /** Others may be ready now, and some of these may have failed. */
  #mayHaveFailed(ids: readonly string[]): void {
    this.#failureNews.ended(ids)
    this.hint()
  }

  #hintClaims(again?: string): void {
    // Race: the last batches are told of after the dispatcher has ended, and it claims no more before that.
    if (!this.#isStopping) this.#dispatcher.tell('hint', again)
  }

  #makeEvents(): EventDesk {
    const tally = new EventTally()
    const make = (): DomainEvents => new DomainEvents(this.#deps, { tally, changes: this.changes })
    return new EventDesk(this.#deps, this.#company.employ('domain-events', make).ref, tally)
  }

  #makeCommitter(): Committer {
    return new Committer(this.#deps, {
      node: this.membership.node,
      counts: this.counts,
      trouble: this.#trouble,
      declaredDead: () => this.#declaredDead(),
      moreToEnd: () => this.#timekeeping.wake(),
      told: (ids) => this.#active.mailed(ids),
      woken: () => this.hint(),
      opensAt: (at) => this.#opensAt(at),
      cancelRequested: (requests) => this.#active.obey(requests),
      takenAway: (taken) => this.#active.giveUp(taken),
      outdated: (error) => this.#outdated(error),
    })
  }

  #makePool(kind: 'task' | 'workflow', make: ConstructorParameters<typeof Pool>[0]['make']): Pool {
    const { clock } = this.#deps
    const freed = (): void => void this.#dispatcher.tell('freed', kind)
    return new Pool({ ...this.#settings.pools[kind], system: this.#company.system, clock, make, freed })
  }

  #makeTimekeeper(): Timekeeper {
    const { leaseMs, maxDeliveries, repairs, isProvedDead } = this.#settings
    return new Timekeeper(this.#deps, {
      node: this.membership.node,
      leaseMs,
      maxDeliveries,
      repairs,
      counts: this.counts,
      isProvedDead,
      isHeld: (runId) => this.#active.find(runId) !== undefined,
      hint: () => {
        this.hint()
        this.post.othersWrote()
        if (this.#active.size > 0) this.#write(askForMail)
      },
      givenUp: (runs, error) => this.#failureNews.givenUp(runs, error),
      fireSchedules: () => this.#settings.schedules.fireDue(),
      expired: (runs) => this.#failureNews.expired(runs),
      drain: () => this.membership.drain(),
      outdated: (error) => this.#outdated(error),
      stale: {
        lifecycles: () => this.#registry.lifecycles(),
        failed: (ids) => this.#mayHaveFailed(ids),
      },
      leaseInDoubt: () => {
        this.#active.loseAll('in doubt')
        this.slots.inDoubt()
      },
    })
  }
}
