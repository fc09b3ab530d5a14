// What others keep in the store: texts whose runs this node may perform, and names that mean another text from now on.
import type { Registry } from '../../engine/definition/registry.ts'
import type { Deps } from '../../engine/deps.ts'
import type { ChangeListener, Changes } from '../../engine/watch/changes.ts'
import { toError } from '../../lib/errors.ts'
import { Lookout } from '../../lib/lookout.ts'
import type { KeptTemplate } from '../../store/templates.ts'
import { TemplateError } from '../load/problems.ts'
import { nameOf } from '../model/title.ts'
import type { LoadedDefinition } from '../perform/loaded.ts'
import type { ServedTemplates } from './served.ts'

export interface NewsParts {
  readonly deps: Deps
  readonly registry: Registry
  readonly served: ServedTemplates
  /** Whether it was registered here. */
  readonly isOwn: (definitionId: number) => boolean
  /** Whether the name starts a template here. */
  readonly isTemplate: (name: string) => boolean
  readonly find: (definitionId: number) => Promise<LoadedDefinition | undefined>
  /** Tells the store now and then what is here. */
  readonly renew: () => Promise<void>
}

const atOnce = 500
// With every hint lost, what others keep is found by then.
const backstopMs = 5_000

export class TemplateNews implements ChangeListener {
  /** The process ends although somebody listens. */
  readonly isAwaited = false
  readonly #parts: NewsParts
  readonly #lookout: Lookout
  #changes: Changes | undefined
  #isServing = false
  #seq = 0
  /** What was refreshed up to here is older than what was registered here. */
  #registeredAt = 0

  constructor(parts: NewsParts) {
    this.#parts = parts
    this.#lookout = new Lookout({
      clock: parts.deps.clock,
      isNeeded: () => this.#changes !== undefined,
      look: () => this.look(),
      backstopMs,
      background: true,
    })
  }

  listen(changes: Changes): void {
    if (this.#changes !== undefined) return
    this.#changes = changes
    changes.listen(this)
    this.#lookout.look()
  }

  changed(): void {
    this.#lookout.look()
  }

  close(): void {
    this.#changes?.forget(this)
    this.#changes = undefined
    this.#lookout.end()
  }

  /** From now on all that is kept is served, also what was heard of before. */
  async serve(): Promise<void> {
    this.#isServing = true
    this.#seq = 0
    await this.#lookAtAll()
  }

  /** What is in the store by now changes no name that was registered here. */
  async registered(): Promise<void> {
    this.#registeredAt = await this.#parts.deps.store.templates.lastSeq()
  }

  async look(): Promise<void> {
    const { deps, served, renew } = this.#parts
    try {
      await renew()
      await this.#lookAtAll()
      await served.review()
    } catch (error) {
      if (this.#changes !== undefined) deps.log.warn({ err: toError(error) }, 'looking for templates failed')
    }
  }

  async #lookAtAll(): Promise<void> {
    const { templates } = this.#parts.deps.store
    for (;;) {
      const page = await templates.listSince(this.#seq, atOnce)
      for (const kept of page) await this.#hear(kept)
      if (page.length < atOnce) return
    }
  }

  /** Race: what is heard twice changes nothing. */
  async #hear(kept: KeptTemplate): Promise<void> {
    const { served, isOwn, isTemplate } = this.#parts
    const { definitionId, seq, isRefreshed } = kept
    if (this.#isServing && !isOwn(definitionId)) await served.add(kept)
    if (isRefreshed && seq > this.#registeredAt && isTemplate(nameOf(kept))) await this.#rename(kept)
    this.#seq = Math.max(this.#seq, seq)
  }

  /** What cannot be read here changes no name, and holds up nothing that comes after it. */
  async #rename(kept: KeptTemplate): Promise<void> {
    const { deps, registry, find } = this.#parts
    try {
      const meant = await find(kept.definitionId)
      if (meant !== undefined) registry.rename(meant, kept.definitionId)
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      deps.log.warn({ err: error }, `template '${nameOf(kept)}' was refreshed and cannot be read here`)
    }
  }
}
