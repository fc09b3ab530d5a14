// The public API: what a program imports from 'troupe'.

// The engine
export { Troupe } from './troupe.ts'
export type { DeadKind } from './engine/verbs/dead-kinds.ts'
export type { AuditEntry, ByOption, WhyOption } from './engine/verbs/audit.ts'
export type { CodecKey } from './store/operating.ts'
export type {
  InvestigateOptions,
  InvestigatingVerbs,
  Investigation,
  InvestigationsFilter,
} from './engine/verbs/investigating.ts'
export type { InvestigationReason, InvestigationState } from './model/investigation.ts'
export type { ForkOptions } from './engine/verbs/forking.ts'
export type { ResolveOptions } from './engine/verbs/resolving.ts'
export type { CancelOptions } from './engine/activation/cancel-order.ts'
export type { BulkAction } from './engine/verbs/bulk-actions.ts'
export type { BulkOptions, BulkPreview, BulkProgress } from './engine/verbs/bulk.ts'
export type { AuditFilter, DeadFilter, RunsFilter } from './engine/verbs/filters.ts'
export type { RunsWhere } from './store/views.ts'
export type { TroupeOptions } from './engine/options/options.ts'
export { WORKER } from './worker/global.ts'
export type { CallManyOptions, CallOptions, StartOptions } from './engine/verbs/call.ts'
export type {
  AppendOptions,
  DebounceOptions,
  KeepLastOptions,
  KeyOfInput,
  KeyOptions,
  ThrottleOptions,
} from './engine/verbs/start-options.ts'
export type {
  CallArguments,
  EngineVerbs,
  OutputOf,
  ReplaceOption,
  CompletingVerbs,
  StatusVerbs,
  TellingVerbs,
  AskingVerbs,
  EventVerbs,
} from './engine/verbs/verbs.ts'
export type { Definition } from './engine/definition/definition.ts'
export type { ResultOptions, RunHandle } from './engine/watch/run-handle.ts'
export type { LimiterStatus, QueueStatus } from './engine/verbs/queue-status.ts'
export type { LogsOptions, RunLogLine } from './engine/watch/log-reader.ts'
export type { MessagesOptions, RunMessage } from './engine/watch/message-reader.ts'
export type { AttemptStatus, RunStatus, StepStatus } from './engine/verbs/run-status.ts'
export type { WaitStatus } from './engine/verbs/wait-status.ts'
export type { AskOptions } from './engine/verbs/asking.ts'
export type { TellOptions, UnreadMessage } from './engine/verbs/telling.ts'
export type {
  Answered,
  AskSchemas,
  MessageArguments,
  MessageName,
  Received,
  Replied,
  TellArguments,
  Told,
} from './engine/definition/message-types.ts'
export type { EventCounts, EventHandler, EventInfo, PublishOptions, SubscribeOptions } from './engine/events/events.ts'
export type { BreakerState, BreakerView } from './lib/breaker.ts'
export type { EventToPublish, PublishEvent, Publisher } from './engine/events/publisher.ts'
export type { RunStats } from './engine/verbs/run-stats.ts'
export type { Finding, FindingCode } from './store/health.ts'
export type { Health, Metric, MetricPoint, Metrics, NodeStatus, TemplateCounts } from './engine/verbs/node-status.ts'
export type { NodeInfo } from './engine/verbs/nodes.ts'
export type { Difference, Divergence, DivergencePolicy, JournalPlace, RunVerdict } from './model/divergence.ts'
export type { WaitReason } from './model/reason.ts'
export type { KeptFor, RetentionOptions } from './model/retention.ts'
export type { BackfillOptions, ScheduleStatus, ScheduleVerbs } from './engine/schedule/schedule-verbs.ts'
export type { Overlap, Rule } from './model/schedule.ts'
export type { RunState } from './model/run.ts'
export type { CompletionAnswer } from './store/waits.ts'

// Definitions
export { worker } from './worker/worker.ts'
export { workflow } from './workflow/workflow.ts'
export { entity } from './entity/entity.ts'
export type { Entity } from './entity/entity.ts'
export type { EntityHandlers, EntityOptions } from './entity/behaviour.ts'
export type { EntityMessage } from './entity/message-limits.ts'
export type { EntityContext, RemindAt } from './entity/context.ts'
export type { EntityRef, EntityRefOptions, HandlerArguments, HandlerName, HandlerReply } from './entity/entity-ref.ts'
export type { EntityVerbs } from './entity/entity-verbs.ts'
export type { EntitiesFilter, EntityStatus } from './entity/listing.ts'
export { limiter } from './worker/limiter.ts'
export type { LimitedFunction } from './engine/limits/slots.ts'
export type { LimitedOptions, Limiter, LimiterOptions } from './worker/limiter.ts'
export type { LimitBounds, RateOptions } from './engine/limits/limits.ts'
export { schedule } from './engine/schedule/schedule.ts'
export { discover } from './worker/discover.ts'
export type { Schedule, Scheduled, ScheduledByName } from './engine/schedule/schedule.ts'
export type { ScheduleOptions, ScheduleRule, ScheduleTiming } from './engine/schedule/schedule-rule.ts'
export type { Discovered, SkippedFile } from './model/discovered.ts'
export type { Checkpoint, CheckpointMark, CheckpointOptions } from './worker/checkpoints.ts'
export type { Config, WorkerContext } from './worker/context.ts'
export type { InAnotherFile, InThisFile, WorkerHandler } from './worker/worker.ts'
export type { ThreadOption, ThreadSettings } from './worker/thread-place.ts'
export type { RegisterOptions, WorkerVerbs } from './worker/registration.ts'
export type { CacheOptions, DefinitionOptions, MessageOptions } from './worker/options.ts'
export type { MapFunction, WorkflowContext } from './workflow/context.ts'
export type { Turn } from './workflow/loop.ts'
export type { ReceiveOptions } from './workflow/mail/receives.ts'
export type { StepLimit, StepOptions } from './workflow/steps/step-options.ts'
export type { TxArguments, TxContext } from './workflow/tx/tx.ts'
export type { PostgresTransaction } from './store/callers.ts'
export type { PostgresClient, PostgresPool } from './workflow/tx/tx-postgres.ts'
export type { SqliteHandle } from './workflow/tx/tx-sqlite.ts'
export type { Undo, UndoContext, UndoFunction, UndoOptions } from './workflow/undoing/undo-options.ts'
export type { ChildArguments, ChildOptions, ChildResultOptions, ChildRun } from './workflow/child-run.ts'
export type { Upcast } from './workflow/upcast.ts'
export type { WorkflowHandler, WorkflowOptions } from './workflow/workflow.ts'
export { checkDeploy } from './workflow/check-deploy/check-deploy.ts'
export type { RunCheck } from './workflow/check-deploy/run-check.ts'
export type { Declared, MessagesOption } from './workflow/mail/messages.ts'
export type { MapOptions } from './workflow/map.ts'
export type { StepContext } from './workflow/steps/step.ts'
export type { RetryOptions, StoredRetryOptions } from './model/retry.ts'

// Templates
export { checkTemplate, loadTemplate } from './template/template.ts'
export { TemplateError } from './template/load/problems.ts'
export type { LoadedTemplate } from './template/template.ts'
export type { LoadTemplateOptions } from './template/load/load.ts'
export type { HandlerTypes, TemplateHandlers } from './template/load/check-handlers.ts'
export type { TemplateProblem } from './template/load/problems.ts'
export type { TemplateFormat } from './template/load/source.ts'
export type { JsonSchema, Template, TemplateStep } from './template/model/template.ts'
export type {
  Handler,
  HandlerFunction,
  HandlerMap,
  HandlerObject,
  HandlerResolver,
  ResolverOptions,
} from './engine/definition/handler.ts'
export type { TemplateFailure, TemplatesRefreshed } from './template/keeper/refreshing.ts'
export type { LeftOutStep } from './template/perform/reasons.ts'
export type { TemplateTitle } from './template/model/title.ts'
export type { TemplateStatus, TemplateVerbs } from './template/keeper/template-verbs.ts'
export { template } from './template/builder/builder.ts'
export { taskerStates, taskerStepStates, taskerTaskStates } from './template/tasker-states.ts'
export type { SeenRun, TaskerStates, TaskerStepState, TaskerTaskState } from './template/tasker-states.ts'
export { batchesOf, branches, noBatches, noBranches } from './template/step-results.ts'
export type { BatchCursor, Batches, Branches } from './template/step-results.ts'
export type { BuiltOutput, OutputOfBuilt, TemplateBuilder, TemplateOptions } from './template/builder/builder.ts'
export type { LifecycleOptions } from './template/builder/lifecycle.ts'
export type { BuiltScope, BuiltStep } from './template/builder/built-step.ts'

// Errors
export { errorCodes, isTroupeError, TroupeError } from './lib/errors.ts'
export type { ErrorCode, ErrorDetails, ErrorOptions } from './lib/errors.ts'
export { PermanentError, RetryAfterError, TimeoutError, ValidationError } from './model/error-classes.ts'

// What is stored
export { giveUpMove, moveStore } from './store/moving/moving.ts'
export type { MovedTable, MoveOptions, MoveProgress } from './store/moving/moving.ts'
export { aesGcm } from './model/codecs/aes-gcm.ts'
export { compress } from './model/codecs/compress.ts'
export type { AesGcmOptions } from './model/codecs/aes-gcm.ts'
export type { CompressOptions } from './model/codecs/compress.ts'
export type { CodedBytes, ValueCodec } from './model/codecs/value-codec.ts'
export type { Storable } from './lib/storable.ts'

// What is shared
export type { Duration } from './lib/duration.ts'
export type { Log, LogFields, LogLevel } from './lib/log.ts'
