// Replays the journal of a run against the code of today, without doing anything: whether it goes on, does something again, or has taken another way.

import { asDefinition, type AnyDefinition, type Definition } from '../engine/definition/definition.ts'
import type { RunStatus } from '../engine/verbs/run-status.ts'
import { decode, encode } from '../lib/codec.ts'
import { optionInvalid } from '../model/errors.ts'
import { differenceText, type Difference, type DivergencePolicy, type RunVerdict } from '../model/divergence.ts'
import { reasonText } from '../model/reason.ts'
import { emptyDraft, type BatchLists } from '../store/lists.ts'
import { bareStart, type StartRecord } from '../store/start.ts'
import type { Batch, Held, Store } from '../store/store.ts'
import { isRemembered } from '../workflow/check-deploy/run-check.ts'
import type { JournalFixture } from './journal-fixture.ts'
import { RecordedLog } from './recorded-log.ts'
import { Stage, type StagedEngine } from './stage.ts'

export interface ReplayOptions {
  /** What the workflow starts. None of it is performed. */
  readonly definitions?: readonly Definition[]
  /** What it reads with `ctx.config.get`. */
  readonly config?: Readonly<Record<string, unknown>>
  /** As the option of `Troupe.open`, for a workflow that says nothing. */
  readonly divergence?: DivergencePolicy
}

export interface Replay {
  /** The words of `troupe check-deploy`; a journal in a file waits for no version. */
  readonly verdict: Exclude<RunVerdict, 'waits'>
  /** What it would do next: steps, children, waits; how it ends, when it does. */
  readonly next: readonly string[]
  /** What differs, in one line; empty when nothing does. */
  readonly text: string
  readonly difference?: Difference
}

// What is remembered and not asked for is waited for a while.
const lastMs = 10_000
const patienceMs = 1

/**
 * Performs the code of a workflow as a resume does, on what a journal holds, up to what is new: no step, no worker and no child is performed.
 *
 * Saves: nothing. Throws: an error when the journal is of another workflow; what opening an engine throws.
 *
 * ```ts
 * import { workflow } from 'troupe'
 * import { journalOf, replayJournal, testTroupe } from 'troupe/testing'
 * const order = workflow('order', {}, async (ctx) => {
 *   await ctx.step('charge', () => 'charged')
 *   await ctx.sleep('30d')
 *   return ctx.step('ship', () => 'shipped')
 * })
 * await using kit = await testTroupe({ definitions: [order] })
 * const handle = await kit.troupe.call(order)
 * await kit.settle()
 * const journal = await journalOf(kit.troupe, handle.id)
 * const { verdict, next } = await replayJournal(order, journal)
 * console.log(verdict, next) // continues [ 'waits for a time' ]
 * ```
 */
export async function replayJournal(
  workflow: Definition<never, unknown>,
  journal: JournalFixture,
  options: ReplayOptions = {},
): Promise<Replay> {
  const definition = asDefinition(workflow)
  checkJournal(definition, journal)
  const stage = await Stage.open({ patienceMs })
  try {
    return await new JournalReplay(stage, definition, journal).run(options)
  } finally {
    await stage.close()
  }
}

function checkJournal({ name, runsOn }: AnyDefinition, journal: JournalFixture): void {
  if (journal?.format !== 1) throw optionInvalid('journal', journal, 'what journalOf() gives')
  if (runsOn !== 'workflow') throw optionInvalid('workflow', name, 'a workflow: a worker has no journal')
  if (journal.name !== name) throw optionInvalid('journal', journal.name, `one of '${name}'`)
}

class JournalReplay {
  readonly #stage: Stage
  readonly #definition: AnyDefinition
  readonly #journal: JournalFixture
  readonly #next: string[] = []
  // A step that failed before is executed again.
  #repeats = false
  #seq = 0

  constructor(stage: Stage, definition: AnyDefinition, journal: JournalFixture) {
    this.#stage = stage
    this.#definition = definition
    this.#journal = journal
  }

  /** store → perform → look */
  async run({ definitions = [], config, divergence = 'strict' }: ReplayOptions): Promise<Replay> {
    const id = await this.#store(this.#stage.store)
    const others = definitions.map((other) => asDefinition(other)).filter(({ name }) => name !== this.#definition.name)
    const { settings } = this.#definition
    const retry = { ...settings.retry, attempts: 1 }
    const engine = await this.#stage.start({
      troupe: { global: false, logLevel: 'debug', ...(config && { config }) },
      definitions: [
        { ...this.#definition, settings: { ...settings, retry, divergence: 'strict' } },
        ...others.map(idle),
      ],
      log: new RecordedLog(),
      performStep: ({ path }) => {
        this.#next.push(`step '${path}'`)
        this.#repeats ||= this.#journal.failedAttempts.some((attempt) => attempt.path === path)
        return new Promise(() => {})
      },
      committing: (batch) => this.#see(batch),
    })
    await this.#stage.flow.settle()
    if ((await this.#isOnItsWay(engine, id)) && this.#next.length === 0) await this.#stage.flow.advance(lastMs)
    const status = (await engine.troupe.get(id)) as RunStatus
    engine.drop()
    return this.#verdict(status, settings.divergence ?? divergence)
  }

  async #isOnItsWay({ troupe }: StagedEngine, id: string): Promise<boolean> {
    return (await troupe.get(id))?.state === 'running'
  }

  #see(batch: Batch): void {
    for (const { path } of batch.children) this.#next.push(`child '${path}'`)
  }

  #verdict(status: RunStatus, policy: DivergencePolicy): Replay {
    const { reason, state, error } = status
    if (reason?.kind === 'diverged') {
      const verdict = policy === 'strict' ? 'diverges' : 'repeats'
      const { since: _since, ...difference } = reason.divergence
      return { verdict, next: [], text: differenceText(difference), difference }
    }
    const next = [...this.#next]
    if (state === 'succeeded') next.push('succeeds')
    else if (error !== undefined) next.push(`fails with ${error.name}: ${error.message}`)
    else if (reason !== undefined && reason.kind !== 'limiter') next.push(`waits for ${reasonText(reason)}`)
    const fails = error !== undefined && !isRemembered(this.#journal.steps, error)
    return { verdict: fails ? 'fails' : this.#repeats ? 'repeats' : 'continues', next, text: '' }
  }

  /** Writes the run as a node would have left it. */
  async #store(store: Store): Promise<string> {
    const { name, version, takesOver } = this.#definition
    const { input, steps, failedAttempts } = this.#journal
    const identity = { name: 'fixture', bootId: null, pidNamespace: null, pid: 0, pidStartedAt: null }
    const nodeId = await store.insertNode(identity, lastMs)
    const queueId = await store.internQueue('default')
    const definitionId = await store.internDefinition(
      name,
      takesOver?.has(this.#journal.version) ? this.#journal.version : version,
    )
    const now = store.now()
    const id = '00000000-0000-7000-8000-000000000000'
    const start = { ...bareStart, queueId, id, definitionId, input, directly: true }
    const children = await this.#children(store, queueId)
    const { started } = await store.commit(this.#batch(nodeId, { starts: [start, ...children] }))
    const held = started[0]?.held as Held
    const times = { startedAt: now, finishedAt: now }
    await store.commit(
      this.#batch(nodeId, {
        steps: steps.map((step, index) => ({ ...step, ...times, held, seq: index + 1, attempt: 1 })),
        attempts: failedAttempts.map((attempt) => ({ ...attempt, ...times, held })),
        releases: [held],
      }),
    )
    await store.deleteNode(nodeId)
    return id
  }

  /** The runs that it started: they are there, and nobody performs them. */
  async #children(store: Store, queueId: number): Promise<StartRecord[]> {
    const definitionId = await store.internDefinition('what the run started', '0')
    const ids = this.#journal.steps
      .filter(({ kind, isError }) => kind === 'child' && !isError)
      .map(({ value }) => value)
    return ids.map((value) => ({
      ...bareStart,
      queueId,
      definitionId,
      id: decode(value) as string,
      input: encode(undefined),
    }))
  }

  #batch(nodeId: number, lists: Partial<BatchLists>): Batch {
    return { ...emptyDraft(nodeId, ++this.#seq), ...lists }
  }
}

/** Known by its name, and never done. */
function idle(definition: AnyDefinition): AnyDefinition {
  return { ...definition, perform: () => new Promise(() => {}) }
}
