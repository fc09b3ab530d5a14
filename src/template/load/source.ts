// A text with a template in it: JSON or YAML, read as plain data whose places are known.
import { readJson } from './json-source.ts'
import { Places } from './places.ts'
import { Problems } from './problems.ts'
import { longestSource, type Read } from './read.ts'
import { readYaml } from './yaml-source.ts'

export type TemplateFormat = 'json' | 'yaml'

export interface Source {
  readonly places: Places
  readonly problems: Problems
  /** Undefined where it cannot be read: the problems say why. */
  readonly read: Read | undefined
}

export interface SourceOptions {
  /** How it is called in what is told of it. */
  readonly file?: string | undefined
  readonly format?: TemplateFormat | undefined
}

/** Never throws for what is in the text. */
export function readSource(text: string, { file, format }: SourceOptions): Source {
  const chosen = format ?? formatOf(text, file)
  const places = new Places(file ?? `template.${chosen}`, text)
  const problems = new Problems(places)
  if (text.length > longestSource) {
    problems.errorAt(`A template is at most ${longestSource.toLocaleString('en')} characters long.`, 0)
    return { places, problems, read: undefined }
  }
  const read = chosen === 'json' ? readJson(places, problems) : readYaml(places, problems)
  return { places, problems, read }
}

function formatOf(text: string, file: string | undefined): TemplateFormat {
  if (file !== undefined && /\.json$/i.test(file)) return 'json'
  if (file !== undefined && /\.ya?ml$/i.test(file)) return 'yaml'
  return /^\uFEFF?\s*\{/.test(text) ? 'json' : 'yaml'
}
