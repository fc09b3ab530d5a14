// What is wrong with an expression, with the expression and the place in it.
import { TroupeError, type ErrorCode } from '../../lib/errors.ts'
import { clip } from '../../lib/text.ts'

/** Where in a text. */
export interface Place {
  readonly text: string
  readonly at: number
}

const mostShown = 160

/** It cannot be read. */
export function expressionInvalid(place: Place, why: string): TroupeError {
  return wrong('expression_invalid', place, why)
}

/** It cannot be evaluated with the values it was given. Trying again cannot help. */
export function expressionFailed(place: Place, why: string): TroupeError {
  return wrong('expression_failed', place, why)
}

function wrong(code: ErrorCode, place: Place, why: string): TroupeError {
  const { text, at } = place
  return new TroupeError(code, `${why}\n${pointer(place)}`, {
    details: { expression: text, at, why },
    retryable: false,
  })
}

/** The line of a place, and a caret below it. */
function pointer({ text, at }: Place): string {
  const start = text.lastIndexOf('\n', at - 1) + 1
  const end = text.indexOf('\n', at)
  const line = text.slice(start, end === -1 ? text.length : end).replaceAll('\t', ' ')
  const cut = Math.max(0, at - start - mostShown / 2)
  const shown = clip(line.slice(cut), mostShown)
  return `  ${shown}\n  ${' '.repeat(at - start - cut)}^`
}
