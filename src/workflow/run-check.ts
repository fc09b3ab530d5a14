// What would become of one unfinished run with the code that is here.
import type { AnyDefinition } from '../engine/definition.ts'
import { decodeError } from '../lib/codec.ts'
import { reviveError } from '../model/error-classes.ts'
import {
  differenceText,
  type Difference,
  type DivergencePolicy,
  type JournalPlace,
  type RunVerdict,
} from '../model/divergence.ts'
import type { UnfinishedRun } from '../store/definitions.ts'
import { rehearse, type RehearsalWorld, type Rehearsed } from './rehearsal.ts'

/** What would become of one run with the new code. */
export interface RunCheck {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly verdict: RunVerdict
  /** One line; empty when it continues. */
  readonly text: string
  /** What is executed again. */
  readonly step?: string
  readonly difference?: Difference
}

export interface RunCheckOptions extends RehearsalWorld {
  readonly definitions: readonly AnyDefinition[]
  /** For definitions that do not say. */
  readonly divergence: DivergencePolicy
}

/** Undefined for a run of another definition. */
export async function checkRun(run: UnfinishedRun, options: RunCheckOptions): Promise<RunCheck | undefined> {
  const { name, version, claimed } = run
  const ofName = options.definitions.filter((definition) => definition.name === name)
  if (ofName.length === 0) return undefined
  const definition = performerOf(ofName, version)
  const who = { id: claimed.id, name, version }
  if (definition === undefined) {
    const there = ofName.map((each) => each.version).join(', ')
    return { ...who, verdict: 'waits', text: `waits for version ${version}: the code has ${there}` }
  }
  // A plain worker has no journal, a run that has not begun has nothing in it, and one that undoes does nothing new.
  if (claimed.undoing !== undefined) return { ...who, verdict: 'continues', text: '' }
  if (definition.runsOn === 'task' || !hasJournal(run)) return { ...who, verdict: 'continues', text: '' }
  return { ...who, ...verdictOf({ run, definition, options }, await rehearse(definition, claimed, options)) }
}

/** The version itself, or one that takes its runs over. */
function performerOf(ofName: readonly AnyDefinition[], version: string): AnyDefinition | undefined {
  const own = ofName.find((each) => each.version === version)
  const heirs = ofName.map(({ takesOver }) => takesOver?.get(version)?.(0)).filter((heir) => heir !== undefined)
  return own ?? heirs.at(-1)
}

function hasJournal({ claimed }: UnfinishedRun): boolean {
  return claimed.steps.length + claimed.waits.length > 0
}

type Verdict = Omit<RunCheck, 'id' | 'name' | 'version'>

const continues: Verdict = { verdict: 'continues', text: '' }

interface Checked {
  readonly run: UnfinishedRun
  readonly definition: AnyDefinition
  readonly options: RunCheckOptions
}

function verdictOf({ run, definition, options }: Checked, rehearsed: Rehearsed): Verdict {
  switch (rehearsed.end) {
    case 'asked':
      return isUnderWay(run, rehearsed.asked) ? repeats(rehearsed.asked.path) : continues
    case 'returned':
      return continues
    case 'differs':
      return differs(definition.settings.divergence ?? options.divergence, rehearsed.difference)
    case 'threw':
      return isRemembered(run.claimed.steps, rehearsed.error)
        ? continues
        : fails(`the code throws ${String(rehearsed.error)}`)
    case 'stood still':
      return fails('the code asks for nothing and does not end')
  }
}

/** Nothing of a run that waits is under way but what failed and is tried again. */
function isUnderWay({ state, claimed }: UnfinishedRun, { path, kind }: JournalPlace): boolean {
  if (kind !== 'step') return false
  return state === 'running' || claimed.failedAttempts.some((attempt) => attempt.path === path)
}

function repeats(step: string): Verdict {
  return { verdict: 'repeats', step, text: `repeats '${step}'` }
}

function fails(text: string): Verdict {
  return { verdict: 'fails', text }
}

/** With a lenient policy only what cannot go on at all diverges. */
function differs(policy: DivergencePolicy, difference: Difference): Verdict {
  const { holds, asked } = difference
  const [first] = asked
  if (policy === 'strict' || first?.path === holds.path)
    return { verdict: 'diverges', difference, text: `diverges at '${holds.path}': ${differenceText(difference)}` }
  return first === undefined ? continues : repeats(first.path)
}

/** It ends with what a step failed with, as it was about to. */
export function isRemembered(
  steps: readonly { readonly isError: boolean; readonly value: string }[],
  { message }: Error,
): boolean {
  return steps.some(({ isError, value }) => isError && decodeError(value, reviveError).message === message)
}
