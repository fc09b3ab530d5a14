// What becomes of a run whose code does not fit its journal: it is told of, and set aside until code comes that fits.
import type { Activation } from '../engine/activation/activation.ts'
import { knownDivergence, setAside } from '../engine/activation/set-aside.ts'
import {
  differenceLines,
  differenceText,
  divergenceRemedy,
  isTakenForOne,
  remedyForSlow,
  type Difference,
  type DivergencePolicy,
} from '../model/divergence.ts'
import type { WaitRecord } from '../store/waits.ts'

/** As its definition says, or its engine. */
export function policyOf({ definition, around }: Activation): DivergencePolicy {
  if (around.rehearsing !== undefined) return 'strict'
  return definition.settings.divergence ?? around.divergence
}

/** Tells of what was found, and with the policy `strict` sets the run aside with all it waits for. */
export function tellOfDifference(activation: Activation, waits: readonly WaitRecord[], difference: Difference): void {
  if (activation.isOver) return
  if (activation.around.rehearsing !== undefined) return activation.around.rehearsing.found(difference)
  if (policyOf(activation) === 'strict') return setAsideAt(activation, waits, difference)
  const { fields, text, lines } = tellingOf(activation, difference)
  const hint = isTakenForOne(difference) ? `\n${remedyForSlow}` : ''
  activation.deps.log.warn(fields, `a run goes on with ${text}\n${lines}${hint}`)
}

/** The same for what no policy lets go on: its code cannot be performed with what the run has. */
export function setAsideAt(activation: Activation, waits: readonly WaitRecord[], difference: Difference): void {
  const { claimed, deps, around } = activation
  if (activation.isOver) return
  if (around.rehearsing !== undefined) return around.rehearsing.found(difference, true)
  const { fields, text, lines } = tellingOf(activation, difference)
  const known = knownDivergence(claimed)
  const isNews = known === undefined || differenceText(known) !== differenceText(difference)
  deps.log[isNews ? 'error' : 'debug'](
    fields,
    `a run was set aside, for ${text}\n${lines}\n${divergenceRemedy(difference)}`,
  )
  setAside(activation, waits, difference)
}

function tellingOf({ claimed, definition: { name, version } }: Activation, difference: Difference) {
  return {
    fields: { run: claimed.id, definition: name, version },
    text: `code of '${name}' that does not fit its journal: ${differenceText(difference)}`,
    lines: differenceLines(difference).join('\n'),
  }
}
