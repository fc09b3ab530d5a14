// Tasker's form of a template: every key that its documents name. Keys that it does not know Tasker passes over; here they are told.
import { eventModes } from '../../model/event.ts'
import { batchFailures, conditions, identities, roles, stalenessActions } from '../model/model.ts'
import {
  anyObject,
  anything,
  choice,
  flag,
  listOf,
  name,
  object,
  oneOf,
  recordOf,
  text,
  value,
  whole,
  type Shape,
} from './shape.ts'

const isLenient = true

const plain = (shape: Shape): { readonly shape: Shape; readonly description: string } => ({ shape, description: '' })
const required = (shape: Shape) => ({ ...plain(shape), isRequired: true })

const seconds = value('a number of seconds above 0', { type: 'number' }, isAboveZero)

function isAboveZero(received: unknown): boolean {
  return typeof received === 'number' && received > 0 && Number.isFinite(received)
}

const milliseconds = whole(0)
const schema = oneOf('a JSON Schema', anyObject, flag)

/** What its documents also call them. */
export const otherRoles: Readonly<Record<string, string>> = {
  decision_point: 'decision',
  deferred: 'deferred_convergence',
}

const handler = object(
  {
    callable: required(name),
    method: plain(name),
    resolver: plain(name),
    initialization: plain(anyObject),
  },
  { isLenient },
)

const retry = object(
  {
    retryable: plain(flag),
    max_attempts: plain(whole(0)),
    limit: plain(whole(0)),
    backoff: plain(choice(['none', 'linear', 'exponential', 'fibonacci'])),
    backoff_base_ms: plain(milliseconds),
    max_backoff_ms: plain(milliseconds),
  },
  { isLenient },
)

const event = object(
  {
    name: required(text),
    description: plain(text),
    condition: plain(choice(conditions)),
    schema: plain(schema),
    delivery_mode: plain(choice(eventModes)),
    publisher: plain(name),
  },
  { isLenient },
)

const batch = object(
  {
    batch_size: plain(whole(1)),
    parallelism: plain(whole(1)),
    cursor_field: plain(text),
    worker_template: plain(name),
    failure_strategy: plain(choice([...batchFailures, 'isolate_failed'])),
    checkpoint_interval: plain(whole(1)),
  },
  { isLenient },
)

const role = choice([...roles, ...Object.keys(otherRoles)])

const step = object(
  {
    name: required(name),
    description: plain(text),
    handler: required(handler),
    type: plain(role),
    step_type: plain(role),
    system_dependency: plain(anything),
    dependencies: plain(listOf(name)),
    depends_on: plain(oneOf('a name or a list of names', listOf(name), name)),
    retry: plain(retry),
    timeout_seconds: plain(seconds),
    publishes_events: plain(listOf(event)),
    batch_config: plain(batch),
    result_schema: plain(schema),
    composition: plain(anything),
  },
  { isLenient },
)

const override = object(
  {
    name: required(name),
    timeout_seconds: plain(seconds),
    retry: plain(retry),
    handler: plain(
      object(
        {
          callable: plain(name),
          method: plain(name),
          resolver: plain(name),
          initialization: plain(anyObject),
        },
        { isLenient },
      ),
    ),
  },
  { isLenient },
)

const weekInMinutes = 10_080
const monthInMinutes = 43_200

const lifecycle = object(
  {
    max_duration_minutes: plain(whole(1, monthInMinutes)),
    max_waiting_for_dependencies_minutes: plain(whole(1, weekInMinutes)),
    max_waiting_for_retry_minutes: plain(whole(1, weekInMinutes)),
    max_steps_in_process_minutes: plain(whole(1, weekInMinutes)),
    staleness_action: plain(choice(stalenessActions)),
    auto_fail_on_timeout: plain(flag),
    auto_dlq_on_timeout: plain(flag),
  },
  { isLenient },
)

const domainEvent = object({ name: required(text), description: plain(text), schema: plain(schema) }, { isLenient })

export const taskerShape: Shape = object(
  {
    name: required(name),
    namespace_name: plain(name),
    version: plain(text),
    description: plain(text),
    metadata: plain(anyObject),
    task_handler: plain(anything),
    system_dependencies: plain(anyObject),
    domain_events: plain(listOf(domainEvent)),
    input_schema: plain(schema),
    identity_strategy: plain(choice(identities)),
    steps: required(listOf(step)),
    environments: plain(
      recordOf(object({ steps: plain(listOf(override)), task_handler: plain(anything) }, { isLenient })),
    ),
    lifecycle: plain(lifecycle),
  },
  { isLenient },
)
