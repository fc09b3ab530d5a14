// What runs did, as it went into the store: who waits for what, and what was told, published and logged.

import { decode } from '../lib/codec.ts'
import type { LogFields } from '../lib/log.ts'
import type { Batch, Claimed, Committed, Held } from '../store/store.ts'
import type { WaitRecord } from '../store/waits.ts'

export interface ToldMessage {
  readonly runId: string
  readonly name: string
  readonly payload: unknown
}

export interface PublishedEvent {
  readonly name: string
  readonly payload: unknown
}

/** A line that a run said by `ctx.info` and the like. */
export interface RunLine {
  readonly runId: string
  /** Of its definition. */
  readonly name: string
  readonly level: string
  readonly text: string
  readonly fields: LogFields | undefined
}

/** A run that was seen. */
export interface SeenRun {
  readonly id: string
  readonly name: string
  /** What it is parked with; undefined while it is not. */
  waits: readonly WaitRecord[] | undefined
}

/** What a message must be told with for a run that waits for it: the key, where it waits for one. */
export function tellOptions(run: SeenRun, message: string): { readonly key?: string } {
  const wait = run.waits?.find(({ kind, name }) => kind === 'message' && name === message)
  return wait?.key === undefined ? {} : { key: wait.key }
}

/** Of one store, whatever engines come and go. */
export class Observations {
  readonly told: ToldMessage[] = []
  readonly published: PublishedEvent[] = []
  readonly lines: RunLine[] = []
  readonly #runs = new Map<number, SeenRun>()
  readonly #names = new Map<number, string>()

  /** Those that wait for a message of this name, the longest first. */
  waitingFor(message: string): SeenRun[] {
    return [...this.#runs.values()].filter(({ waits }) =>
      waits?.some(({ kind, name }) => kind === 'message' && name === message),
    )
  }

  find(held: Held): SeenRun | undefined {
    return this.#runs.get(held.runId)
  }

  byId(id: string): SeenRun | undefined {
    return [...this.#runs.values()].find((run) => run.id === id)
  }

  named(definitionId: number, name: string): void {
    this.#names.set(definitionId, name)
  }

  publishedEvent(name: string, value: string): void {
    this.published.push({ name, payload: decode(value) })
  }

  committed(batch: Batch, answer: Committed): void {
    if (answer.isNodeLost) return
    batch.starts.forEach(({ definitionId }, index) => {
      const started = answer.started[index]
      if (started !== undefined) this.#see(started.runId, started.id, definitionId)
    })
    for (const { held, waits } of batch.parks) {
      const run = this.#runs.get(held.runId)
      if (run !== undefined && !answer.lost.has(held)) run.waits = waits
    }
    for (const claimed of answer.claimed.flat()) this.#claimed(claimed)
    for (const { id, name, value, askedUntil } of batch.tells)
      if (askedUntil === undefined) this.told.push({ runId: id, name, payload: decode(value) })
    for (const { held, level, text, fields } of batch.logs) {
      const { id = '', name = '' } = this.#runs.get(held.runId) ?? {}
      const line = { runId: id, name, level, text }
      this.lines.push({ ...line, fields: fields === null ? undefined : (JSON.parse(fields) as LogFields) })
    }
  }

  #claimed({ held, id, definitionId }: Claimed): void {
    this.#see(held.runId, id, definitionId)
    const run = this.#runs.get(held.runId)
    if (run !== undefined) run.waits = undefined
  }

  #see(runId: number, id: string, definitionId: number): void {
    if (this.#runs.has(runId)) return
    this.#runs.set(runId, { id, name: this.#names.get(definitionId) ?? '', waits: undefined })
  }
}
