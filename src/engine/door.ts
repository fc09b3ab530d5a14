// The way in: brings what programs ask for to the Processor, for as long as work is taken.
import type { Ref } from '../actor/ref.ts'
import type { Company } from './company.ts'
import { ExecuteMany, ExecuteTask, ExecuteWorkflow, Shutdown, type Processor, type RunCommand } from './processor.ts'
import type { ManyStarts, StartOrder } from './starts.ts'

export class Door {
  readonly #processor: Ref<Processor>
  readonly #company: Company

  constructor(processor: Ref<Processor>, company: Company) {
    this.#processor = processor
    this.#company = company
  }

  /** Takes an order; the order's own promise tells when it is durable. */
  order(order: StartOrder): Promise<void> {
    const Execute = order.definition.runsOn === 'workflow' ? ExecuteWorkflow : ExecuteTask
    return this.#send(new Execute({ order }))
  }

  /** Takes many; their own promise tells when they are durable. */
  orderMany(starts: ManyStarts): Promise<void> {
    return this.#send(new ExecuteMany({ starts }))
  }

  /** Brings what somebody asks of a run. */
  bring(command: RunCommand): Promise<void> {
    return this.#send(command)
  }

  /** Lets nothing more in. */
  shut(): void {
    this.#processor.tell(new Shutdown())
  }

  /** The same; resolves once all that came in before is on its way. */
  close(): Promise<void> {
    return this.#processor.ask(new Shutdown())
  }

  async #send(command: ExecuteWorkflow | ExecuteTask | ExecuteMany | RunCommand): Promise<void> {
    try {
      await this.#processor.send(command)
    } catch {
      // The one way in which it can fail; callers know of no processor.
      throw this.#company.end
    }
  }
}
