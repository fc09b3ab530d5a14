// What this process posted: the store forgets what nobody has, so it is told now and then.
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import type { Deps } from '../../engine/deps.ts'
import { toError } from '../../lib/errors.ts'

// What nobody has had for a week may be deleted.
const forgottenMs = 6 * 86_400_000

/** How often the store is told what is here. */
export const renewMs = 12 * 3_600_000

export class PostedTemplates {
  readonly #deps: Deps
  readonly #post: (definition: AnyDefinition) => Promise<unknown>
  readonly #postedAt = new WeakMap<AnyDefinition, number>()

  constructor(deps: Deps, post: (definition: AnyDefinition) => Promise<unknown>) {
    this.#deps = deps
    this.#post = post
  }

  add(definition: AnyDefinition): void {
    this.#postedAt.set(definition, this.#deps.store.now())
  }

  /** False for one that may be forgotten. One that is a while old is posted beside the call, which may hold a lock that a write waits for. */
  has(definition: AnyDefinition): boolean {
    const { store, log } = this.#deps
    const postedAt = this.#postedAt.get(definition) ?? Infinity
    const age = store.now() - postedAt
    if (age > forgottenMs) return false
    if (age <= renewMs) return true
    this.add(definition)
    this.#post(definition).catch((error: unknown) => {
      this.#postedAt.set(definition, postedAt)
      log.warn({ err: toError(error) }, `template '${definition.name}' could not be posted again`)
    })
    return true
  }
}
