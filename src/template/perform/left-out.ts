// Which steps of a run were left out, and why: its graph is gone through once more, with what the journal holds in the place of work.
import type { RunStatus, StepStatus } from '../../engine/verbs/run-status.ts'
import type { Clock } from '../../lib/clock.ts'
import { isCodedLabel } from '../../lib/coded-text.ts'
import { isTroupeError } from '../../lib/errors.ts'
import { joinPath } from '../../model/path.ts'
import type { Template, TemplateStep } from '../model/template.ts'
import { edgesOf } from './edges.ts'
import { GraphRun, type StepPerformer, type StepPlace } from './graph-run.ts'
import { performPieces } from './pieces.ts'
import { leftOutIn, type LeftOutStep } from './reasons.ts'

/** What is known of a run. */
export interface JournalOfRun {
  readonly run: RunStatus
  readonly steps: readonly StepStatus[]
}

/** In the order of the template. Of what cannot be read here nothing is told. */
export async function leftOutSteps(
  template: Template,
  { run, steps }: JournalOfRun,
  clock: Clock,
): Promise<readonly LeftOutStep[]> {
  if (isUnreadable(run.input, run.error)) return []
  const edges = edgesOf(template)
  // Which failure came first and ended the run does not matter for what was left out.
  const graph = new GraphRun({ ...template, failure: 'finish_independent' }, edges, {
    performer: new RecordedSteps(steps),
    input: run.input,
    run: { id: run.id, attempt: run.attempt, correlationId: run.correlationId ?? null },
  })
  void graph.perform().catch(() => undefined)
  // What is recorded is there at once; what is not never comes.
  await new Promise<void>((resolve) => clock.soon(resolve))
  return leftOutIn(template, edges, graph.course)
}

/** Gives for each step what its run remembers of it. */
class RecordedSteps implements StepPerformer {
  readonly #steps: ReadonlyMap<string, StepStatus>

  constructor(steps: readonly StepStatus[]) {
    this.#steps = new Map(steps.map((step) => [step.path, step]))
  }

  perform(step: TemplateStep, at: StepPlace): Promise<unknown> {
    return performPieces(step, at, {
      perform: ({ path }) => this.#resultAt(path),
      placeholder: (path) => this.#resultAt(path),
    })
  }

  refused(): undefined {
    return undefined
  }

  #resultAt(path: string): Promise<unknown> {
    const own = this.#steps.get(path)
    const found = own?.kind === 'child' ? this.#steps.get(joinPath(path, 'result')) : own
    if (found === undefined || isUnreadable(found.value, found.error)) return new Promise(() => {})
    return found.error === undefined ? Promise.resolve(found.value) : Promise.reject(found.error)
  }
}

/** From outside, what is in the form of a codec reads as a text that says so. */
function isUnreadable(value: unknown, error: Error | undefined): boolean {
  const isDamaged = isTroupeError(error, 'value_unreadable') || isTroupeError(error, 'store_corrupt')
  return isDamaged || isCodedLabel(value) || isCodedLabel(error?.message)
}
