// What is done to runs that are there, by the program or a person.
import { checkName } from './checks.ts'
import type { Face } from './face.ts'
import type { OperatingVerbs } from './verbs.ts'

export class Operating implements OperatingVerbs {
  readonly #face: Face

  constructor(face: Face) {
    this.#face = face
  }

  async cancel(runId: string, reason?: string): Promise<boolean> {
    return (await this.#face.handle(runId)).cancel(reason)
  }

  async pause(queue: string): Promise<boolean> {
    return this.#face.deps.store.pauseQueue(await this.#queueId(queue))
  }

  async resume(queue: string): Promise<boolean> {
    const isResumed = await this.#face.deps.store.resumeQueue(await this.#queueId(queue))
    this.#face.engine.hint()
    return isResumed
  }

  async #queueId(name: string): Promise<number> {
    this.#face.checkOpen()
    checkName('The name of a queue', name)
    return this.#face.deps.store.internQueue(name)
  }
}
