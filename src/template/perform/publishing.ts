// What the end of a step publishes, as its template says: in the commit that records that end, and so once in the life of the run.
import { originOf } from '../../engine/activation/origin.ts'
import { eventOf, type NewEvent } from '../../engine/events/events.ts'
import { decode, decodeError } from '../../lib/codec.ts'
import { toError } from '../../lib/errors.ts'
import { reviveError } from '../../model/error-classes.ts'
import { joinPath } from '../../model/path.ts'
import type { AttemptEnd } from '../../workflow/steps/step-recorder.ts'
import type { MakeEvents, Steps } from '../../workflow/steps/steps.ts'
import { payloadMisfit } from '../errors.ts'
import { misfits } from '../load/json-schema.ts'
import { failureOf } from '../model/step-failure.ts'
import type { JsonSchema, Made, Publication, Scope, StepFailure, Template, TemplateStep } from '../model/template.ts'

/** One step that publishes, in one run. */
export interface PublishingStep {
  readonly steps: Steps
  readonly template: Pick<Template, 'namespace'>
  readonly step: TemplateStep
  readonly scope: Scope
  /** Throws for an output that the step may not have. */
  check(output: unknown): void
}

/** How an attempt ended, or the whole step. */
interface StepEnd extends Pick<AttemptEnd, 'isError' | 'isTriedAgain' | 'attempt'> {
  /** Its output, or how it failed. */
  readonly value: () => unknown
}

type Ends = Readonly<Record<Publication['condition'], (end: Pick<StepEnd, 'isError' | 'isTriedAgain'>) => boolean>>

const ends: Ends = {
  success: ({ isError }) => !isError,
  failure: ({ isError, isTriedAgain }) => isError && !isTriedAgain,
  permanent_failure: ({ isError, isTriedAgain }) => isError && !isTriedAgain,
  retryable_failure: ({ isTriedAgain }) => isTriedAgain,
  always: ({ isTriedAgain }) => !isTriedAgain,
}

/** Does a step and publishes how it ended: with the record of that, or, where there is none of the whole step, in one of its own. */
export async function performPublishing(publishing: PublishingStep, perform: () => Promise<unknown>): Promise<unknown> {
  const { steps, step } = publishing
  let isRecorded = steps.hasEnded(step.name)
  if (!isOfPieces(step))
    publishWith(publishing, step.name, (end) => {
      if (!end.isTriedAgain) isRecorded = true
      return eventsAt(publishing, checkedEnd(publishing, endOf(end)))
    })
  let output: unknown
  try {
    output = await perform()
  } catch (error) {
    if (!isRecorded) await publishFailure(publishing, toError(error))
    throw error
  }
  if (!isRecorded) await publishOutput(publishing, output)
  return output
}

/** A step of many pieces ends with the last of them, and tells of each attempt of theirs that is followed by another. */
export function publishPiece(publishing: PublishingStep, path: string): void {
  publishWith(publishing, path, (end) => (end.isTriedAgain ? eventsAt(publishing, endOf(end)) : []))
}

/** It has failed, and no record says so. */
export async function publishFailure(publishing: PublishingStep, error: Error): Promise<void> {
  await publishBeside(publishing, { ...whole, isError: true, value: () => failureOf(error) }, error)
}

async function publishOutput(publishing: PublishingStep, output: unknown): Promise<void> {
  const end = checkedEnd(publishing, { ...whole, isError: false, value: () => output })
  await publishBeside(publishing, end)
}

const whole = { attempt: 1, isTriedAgain: false }

function isOfPieces({ forEach, role }: TemplateStep): boolean {
  return forEach !== undefined || role === 'batch_worker'
}

/** What a run of its own gave, a message brought or somebody finished may be no output of the step: so it has failed. */
function checkedEnd({ step: { role }, check }: PublishingStep, end: StepEnd): StepEnd {
  if (end.isError || (role !== 'decision' && role !== 'batchable')) return end
  try {
    check(end.value())
    return end
  } catch (error) {
    const failure = failureOf(toError(error))
    return { ...end, isError: true, value: () => failure }
  }
}

/** The value is read where somebody publishes it. */
function endOf({ value, ...end }: AttemptEnd): StepEnd {
  const read = (): unknown => (end.isError ? failureOf(decodeError(value, reviveError)) : decode(value))
  return { ...end, value: read }
}

/** A step that is a run of its own ends with the result of that. */
function publishWith({ steps }: PublishingStep, path: string, make: MakeEvents): void {
  for (const at of [path, joinPath(path, 'result')]) steps.publishAt(at, make)
}

// Race: whether anything is asked for depends on the end alone, so that a run is led the same way again.
async function publishBeside(publishing: PublishingStep, end: StepEnd, error?: Error): Promise<void> {
  const { steps, step } = publishing
  if (!step.publishes.some(({ condition }) => ends[condition](end))) return
  const path = joinPath(step.name, 'published')
  // Remembered with the error, it is told again in another generation.
  await steps.publish(path, () => eventsAt(publishing, end), error).catch(() => undefined)
}

function eventsAt(publishing: PublishingStep, end: StepEnd): readonly NewEvent[] {
  const due = publishing.step.publishes.filter(({ condition }) => ends[condition](end))
  return due.flatMap((publication) => eventFor(publishing, publication, end) ?? [])
}

/** Undefined where it cannot be published, which the step does not feel. */
function eventFor(
  { steps, template, step, scope }: PublishingStep,
  { event, mode, payload, schema, publisher }: Publication,
  end: StepEnd,
): NewEvent | undefined {
  const { namespace } = template
  const origin = { ...originOf(steps.activation), namespace, step: step.name, stepAttempt: end.attempt }
  try {
    const value =
      payload === undefined ? (end.value() ?? null) : payload.make(scopeAfter(scope, { step, payload, end }))
    const [misfit] = schema === undefined ? [] : misfits(schema as JsonSchema, value)
    if (misfit !== undefined) throw payloadMisfit(event, misfit)
    return { ...eventOf(event, value, { mode }), origin, publisher }
  } catch (error) {
    steps.activation.around.events.dropped({ name: event, origin, error: toError(error) })
    return undefined
  }
}

interface After {
  readonly step: TemplateStep
  readonly payload: Made
  readonly end: StepEnd
}

/** What a payload may see: with the step's own output, or how it failed. */
function scopeAfter(scope: Scope, { step: { name }, payload, end }: After): Scope {
  const value = end.value()
  const output = end.isError ? null : (value ?? null)
  const steps = Object.fromEntries(payload.steps.map((each) => [each, scope.steps[each] ?? null]))
  const errors = end.isError ? { ...scope.errors, [name]: value as StepFailure } : scope.errors
  return { ...scope, steps: { ...steps, [name]: output }, errors, output }
}
