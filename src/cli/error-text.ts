// Errors as people read them: what happened, its code, and what led to it.
import { relative } from 'node:path'
import type { StepStatus } from '../engine/verbs/run-status.ts'
import { projectPlace } from '../lib/stack-places.ts'
import { firstLine, oneLine, printable, type Paint } from './paint.ts'

export interface ErrorLook {
  readonly paint: Paint
  readonly withStack: boolean
}

export interface FailureLook extends ErrorLook {
  /** Files are named from here. */
  readonly folder: string
  /** Of the run that failed: one of them may have failed with this error. */
  readonly steps: readonly StepStatus[]
}

// A chain longer than this tells nothing more.
const mostCauses = 8

/** Name and message for a list: of several lines the first. */
export function errorWords({ name, message }: Pick<Error, 'name' | 'message'>): string {
  return firstLine(message.trim() === '' ? name : `${name}: ${message}`)
}

/** The error a run ended with, and below its first line in which step and where in the code of the project it came up. */
export function failureLines(error: unknown, look: FailureLook): string[] {
  const [first = '', ...rest] = errorLines(error, look)
  const step = failedStep(error, look.steps)
  const place = placeOf(error, look.folder)
  const where = [step === undefined ? '' : `in step '${oneLine(step)}'`, place ?? ''].filter((part) => part !== '')
  if (where.length === 0) return [first, ...rest]
  const line = step === undefined ? `at ${where.join('')}` : where.join('  ')
  return [first, `  ${look.paint('dim', line)}`, ...rest]
}

/** The step that failed with this error, or with one that led to it. */
export function failedStep(error: unknown, steps: readonly StepStatus[]): string | undefined {
  for (const each of chainOf(error)) {
    const step = steps.findLast((one) => one.error !== undefined && isSame(one.error, each))
    if (step !== undefined) return step.path
  }
  return undefined
}

/** `TypeError: no such flight`, its code, its causes; the stack only when asked for. */
export function errorLines(error: unknown, look: ErrorLook): string[] {
  const lines = headOf(error, look)
  let above = error
  for (const cause of chainOf(error).slice(1)) {
    // What was thrown and is no error was made one, and is its own cause.
    if (textOf(cause) !== textOf(above)) {
      const [first = '', ...rest] = headOf(cause, look)
      lines.push(`${look.paint('dim', 'caused by')} ${first}`, ...rest.map((line) => `  ${line}`))
    }
    above = cause
  }
  return lines
}

function headOf(error: unknown, { paint, withStack }: ErrorLook): string[] {
  const { name, message, code, stack, errors } = partsOf(error)
  const [first = '', ...rest] = printable(message).split('\n')
  const title = `${paint(['red', 'bold'], name)}${code === undefined ? '' : paint('dim', ` ${code}`)}${first === '' ? '' : `: ${first}`}`
  const inner = errors.flatMap((each) => headOf(each, { paint, withStack: false })).map((line) => `  - ${line}`)
  return [title, ...rest, ...inner, ...(withStack ? stackLines(stack, paint) : [])]
}

interface ErrorParts {
  readonly name: string
  readonly message: string
  readonly code: string | undefined
  readonly stack: string | undefined
  readonly errors: readonly unknown[]
}

function partsOf(error: unknown): ErrorParts {
  if (!(error instanceof Error))
    return { name: 'Thrown', message: String(error), code: undefined, stack: undefined, errors: [] }
  const { name, message, stack } = error
  const { code, errors } = error as { code?: unknown; errors?: unknown }
  return {
    name: printable(name),
    message,
    code: typeof code === 'string' ? printable(code) : undefined,
    stack,
    errors: Array.isArray(errors) ? (errors as unknown[]) : [],
  }
}

function stackLines(stack: string | undefined, paint: Paint): string[] {
  const frames = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return frames.map((line) => paint('dim', `  ${printable(line.trim())}`))
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== null ? error.cause : undefined
}

/** An error and what led to it, the cause of all last. */
function chainOf(error: unknown): unknown[] {
  const chain = [error]
  for (let cause = causeOf(error); cause !== undefined && chain.length <= mostCauses; cause = causeOf(cause))
    chain.push(cause)
  return chain
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return `Error: ${String(error)}`
  const { name, message, code } = partsOf(error)
  return code === undefined ? `${name}: ${message}` : `${name} ${code}: ${message}`
}

/** Both were read from the store, where the stack was kept with the error. */
function isSame(left: Error, right: unknown): boolean {
  return right instanceof Error && left.stack === right.stack && textOf(left) === textOf(right)
}

/** Where in the project it came up: `workers/thumbs.ts:10:45`. */
function placeOf(error: unknown, folder: string): string | undefined {
  const place = projectPlace(error)
  if (place === undefined) return undefined
  const short = relative(folder, place.file)
  return oneLine(`${short.startsWith('..') ? place.file : short}:${place.line}:${place.column}`)
}
