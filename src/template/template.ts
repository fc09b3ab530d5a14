// Workflows as data. What a template is stands in model/, its language in expression/, how it is read in load/, its graph in plan/.
import { load, type LoadTemplateOptions } from './load/load.ts'
import type { TemplateProblem } from './load/problems.ts'
import type { Template } from './model/template.ts'

export interface LoadedTemplate {
  readonly template: Template
  /** What has no effect, or not the effect it seems to have. */
  readonly warnings: readonly TemplateProblem[]
}

/**
 * Loads a template from YAML or JSON, in the native form or in Tasker's.
 *
 * Nothing is stored or started. Throws: `template_invalid`, a `TemplateError` with everything that is wrong, each with line and column.
 *
 * ```ts
 * import { loadTemplate } from 'troupe'
 *
 * const { template } = loadTemplate(`
 * name: order
 * steps:
 *   - name: charge
 *     uses: charge-card
 *     with: { amount: \${{ input.total }} }
 *   - name: ship
 *     uses: ship-order
 *     needs: [charge]
 *     timeout: 30s
 * `)
 * console.log(template.steps.map(({ name }) => name)) // [ 'charge', 'ship' ]
 * ```
 */
export function loadTemplate(text: string, options: LoadTemplateOptions = {}): LoadedTemplate {
  const { template, problems } = load(text, options)
  if (template === undefined) throw problems.toError()
  return { template, warnings: problems.all }
}

/**
 * Tells everything that is wrong with a template, in the order of its lines; warnings too. None: it loads, and is what it seems.
 *
 * ```ts
 * import { checkTemplate } from 'troupe'
 *
 * const problems = checkTemplate('name: order\nsteps:\n  - { name: ship, uses: ship-order, needs: [chrage] }\n  - { name: charge, uses: charge-card }')
 * console.log(problems[0]?.message) // Step 'ship' needs 'chrage', which is no step. Did you mean 'charge'?
 * ```
 */
export function checkTemplate(text: string, options: LoadTemplateOptions = {}): readonly TemplateProblem[] {
  return load(text, options).problems.all
}
