// What the verbs of an engine are made of: its parts, whether it is open, and the handles of its runs.
import { runNotFound } from '../model/errors.ts'
import { Asking } from './asking.ts'
import type { Deps } from './deps.ts'
import type { Engine } from './engine.ts'
import { checkRunId } from './filters.ts'
import { Forking } from './forking.ts'
import { LocalFeed, viewOf, type LocalRun } from './local-run.ts'
import { Cancel } from './processor.ts'
import type { Registry } from './registry.ts'
import { StoredFeed, type FeedOwner } from './run-feed.ts'
import { Resolving } from './resolving.ts'
import { RunHandle } from './run-handle.ts'
import { runStatus, type RunStatus } from './run-status.ts'
import type { EncodeInput } from './starting.ts'
import { Telling } from './telling.ts'

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
  readonly #owner: FeedOwner

  constructor({ deps, registry, engine, encodeInput, checkOpen }: FaceParts) {
    this.deps = deps
    this.registry = registry
    this.engine = engine
    this.encodeInput = encodeInput
    this.checkOpen = checkOpen
    this.#owner = {
      store: deps.store,
      watch: engine.watch,
      isHere: (id) => engine.isHere(id),
      cancel: (write) => engine.bring(new Cancel({ write })),
      hint: (id) => engine.hint(id),
      tell: (runId, { name, payload, options }) => new Telling(this).tell(runId, name, payload, options),
      resolve: (id, step, options) => new Resolving(this).resolve(id, step, options),
      fork: (run, options) => new Forking(this).fork(run, options),
      ask: (runId, { name, payload, options }) => new Asking(this).ask(runId, name, payload, options),
    }
  }

  handleOf(run: { readonly id: string; readonly name: string }): RunHandle {
    return new RunHandle(new StoredFeed(this.#owner, run), this.deps.clock)
  }

  localHandle(run: LocalRun): RunHandle {
    return new RunHandle(new LocalFeed(run, this.engine.local), this.deps.clock)
  }

  /** The handle of a run that was started before, by anyone. Throws `run_not_found`. */
  async handle(runId: string): Promise<RunHandle> {
    const here = this.engine.local.find(runId)
    if (here !== undefined) return this.localHandle(here)
    const { name } = await this.existing(runId)
    return this.handleOf({ id: runId, name })
  }

  async find(runId: string): Promise<RunStatus | undefined> {
    this.checkOpen()
    checkRunId(runId)
    const here = this.engine.local.find(runId)
    if (here !== undefined) return runStatus(viewOf(here))
    const row = await this.deps.store.findRun(runId)
    return row === undefined ? undefined : runStatus(row)
  }

  /** Throws `run_not_found`. */
  async existing(runId: string): Promise<RunStatus> {
    const status = await this.find(runId)
    if (status === undefined) throw runNotFound(runId)
    return status
  }
}
