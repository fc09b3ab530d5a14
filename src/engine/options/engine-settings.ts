// What an engine is made with.
import type { Duration } from '../../lib/duration.ts'
import type { LogLevel } from '../../lib/log.ts'
import type { DivergencePolicy } from '../../model/divergence.ts'
import type { Retention, RetentionBeside } from '../../model/retention.ts'
import type { NodeIdentity } from '../../store/nodes.ts'
import type { PoolSizes } from './settings.ts'
import type { ScheduleKeeper } from '../schedule/schedule-keeper.ts'
import type { ScriptRunner } from '../activation/surroundings.ts'
import type { EncodeInput } from '../verbs/starting.ts'

export interface EngineSettings {
  readonly identity: NodeIdentity
  readonly isProvedDead: (identity: NodeIdentity) => boolean
  readonly queues: ReadonlyMap<string, number>
  /** Performs what was started here and nothing else. */
  readonly isOwnOnly: boolean
  readonly pools: PoolSizes
  readonly leaseMs: number
  readonly maxDeliveries: number
  readonly repairs: boolean
  readonly schedules: ScheduleKeeper
  readonly scripts: ScriptRunner
  readonly maxValueBytes: number
  readonly encodeInput: EncodeInput
  readonly config: Readonly<Record<string, unknown>>
  /** How long what has ended is kept. */
  readonly retention: Retention
  readonly retentionBeside: RetentionBeside
  /** `development`, `production` or what the program calls it. */
  readonly environment: string
  readonly logLevel: LogLevel
  /** How long a stop lets what runs finish, unless it is told. */
  readonly stopWithin: Duration
  readonly divergence: DivergencePolicy
}
