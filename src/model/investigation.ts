// What people do about a run that failed for good, is stale, or that somebody wants to be looked at.

/** `pending`: it is open. All others say how it was closed. */
export const investigationStates = ['pending', 'manually_resolved', 'permanently_failed', 'cancelled'] as const

export type InvestigationState = (typeof investigationStates)[number]

export const investigationReasons = [
  'max_retries_exceeded',
  'staleness_timeout',
  'worker_unavailable',
  'dependency_cycle_detected',
  'manual_dlq',
] as const

export type InvestigationReason = (typeof investigationReasons)[number]

/** Why a run that failed for good is to be looked at, by the code of its error. */
export function reasonOfCode(code: string | null): InvestigationReason {
  return reasons.get(code ?? '') ?? 'max_retries_exceeded'
}

const reasons: ReadonlyMap<string, InvestigationReason> = new Map<string, InvestigationReason>([
  ['stale', 'staleness_timeout'],
  ['run_lost', 'worker_unavailable'],
  ['worker_not_registered', 'worker_unavailable'],
  ['worker_crashed', 'worker_unavailable'],
  ['expired', 'worker_unavailable'],
  ['circular_wait', 'dependency_cycle_detected'],
])
