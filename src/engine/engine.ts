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
import { Door } from './door.ts'
import { Hints } from './hints.ts'
import { Intake } from './intake.ts'
import { Dispatcher } from './dispatcher.ts'
import { DomainEvents } from './events/domain-events.ts'
import { EventDesk } from './events/event-desk.ts'
import { EventTally } from './events/event-tally.ts'
import { FailureCalls } from './failures/failure-calls.ts'
import { FailureNews } from './failures/failure-news.ts'
import { goingOn } from './in-time.ts'
import { LocalRuns } from './activation/local-runs.ts'
import { Membership } from './membership/membership.ts'
import type { EngineView } from './verbs/node-status.ts'
import { Pool } from './pool/pool.ts'
import { Post } from './mailboxes/post.ts'
import { Processor } from './processor.ts'
import type { Registry } from './definition/registry.ts'
import { Slots } from './limits/slots.ts'
import type { DraftStart } from './starts.ts'
import { Janitor } from './membership/janitor.ts'
import { TaskActor } from './pool/task-actor.ts'
import { threadsOf, type Threads } from './pool/threads.ts'
import { TakingIn } from './membership/taking-in.ts'
import { Timekeeper } from './membership/timekeeper.ts'
import { Timekeeping } from './membership/timekeeping.ts'
import { UnderWay } from './under-way.ts'
import { Unserved } from './watch/unserved.ts'
import { Watch } from './watch/watch.ts'
import { WorkflowActor } from './pool/workflow-actor.ts'
import { askForMail, passBarrier, type Write } from './writes.ts'

// How much longer than it was given a stop may take, to write what it has to.
const patienceMs = 5_000

export class Engine {
  readonly watch: Watch
  readonly changes: Changes
  readonly post: Post
  /** What programs ask for comes in here. */
  readonly door: Door
  readonly hints: Hints
  readonly takingIn: TakingIn
  /** The runs on this node. */
  readonly active: ActiveRuns
  /** Those that are not durable. */
  readonly local: LocalRuns
  /** What waits for limiters and is no run. */
  readonly slots: Slots
  readonly underWay: UnderWay
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
  readonly #pools: { readonly workflow: Pool; readonly task: Pool }
  readonly #threads: Threads
  readonly #committer: Ref<Committer>
  readonly #failureCalls: FailureCalls
  readonly #unserved: Unserved
  readonly #dispatcher: Ref<Dispatcher>
  readonly #registry: Registry
  readonly #failureNews: FailureNews
  readonly #timekeeping: Timekeeping
  #isStopping = false

  constructor(deps: Deps, registry: Registry, settings: EngineSettings) {
    this.#registry = registry
    this.#deps = deps
    this.#settings = settings
    this.membership = new Membership(deps, settings, registry)
    this.active = new ActiveRuns(deps, () => this.#claim())
    this.changes = new Changes(deps.store, deps.clock)
    this.post = new Post(deps, this.changes)
    const awaited = (): void => this.#unserved.watch()
    this.watch = new Watch({ ...deps, changes: this.changes, isHere: (id) => this.active.hasId(id), awaited })
    this.#company = new Company(deps, (failure) => {
      this.door.shut()
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
      opensAt: (at) => this.hints.opensAt(at),
      nodeLost: () => this.#write(askForMail),
    })
    this.#failureCalls = new FailureCalls(deps, { registry, node: this.membership.node })
    this.#failureNews = new FailureNews(deps, registry, { watch: this.watch, calls: this.#failureCalls })
    this.takingIn = new TakingIn(deps, { taken: (ids) => this.#mayHaveFailed(ids) })
    const employ = () => this.#company.employ('timekeeper', () => this.#makeTimekeeper())
    this.#timekeeping = new Timekeeping({ changes: this.changes, takingIn: this.takingIn, employ })
    this.hints = new Hints({
      active: this.active,
      slots: this.slots,
      timekeeping: this.#timekeeping,
      now: () => deps.store.now(),
      write: this.#write,
      claim: (again) => this.#claim(again),
    })
    const around = this.#surroundings(registry)
    this.local = new LocalRuns(around)
    this.underWay = new UnderWay({ clock: deps.clock, active: this.active, local: this.local, slots: this.slots })
    this.#committer = this.#company.employ('committer', () => this.#makeCommitter()).ref
    this.#pools = {
      task: this.#makePool('task', (work) => new TaskActor(work)),
      workflow: this.#makePool('workflow', (work) => new WorkflowActor(work)),
    }
    const { queues, isOwnOnly } = settings
    const own = { pools: this.#pools, active: this.active, membership: this.membership, registry, around }
    this.#dispatcher = this.#company.employ('dispatcher', () => new Dispatcher({ ...own, queues, isOwnOnly })).ref
    const processor = this.#company.employ('processor', () => new Processor(this.#dispatcher, this.#committer)).ref
    this.door = new Door(processor, this.#company)
    registry.whenAdded(() => {
      this.hints.ready()
      this.membership.definitionAdded()
    })
  }

  /** Makes this process a node: from now on it serves its queues. Harmless to repeat. */
  readonly start = onceDone(() => this.#start())

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

  /** Takes no more work, lets what runs finish or come to rest, gives the rest back, and ends, also when the store does not work. */
  async stop(withinMs: number): Promise<void> {
    const { clock } = this.#deps
    const restBy = clock.monotonic() + withinMs
    const overBy = restBy + patienceMs
    const leftMs = (): number => Math.max(0, overBy - clock.monotonic())
    const waitFor = goingOn(this.#deps, leftMs)
    this.#isStopping = true
    await waitFor('closing the door', this.door.close())
    await waitFor('ending the claims', this.#dispatcher.ask('close'))
    // Race: starts and claims on their way bring runs that no other node knows to be free.
    await waitFor('writing what was asked for', passBarrier(this.#write))
    await this.underWay.comeToRest({ restBy, overBy })
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
    this.underWay.giveUp('outdated')
    void this.#timekeeping.end(patienceMs)
    this.watch.close(reason)
  }

  /** Another node has taken this one for dead: gives up what runs here and, unless it stops, starts anew. */
  async #declaredDead(): Promise<boolean> {
    const isAnew = !this.#isStopping
    // Why before what comes of it.
    if (isAnew) this.membership.tellOfDeath()
    this.active.loseAll('taken over')
    if (!isAnew) return false
    await this.membership.register()
    this.slots.startAnew()
    return true
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
      write: this.#write,
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

  // Waits for room when a flood comes. What is refused, or never handled, is a dead letter and told so.
  readonly #write = (write: Write): void => void this.#committer.send('write', write)

  #ended(activation: Activation): void {
    this.active.remove(activation)
    this.events.look()
    this.takingIn.soon()
    // Others may have waited for its end, or it waits for an actor itself.
    if (activation.wasPutBack || isSuspect(activation.claimed.deliveries)) this.#claim()
  }

  /** Others may be ready now, and some of these may have failed. */
  #mayHaveFailed(ids: readonly string[]): void {
    this.#failureNews.ended(ids)
    this.hints.ready()
  }

  #claim(again?: string): void {
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
      told: (ids) => this.active.mailed(ids),
      woken: () => this.hints.ready(),
      opensAt: (at) => this.hints.opensAt(at),
      cancelRequested: (requests) => this.active.obey(requests),
      takenAway: (taken) => this.active.giveUp(taken),
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
      isHeld: (runId) => this.active.find(runId) !== undefined,
      hint: () => {
        this.post.othersWrote()
        this.hints.othersWrote()
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
      leaseInDoubt: () => this.underWay.giveUp('in doubt'),
    })
  }
}
