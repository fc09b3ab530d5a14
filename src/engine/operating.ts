// What is done to runs that are there, by the program or a person.
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
}
