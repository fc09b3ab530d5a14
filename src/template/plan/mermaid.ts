// A template as a Mermaid flowchart.
import type { Template, TemplateStep } from '../model/template.ts'
import { planOf } from './plan.ts'

/** Shapes by role: what decides is a diamond, what comes together a circle, what is done in batches a stack. */
const shapes = {
  standard: ['[', ']'],
  decision: ['{', '}'],
  deferred_convergence: ['((', '))'],
  batchable: ['[/', '/]'],
  batch_worker: ['[[', ']]'],
} as const

export function mermaid({ steps }: Pick<Template, 'steps'>): string {
  const plan = planOf(steps)
  const nodes = steps.map((step, place) => `  ${nodeText(step, place)}`)
  const edges = plan.before.flatMap((all, place) => all.map((earlier) => `  ${edgeText(steps, earlier, place)}`))
  return ['flowchart TD', ...nodes, ...edges, ''].join('\n')
}

function nodeText({ name, role }: TemplateStep, place: number): string {
  const [open, close] = shapes[role]
  const kind = role === 'standard' ? '' : `<br/><i>${role}</i>`
  return `s${place}${open}"${escaped(name)}${kind}"${close}`
}

function edgeText(steps: readonly TemplateStep[], from: number, to: number): string {
  const { onError } = steps[from] as TemplateStep
  const isFallback = typeof onError === 'object' && onError.fallback === steps[to]?.name
  return isFallback ? `s${from} -. "on error" .-> s${to}` : `s${from} --> s${to}`
}

// Within quotes, Mermaid reads entities: all that is no letter, digit or plain sign is one.
function escaped(text: string): string {
  return text.replace(/[^\p{L}\p{N} _.,:()-]/gu, (character) => `#${character.codePointAt(0) ?? 0};`)
}
