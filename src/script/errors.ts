// The errors of scripts, each written here once.
import { formatMs } from '../lib/duration.ts'
import { TroupeError, type ErrorDetails } from '../lib/errors.ts'
import { clip } from '../lib/text.ts'
import type { ThreadEnd } from '../engine/pool/threads.ts'
import { placeOf, type ScriptFrom } from './place.ts'
import type { Ending, ScriptFault, ScriptOrder } from './wire.ts'

/** A script, for errors that show a line of it. */
interface Shown extends ScriptOrder {
  readonly from: ScriptFrom
}

/** What the end of a script is outside, where it is no result. */
export function errorOf(ending: Exclude<Ending, { type: 'returned' }>, shown: Shown): TroupeError {
  switch (ending.type) {
    case 'threw':
      return scriptFailed(ending.fault, shown)
    case 'invalid':
      return scriptInvalid(ending.fault, shown)
    case 'stuck':
      return scriptStuck()
    case 'too_large':
      return resultTooLarge(ending.bytes, shown.outputBytes)
    case 'out_of_memory':
      return scriptOutOfMemory(shown.memoryBytes)
    case 'out_of_time':
    case 'stopped':
      return scriptTimedOut(shown.timeoutMs)
  }
}

/** What the script threw. It is given the same things when it is tried again, so it would throw that again. */
function scriptFailed(fault: ScriptFault, shown: Shown): TroupeError {
  const thrown = fault.name === '' ? fault.message : `${fault.name}: ${fault.message}`
  const place = placeOf(fault.at, shown)
  return new TroupeError('script_failed', `The script threw ${thrown}${place.text}${hintOf(fault)}${place.excerpt}`, {
    details: detailsOf(fault, place.details),
    retryable: false,
  })
}

function scriptInvalid(fault: ScriptFault, shown: Shown): TroupeError {
  const place = placeOf(fault.at, shown)
  const hint = fault.isTyped === false ? noTypes : hintOf(fault)
  const text = `The script is not valid: ${fault.message}${place.text}${hint}${place.excerpt}`
  return new TroupeError('script_invalid', text, { details: detailsOf(fault, place.details), retryable: false })
}

function scriptStuck(): TroupeError {
  return new TroupeError(
    'script_failed',
    'The script awaits a promise that nothing settles: a script has no timers, and nothing from outside reaches it. Await only what it settles itself.',
    { details: { name: '' }, retryable: false },
  )
}

/** On a busy machine another attempt may be in time. */
export function scriptTimedOut(timeoutMs: number): TroupeError {
  return new TroupeError(
    'script_timed_out',
    `The script was stopped after ${formatMs(timeoutMs)}: let it do less, or give it more time.`,
    { details: { timeoutMs }, retryable: true },
  )
}

function scriptOutOfMemory(memoryBytes: number): TroupeError {
  return new TroupeError(
    'script_out_of_memory',
    `The script needed more than the ${bytesText(memoryBytes)} it may take: let it hold less at a time, or give it more memory.`,
    { details: { memoryBytes }, retryable: false },
  )
}

function resultTooLarge(bytes: number, maxBytes: number): TroupeError {
  return new TroupeError(
    'value_too_large',
    `The result of the script takes ${bytes} bytes as JSON, and at most ${maxBytes} are allowed: return less, or raise that limit.`,
    { details: { what: 'result of a script', bytes, maxBytes }, retryable: false },
  )
}

/** A value that JSON has no form for; `cause` says which and where. */
export function globalUnfit(name: string, cause: Error): TroupeError {
  return new TroupeError(
    'value_not_storable',
    `What the script is given cannot be written as JSON: ${cause.message}.`,
    {
      details: { path: name },
      retryable: false,
    },
  )
}

/** Its thread ended by itself. */
export function scriptCrashed({ error, exitCode }: ThreadEnd, { memoryBytes }: ScriptOrder): TroupeError {
  if ((error as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return scriptOutOfMemory(memoryBytes)
  const how = error === undefined ? `with exit code ${exitCode}` : `of ${clip(error.message, 500)}`
  return new TroupeError('thread_ended', `The thread of the script ended by itself ${how}: it may be tried again.`, {
    cause: error,
    details: { exitCode },
    retryable: true,
  })
}

function detailsOf({ name, message }: ScriptFault, place: ErrorDetails): ErrorDetails {
  return { name, message: clip(message, 1_000), ...place }
}

const noTypes =
  '. It is read as JavaScript: for TypeScript, use Node 22.13 or newer, or `npm install @swc/wasm-typescript@1.16.2`'

const outside: ReadonlySet<string> = new Set(
  'require process fetch XMLHttpRequest WebSocket Buffer module exports __dirname __filename setTimeout setInterval setImmediate clearTimeout queueMicrotask structuredClone crypto performance URL TextEncoder TextDecoder WebAssembly Intl'.split(
    ' ',
  ),
)
// As QuickJS says it, and what takes types out of texts.
const noImport = /^could not load module|^no function filename for import|^import\.meta |^'import', and 'export'/
const missingName = /^'([\w$]+)' is not defined$/

/** What a script looked for in vain, where that is its trouble. */
function hintOf({ name, message }: ScriptFault): string {
  const missing = name === 'ReferenceError' ? missingName.exec(message)?.[1] : undefined
  if (missing !== undefined && outside.has(missing))
    return `. A script has JavaScript's own objects only: no ${missing}`
  return noImport.test(message) && name !== 'Error'
    ? ". A script imports nothing: it has JavaScript's own objects only"
    : ''
}

function bytesText(bytes: number): string {
  return bytes % 1_048_576 === 0 ? `${bytes / 1_048_576} MiB` : `${bytes} bytes`
}
