// Which runs, kinds of failures and audit entries a program asks for, checked.
import { optionInvalid } from '../../model/errors.ts'
import { runMoves, type RunState } from '../../model/run.ts'
import type { RunsWhere } from '../../store/views.ts'
import { checkTags } from './call.ts'
import { checkChoice, checkOptions, checkText, checkWhole } from '../checks.ts'

export interface RunsFilter extends RunsWhere {
  /** Only runs that were started before the one of this id: the last of the page before. */
  readonly after?: string
  /** The newest so many; 50 unless told. */
  readonly limit?: number
}

export interface AuditFilter {
  /** The `cursor` of the last one of the page before. */
  readonly after?: number
  /** The newest so many; 50 unless told. */
  readonly limit?: number
}

export interface DeadFilter {
  readonly name?: string
  readonly fingerprint?: string
  /** The latest so many kinds; 50 unless told. */
  readonly limit?: number
}

export const knownOfWhere = ['name', 'state', 'code', 'tags', 'fingerprint', 'parent']
export const runStates: readonly RunState[] = [
  ...new Set(Object.values(runMoves).flatMap(({ from, to }) => [...from, to])),
]

/** What `troupe.runs` is asked for. Throws `option_invalid`. */
export function checkRunsFilter(filter: RunsFilter): void {
  checkOptions('troupe.runs', filter, [...knownOfWhere, 'after', 'limit'])
  checkRunsWhere(filter)
  if (filter.after !== undefined) checkText('after', filter.after, 'the id of a run')
  if (filter.limit !== undefined) checkWhole('limit', filter.limit, 1)
}

/** What `troupe.dead` is asked for. Throws `option_invalid`. */
export function checkDeadFilter(filter: DeadFilter): void {
  checkOptions('troupe.dead', filter, ['name', 'fingerprint', 'limit'])
  checkRunsWhere(filter)
  if (filter.limit !== undefined) checkWhole('limit', filter.limit, 1)
}

/** What `troupe.audit` is asked for. Throws `option_invalid`. */
export function checkAuditFilter(filter: AuditFilter): void {
  checkOptions('troupe.audit', filter, ['after', 'limit'])
  if (filter.after !== undefined) checkWhole('after', filter.after, 1)
  if (filter.limit !== undefined) checkWhole('limit', filter.limit, 1)
}

/** Throws `option_invalid`. */
export function checkRunId(id: string): void {
  checkText('The id of a run', id, 'the id of a handle, a text')
}

/** Throws `option_invalid`. */
export function checkRunsWhere({ name, state, code, tags, fingerprint, parent }: RunsWhere): void {
  if (name !== undefined) checkText('name', name)
  if (state !== undefined) checkStates(state)
  if (code !== undefined) checkText('code', code, 'the code of an error')
  if (tags !== undefined) checkTags('tags', tags)
  if (fingerprint !== undefined) checkText('fingerprint', fingerprint, 'one of those that troupe.dead() lists')
  if (parent !== undefined) checkText('parent', parent, 'the id of a run')
}

function checkStates(state: RunState | readonly RunState[]): void {
  const states = Array.isArray(state) ? state : [state]
  if (states.length === 0) throw optionInvalid('state', state, 'at least one state')
  for (const one of states) checkChoice('state', one, runStates)
}
