// Transactions of callers: what they write of their own and the runs they start are committed together, or not at all.
import { optionInvalid } from '../../model/errors.ts'
import type { CallersStore, StepOfGeneration } from '../callers.ts'
import type { Access } from '../sql/database/transaction.ts'
import { isPast } from '../sql/steps/steps.ts'
import type { Started } from '../start.ts'

export class PostgresCallersStore implements CallersStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async start(tx: object): Promise<Started[]> {
    throw optionInvalid('tx', typeof tx, 'left out: a store on Postgres starts no runs in transactions of programs yet')
  }

  hasFile(): boolean {
    return false
  }

  recordStep(): boolean {
    return false
  }

  isPast(step: StepOfGeneration): Promise<boolean> {
    return this.#access.read(() => isPast(this.#access.db, step))
  }
}
