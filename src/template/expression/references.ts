// What an expression takes from steps, known without evaluating it.
import { partsOf, type Syntax } from './syntax.ts'

/** One step that is taken from, by `steps.NAME` or `errors.NAME`, and where. */
export interface Reference {
  readonly step: string
  readonly at: number
}

export interface References {
  readonly steps: readonly Reference[]
  /** Where it takes from steps that cannot be told beforehand: `keys(steps)`, `steps[input.name]`. */
  readonly anyAt: number | undefined
  /** Where it takes `item` or `index`. */
  readonly itemAt: number | undefined
  /** Where it takes `output`. */
  readonly outputAt: number | undefined
}

/** Which steps an expression takes from. */
export function referencesOf(syntax: Syntax): References {
  const found: Found = { steps: [], anyAt: undefined, itemAt: undefined, outputAt: undefined }
  collect(syntax, found)
  return found
}

interface Found {
  readonly steps: Reference[]
  anyAt: number | undefined
  itemAt: number | undefined
  outputAt: number | undefined
}

function collect(syntax: Syntax, found: Found): void {
  if (syntax.kind === 'member' && isOfSteps(syntax.of) && syntax.key.kind === 'literal') {
    found.steps.push({ step: String(syntax.key.value), at: syntax.of.at })
    return
  }
  if (isOfSteps(syntax)) found.anyAt ??= syntax.at
  if (syntax.kind === 'name' && (syntax.name === 'item' || syntax.name === 'index')) found.itemAt ??= syntax.at
  if (syntax.kind === 'name' && syntax.name === 'output') found.outputAt ??= syntax.at
  for (const part of partsOf(syntax)) collect(part, found)
}

function isOfSteps(syntax: Syntax): boolean {
  return syntax.kind === 'name' && (syntax.name === 'steps' || syntax.name === 'errors')
}

/** The names of a path such as `steps.score.risk`; undefined for what is more than a path. */
export function pathOf(syntax: Syntax): readonly (string | number)[] | undefined {
  const path: (string | number)[] = []
  let part = syntax
  while (part.kind === 'member') {
    const { key } = part
    if (key.kind !== 'literal' || (typeof key.value !== 'string' && typeof key.value !== 'number')) return undefined
    path.push(key.value)
    part = part.of
  }
  return part.kind === 'name' ? [part.name, ...path.reverse()] : undefined
}
