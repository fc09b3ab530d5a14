// How runs are finished from outside, by whoever holds the token.
import { encode } from '../lib/codec.ts'
import { toError } from '../lib/errors.ts'
import { hashOf } from '../lib/secrets.ts'
import type { CompletionAnswer, CompletionResult } from '../store/waits.ts'
import { checkName } from './checks.ts'
import { errorText } from './error-text.ts'
import type { Face } from './face.ts'
import { Complete } from './processor.ts'
import { RequestWrite } from './request-write.ts'
import { valueSize } from './value-size.ts'
import type { CompletingVerbs } from './verbs.ts'

export class Completing implements CompletingVerbs {
  readonly #face: Face

  constructor(face: Face) {
    this.#face = face
  }

  async complete(token: string, output?: unknown): Promise<CompletionAnswer> {
    const hash = this.#hashOf(token)
    // Race: what the caller gave is read before anything is awaited.
    const value = encode(output, valueSize(this.#face.engine.maxValueBytes, 'output'))
    await this.#check(hash, output)
    return this.#tell(hash, { isError: false, value })
  }

  async fail(token: string, error: unknown): Promise<CompletionAnswer> {
    return this.#tell(this.#hashOf(token), { isError: true, value: errorText(toError(error)) })
  }

  async heartbeat(token: string): Promise<CompletionAnswer> {
    return this.#tell(this.#hashOf(token), null)
  }

  /** Refuses what does not fit where that can be told at once; else the node that takes it in finds out. */
  async #check(hash: string, output: unknown): Promise<void> {
    const { deps, registry } = this.#face
    const definitionId = await deps.store.findTokenDefinition(hash)
    if (definitionId !== undefined) await registry.byId(definitionId)?.checked?.(output)
  }

  async #tell(hash: string, result: CompletionResult | null): Promise<CompletionAnswer> {
    this.#face.checkOpen()
    const write = new RequestWrite('completions', { hash, result })
    await this.#face.engine.bring(new Complete({ write }))
    return write.answer
  }

  #hashOf(token: string): string {
    this.#face.checkOpen()
    checkName('The token', token)
    return hashOf(token)
  }
}
