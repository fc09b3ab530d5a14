// The native form of a template: its keys, their shapes, and what is said of them to who writes one.
import { hasPlaceholder } from '../expression/placeholders.ts'
import { eventModes } from '../../model/event.ts'
import { batchFailures, conditions, failureModes, identities, roles, stalenessActions, whens } from '../model/model.ts'
import {
  eventName,
  anyObject,
  anything,
  choice,
  duration,
  flag,
  listOf,
  name,
  object,
  oneOf,
  recordOf,
  text,
  value,
  whole,
  type Field,
  type Shape,
} from './shape.ts'

const isSchema = (received: unknown): boolean => typeof received === 'boolean' || anyObject.isMeant(received)
const schema = value('a JSON Schema', { type: ['object', 'boolean'] }, isSchema)
const share = value('a number from 0 to 1', { type: 'number', minimum: 0, maximum: 1 }, isShare)

const expression = value('an expression', { type: 'string', pattern: '\\$\\{\\{' }, isExpression)

function isExpression(received: unknown): boolean {
  return typeof received === 'string' && hasPlaceholder(received)
}

function isShare(received: unknown): boolean {
  return typeof received === 'number' && received >= 0 && received <= 1
}

const elsewhere = {
  depends_on: "'needs'",
  dependencies: "'needs'",
  dependsOn: "'needs'",
  handler: "'uses'",
  run: "'uses' or 'script'",
  use: "'uses'",
  input: "'with'",
  inputs: "'with'",
  timeout_seconds: "'timeout'",
  for_each: "'forEach'",
  foreach: "'forEach'",
  on_error: "'onError'",
  continue_on_error: "'onError: continue'",
  compensate: "'undo'",
  step_type: "'type'",
  retries: "'retry'",
}

const retry = object(
  {
    attempts: { shape: whole(1), description: 'How often in all; the first attempt counts.' },
    backoff: {
      shape: choice(['none', 'linear', 'exponential', 'fibonacci']),
      description: 'How the waits between attempts grow.',
    },
    base: { shape: duration, description: 'The wait after the first failed attempt.' },
    max: { shape: duration, description: 'The longest wait between two attempts.' },
    jitter: { shape: share, description: 'How much of a wait is random.' },
    maxElapsed: { shape: duration, description: 'No attempt starts later than this after the first one.' },
  },
  { elsewhere: { max_attempts: "'attempts'", maxAttempts: "'attempts'", limit: "'attempts'", delay: "'base'" } },
)

const timeout = oneOf(
  "a duration, or an object with 'attempt', 'queue' and 'total'",
  duration,
  object({
    attempt: { shape: duration, description: 'How long one attempt may take.' },
    queue: { shape: duration, description: 'How long it may wait until it begins.' },
    total: { shape: duration, description: 'How long it may take with all its attempts and waits.' },
  }),
)

const wait = oneOf(
  "a duration, 'completion', or an object with 'message', 'for', 'until' or 'completion'",
  text,
  object({
    message: { shape: name, description: 'Waits for a message of this name.' },
    key: { shape: text, description: 'Only a message with this key; may hold expressions.' },
    timeout: { shape: duration, description: 'Goes on with null when nothing has come by then.' },
    for: {
      shape: oneOf('a duration or an expression', expression, duration),
      description: 'Waits so long; may be an expression.',
    },
    until: { shape: text, description: 'Waits until a date; may be an expression.' },
    completion: { shape: flag, description: 'Waits until somebody finishes the step with its token.' },
  }),
)

const limit = oneOf(
  'the name of a limiter, or an object with name and key',
  name,
  object({
    name: { shape: name, description: 'The limiter.', isRequired: true },
    key: { shape: text, description: 'Whom its bounds are for; may hold expressions.' },
  }),
)

const publication = object({
  event: { shape: eventName, description: 'The name of the event.', isRequired: true },
  condition: { shape: choice(conditions), description: 'After which end of the step; success unless told.' },
  mode: { shape: choice(eventModes), description: 'How it is delivered; durable unless told.' },
  payload: { shape: anything, description: 'What is published; may hold expressions.' },
  publisher: { shape: name, description: 'Who makes and publishes it, by name.' },
  schema: { shape: schema, description: 'A JSON Schema of what is published.' },
  description: { shape: text, description: 'For people.' },
})

const batch = object({
  size: { shape: whole(1), description: 'How many rows a batch has; 1,000 unless told.' },
  parallelism: { shape: whole(1), description: 'How many batches are under way at once; 10 unless told.' },
  cursorField: { shape: text, description: 'What the rows are counted by; id unless told.' },
  worker: { shape: name, description: 'The step that does the batches of this one, unless its output says.' },
  failureStrategy: { shape: choice(batchFailures), description: 'What the failure of one batch does to the others.' },
  checkpointInterval: { shape: whole(1), description: 'After how many rows progress is saved.' },
})

const script = oneOf(
  'JavaScript or TypeScript as a text, or an object with code, timeout and memory',
  text,
  object({
    code: { shape: text, description: 'JavaScript or TypeScript, the body of an async function.', isRequired: true },
    timeout: { shape: duration, description: 'How long it may take.' },
    memory: { shape: oneOf('bytes, or a text such as 64MB', whole(1), text), description: 'How much it may hold.' },
  }),
)

const undo = oneOf(
  'the name of a worker, or an object with uses and with',
  name,
  object({
    uses: { shape: name, description: 'The worker that undoes the step.', isRequired: true },
    with: { shape: anything, description: 'What it is given; unless told { input, steps, config, output }.' },
    retry: { shape: retry, description: 'How often it is tried.' },
    timeout: { shape: duration, description: 'How long one attempt may take.' },
  }),
)

const forEach = oneOf(
  'an expression, a list, or an object with items, key and concurrency',
  text,
  listOf(anything),
  object({
    items: {
      shape: oneOf('an expression or a list', text, listOf(anything)),
      description: 'The list.',
      isRequired: true,
    },
    key: { shape: text, description: 'Tells items apart; an expression. Their place unless told.' },
    concurrency: { shape: whole(1), description: 'How many are under way at once.' },
  }),
)

const stepFields: Readonly<Record<string, Field>> = {
  name: { shape: name, description: 'Its name, the only one of this name in the template.', isRequired: true },
  description: { shape: text, description: 'For people.' },
  uses: { shape: name, description: 'The worker, workflow or template that does it, by name.' },
  method: { shape: name, description: 'Which method of the worker.' },
  resolver: { shape: name, description: 'Who finds the worker by its name.' },
  script: { shape: script, description: 'What it does, in a sandbox: JSON in, JSON out.' },
  wait: { shape: wait, description: 'What it waits for, doing nothing else.' },
  needs: { shape: oneOf('a name or a list of names', name, listOf(name)), description: 'The steps that come before.' },
  when: { shape: choice(whens), description: 'What has to be true of those; all_succeeded unless told.' },
  if: { shape: oneOf('an expression', text, flag), description: 'It is skipped unless this is true.' },
  with: { shape: anything, description: 'What it is given; may hold expressions.' },
  config: { shape: anyObject, description: 'Plain data it is given beside.' },
  forEach: { shape: forEach, description: 'It is done for each item of this list.' },
  key: { shape: text, description: 'Tells the items of forEach apart; an expression.' },
  concurrency: { shape: whole(1), description: 'How many items of forEach are under way at once.' },
  retry: { shape: retry, description: 'How often it is tried, and when again.' },
  timeout: { shape: timeout, description: 'How long an attempt may take, or also the wait before it and the whole.' },
  onError: {
    shape: oneOf(
      "fail, continue, or an object with 'fallback'",
      choice(['fail', 'continue']),
      object({ fallback: { shape: name, description: 'The step that stands in for it.', isRequired: true } }),
    ),
    description: 'What its failure does; fail unless told.',
  },
  undo: { shape: undo, description: 'What undoes it when the run fails.' },
  limits: { shape: listOf(limit), description: 'The limiters it has to pass.' },
  limit: { shape: limit, description: 'The limiter it has to pass.' },
  cache: {
    shape: oneOf(
      "a duration, or an object with 'ttl' and 'key'",
      duration,
      object({
        ttl: { shape: duration, description: 'How long its output is remembered.', isRequired: true },
        key: { shape: text, description: 'What it is remembered by; an expression.' },
      }),
    ),
    description: 'Its output is remembered, also for other runs.',
  },
  priority: { shape: whole(-100, 100), description: 'Higher first.' },
  queue: { shape: name, description: 'It is done by a node that serves this queue.' },
  type: { shape: choice(roles), description: 'What it is for the steps after it; standard unless told.' },
  batch: { shape: batch, description: 'How it is done in batches.' },
  publishes: { shape: listOf(publication), description: 'The events that tell of its end.' },
  result: { shape: schema, description: 'A JSON Schema of its output.' },
}

export const stepShape: Shape = object(stepFields, { elsewhere })

// Once in the schema, however often it is used.
const step: Shape = { ...stepShape, schema: { $ref: '#/$defs/step' } }

const rate = object({
  limit: { shape: whole(1), description: 'So many in the time per.', isRequired: true },
  per: { shape: duration, description: 'The time.', isRequired: true },
  burst: { shape: whole(1), description: 'How many may come together after a pause.' },
})

const bounds = object({
  concurrency: { shape: whole(1), description: 'So many at once; with keys, for each key.' },
  total: { shape: whole(1), description: 'So many at once, all keys together.' },
  rate: { shape: rate, description: 'So many in a time.' },
})

const lifecycle = object({
  maxDuration: { shape: duration, description: 'How long a run may take.' },
  maxWaitingForDependencies: { shape: duration, description: 'How long it may wait for what its steps need.' },
  maxWaitingForRetry: { shape: duration, description: 'How long it may wait for the next attempt.' },
  maxStepsInProcess: { shape: duration, description: 'How long its steps may be under way.' },
  stalenessAction: { shape: choice(stalenessActions), description: 'What is done with one that is too old.' },
  autoFailOnTimeout: { shape: flag, description: 'Whether it fails then.' },
  autoDlqOnTimeout: { shape: flag, description: 'Whether somebody has to look at it then.' },
})

/** What an environment says of a step: the step is known by its name, or all are meant by ALL. */
const overrides = object({
  steps: { shape: listOf(step), description: 'Keys of steps, by their name; ALL means all of them.' },
})

export const templateShape: Shape = object(
  {
    name: { shape: name, description: 'The name it is started by.', isRequired: true },
    namespace: { shape: name, description: 'What it belongs to; default unless told.' },
    version: {
      shape: oneOf('a text: put a number in quotes', name),
      description: 'Runs stay on the version they were started with; 1 unless told.',
    },
    description: { shape: text, description: 'For people.' },
    input: { shape: schema, description: 'A JSON Schema of what a run is started with.' },
    failure: { shape: choice(failureModes), description: 'What the failure of a step does; fail_fast unless told.' },
    limits: { shape: recordOf(bounds), description: 'Limiters it declares, by name.' },
    identity: { shape: choice(identities), description: 'What makes two starts the same run.' },
    lifecycle: { shape: lifecycle, description: 'How long its runs may be in which state.' },
    metadata: { shape: anyObject, description: 'Author, tags, notes: nothing depends on it.' },
    steps: { shape: listOf(step), description: 'What is done.', isRequired: true },
    output: { shape: anything, description: 'What a run gives; may hold expressions.' },
    environments: { shape: recordOf(overrides), description: 'What is otherwise in an environment, by its name.' },
  },
  { elsewhere: { input_schema: "'input'", namespace_name: "'namespace'", outputs: "'output'", inputs: "'input'" } },
)
