// What holds of batches that say nothing else.
import type { BatchRules } from './template.ts'

export const defaultBatches: BatchRules = {
  size: 1_000,
  parallelism: 10,
  failureStrategy: 'continue_on_failure',
  cursorField: 'id',
  checkpointInterval: undefined,
}
