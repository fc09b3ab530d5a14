// How steps end, and what that means for the steps that need them.
import type { When } from '../model/template.ts'

/** `absent`: a decision did not choose it, or all that it waits for is absent. */
export type Outcome = 'succeeded' | 'failed' | 'skipped' | 'absent'

const rules: Readonly<Record<When, (needs: readonly Outcome[]) => boolean>> = {
  all_succeeded: (needs) => needs.every((outcome) => outcome === 'succeeded'),
  none_failed: (needs) => !needs.includes('failed'),
  any_succeeded: (needs) => needs.length === 0 || needs.includes('succeeded'),
  all_settled: () => true,
}

/** How steps have ended so far, by their places in the template. */
export interface Settled {
  readonly outcomes: readonly (Outcome | undefined)[]
  /** For each decision that is settled those it chose. */
  readonly choices: ReadonlyMap<number, ReadonlySet<number>>
}

/** Whether a step that another one needs is there for that. */
export function isThereFor(need: number, place: number, { outcomes, choices }: Settled): boolean {
  return outcomes[need] !== 'absent' && choices.get(need)?.has(place) !== false
}

/** Whether a step is to be done, by how those ended that it needs and that are there. */
export function holds(when: When, needs: readonly Outcome[]): boolean {
  return rules[when](needs)
}
