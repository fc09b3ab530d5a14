// Runs of workers that are not durable: in this process only, by the same activations as all others, and written nowhere.
import { decode } from '../../lib/codec.ts'
import { deferred, type Deferred } from '../../lib/deferred.ts'
import { toErrorRecord } from '../../lib/error-record.ts'
import { Roster } from '../../lib/roster.ts'
import { engineStopped, runCancelled } from '../../model/errors.ts'
import { nothingCommitted } from '../../store/lists.ts'
import type { CancelAnswer } from '../../store/cancels.ts'
import type { FinishedRun } from '../../store/store.ts'
import type { EndedRuns } from '../../store/views.ts'
import { Activation } from './activation.ts'
import type { Surroundings } from './surroundings.ts'
import type { RunFailure } from '../definition/definition.ts'
import { callOnFailure } from '../failures/failure-calls.ts'
import { tellOfFailure, type Failure } from '../failures/failures.ts'
import { LocalRun, type LocalOrder } from './local-run.ts'
import { HeldWrite, type HeldRecord, type Write } from '../writes.ts'

export class LocalRuns {
  readonly #around: Surroundings
  readonly #runs = new Roster<string, LocalRun>(({ id }) => id)
  readonly #ended = new Map<string, Ended[]>()
  #quiet: Deferred<void> | undefined
  #telling = 0
  #isReleased = false

  constructor(around: Surroundings) {
    this.#around = {
      ...around,
      write: (write) => this.#take(write),
      ended: (activation) => this.#left(activation),
      failed: (failure) => this.#failed(failure),
      heard: () => {},
      troubled: () => {},
      dueAt: () => {},
    }
  }

  /** Starts a run; it is known before its code runs. */
  start(order: LocalOrder): LocalRun {
    if (this.#quiet !== undefined) throw engineStopped()
    const run = new LocalRun(order, this.#around.deps.store.now())
    this.#runs.add(run)
    if (order.dueAt === null) this.#begin(run, run.createdAt)
    else this.#beginAt(run, order.dueAt)
    return run
  }

  get size(): number {
    return this.#runs.size
  }

  find(id: string): LocalRun | undefined {
    return this.#runs.find(id)
  }

  /** Those that have begun and not ended, of one worker or of all. */
  running(name?: string): string[] {
    const runs = this.#runs.all().filter((run) => run.activation !== undefined)
    return runs.filter((run) => name === undefined || run.name === name).map(({ id }) => id)
  }

  /** What became of all runs of a worker that ended here. */
  countEnded(name: string): readonly EndedRuns[] {
    return this.#ended.get(name) ?? []
  }

  cancel(run: LocalRun, reason: string): CancelAnswer {
    if (run.finished !== undefined) return 'finished'
    if (run.activation === undefined) {
      this.#settle(run, 'cancelled', runCancelled(run.name, run.id, reason))
      return 'cancelled'
    }
    run.cancelReason ??= reason
    run.activation.cancel(reason)
    return 'asked'
  }

  cancelAll(reason: string): void {
    for (const run of this.#runs.all()) this.cancel(run, reason)
  }

  /** Starts nothing more; resolves when nothing is left. */
  close(): Promise<void> {
    this.#quiet ??= deferred()
    this.#rest()
    return this.#quiet.promise
  }

  /** Ends what is left: no other node can go on with it. */
  release(): void {
    this.#isReleased = true
    for (const run of this.#runs.all()) {
      if (run.activation === undefined) this.#settle(run, 'failed', engineStopped())
      else run.activation.release()
    }
  }

  /** Waits no longer for what could not be ended. */
  giveUp(): void {
    for (const run of this.#runs.all()) {
      run.activation = undefined
      this.#settle(run, 'failed', engineStopped())
    }
  }

  #beginAt(run: LocalRun, at: number): void {
    const { clock, store } = this.#around.deps
    run.dueAt = at
    run.timer = clock.after(Math.max(0, at - store.now()), () => this.#begin(run, store.now()))
  }

  #begin(run: LocalRun, now: number): void {
    run.timer = run.dueAt = undefined
    run.begin(now)
    const activation = new Activation(run, run.definition, this.#around)
    run.activation = activation
    if (activation.begin()) this.#around.execute(activation)
  }

  /** What an activation would have stored is taken at once. What is no record is its giving the run back, which here is the end. */
  #take(write: Write): void {
    if (write instanceof HeldWrite) for (const record of write.records) this.#takeOne(write.held as LocalRun, record)
    write.committed(nothingCommitted)
  }

  #takeOne(run: LocalRun, { list, record }: HeldRecord): void {
    if (list === 'settles') run.settle(record)
    else if (list === 'emits') run.say(record.value)
    else if (list === 'progress') run.progress = record
    else if (list === 'states') run.keep(record.key, record.value)
    else if (list === 'attempts') run.fail(record.startedAt)
    else if (list === 'retries') run.tryAgain(record.attempt, record.dueAt)
  }

  #left(activation: Activation): void {
    const run = activation.held as LocalRun
    if (run.activation !== activation) return
    run.activation = undefined
    if (run.finished !== undefined) return this.#end(run)
    const { nextAt, cancelReason } = run
    run.nextAt = undefined
    if (cancelReason !== undefined) this.#settle(run, 'cancelled', runCancelled(run.name, run.id, cancelReason))
    else if (nextAt === undefined || this.#isReleased) this.#settle(run, 'failed', engineStopped())
    else this.#beginAt(run, nextAt)
  }

  #failed(failure: Failure): void {
    const run = this.#runs.find(failure.id)
    const { clock, log } = this.#around.deps
    // Race: a run may fail before its caller has the handle to wait with.
    clock.soon(() => {
      if (run?.isAwaited !== true) tellOfFailure(log, failure)
    })
    if (run !== undefined && failure.definition.settings.onFailure !== undefined) void this.#tell(run, failure)
  }

  async #tell({ id, input }: LocalRun, { definition, error, attempt }: Failure): Promise<void> {
    this.#telling += 1
    const failureOf = (): RunFailure => ({ error, input: decode(input), runId: id, attempt })
    await callOnFailure(this.#around.deps, definition, failureOf)
    this.#telling -= 1
    this.#rest()
  }

  #settle(run: LocalRun, outcome: FinishedRun['outcome'], error: Error): void {
    run.timer?.cancel()
    const { id, definition, attempt } = run
    if (outcome === 'failed') this.#failed({ id, definition, attempt, error })
    const record = toErrorRecord(error)
    run.settle({ outcome, value: JSON.stringify(record), code: record.code ?? null })
    this.#end(run)
  }

  #end(run: LocalRun): void {
    this.#runs.remove(run)
    const now = this.#around.deps.store.now()
    run.end(now)
    this.#count(run, now)
    this.#rest()
  }

  #rest(): void {
    if (this.#runs.size === 0 && this.#telling === 0) this.#quiet?.resolve()
  }

  #count({ name, code, finished, begunAt }: LocalRun, now: number): void {
    const outcome = finished?.outcome ?? 'failed'
    const isTimeout = code === 'timed_out'
    const all = this.#ended.get(name) ?? []
    if (all.length === 0) this.#ended.set(name, all)
    let counts = all.find((one) => one.outcome === outcome && one.isTimeout === isTimeout)
    if (counts === undefined) all.push((counts = { outcome, isTimeout, runs: 0, totalMs: 0, lastAt: 0, lastMs: 0 }))
    counts.runs += 1
    counts.lastAt = now
    counts.lastMs = now - (begunAt ?? now)
    counts.totalMs += counts.lastMs
  }
}

type Ended = { -readonly [K in keyof EndedRuns]: EndedRuns[K] }
