// How runs are finished from outside, by whoever holds the token.
import { encode } from '../../lib/codec.ts'
import { toError } from '../../lib/errors.ts'
import { hashOf } from '../../lib/secrets.ts'
import type { CompletionAnswer, CompletionResult, TokenView } from '../../store/waits.ts'
import { checkName } from '../checks.ts'
import { errorText } from '../error-text.ts'
import type { Face } from './face.ts'
import { Complete } from '../processor.ts'
import { RequestWrite } from '../request-write.ts'
import { valueSize } from '../value-size.ts'
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
    const found = await this.#face.deps.store.findToken(hash)
    // Refuses what does not fit where that can be told at once; else the node that takes it in finds out.
    if (found?.path === '') await this.#face.registry.byId(found.definitionId)?.checked?.(output)
    return this.#tell(hash, { isError: false, value }, found)
  }

  async fail(token: string, error: unknown): Promise<CompletionAnswer> {
    const hash = this.#hashOf(token)
    const value = errorText(toError(error))
    return this.#tell(hash, { isError: true, value }, await this.#face.deps.store.findToken(hash))
  }

  async heartbeat(token: string): Promise<CompletionAnswer> {
    return this.#tell(this.#hashOf(token), null)
  }

  async #tell(hash: string, result: CompletionResult | null, found?: TokenView): Promise<CompletionAnswer> {
    const { checkOpen, engine } = this.#face
    checkOpen()
    const write = new RequestWrite('completions', { hash, result })
    await engine.bring(new Complete({ write }))
    const answer = await write.answer
    // It may go on here, as another step of it executes.
    if (answer === 'accepted' && found !== undefined) engine.mailFor(found.id)
    return answer
  }

  #hashOf(token: string): string {
    this.#face.checkOpen()
    checkName('The token', token)
    return hashOf(token)
  }
}
