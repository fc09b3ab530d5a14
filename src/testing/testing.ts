// What tests are written with: time in their hands, and the suite that every store must pass.
export { ManualClock } from './manual-clock.ts'
