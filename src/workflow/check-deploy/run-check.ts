// What would become of one unfinished run with the code that is here.
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import { whyUnread } from '../../engine/activation/unread.ts'
import { decodeError } from '../../lib/codec.ts'
import { reviveError } from '../../model/error-classes.ts'
import {
  differenceText,
  type Difference,
  type DivergencePolicy,
  type JournalPlace,
  type RunVerdict,
} from '../../model/divergence.ts'
import type { UnfinishedRun } from '../../store/definitions.ts'
import type { RememberedStep } from '../../store/store.ts'
import { hasJournal, rehearse, type RehearsalWorld, type Rehearsed, type RehearsedRun } from './rehearsal.ts'

/** What would become of one run with the new code. */
export interface RunCheck {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly verdict: RunVerdict
  /** One line; empty when it continues and there is nothing to say to that. */
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
    // A template goes on with its own text, which whoever has its handlers finds in the store.
    if ((await options.deps.store.templates.findForm(claimed.definitionId)) !== undefined)
      return { ...who, ...continues }
    const there = ofName.map((each) => each.version).join(', ')
    return { ...who, verdict: 'waits', text: `waits for version ${version}: the code has ${there}` }
  }
  const unread = whyUnread(claimed)
  if (unread !== undefined) return { ...who, ...fails(`cannot be read: ${unread.message}`) }
  // A plain worker has no journal, and of a run that has not begun only its input could be refused where another version takes it over.
  const isOwn = ofName.some((each) => each.version === version)
  if (definition.runsOn === 'task' || (isOwn && !hasJournal(claimed))) return { ...who, ...continues }
  return { ...who, ...verdictOf({ run, definition, options }, await rehearse(definition, claimed, options)) }
}

/** Its code throws where nothing awaits it. */
export function strayCheck({ id, name, version }: RunCheck, stray: Error): RunCheck {
  const text = `the code throws where nothing awaits it, which ends the process: ${String(stray)}`
  return { id, name, version, ...fails(text) }
}

/** The version itself, or one that takes its runs over. */
function performerOf(ofName: readonly AnyDefinition[], version: string): AnyDefinition | undefined {
  const own = ofName.find((each) => each.version === version)
  const heirs = ofName.map(({ takesOver }) => takesOver?.get(version)?.(0)).filter((heir) => heir !== undefined)
  return own ?? heirs.at(-1)
}

type Verdict = Omit<RunCheck, 'id' | 'name' | 'version'>

const continues: Verdict = { verdict: 'continues', text: '' }

interface Checked {
  readonly run: UnfinishedRun
  readonly definition: AnyDefinition
  readonly options: RunCheckOptions
}

function verdictOf(checked: Checked, { rehearsed, lacksUndo }: RehearsedRun): Verdict {
  const verdict = verdictAt(checked, rehearsed)
  if (lacksUndo.size === 0 || (verdict.verdict !== 'continues' && verdict.verdict !== 'repeats')) return verdict
  const steps = [...lacksUndo].map((path) => `'${path}'`).join(', ')
  return {
    ...verdict,
    text: `${verdict.text || 'continues'}, but could not undo ${steps}: the code says no more how to`,
  }
}

function verdictAt({ run, definition, options }: Checked, rehearsed: Rehearsed): Verdict {
  switch (rehearsed.end) {
    case 'asked':
      return isUnderWay(run, rehearsed.asked) ? repeats(rehearsed.asked.path) : continues
    case 'returned':
      return continues
    case 'differs':
      return differs(
        rehearsed.isFinal ? 'strict' : (definition.settings.divergence ?? options.divergence),
        rehearsed.difference,
      )
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
  if (kind !== 'step' && kind !== 'undo') return false
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
export function isRemembered(steps: readonly Pick<RememberedStep, 'isError' | 'value'>[], error: ToldError): boolean {
  return steps.some(({ isError, value }) => isError && isSame(decodeError(value, reviveError), error))
}

/** What can be compared of an error that was stored. */
interface ToldError {
  readonly name: string
  readonly message: string
  readonly code?: unknown
}

function isSame(left: ToldError, right: ToldError): boolean {
  return left.name === right.name && left.message === right.message && left.code === right.code
}
