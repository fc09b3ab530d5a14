// What people did, as it is kept.
import type { AuditRecord, AuditView } from '../../store/operating.ts'
import { checkKey, checkName, checkOptions } from '../checks.ts'

/** Who does something, for `audit`. */
export interface ByOption {
  readonly by?: string
}

/** Who does something, and why. */
export interface WhyOption extends ByOption {
  /** For people, at most 1,024 characters. */
  readonly reason?: string
}

/** Something a person did. */
export interface AuditEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Who they said they are. */
  readonly by: string | undefined
  /** As in `retry`, `cancel`, `bulk retry`, `pause queue`. */
  readonly action: string
  /** What it was done to, as the id of a run; empty where `details` say it. */
  readonly target: string
  readonly details: Readonly<Record<string, unknown>>
  /** Pages go on `after` the last one. */
  readonly cursor: number
}

/** Throws `option_invalid`. */
export function checkBy({ by }: { readonly by?: string | undefined }): void {
  if (by !== undefined) checkName('by', by)
}

/** What is to be kept of something that a person does. Throws `option_invalid`. */
export function auditRecord(
  verb: string,
  options: { readonly by?: string | undefined; readonly reason?: string | undefined },
  done: { readonly action: string; readonly target: string; readonly details?: Readonly<Record<string, unknown>> },
): AuditRecord {
  checkOptions(verb, options, ['by', 'reason'])
  checkBy(options)
  const { by, reason } = options
  if (reason !== undefined) checkKey('reason', reason)
  const { action, target, details } = done
  const told = { ...details, ...(reason !== undefined && { reason }) }
  return { actor: by ?? null, action, target, details: JSON.stringify(told) }
}

export function auditEntry({ id, at, actor, action, target, details }: AuditView): AuditEntry {
  const known = JSON.parse(details) as Record<string, unknown>
  return { at, by: actor ?? undefined, action, target, details: known, cursor: id }
}
