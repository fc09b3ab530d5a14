// What an engine knows of templates: those of its folder, registered like all definitions.
import type { Registry } from '../../engine/definition/registry.ts'
import type { Deps } from '../../engine/deps.ts'
import type { TemplateHandlers } from '../load/check-handlers.ts'
import type { Template } from '../model/template.ts'
import { loadedDefinition } from '../perform/loaded.ts'
import { readFolder, requireAll } from './folder.ts'

export interface KeeperParts {
  readonly deps: Deps
  readonly registry: Registry
  /** What templates say of it holds. */
  readonly environment: string
  /** A folder of templates. */
  readonly folder: string | undefined
}

export class TemplateKeeper {
  readonly #parts: KeeperParts

  constructor(parts: KeeperParts) {
    this.#parts = parts
  }

  /** Registers the templates of the folder. Throws `template_invalid` with everything that is wrong with any of its files. */
  async loadFolder(): Promise<void> {
    const { folder: path, registry, environment, deps } = this.#parts
    if (path === undefined) return
    const { folder, files, skipped } = readFolder(path, { environment, handlers: await this.#handlers() })
    requireAll(files)
    registry.searched({ folder, files: files.map(({ file }) => file), skipped })
    for (const { template, warnings } of files) {
      if (template !== undefined) await this.#register(template)
      for (const { message, file, line, column } of warnings) deps.log.warn({}, `${file}:${line}:${column}: ${message}`)
    }
  }

  async #register(template: Template): Promise<void> {
    const { registry } = this.#parts
    const definition = loadedDefinition(template)
    if (!registry.isRegistered(definition)) await registry.register(definition)
  }

  /** What steps may name: what is registered here, and what others have registered on this store. */
  async #handlers(): Promise<TemplateHandlers> {
    const { registry, deps } = this.#parts
    const names = [...registry.names(), ...(await deps.store.definitions.listNames())]
    return Object.fromEntries(names.map((name) => [name, {}]))
  }
}
