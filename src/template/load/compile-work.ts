// What a step does: a worker, a script, or a wait.
import { toMs, type Duration } from '../../lib/duration.ts'
import { isTroupeError } from '../../lib/errors.ts'
import { hasPlaceholder, type Spot } from '../expression/placeholders.ts'
import { isPlainObject, type PlainObject } from '../expression/values.ts'
import type { Made, Work } from '../model/template.ts'
import { mapMade, type Compiling, type Whose } from './compiling.ts'

export interface WorkPart {
  readonly form: PlainObject
  readonly compiling: Compiling
  readonly whose: Whose
}

const nothing: Work = { kind: 'worker', uses: '', method: undefined }

/** What belongs to a run of its own, which only a worker has. */
const ofRuns = ['queue', 'priority', 'cache'] as const

export function compileWork(part: WorkPart): Work {
  const { form, compiling } = part
  const given = ['uses', 'script', 'wait'].filter((key) => form[key] !== undefined)
  const [kind, other] = given
  const at: Spot = { owner: form, key: 'name' }
  if (kind === undefined) {
    // One of them may be meant by a key that has been told.
    const isTold = Object.keys(form).some((key) => compiling.problems.isSpoilt({ owner: form, key }))
    if (!isTold) compiling.problems.error("It does nothing: give it one of 'uses', 'script' and 'wait'.", at)
    return nothing
  }
  if (other !== undefined)
    compiling.problems.error(`A step does one thing: '${kind}' or '${other}'.`, { owner: form, key: other }, 'key')
  if (kind !== 'uses') refuseOfRuns(part, kind)
  if (compiling.problems.isSpoilt({ owner: form, key: kind })) return nothing
  if (kind === 'script') return scriptOf(part)
  if (kind === 'wait') return waitOf(part)
  const { uses, method, resolver } = form
  return {
    kind: 'worker',
    uses: uses as string,
    method: method as string | undefined,
    resolver: resolver as string | undefined,
    place: compiling.problems.placeOf({ owner: form, key: 'uses' }),
  }
}

function refuseOfRuns({ form, compiling }: WorkPart, kind: string): void {
  const refuse = (named: string, spot: Spot): void =>
    compiling.problems.error(`'${named}' is for steps that use a worker, not beside '${kind}'.`, spot, 'key')
  for (const key of ofRuns.filter((each) => form[each] !== undefined)) refuse(key, { owner: form, key })
  const { timeout } = form
  if (isPlainObject(timeout) && timeout['queue'] !== undefined)
    refuse('timeout.queue', { owner: timeout, key: 'queue' })
}

const memoryText = /^(\d+)\s*(kb|mb|gb)?$/i
const memoryUnits: Readonly<Record<string, number>> = { '': 1, kb: 1_024, mb: 1_048_576, gb: 1_073_741_824 }

function scriptOf({ form, compiling: { problems } }: WorkPart): Work {
  const { script } = form
  const of = isPlainObject(script) ? script : form
  const key = isPlainObject(script) ? 'code' : 'script'
  const { timeout, memory } = isPlainObject(script) ? script : {}
  return {
    kind: 'script',
    script: String(of[key]),
    limits: {
      timeoutMs: timeout === undefined ? undefined : toMs(timeout as Duration),
      memoryBytes: memory === undefined ? undefined : bytesOf(memory, { owner: of, key: 'memory' }, problems),
    },
    place: problems.scriptPlace({ owner: of, key }),
  }
}

function bytesOf(memory: unknown, spot: Spot, problems: Compiling['problems']): number | undefined {
  const [, amount, unit = ''] = memoryText.exec(String(memory).trim()) ?? []
  if (amount !== undefined) return Number(amount) * (memoryUnits[unit.toLowerCase()] ?? 1)
  problems.error("'memory' is bytes, or a text such as '64MB'.", spot)
  return undefined
}

function waitOf(part: WorkPart): Work {
  const { form, compiling } = part
  const { wait } = form
  if (isPlainObject(wait)) return waitOfObject(wait, part)
  if (wait === 'completion') return { kind: 'completion', timeoutMs: undefined }
  if (hasPlaceholder(String(wait))) return { kind: 'time', forMs: duration('wait', form, part), until: undefined }
  try {
    return { kind: 'time', forMs: toMs(wait as Duration), until: undefined }
  } catch (error) {
    if (!isTroupeError(error)) throw error
    compiling.problems.error(`'wait': ${error.message} Or 'completion'.`, { owner: form, key: 'wait' })
    return nothing
  }
}

const kindsOfWait = ['message', 'for', 'until', 'completion'] as const

function waitOfObject(wait: PlainObject, part: WorkPart): Work {
  const { problems } = part.compiling
  const kinds = kindsOfWait.filter((key) => wait[key] !== undefined)
  const [kind] = kinds
  const at: Spot = { owner: part.form, key: 'wait' }
  if (kinds.length !== 1) problems.error(`A wait is for one of ${kindsOfWait.join(', ')}.`, at)
  if (kind === undefined) return nothing
  for (const key of ['key', 'timeout'].filter((each) => wait[each] !== undefined && !takes(kind, each)))
    problems.error(`'${key}' has no meaning in a wait with '${kind}'.`, { owner: wait, key }, 'key')
  const timeoutMs = wait['timeout'] === undefined ? undefined : toMs(wait['timeout'] as Duration)
  if (kind === 'message') {
    const key = wait['key'] === undefined ? undefined : tree('key', wait, part)
    return { kind, message: String(wait['message']), key, timeoutMs }
  }
  if (kind === 'completion') return { kind, timeoutMs }
  const isUntil = kind === 'until'
  return {
    kind: 'time',
    forMs: isUntil ? undefined : duration('for', wait, part),
    until: isUntil ? tree('until', wait, part) : undefined,
  }
}

function takes(kind: string, key: string): boolean {
  return kind === 'message' || (kind === 'completion' && key === 'timeout')
}

function duration(key: string, of: PlainObject, part: WorkPart): Made | number {
  const value = of[key]
  if (typeof value !== 'string' || !hasPlaceholder(value)) return toMs(value as Duration)
  return mapMade(tree(key, of, part), (made) => toMs(made as Duration))
}

function tree(key: string, of: PlainObject, { compiling, whose }: WorkPart): Made {
  return compiling.tree(of[key], { owner: of, key }, whose).made
}
