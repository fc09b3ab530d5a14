// Something that is asked of a run from outside (to end, to take a result, to hear a message), on its way to the store.
import { deferred } from '../lib/deferred.ts'
import type { Committed } from '../store/store.ts'
import type { Draft } from '../store/lists.ts'
import type { Write } from './writes.ts'

type RequestList = 'cancels' | 'completions' | 'tells'

/** What the store answers to each. */
type Answers = { [List in RequestList]: Committed[List][number] }

export class RequestWrite<List extends RequestList = RequestList> implements Write {
  readonly #list: List
  readonly #record: Draft[List][number]
  readonly #answer = deferred<Answers[RequestList]>()
  #place = -1

  constructor(list: List, record: Draft[List][number]) {
    this.#list = list
    this.#record = record
  }

  /** What the store said once the batch was durable; rejects when it was not written. */
  get answer(): Promise<Answers[List]> {
    return this.#answer.promise as Promise<Answers[List]>
  }

  addTo(draft: Draft): void {
    this.#place = (draft[this.#list] as unknown[]).push(this.#record) - 1
  }

  committed(committed: Committed): void {
    this.#answer.resolve(committed[this.#list][this.#place] ?? 'not_found')
  }

  failed(error: Error): void {
    this.#answer.reject(error)
  }
}
