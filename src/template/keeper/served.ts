// The templates of the store whose runs this node performs although nobody registered them here.
import type { Registry } from '../../engine/definition/registry.ts'
import type { Deps } from '../../engine/deps.ts'
import { toError } from '../../lib/errors.ts'
import type { KeptTemplate } from '../../store/templates.ts'
import type { Handlers } from '../handlers/handlers.ts'
import { nameOf } from '../model/title.ts'
import { keptDefinition } from './kept-definition.ts'
import type { TemplateCache } from './template-cache.ts'

export interface ServedParts {
  readonly deps: Deps
  readonly registry: Registry
  readonly cache: TemplateCache
  readonly handlers: Handlers
}

// A claim names all that its node serves: of more than so many those without unfinished runs are left out.
const mostIdle = 1_000
const reviewMs = 60_000
// What was changed since then may be started by somebody who has yet to do so.
const freshMs = 300_000

interface Served {
  readonly kept: KeptTemplate
  readonly heardAt: number
}

export class ServedTemplates {
  readonly #parts: ServedParts
  readonly #all = new Map<number, Served>()
  #reviewedAt = 0

  constructor(parts: ServedParts) {
    this.#parts = parts
  }

  /** Somebody keeps it, or means it. */
  async add(kept: KeptTemplate): Promise<void> {
    const { deps } = this.#parts
    this.#all.set(kept.definitionId, { kept, heardAt: deps.clock.monotonic() })
    await this.#try(kept)
  }

  /** Somebody starts it anew. */
  async again(definitionId: number): Promise<void> {
    const known = this.#all.get(definitionId)
    if (known !== undefined) await this.add(known.kept)
  }

  /** Handlers that were missing may be here by now. */
  async tryAgain(): Promise<void> {
    for (const { kept } of this.#all.values()) await this.#try(kept)
  }

  /** Now and then, where there are many: serves those that have runs to go on with, and no others. */
  async review(): Promise<void> {
    const { deps, registry } = this.#parts
    const now = deps.clock.monotonic()
    if (this.#all.size <= mostIdle || now - this.#reviewedAt < reviewMs) return
    this.#reviewedAt = now
    const unfinished = new Set(await deps.store.templates.listUnfinished())
    for (const [id, { kept, heardAt }] of this.#all) {
      if (unfinished.has(id) || now - heardAt < freshMs) this.#serve(kept)
      else registry.unserve(id)
    }
  }

  /** A resolver that fails at what one needs holds up none of the others. */
  async #try(kept: KeptTemplate): Promise<void> {
    const { deps, handlers } = this.#parts
    try {
      await handlers.resolve(kept.needs ?? [])
    } catch (error) {
      deps.log.warn(
        { err: toError(error) },
        `a resolver failed at a handler of template '${nameOf(kept)}' of the store`,
      )
    }
    this.#serve(kept)
  }

  #serve(kept: KeptTemplate): void {
    const { registry, cache, handlers } = this.#parts
    if (kept.needs?.every((need) => handlers.has(need)) === true)
      registry.serve(keptDefinition(kept, cache), kept.definitionId)
  }
}
