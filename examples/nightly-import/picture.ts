// A run of a template for people: its graph as a tree with what became of each step, and a table of what was done.
import type { StepStatus, Template, TemplateStep } from 'troupe'

const marks = { done: '✓', failed: '✗', undone: '↶', not: '·' }

/** Each step stands below the last of those it needs that were done; the others it needs stand behind it. */
export function pictureOf({ steps }: Template, done: readonly StepStatus[]): string {
  const below = childrenOf(steps, done)
  const draw = (parent: string, indent: string): string[] => {
    const children = below.get(parent) ?? []
    return children.flatMap(({ name, needs }, index) => {
      const isLast = index === children.length - 1
      const others = needs.filter((need) => need !== parent)
      const beside = others.length === 0 ? '' : `  (and ${others.join(', ')})`
      const line = `${indent}${isLast ? '└─' : '├─'} ${name} ${marksOf(name, done)}${beside}`
      return [line, ...draw(name, `${indent}${isLast ? '  ' : '│ '} `)]
    })
  }
  return draw('', '  ').join('\n')
}

function childrenOf(steps: readonly TemplateStep[], done: readonly StepStatus[]): Map<string, TemplateStep[]> {
  const byName = new Map(steps.map((step) => [step.name, step]))
  const depthOf = (name: string): number => 1 + Math.max(0, ...(byName.get(name)?.needs ?? []).map(depthOf))
  const rank = (name: string): number => depthOf(name) + (piecesOf(name, done).length > 0 ? steps.length : 0)
  const children = new Map<string, TemplateStep[]>()
  for (const step of steps) {
    const parent = step.needs.toSorted((one, other) => rank(other) - rank(one))[0] ?? ''
    children.set(parent, [...(children.get(parent) ?? []), step])
  }
  return children
}

/** A mark for each piece of the step. */
function marksOf(name: string, done: readonly StepStatus[]): string {
  const undone = new Set(done.map(({ path }) => path))
  const markOf = ({ path, error }: StepStatus): string => {
    if (error !== undefined) return marks.failed
    return undone.has(`${path}/undo`) ? marks.undone : marks.done
  }
  return piecesOf(name, done).map(markOf).join('') || marks.not
}

/** The step itself, its items as `tell[north]`, or its batches as `load_001`. */
function piecesOf(name: string, done: readonly StepStatus[]): readonly StepStatus[] {
  return done.filter(({ path }) => path.startsWith(name) && /^(\[[^/]*\]|_\d+)?$/.test(path.slice(name.length)))
}

export function tableOf(done: readonly StepStatus[]): string {
  const lines = done.map(({ path, attempt, startedAt, finishedAt }) => [
    path,
    String(attempt),
    `${Math.round(finishedAt - startedAt)} ms`,
  ])
  const all = [['step', 'attempt', 'took'], ...lines]
  const wide = (column: number): number => Math.max(...all.map((line) => line[column]?.length ?? 0))
  const [names, attempts, times] = [wide(0), wide(1), wide(2)]
  return all
    .map(
      ([name = '', attempt = '', took = '']) =>
        `  ${name.padEnd(names)}  ${attempt.padStart(attempts)}  ${took.padStart(times)}`,
    )
    .join('\n')
}
