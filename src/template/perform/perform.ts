// A template as a definition: its runs are made of steps, as those of a workflow.
import type { Activation } from '../../engine/activation/activation.ts'
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import type { LimiterRule } from '../../engine/limits/limits.ts'
import { limiterUnknown } from '../errors.ts'
import { definitionSettings, type DefinitionOptions } from '../../worker/options.ts'
import { validate } from '../../worker/validate.ts'
import { performSteps } from '../../workflow/workflow.ts'
import type { Steps } from '../../workflow/steps/steps.ts'
import { lifecycleRules } from '../model/lifecycle.ts'
import type { Template } from '../model/template.ts'
import { nameOf } from '../model/title.ts'
import { edgesOf, type Edges } from './edges.ts'
import { GraphRun } from './graph-run.ts'
import type { Names } from './piece.ts'
import { TemplateSteps } from './step-performer.ts'

/** What a definition says beside its graph. */
export type TemplateRules = Pick<
  DefinitionOptions,
  'input' | 'output' | 'queue' | 'priority' | 'tags' | 'idempotencyKey' | 'retention' | 'onFailure' | 'timeout'
>

/** Knows the template it performs. */
export interface TemplateDefinition extends AnyDefinition {
  readonly template: Template
}

/** What a limiter of a template is, of what is known of its name here. */
export type FindRule = (name: string, known: (name: string) => LimiterRule | undefined) => LimiterRule | undefined

/** `limiter` finds those it brings along. */
export function templateDefinition(template: Template, rules: TemplateRules, limiter: FindRule): TemplateDefinition {
  const name = nameOf(template)
  const { version } = template
  const settings = definitionSettings(name, { ...rules, version })
  let edges: Edges | undefined
  const perform = (steps: Steps, input: unknown): Promise<unknown> => {
    const { claimed } = steps.activation
    const run = { id: claimed.id, attempt: claimed.attempt, correlationId: claimed.correlationId }
    const performer = new TemplateSteps(steps, namesFor(steps.activation, limiter), template)
    return new GraphRun(template, (edges ??= edgesOf(template)), { performer, input, run }).perform()
  }
  return {
    name,
    version,
    settings,
    template,
    lifecycle: template.lifecycle && lifecycleRules(template.lifecycle),
    runsOn: 'workflow',
    noun: 'template',
    publishers: publishersOf(template),
    perform: async (activation) => {
      const output = await performSteps(activation, perform, false)
      return output === undefined ? undefined : validate(settings.output, output.value, `The result of '${name}'`)
    },
  }
}

export function hasTemplate(definition: AnyDefinition): definition is TemplateDefinition {
  return 'template' in definition
}

function publishersOf({ steps }: Template): ReadonlyMap<string, string> {
  return new Map(
    steps.flatMap(({ name, publishes }) =>
      publishes.flatMap(({ publisher }) => (publisher === undefined ? [] : [[publisher, name] as const])),
    ),
  )
}

function namesFor({ around }: Activation, find: FindRule): Names {
  return {
    worker: (uses) => around.known.definition(uses),
    limiter: (name) => {
      const rule = find(name, (other) => around.known.limiter(other))
      if (rule === undefined) throw limiterUnknown(name)
      return rule
    },
    missing: (uses) => around.known.missing(uses),
  }
}
