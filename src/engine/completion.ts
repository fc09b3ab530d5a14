// What comes from outside for a run that waits with a token, on its way to the store.
import type { Deferred } from '../lib/deferred.ts'
import type { CompletionAnswer, CompletionRecord } from '../store/waits.ts'
import type { Committed } from '../store/store.ts'
import type { Draft, Write } from './writes.ts'

export class CompletionWrite implements Write {
  readonly #record: CompletionRecord
  readonly #answer: Deferred<CompletionAnswer>
  #place = -1

  constructor(record: CompletionRecord, answer: Deferred<CompletionAnswer>) {
    this.#record = record
    this.#answer = answer
  }

  addTo(draft: Draft): void {
    this.#place = draft.completions.push(this.#record) - 1
  }

  committed({ completions }: Committed): void {
    this.#answer.resolve(completions[this.#place] ?? 'not_found')
  }

  failed(error: Error): void {
    this.#answer.reject(error)
  }
}
