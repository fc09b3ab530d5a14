// From text to template: read, checked against its form, brought to the native form, compiled, checked as a whole.
import type { LimitBounds } from '../../engine/limits/limits.ts'
import { hasPlaceholder, type Spot } from '../expression/placeholders.ts'
import { isPlainObject, kindOf, type PlainObject } from '../expression/values.ts'
import { lifecycleOf } from '../model/lifecycle.ts'
import { mostSteps } from '../model/model.ts'
import type { JsonSchema, Made, Template } from '../model/template.ts'
import { ringOf, ringText, type FindTemplate } from '../plan/rings.ts'
import { checkGraph } from './check-graph.ts'
import { checkHandlers, type TemplateHandlers } from './check-handlers.ts'
import { compileStep, type CompiledStep } from './compile-step.ts'
import { Compiling } from './compiling.ts'
import { inEnvironment, mergeNative } from './environments.ts'
import { hashOf } from './hash.ts'
import { schemaFaults, schemaFormFaults } from './json-schema.ts'
import { faultText, type Misfit } from './misfit-text.ts'
import { templateShape } from './native-shape.ts'
import { spotWithin } from './places.ts'
import type { Problems } from './problems.ts'
import { readSource, type TemplateFormat, type Source } from './source.ts'
import { taskerShape } from './tasker-shape.ts'
import { fromTasker, isTasker } from './tasker.ts'

export interface LoadTemplateOptions {
  /** How the text is called in problems; its ending tells the format. */
  readonly file?: string
  /** Unless told, as the file says, else JSON when it begins with a brace. */
  readonly format?: TemplateFormat
  /** What the template says of this environment holds. */
  readonly environment?: string
  /** The workers, workflows and templates that steps may name, and what is known of them. Unless told, steps may name any. */
  readonly handlers?: TemplateHandlers
  /** Steps may name other workers too. */
  readonly allowUnknownHandlers?: boolean
}

export interface Loaded {
  /** Undefined when there are errors. */
  readonly template: Template | undefined
  readonly problems: Problems
  /** Adds to the problems what is wrong with its handlers, once all are known. */
  checkHandlers(handlers: TemplateHandlers): void
  /** The same of a way on which it starts itself by others: on its own that is found at once. */
  checkRings(find: FindTemplate): void
  /** Adds to the problems the scripts that cannot be read: that takes time, so it is done where people ask for it. */
  checkScripts(faultOf: FaultOfScript): void
}

/** Why a script cannot be read, and where in it, its first line being 1; undefined when it can. */
export type FaultOfScript = (
  script: string,
) =>
  | { readonly message: string; readonly at?: { readonly line: number; readonly column: number } | undefined }
  | undefined

/** Never throws for what is in the text. */
export function load(text: string, options: LoadTemplateOptions): Loaded {
  const source = readSource(text, options)
  const { problems, places, read } = source
  const nothing = {
    template: undefined,
    problems,
    checkHandlers: () => {},
    checkRings: () => {},
    checkScripts: () => {},
  }
  if (read === undefined) return nothing
  const file = { template: read.value }
  places.begin(file, 0)
  const form = checkedForm(read.value, { owner: file, key: 'template' }, source)
  if (form === undefined) return nothing
  if (!isTasker(form)) warnOfExpressions(form, problems)
  const native = isTasker(form) ? fromTasker(form, source, options.environment) : nativeOf(form, source, options)
  const { template, steps } = compiled(native, problems)
  const check = (handlers: TemplateHandlers, mayBeUnknown: boolean): void =>
    checkHandlers(steps, { problems, handlers, mayBeUnknown, input: template.input })
  const { handlers, allowUnknownHandlers = false } = options
  if (handlers !== undefined) check(handlers, allowUnknownHandlers)
  const checkRings = (find: FindTemplate): void => {
    const ring = problems.hasErrors ? undefined : ringOf(template, find)
    const form = steps.find(({ step }) => step === ring?.step)?.form
    if (ring !== undefined && form !== undefined) problems.error(ringText(ring), { owner: form, key: 'uses' })
  }
  checkRings(() => undefined)
  return {
    template: problems.hasErrors ? undefined : { ...template, hash: hashOf(template.form) },
    problems,
    checkHandlers: (known) => check(known, false),
    checkRings,
    checkScripts: (faultOf) => checkScripts(steps, problems, faultOf),
  }
}

function checkScripts(steps: readonly CompiledStep[], problems: Problems, faultOf: FaultOfScript): void {
  for (const { step } of steps) {
    const { work } = step
    if (work.kind !== 'script' || work.place === undefined) continue
    const fault = faultOf(work.script)
    if (fault === undefined) continue
    const { line, column } = fault.at ?? { line: 1, column: 1 }
    const lines = work.script.trimEnd().split('\n')
    // What is missing at the end is missed behind it.
    const row = Math.min(line, lines.length) - 1
    const text = lines[row] ?? ''
    const found = { line: work.place.line + row, text, at: line > lines.length ? text.length : column - 1 }
    problems.errorOnLine(`The script of step '${step.name}' is not valid: ${fault.message}.`, found)
  }
}

/** In `config`, which is plain data, they would be handed on as they are written. */
function warnOfExpressions({ steps }: PlainObject, problems: Problems): void {
  for (const step of Array.isArray(steps) ? steps.filter(isPlainObject) : []) {
    const config = step['config']
    if (isPlainObject(config)) warnWithin(config, problems)
  }
}

function warnWithin(owner: object, problems: Problems): void {
  for (const [name, value] of Object.entries(owner) as readonly [string, unknown][]) {
    const key = Array.isArray(owner) ? Number(name) : name
    if (typeof value === 'object' && value !== null) warnWithin(value, problems)
    else if (typeof value === 'string' && hasPlaceholder(value))
      problems.warn("'config' is plain data: what stands in '${{ }}' here is not evaluated. Put it into 'with'.", {
        owner,
        key,
      })
  }
}

/** Undefined where it makes no sense to look further. */
function checkedForm(value: unknown, spot: Spot, { problems }: Source): PlainObject | undefined {
  if (!isPlainObject(value)) {
    problems.errorAt(`A template is an object with name and steps; this is ${kindOf(value)}.`, 0)
    return undefined
  }
  const { steps } = value
  if (Array.isArray(steps) && steps.length > mostSteps) {
    const count = steps.length.toLocaleString('en')
    problems.error(`A template has at most ${mostSteps.toLocaleString('en')} steps; here are ${count}.`, {
      owner: value,
      key: 'steps',
    })
    return undefined
  }
  const shape = isTasker(value) ? taskerShape : templateShape
  shape.check(value, { spot, problems })
  return value
}

function nativeOf(form: PlainObject, source: Source, { environment }: LoadTemplateOptions): PlainObject {
  if (!isPlainObject(form['environments'])) return form
  const { places, problems } = source
  const steps = inEnvironment(form, environment, { problems, merge: mergeNative(source), isStrict: true })
  const native: PlainObject = { ...form, steps }
  places.begin(native, places.startOf(form) ?? 0)
  for (const key of Object.keys(form)) places.copy({ owner: native, key }, { owner: form, key })
  return native
}

interface Compiled {
  readonly template: Omit<Template, 'hash'>
  readonly steps: readonly CompiledStep[]
}

function compiled(form: PlainObject, problems: Problems): Compiled {
  const compiling = new Compiling(problems)
  const listed: readonly unknown[] = Array.isArray(form['steps']) ? form['steps'] : []
  const steps: CompiledStep[] = []
  for (const each of listed.filter(isPlainObject)) {
    const step = compileStep(each, compiling)
    if (step !== undefined) steps.push(step)
  }
  if (listed.length === 0 && Array.isArray(form['steps']))
    problems.error('A template has at least one step.', { owner: form, key: 'steps' })
  const valueOf = (key: string): unknown => (problems.isSpoilt({ owner: form, key }) ? undefined : form[key])
  const input = valueOf('input') as JsonSchema | undefined
  const output = outputOf(form, steps, compiling)
  const lifecycle = valueOf('lifecycle')
  checkSchemas({ form, input, steps, problems })
  checkGraph(steps, compiling)
  const { environments, ...rest } = form
  const template = {
    namespace: String(form['namespace'] ?? 'default'),
    name: String(form['name']),
    version: String(form['version'] ?? '1'),
    description: valueOf('description') as string | undefined,
    input,
    failure: (valueOf('failure') ?? 'fail_fast') as Template['failure'],
    limiters: (valueOf('limits') ?? {}) as Readonly<Record<string, LimitBounds>>,
    steps: steps.map(({ step }) => step),
    output,
    identity: valueOf('identity') as Template['identity'],
    lifecycle: isPlainObject(lifecycle) ? lifecycleOf(lifecycle) : undefined,
    environments: isPlainObject(environments) ? Object.keys(environments) : [],
    metadata: valueOf('metadata') as PlainObject | undefined,
    form: rest,
  }
  return { template, steps }
}

function outputOf(form: PlainObject, steps: readonly CompiledStep[], compiling: Compiling): Made | undefined {
  if (form['output'] === undefined) return undefined
  const meant = steps.map(({ step }) => step.name)
  const whose = { step: undefined, reach: 'all', hasItem: false, meant } as const
  return compiling.tree(form['output'], { owner: form, key: 'output' }, whose).made
}

interface Schemas {
  readonly form: PlainObject
  readonly input: JsonSchema | undefined
  readonly steps: readonly CompiledStep[]
  readonly problems: Problems
}

function checkSchemas({ form, input, steps, problems }: Schemas): void {
  const tell = (faults: readonly Misfit[], spot: Spot): void => {
    for (const fault of faults)
      problems.error(`'${spot.key}' is no JSON Schema: ${faultText(fault)}.`, spotWithin(spot, fault.place))
  }
  if (input !== undefined) tell(schemaFaults(input), { owner: form, key: 'input' })
  for (const { step, form: own } of steps) {
    if (problems.isFull) return
    if (step.result !== undefined) tell(schemaFormFaults(step.result), { owner: own, key: 'result' })
    const { publishes } = own
    for (const each of Array.isArray(publishes) ? publishes.filter(isPlainObject) : []) {
      const spot: Spot = { owner: each, key: 'schema' }
      if (each['schema'] !== undefined && !problems.isSpoilt(spot))
        tell(schemaFormFaults(each['schema'] as JsonSchema), spot)
    }
  }
}
