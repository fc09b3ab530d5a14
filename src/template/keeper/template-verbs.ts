// What a program asks of the templates of an engine.
import type { HandlerMap, HandlerResolver, ResolverOptions } from '../../engine/definition/handler.ts'
import type { LeftOutStep } from '../perform/reasons.ts'
import type { TemplatesRefreshed } from './refreshing.ts'

export interface TemplateVerbs {
  /**
   * Says what does the work of the names that steps of templates use: a worker for each, a function, or an object of which a step names a method.
   *
   * What is named here comes before what is registered under the name. A function that finds handlers is asked for the rest, in the order in which they were added, when a template is registered; a step that names it as its `resolver` asks no other.
   * Functions and methods are registered as workers, `NAME` and `NAME.METHOD`, so that steps may be runs of their own. Throws: `option_invalid`, `definition_exists`, `engine_stopped`.
   *
   * ```ts
   * import { loadTemplate, template, Troupe } from 'troupe'
   * class Payments {
   *   call(_ctx: unknown, amount: number) { return `charged ${amount}` }
   *   refund(_ctx: unknown, amount: number) { return `paid back ${amount}` }
   * }
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', handlers: { 'Shop::Payments': new Payments() } })
   * await troupe.start()
   * const { template: back } = loadTemplate('name: back\nsteps:\n  - { name: pay, uses: "Shop::Payments", method: refund, with: 7 }\noutput: ${{ steps.pay }}')
   * console.log(await troupe.run(template(back))) // paid back 7
   * ```
   */
  handlers(given: HandlerMap): Promise<void>
  handlers(resolver: HandlerResolver, options?: ResolverOptions): Promise<void>
  /**
   * Reads the folder of templates and the store anew, and tells what has changed; of one namespace only, when that is given. What does not load stays as it was, and is told.
   *
   * From then on the names start what was read, on all nodes, those too that have another text of that name; runs that are under way stay with theirs. A template whose file is gone stays.
   *
   * Saves: the new texts, and that their names mean them. Throws: `option_invalid`, `file_not_loaded` where the folder is gone, `engine_stopped`, `store_…`.
   */
  refreshTemplates(namespace?: string): Promise<TemplatesRefreshed>
  /**
   * The steps that a run of a template left out, and why, in plain words: their `if` or `when` said so, no decision chose them, or the step that they stand in for did not fail. None for other runs.
   *
   * It is derived from the template and the journal. Of a template in TypeScript that is where its code is. Throws: `run_not_found`; `template_invalid` where the text of the template cannot be read here; `engine_stopped`, `store_…`.
   *
   * ```ts
   * import { loadTemplate, template, Troupe } from 'troupe'
   * const { template: order } = loadTemplate('name: order\nsteps:\n  - { name: check, if: input.total > 100, script: return 1 }')
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [template(order)] })
   * await troupe.start()
   * const handle = await troupe.call('order', { total: 5 })
   * await handle.result()
   * console.log(await troupe.leftOut(handle.id)) // [ { step: 'check', reason: "its 'if' is not true: input.total > 100" } ]
   * ```
   */
  leftOut(runId: string): Promise<readonly LeftOutStep[]>
  /** The templates that the store keeps: those that were registered, or posted with a run. Throws: `engine_stopped`, `store_…`. */
  templates(): Promise<TemplateStatus[]>
}

/** A template of the store. */
export interface TemplateStatus {
  /** By which its runs are started: with its namespace, unless that is the default one. */
  readonly name: string
  readonly namespace: string
  readonly version: string
  readonly hash: string
  /** Null where what the store keeps of it is damaged. */
  readonly steps: number | null
  /** Those that have not ended. */
  readonly runs: number
  /** Whether its name starts it, for those who have no template of that name themselves. */
  readonly isNamed: boolean
  /** In milliseconds since 1970. */
  readonly keptAt: number
  /** What is wrong with what the store keeps of it, and what to do. */
  readonly problem: string | null
}
