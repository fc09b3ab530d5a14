// The closed lists and the bounds of templates. What a template is stands in template.ts.

export const whens = ['all_succeeded', 'none_failed', 'any_succeeded', 'all_settled'] as const

export const roles = ['standard', 'decision', 'deferred_convergence', 'batchable', 'batch_worker'] as const

export const failureModes = ['fail_fast', 'finish_independent'] as const

export const identities = ['strict', 'caller_provided', 'always_unique'] as const

export const batchFailures = ['continue_on_failure', 'fail_fast', 'isolate'] as const

export const conditions = ['success', 'failure', 'retryable_failure', 'permanent_failure', 'always'] as const

export const stalenessActions = ['dlq', 'error', 'none'] as const

// Invariant: I15.
export const mostSteps = 50_000
export const mostEdges = 1_000_000
