// The words and rules of the domain, pure. Start with run.ts (states), retry.ts (attempts) and path.ts (step identity).
export type { LiveState, RunMove, RunOutcome, RunState } from './run.ts'
