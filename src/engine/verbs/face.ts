// What the verbs of an engine are made of: its parts, whether it is open, and the handles of its runs.
import { runNotFound } from '../../model/errors.ts'
import type { Deps } from '../deps.ts'
import type { Engine } from '../engine.ts'
import type { RunView } from '../../store/views.ts'
import { checkRunId } from './filters.ts'
import { LocalFeed, viewOf, type LocalRun } from '../activation/local-run.ts'
import type { Registry } from '../definition/registry.ts'
import { ExpectedFeed, StoredFeed, type RunFeed } from '../watch/run-feed.ts'
import { RunHandle } from '../watch/run-handle.ts'
import { runStatus, type RunStatus } from './run-status.ts'
import type { EncodeInput } from './starting.ts'

export interface FaceParts {
  readonly deps: Deps
  readonly registry: Registry
  readonly engine: Engine
  readonly encodeInput: EncodeInput
  /** Throws `engine_stopped` once the engine stops. */
  readonly checkOpen: () => void
}

export class Face {
  readonly deps: Deps
  readonly registry: Registry
  readonly engine: Engine
  readonly encodeInput: EncodeInput
  readonly checkOpen: () => void

  constructor({ deps, registry, engine, encodeInput, checkOpen }: FaceParts) {
    this.deps = deps
    this.registry = registry
    this.engine = engine
    this.encodeInput = encodeInput
    this.checkOpen = checkOpen
  }

  handleOf(run: { readonly id: string; readonly name: string }): RunHandle {
    return new RunHandle(new StoredFeed(this, run), this.deps.clock)
  }

  /** The handle of a run whose start was left in a transaction of the caller. */
  handleOfLeft(run: { readonly id: string; readonly name: string }): RunHandle {
    const Feed = this.deps.store.callers.intake === undefined ? StoredFeed : ExpectedFeed
    return new RunHandle(new Feed(this, run), this.deps.clock)
  }

  localHandle(run: LocalRun): RunHandle {
    return new RunHandle(new LocalFeed(run, this.engine.local), this.deps.clock)
  }

  /** The handle of a run that was started before, by anyone. Throws `run_not_found`. */
  async handle(runId: string): Promise<RunHandle> {
    return new RunHandle(await this.feed(runId), this.deps.clock)
  }

  /** Where that handle looks. Throws `run_not_found`. */
  async feed(runId: string): Promise<RunFeed> {
    const here = this.engine.local.find(runId)
    if (here !== undefined) return new LocalFeed(here, this.engine.local)
    const { name } = await this.existing(runId)
    return new StoredFeed(this, { id: runId, name })
  }

  async find(runId: string): Promise<RunStatus | undefined> {
    this.checkOpen()
    checkRunId(runId)
    const here = this.engine.local.find(runId)
    if (here !== undefined) return runStatus(viewOf(here))
    const row = await this.view(runId)
    return row === undefined ? undefined : runStatus(row)
  }

  /** A run as the store has it; one that was left there to be started is taken in for that. */
  view(runId: string): Promise<RunView | undefined> {
    const found = (view: RunView | undefined): boolean => view !== undefined
    return this.askTwice(() => this.deps.store.findRun(runId), found)
  }

  /** Asks the store for a run, and again once what was left there to be started is taken in, should it not be there. */
  async askTwice<Answer>(ask: () => Promise<Answer>, isThere: (answer: Answer) => boolean): Promise<Answer> {
    const answer = await ask()
    if (isThere(answer) || this.deps.store.callers.intake === undefined) return answer
    await this.engine.takingIn.now()
    return ask()
  }

  /** Throws `run_not_found`. */
  async existing(runId: string): Promise<RunStatus> {
    const status = await this.find(runId)
    if (status === undefined) throw runNotFound(runId)
    return status
  }
}
