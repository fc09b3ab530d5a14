// A folder of templates: all of its files, and everything that is wrong with any of them at once.
import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { isTroupeError, toError, TroupeError } from '../../lib/errors.ts'
import type { SkippedFile } from '../../model/discovered.ts'
import { sourceFiles, type FolderKind } from '../../worker/source-files.ts'
import type { HandlerNeed } from '../../store/templates.ts'
import { needsOf } from '../handlers/needs.ts'
import { handlersOf, type TemplateHandlers } from '../load/check-handlers.ts'
import { load, type Loaded } from '../load/load.ts'
import { headOf, TemplateError, templatesInvalid, type TemplateProblem } from '../load/problems.ts'
import type { Template } from '../model/template.ts'
import { nameOf } from '../model/title.ts'
import type { FindTemplate } from '../plan/rings.ts'

export const templatesFolder: FolderKind = { option: 'templates', isSource: /\.(yaml|yml|json)$/ }

export interface FolderRules {
  /** What templates say of it holds. */
  readonly environment: string
  /** What steps may name beside the templates of the folder, of what these need. */
  readonly handlersFor: (needs: readonly HandlerNeed[]) => Promise<TemplateHandlers>
}

export interface TemplateFolder {
  readonly folder: string
  readonly files: readonly TemplateFile[]
  readonly skipped: readonly SkippedFile[]
}

export interface TemplateFile {
  /** From the working directory. */
  readonly file: string
  /** Undefined where it does not load. */
  readonly template: Template | undefined
  /** Why it does not. */
  readonly error: TroupeError | undefined
  readonly warnings: readonly TemplateProblem[]
}

/** Reads `*.yaml`, `*.yml` and `*.json`, three levels deep. Throws `file_not_loaded` where there is no such folder; what is wrong with a file stands with it. */
export async function readFolder(folder: string, { environment, handlersFor }: FolderRules): Promise<TemplateFolder> {
  const root = resolve(folder)
  const { files: paths, skipped } = sourceFiles(root, templatesFolder)
  const loading = paths.map((path) => loadFile(path, environment))
  const own = loading.flatMap(({ loaded }) => (loaded?.template === undefined ? [] : [loaded.template]))
  const names = new Set(own.map(nameOf))
  const handlers = await handlersFor(own.flatMap(needsOf).filter(({ uses }) => !names.has(uses)))
  const known = { ...handlers, ...handlersOf(own) }
  const byName = new Map(own.map((template) => [nameOf(template), template]))
  const files = loading.map((each) => checkedFile(each, known, (name) => byName.get(name)))
  return { folder: root, skipped, files: withoutDoubles(files) }
}

/** Throws `template_invalid` with everything that is wrong with any of the files, or `file_not_loaded`. */
export function requireAll(files: readonly TemplateFile[]): void {
  const errors = files.flatMap(({ error }) => (error === undefined ? [] : [error]))
  const unread = errors.find((error) => !(error instanceof TemplateError))
  if (unread !== undefined) throw unread
  if (errors.length > 0) throw templatesInvalid(errors.filter((error) => error instanceof TemplateError))
}

interface Loading {
  readonly file: string
  readonly loaded: Loaded | undefined
  readonly unread: TroupeError | undefined
}

function loadFile(path: string, environment: string): Loading {
  const file = relative('.', path)
  try {
    return { file, loaded: load(readFileSync(path, 'utf8'), { file, environment }), unread: undefined }
  } catch (cause) {
    const why = toError(cause).message
    const unread = isTroupeError(cause)
      ? cause
      : new TroupeError('file_not_loaded', `${file} could not be read: ${why}`, { cause, details: { file } })
    return { file, loaded: undefined, unread }
  }
}

function checkedFile({ file, loaded, unread }: Loading, handlers: TemplateHandlers, find: FindTemplate): TemplateFile {
  if (loaded === undefined) return { file, template: undefined, error: unread, warnings: [] }
  loaded.checkHandlers(handlers)
  loaded.checkRings(find)
  const { template, problems } = loaded
  if (template === undefined || problems.hasErrors)
    return { file, template: undefined, error: problems.toError(), warnings: [] }
  return { file, template, error: undefined, warnings: problems.all }
}

/** Of two that say something else under one name and version nobody could tell which is meant. */
function withoutDoubles(files: readonly TemplateFile[]): readonly TemplateFile[] {
  const first = new Map<string, TemplateFile>()
  return files.map((each) => {
    const { template, file } = each
    if (template === undefined) return each
    const key = JSON.stringify([nameOf(template), template.version])
    const other = first.get(key)
    if (other === undefined) first.set(key, each)
    if (other === undefined || other.template?.hash === template.hash) return each
    const message = `Template '${nameOf(template)}' in version ${template.version} stands in ${other.file} too, and says something else there: give one of them another version.`
    const problem: TemplateProblem = { message, line: 1, column: 1, file, severity: 'error' }
    return { file, template: undefined, warnings: [], error: doubled(problem) }
  })
}

function doubled(problem: TemplateProblem): TemplateError {
  return new TemplateError(`Template ${problem.file} does not load: it has one error.\n\n${headOf(problem)}`, [problem])
}
