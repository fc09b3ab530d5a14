// `troupe templates validate`: everything that is wrong with templates, as a compiler tells it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Codes, type Code } from '../../script/codes.ts'
import type { ScriptFault } from '../../script/wire.ts'
import type { Template } from '../../template/model/template.ts'
import { nameOf, titleOf } from '../../template/model/title.ts'
import { counted } from '../../lib/text.ts'
import { handlersOf, type TemplateHandlers } from '../../template/load/check-handlers.ts'
import { findSettings, openFor, type CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { paintFor } from '../paint.ts'
import { printProblems, readTemplates, type TemplateText } from '../template-files.ts'
import { usage } from '../usage.ts'
import { printJson } from '../values.ts'

export interface ValidateFlags extends CommonFlags {
  readonly allowUnknownHandlers?: boolean
  readonly environment?: string
}

const defaultFolder = 'templates'

/** read → check the handlers → tell. Throws `usage`, and what is wrong with the definitions here. */
export async function validateCommand(files: readonly string[], flags: ValidateFlags, io: Io): Promise<ExitCode> {
  const settings = await findSettings(flags, io.folder)
  const named = files.length > 0 ? files : [settings?.options.templates ?? join(io.folder, defaultFolder)]
  if (files.length === 0 && !existsSync(named[0] ?? '')) throw usage('Say which: troupe templates validate FILE')
  const texts = await readTemplates(named, flags.environment ?? settings?.options.environment, io)
  const codes = new Codes()
  for (const { loaded } of texts) loaded.checkScripts((script) => faultIn(codes.of(script)))
  if (flags.allowUnknownHandlers !== true) {
    const here = await handlersHere(flags, io)
    const known = here && { ...here, ...ownOf(texts) }
    if (known === undefined) tellUnchecked(io)
    else for (const { loaded } of texts) loaded.checkHandlers(known)
  }
  const templates = new Map(templatesOf(texts).map((template) => [nameOf(template), template]))
  for (const { loaded } of texts) loaded.checkRings((name) => templates.get(name))
  if (flags.json === true) printJson(texts.map(asJson), io)
  else report(texts, io)
  return texts.some(({ loaded }) => loaded.problems.hasErrors) ? exitCodes.runFailed : exitCodes.ok
}

function faultIn(code: Code): ScriptFault | undefined {
  return 'fault' in code ? code.fault : undefined
}

/** The workers and workflows of this folder, by name; undefined where there is no code. */
async function handlersHere(flags: CommonFlags, io: Io): Promise<TemplateHandlers | undefined> {
  const settings = await findSettings(flags, io.folder)
  if (settings === undefined) return undefined
  const { templates, ...options } = settings.options
  if (options.workers === undefined && options.definitions === undefined) return undefined
  const own = { store: 'sqlite::memory:', logLevel: 'error' } as const
  const { troupe } = await openFor({ ...settings, options }, own, io)
  const names = troupe.definitions()
  await troupe.stop()
  const beside = templates === undefined ? [] : await readTemplates([templates], undefined, io)
  return { ...Object.fromEntries(names.map((name) => [name, {}])), ...ownOf(beside) }
}

function ownOf(texts: readonly TemplateText[]): TemplateHandlers {
  return handlersOf(templatesOf(texts))
}

function templatesOf(texts: readonly TemplateText[]): readonly Template[] {
  return texts.flatMap(({ loaded: { template } }) => template ?? [])
}

function asJson({ file, loaded }: TemplateText): object {
  const { template, problems } = loaded
  return { file, valid: !problems.hasErrors, ...(template && titleOf(template)), problems: problems.all }
}

function report(texts: readonly TemplateText[], io: Io): void {
  for (const { loaded } of texts) printProblems(loaded, io.stdout, io)
  const paint = paintFor(io.stderr, io.env)
  const all = texts.flatMap(({ loaded }) => loaded.problems.all)
  const errors = all.filter(({ severity }) => severity === 'error').length
  const warnings = all.length - errors
  const found = [counted(errors, 'error'), ...(warnings === 0 ? [] : [counted(warnings, 'warning')])].join(', ')
  const text = `${counted(texts.length, 'template')}: ${all.length === 0 ? 'nothing is wrong' : found}`
  io.stderr.write(`${paint(errors > 0 ? 'red' : 'green', text)}\n`)
}

function tellUnchecked({ stderr, env }: Io): void {
  const text = 'No workers here, so what steps use was not checked.'
  stderr.write(`${paintFor(stderr, env)('dim', text)}\n`)
}
