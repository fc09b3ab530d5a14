// What people did, as it is kept.
import type { AuditView } from '../store/operating.ts'

/** Something a person did. */
export interface AuditEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Who they said they are. */
  readonly by: string | undefined
  /** As in `retry`, `cancel`, `bulk retry`. */
  readonly action: string
  /** What it was done to, as the id of a run; empty where `details` say it. */
  readonly target: string
  readonly details: Readonly<Record<string, unknown>>
  /** Pages go on `after` the last one. */
  readonly cursor: number
}

export function auditEntry({ id, at, actor, action, target, details }: AuditView): AuditEntry {
  const known = JSON.parse(details) as Record<string, unknown>
  return { at, by: actor ?? undefined, action, target, details: known, cursor: id }
}
