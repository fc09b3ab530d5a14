// Errors as people read them: what happened, its code, and what led to it.
import { printable, type Paint } from './paint.ts'

export interface ErrorLook {
  readonly paint: Paint
  readonly withStack: boolean
}

// A chain longer than this tells nothing more.
const mostCauses = 8

/** `TypeError: no such flight`, its code, its causes; the stack only when asked for. */
export function errorLines(error: unknown, look: ErrorLook): string[] {
  const lines = headOf(error, look)
  let cause = causeOf(error)
  for (let depth = 0; cause !== undefined && depth < mostCauses; depth += 1) {
    const [first = '', ...rest] = headOf(cause, look)
    lines.push(`${look.paint('dim', 'caused by')} ${first}`, ...rest.map((line) => `  ${line}`))
    cause = causeOf(cause)
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
