// How runs are finished from outside, by whoever holds the token.
import { encode } from '../../lib/codec.ts'
import { Breaker } from '../../lib/breaker.ts'
import { isTroupeError, toError, TroupeError } from '../../lib/errors.ts'
import { hashOf } from '../../lib/secrets.ts'
import type { CompletionAnswer, CompletionResult, TokenView } from '../../store/waits.ts'
import { checkName } from '../checks.ts'
import { errorText } from '../error-text.ts'
import type { Face } from './face.ts'
import { Complete } from '../processor.ts'
import { RequestWrite } from '../request-write.ts'
import { valueSize } from '../value-size.ts'
import type { CompletingVerbs } from './verbs.ts'

// Invariant: I15. Those who wait for a store in trouble; more are refused.
const mostWaiting = 1_000
const shortestPauseMs = 50
const longestPauseMs = 1_000

export class Completing implements CompletingVerbs {
  readonly #face: Face

  /** Before the store, which all of this needs. */
  readonly breaker: Breaker
  #waiting = 0

  constructor(face: Face) {
    this.#face = face
    this.breaker = new Breaker('completions', face.deps.clock)
  }

  async complete(token: string, output?: unknown): Promise<CompletionAnswer> {
    const hash = this.#hashOf(token)
    // Race: what the caller gave is read before anything is awaited.
    const value = encode(output, valueSize(this.#face.engine.maxValueBytes, 'output'))
    return this.#through(async () => {
      const found = await this.#face.deps.store.findToken(hash)
      // Refuses what does not fit where that can be told at once; else the node that takes it in finds out.
      if (found?.path === '') await this.#face.registry.byId(found.definitionId)?.checked?.(output)
      return this.#tell(hash, { isError: false, value }, found)
    })
  }

  async fail(token: string, error: unknown): Promise<CompletionAnswer> {
    const hash = this.#hashOf(token)
    const value = errorText(toError(error))
    const { store } = this.#face.deps
    return this.#through(async () => this.#tell(hash, { isError: true, value }, await store.findToken(hash)))
  }

  async heartbeat(token: string): Promise<CompletionAnswer> {
    const hash = this.#hashOf(token)
    return this.#through(() => this.#tell(hash, null))
  }

  async #tell(hash: string, result: CompletionResult | null, found?: TokenView): Promise<CompletionAnswer> {
    const { checkOpen, engine } = this.#face
    checkOpen()
    const write = new RequestWrite('completions', { hash, result })
    await engine.door.bring(new Complete({ write }))
    const answer = await write.answer
    // It may go on here, as another step of it executes.
    if (answer === 'accepted' && found !== undefined) engine.active.mailed([found.id])
    return answer
  }

  /** What comes while the store is in trouble waits until that may be tried again: it is answered, or its caller is told why not, and never dropped. */
  async #through<T>(work: () => Promise<T>): Promise<T> {
    const { breaker } = this
    if (!breaker.enter()) await this.#wait()
    try {
      const done = await work()
      breaker.succeeded()
      return done
    } catch (error) {
      if (isOfStore(error)) breaker.failed()
      else breaker.succeeded()
      throw error
    }
  }

  async #wait(): Promise<void> {
    const { breaker } = this
    const { checkOpen, deps } = this.#face
    if (this.#waiting >= mostWaiting) throw tooManyWait(breaker.retryInMs)
    this.#waiting += 1
    try {
      do {
        const pauseMs = Math.min(longestPauseMs, Math.max(shortestPauseMs, breaker.retryInMs))
        await new Promise<void>((resolve) => deps.clock.after(pauseMs, resolve))
        checkOpen()
      } while (!breaker.enter())
    } finally {
      this.#waiting -= 1
    }
  }

  #hashOf(token: string): string {
    this.#face.checkOpen()
    checkName('The token', token)
    return hashOf(token)
  }
}

function isOfStore(error: unknown): boolean {
  return isTroupeError(error) && error.code.startsWith('store_')
}

function tooManyWait(retryAfterMs: number): TroupeError {
  return new TroupeError(
    'store_unavailable',
    `The store is in trouble, and ${mostWaiting} results from outside wait for it already: try again in ${Math.ceil(retryAfterMs / 1_000)} s.`,
    { details: { retryAfterMs } },
  )
}
