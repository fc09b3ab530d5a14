// What holds of steps that say nothing else.
import type { BatchRules } from './template.ts'

/** How many items of a list are under way at once. */
export const itemsAtOnce = 10

export const defaultBatches: BatchRules = {
  size: 1_000,
  parallelism: 10,
  failureStrategy: 'continue_on_failure',
  cursorField: 'id',
  checkpointInterval: undefined,
}
