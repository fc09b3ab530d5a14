// Everything that is wrong with a template, each with its place; and the error that tells it.
import { TroupeError } from '../../lib/errors.ts'
import { clip } from '../../lib/text.ts'
import type { Spot } from '../expression/placeholders.ts'
import type { ScriptPlace, TemplatePlace } from '../model/template.ts'
import type { Part, Places } from './places.ts'

/** One thing that is wrong with a template, or that is not as it seems. */
export interface TemplateProblem {
  readonly message: string
  /** From 1, as the column. */
  readonly line: number
  readonly column: number
  readonly file: string
  /** With errors a template does not load. */
  readonly severity: 'error' | 'warning'
}

/**
 * A template that does not load, with everything that is wrong with it.
 *
 * Its message shows each problem with its file, line and column, as editors and terminals link them, and the line itself.
 *
 * ```ts
 * import { loadTemplate, TemplateError } from 'troupe'
 *
 * try {
 *   loadTemplate('name: hello\nsteps:\n  - name: greet\n    use: say', { file: 'hello.yaml' })
 * } catch (error) {
 *   if (error instanceof TemplateError) console.log(error.problems[0]?.line) // 4
 * }
 * ```
 */
export class TemplateError extends TroupeError {
  override readonly name = 'TemplateError'
  readonly #problems: readonly TemplateProblem[]

  /** @internal */
  constructor(message: string, problems: readonly TemplateProblem[]) {
    super('template_invalid', message, { details: { problems: problems.length }, retryable: false })
    this.#problems = problems
  }

  // No property of its own: where nobody catches the error, Node prints its message and all of these.
  get problems(): readonly TemplateProblem[] {
    return this.#problems
  }
}

// Invariant: I15. A file of nothing but mistakes is told by its first.
const mostKept = 1_000
const mostShown = 30
const longest = 1_000
const widest = 120

export class Problems {
  readonly #places: Places
  readonly #kept: TemplateProblem[] = []
  readonly #told = new Set<string>()
  readonly #spoilt = new Map<object, Set<string | number>>()
  #hasErrors = false

  constructor(places: Places) {
    this.#places = places
  }

  /** A template with an error does not load. */
  get hasErrors(): boolean {
    return this.#hasErrors
  }

  /** What else is wrong is not told. */
  get isFull(): boolean {
    return this.#kept.length >= mostKept
  }

  get all(): readonly TemplateProblem[] {
    return [...this.#kept].sort((one, other) => one.line - other.line || one.column - other.column)
  }

  /** What stands there has been told to be wrong: nobody need look at it again. */
  spoil({ owner, key }: Spot): void {
    const keys = this.#spoilt.get(owner) ?? new Set()
    this.#spoilt.set(owner, keys.add(key))
  }

  isSpoilt({ owner, key }: Spot): boolean {
    return this.#spoilt.get(owner)?.has(key) ?? false
  }

  error(message: string, spot: Spot, part: Part = 'value'): void {
    this.errorAt(message, this.#places.offsetOf(spot, part))
  }

  errorAt(message: string, offset: number): void {
    this.#hasErrors = true
    this.#add(message, offset, 'error')
  }

  warn(message: string, spot: Spot, part: Part = 'value'): void {
    this.#add(message, this.#places.offsetOf(spot, part), 'warning')
  }

  /** At a place within a text, whose characters may be written otherwise in the file: then where the text begins. */
  errorWithin(message: string, spot: Spot, { text, at }: { readonly text: string; readonly at: number }): void {
    const start = this.#places.offsetOf(spot, 'value')
    // Far enough for quotes, an anchor, a tag, the head of a block.
    const nearby = 256
    const found = this.#places.text.slice(start, start + text.length + nearby).indexOf(text)
    this.errorAt(message, found === -1 ? start : start + found + at)
  }

  /** At a place within a text that stands on a line of the file: where the line begins when it is written otherwise there. */
  errorOnLine(
    message: string,
    { line, text, at }: { readonly line: number; readonly text: string; readonly at: number },
  ): void {
    const lines = this.#places.text.split('\n')
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0)
    const found = (lines[line - 1] ?? '').indexOf(text)
    this.errorAt(message, found === -1 ? start : start + found + at)
  }

  placeOf(spot: Spot): TemplatePlace {
    const { line, column } = this.#places.positionOf(this.#places.offsetOf(spot, 'value'))
    return { file: this.#places.file, line, column }
  }

  /** Where the first line of a text stands: in a block below the line with its key, else on it. */
  scriptPlace(spot: Spot): ScriptPlace {
    const start = this.#places.offsetOf(spot, 'value')
    const isBlock = /^[|>]/.test(this.#places.text.slice(start, start + 1))
    return { file: this.#places.file, line: this.#places.positionOf(start).line + (isBlock ? 1 : 0) }
  }

  /** Its place and message; then the line itself, at most so wide, with a mark below. */
  linesOf(problem: TemplateProblem, width: number): readonly string[] {
    return problemLines(problem, this.#places, width)
  }

  #add(message: string, offset: number, severity: 'error' | 'warning'): void {
    const { line, column } = this.#places.positionOf(offset)
    const key = `${line}:${column}:${message}`.slice(0, longest)
    if (this.isFull || this.#told.has(key)) return
    this.#told.add(key)
    this.#kept.push({ message: clip(message, longest), line, column, file: this.#places.file, severity })
  }

  /** All of them, warnings too. */
  toError(): TemplateError {
    return templateInvalid(this.all, this.#places)
  }
}

/** Several files, each with all that is wrong with it. */
export function templatesInvalid(errors: readonly TemplateError[]): TemplateError {
  const [first, ...others] = errors
  if (first !== undefined && others.length === 0) return first
  const all = errors.map(({ message }) => message).join('\n\n')
  return new TemplateError(
    `${errors.length} templates do not load.\n\n${all}`,
    errors.flatMap(({ problems }) => problems),
  )
}

/** As editors and terminals link it. */
export function headOf({ file, line, column, severity, message }: TemplateProblem): string {
  return `${file}:${line}:${column}: ${severity}: ${message}`
}

function templateInvalid(problems: readonly TemplateProblem[], places: Places): TemplateError {
  const count = problems.filter(({ severity }) => severity === 'error').length
  const head = `Template ${places.file} does not load: it has ${count === 1 ? 'one error' : `${count} errors`}.`
  const shown = problems.slice(0, mostShown).map((problem) => problemLines(problem, places, widest).join('\n'))
  const rest = problems.length - shown.length
  const more = rest === 0 ? [] : [`… and ${rest} more.`]
  return new TemplateError([head, ...shown, ...more].join('\n\n'), problems)
}

function problemLines(problem: TemplateProblem, places: Places, width: number): readonly string[] {
  const { line, column } = problem
  const head = headOf(problem)
  const text = places.lineText(line).replaceAll('\t', ' ')
  if (text.trim() === '') return [head]
  // As much of a long line as is needed to see the place in the middle.
  const cut = column <= width ? 0 : column - 1 - Math.floor(width / 2)
  const shown = cut === 0 ? text : `…${text.slice(cut + 1)}`
  const margin = `${line} | `.padStart(8)
  return [head, `${margin}${clip(shown, width)}`, `${'| '.padStart(8)}${' '.repeat(column - 1 - cut)}^`]
}
