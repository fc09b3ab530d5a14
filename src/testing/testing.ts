// What tests are written with: time in their hands, a system that settles, probes, chosen orders.
export { ManualClock } from './manual-clock.ts'
export { testSystem } from './test-system.ts'
export type { ActorFailure, TestSystem, TestSystemOptions } from './test-system.ts'
export { probe } from './probe.ts'
export type { AnyActor, ExpectOptions, Probe, ProbeMessage, ProbeOptions } from './probe.ts'
export { underSeeds } from './under-seeds.ts'
export { RecordedLog } from './recorded-log.ts'
export type { LogLine } from './recorded-log.ts'
