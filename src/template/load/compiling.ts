// What the parts of a template are compiled with: its source, and what its expressions take.
import type { TroupeError } from '../../lib/errors.ts'
import {
  make,
  placeholdersOf,
  prepare,
  prepareExpression,
  type Placeholder,
  type Prepared,
  type Preparing,
  type Spot,
} from '../expression/placeholders.ts'
import type { Made, Scope } from '../model/template.ts'
import type { Problems } from './problems.ts'

/** Whose outputs may be taken: of steps before, also of the step itself, or of all. */
export type Reach = 'before' | 'itself' | 'all'

export interface Whose {
  /** Undefined for the template itself. */
  readonly step: string | undefined
  readonly reach: Reach
  readonly hasItem: boolean
  /** The steps that are meant where it is not said which. */
  readonly meant: readonly string[]
}

/** One place where the output of a step is taken. */
export interface Taken {
  readonly by: Whose
  readonly step: string
  readonly placeholder: Placeholder
  readonly at: number
}

export class Compiling {
  readonly problems: Problems
  readonly taken: Taken[] = []
  readonly #preparing: Preparing = {
    onFault: (spot, error) => this.#fault(spot, error),
    known: new Map(),
  }

  constructor(problems: Problems) {
    this.problems = problems
  }

  /** A tree with placeholders. */
  tree(tree: unknown, spot: Spot, whose: Whose): { readonly made: Made; readonly prepared: Prepared } {
    const prepared = prepare(tree, spot, this.#preparing)
    return { made: this.#made(prepared, whose), prepared }
  }

  /** A text that is one expression. */
  expression(text: string, spot: Spot, whose: Whose): Made {
    return this.#made(prepareExpression(text, spot, this.#preparing), whose)
  }

  #fault(spot: Spot, error: TroupeError): void {
    const { expression, at, why } = error.details
    this.problems.errorWithin(String(why), spot, { text: String(expression), at: Number(at) })
  }

  #made(prepared: Prepared, whose: Whose): Made {
    const steps = new Set<string>()
    let takesAny = false
    for (const placeholder of placeholdersOf(prepared)) {
      const { references } = placeholder.expression
      for (const { step, at } of references.steps) {
        steps.add(step)
        this.taken.push({ by: whose, step, placeholder, at })
      }
      if (references.anyAt !== undefined) takesAny = true
      if (references.itemAt !== undefined && !whose.hasItem) this.#notThere(placeholder, references.itemAt, itemIsIn)
      if (references.outputAt !== undefined && whose.reach !== 'itself')
        this.#notThere(placeholder, references.outputAt, outputIsIn)
    }
    if (!takesAny) return { steps: [...steps], make: (scope) => make(prepared, scope) }
    // What else has ended by chance is not seen, so that the same is made each time.
    const visible = [...new Set([...steps, ...whose.meant])]
    return { steps: visible, make: (scope) => make(prepared, narrowed(scope, visible)) }
  }

  #notThere({ expression, spot }: Placeholder, at: number, where: string): void {
    this.problems.errorWithin(where, spot, { text: expression.text, at })
  }
}

const itemIsIn =
  "'item' and 'index' are there in a step with 'forEach', after its 'if' and 'forEach', and in a 'batch_worker'."
const outputIsIn =
  "'output' is there in the 'with' of 'undo' and the 'payload' of 'publishes': take 'steps.NAME' elsewhere."

function narrowed(scope: Scope, names: readonly string[]): Scope {
  const only = <Value>(all: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.fromEntries(names.filter((name) => Object.hasOwn(all, name)).map((name) => [name, all[name] as Value]))
  return { ...scope, steps: only(scope.steps), errors: only(scope.errors) }
}

/** What turns what was made into something else, such as a duration. */
export function mapMade({ steps, make: makeIt }: Made, turn: (value: unknown) => unknown): Made {
  return { steps, make: (scope) => turn(makeIt(scope)) }
}
