// Template files as commands read them, with what is wrong with them as a compiler prints it.
import { readFileSync, statSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { sourceFiles } from '../worker/source-files.ts'
import { load, type Loaded } from '../template/load/load.ts'
import { headOf } from '../template/load/problems.ts'
import { templatesFolder } from '../template/keeper/folder.ts'
import type { Template } from '../template/model/template.ts'
import type { Io, Output } from './io.ts'
import { oneLine, paintFor, printable } from './paint.ts'
import { usage } from './usage.ts'
import { wrap } from './width.ts'

export interface TemplateText {
  /** As it was named. */
  readonly file: string
  readonly loaded: Loaded
}

/** What the files say, those of folders too; `-` is standard input. Throws `usage` for what cannot be read. */
export async function readTemplates(
  names: readonly string[],
  environment: string | undefined,
  io: Io,
): Promise<readonly TemplateText[]> {
  const texts: TemplateText[] = []
  for (const name of names) {
    for (const file of filesOf(name, io.folder)) {
      const text = file === '-' ? await io.readStdin() : read(file, io.folder)
      const shown = file === '-' ? 'standard input' : file
      texts.push({
        file: shown,
        loaded: load(text, { file: shown, ...(environment !== undefined && { environment }) }),
      })
    }
  }
  return texts
}

/** The templates, unless one of them is wrong: then that is printed, and nothing is given. */
export async function readSound(
  names: readonly string[],
  environment: string | undefined,
  io: Io,
): Promise<readonly Template[] | undefined> {
  const texts = await readTemplates(names, environment, io)
  const templates = texts.flatMap(({ loaded }) => (loaded.template === undefined ? [] : [loaded.template]))
  if (templates.length === texts.length) return templates
  for (const { loaded } of texts.filter(({ loaded: { template } }) => template === undefined))
    printProblems(loaded, io.stderr, io)
  return undefined
}

export function printProblems({ problems }: Loaded, output: Output, { env }: Io): void {
  const paint = paintFor(output, env)
  const width = Math.max(40, Math.min(output.columns, 120))
  for (const problem of problems.all) {
    const [, ...excerpt] = problems.linesOf(problem, width - 12)
    const lines = wrap(headOf({ ...problem, message: oneLine(problem.message) }), output.columns).map(printable)
    const style = problem.severity === 'error' ? 'red' : 'yellow'
    const [code, caret] = excerpt
    const head = lines.join('\n').replace(`${problem.severity}:`, paint([style, 'bold'], `${problem.severity}:`))
    const rest = [code && printable(code), caret && caret.replace('^', paint(style, '^'))].filter(Boolean)
    output.write(`${[head, ...rest].join('\n')}\n\n`)
  }
}

function filesOf(name: string, folder: string): readonly string[] {
  if (name === '-') return [name]
  const path = resolve(folder, name)
  const entry = statSync(path, { throwIfNoEntry: false })
  if (entry === undefined) throw usage(`There is no file ${name}`)
  if (!entry.isDirectory()) return [name]
  return sourceFiles(path, templatesFolder).files.map((file) => relative(folder, file))
}

function read(file: string, folder: string): string {
  try {
    return readFileSync(resolve(folder, file), 'utf8')
  } catch (error) {
    throw usage(`${file} could not be read: ${String((error as Error).message)}`)
  }
}
