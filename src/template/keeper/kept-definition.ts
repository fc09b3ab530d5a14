// A template of the store as a definition to which runs can come: what it says is read when one does.
import { readOrLeave } from '../../engine/activation/unread.ts'
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import { TroupeError } from '../../lib/errors.ts'
import type { Bounds } from '../../model/limiter.ts'
import type { KeptTemplate } from '../../store/templates.ts'
import { definitionSettings } from '../../worker/options.ts'
import { load } from '../load/load.ts'
import { TemplateError } from '../load/problems.ts'
import { lifecycleOf, lifecycleRules } from '../model/lifecycle.ts'
import { nameOf, versionOf } from '../model/title.ts'
import { loadedDefinition, type LoadedDefinition } from '../perform/loaded.ts'
import type { TemplateCache } from './template-cache.ts'

/** What stands for one as long as nobody needs to know what it says. */
export function keptDefinition(kept: KeptTemplate, cache: TemplateCache): AnyDefinition {
  const name = nameOf(kept)
  const version = versionOf(kept)
  const whole = async (): Promise<LoadedDefinition> => {
    const found = await readHere(kept, cache)
    if (found === undefined) throw notKept(name, version)
    return found
  }
  const validate = async (value: unknown) => {
    const { input } = (await whole()).settings
    return input === undefined ? { value } : input['~standard'].validate(value)
  }
  const lifecycle = kept.lifecycle === null ? undefined : lifecycleOf(JSON.parse(kept.lifecycle))
  const input = { '~standard': { version: 1, vendor: 'json-schema', validate } } as const
  return {
    name,
    version,
    settings: definitionSettings(name, { version, input }),
    lifecycle: lifecycle && lifecycleRules(lifecycle),
    runsOn: 'workflow',
    noun: 'template',
    perform: async (activation) => {
      const found = await readOrLeave(activation, whole)
      return found === undefined || activation.isOver ? undefined : found.perform(activation)
    },
  }
}

/** Throws a `template_invalid` that may be tried again: what is wrong here may be right for the library of another node. */
async function readHere(kept: KeptTemplate, cache: TemplateCache): Promise<LoadedDefinition | undefined> {
  try {
    return await cache.get(kept.definitionId)
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    throw unreadable(nameOf(kept), versionOf(kept), error)
  }
}

/** From the native form, as JSON; its limiters with the bounds that others have declared since. */
export function compiledFrom(form: string, bounds: ReadonlyMap<string, Bounds>): LoadedDefinition {
  const { template, problems } = load(form, { format: 'json', file: 'a template of the store' })
  if (template === undefined) throw problems.toError()
  // Lines of the text it was are not known any more.
  const steps = template.steps.map((step) =>
    step.work.kind === 'script' ? { ...step, work: { ...step.work, place: undefined } } : step,
  )
  return loadedDefinition({ ...template, steps }, bounds)
}

/** What of it a person has damaged. */
export function damagedText(title: Pick<KeptTemplate, 'namespace' | 'name' | 'version'>, location: string): string {
  return `What the store ${location} keeps of template '${nameOf(title)}' in version ${title.version} is damaged: a process that registers it when it starts, or a run that it is posted with, stores it anew. Its unfinished runs wait for that.`
}

function notKept(name: string, version: string): TroupeError {
  return new TroupeError(
    'worker_not_registered',
    `Template '${name}' in version ${version} is not in the store any more.`,
    {
      details: { name, version },
      retryable: false,
    },
  )
}

function unreadable(name: string, version: string, why: TemplateError): TroupeError {
  return new TroupeError(
    'template_invalid',
    `Template '${name}' in version ${version} of the store cannot be read here: a node with the library it was written for goes on with its runs.\n\n${why.message}`,
    { cause: why, details: { name, version }, retryable: true },
  )
}
