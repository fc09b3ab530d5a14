// Makes a step of its native form, whose keys have been checked.
import { toMs, type Duration } from '../../lib/duration.ts'
import type { RetryOptions } from '../../model/retry.ts'
import type { Prepared, Spot } from '../expression/placeholders.ts'
import { isPlainObject, type PlainObject } from '../expression/values.ts'
import { defaultBatches, itemsAtOnce } from '../model/defaults.ts'
import type {
  BatchRules,
  JsonSchema,
  Made,
  Publication,
  Role,
  TemplateStep,
  UndoOfStep,
  When,
} from '../model/template.ts'
import type { Compiling, Reach, Whose } from './compiling.ts'
import { compileWork, type WorkPart } from './compile-work.ts'
import { isName } from './shape.ts'

/** A step, and what of it is checked once all steps are known. */
export interface CompiledStep {
  readonly step: TemplateStep
  readonly form: PlainObject
  /** What its worker is given, where the step says so. */
  readonly given: Prepared | undefined
}

/** Undefined for one without a name, of which the problems tell. */
export function compileStep(form: PlainObject, compiling: Compiling): CompiledStep | undefined {
  return new StepCompiler(form, compiling).compiled()
}

class StepCompiler {
  readonly #form: PlainObject
  readonly #compiling: Compiling
  readonly #needs: readonly string[]

  constructor(form: PlainObject, compiling: Compiling) {
    this.#form = form
    this.#compiling = compiling
    const needs = this.#value('needs') ?? []
    this.#needs = [...new Set(Array.isArray(needs) ? needs.filter(isName) : [String(needs)])]
  }

  compiled(): CompiledStep | undefined {
    const { name } = this.#form
    if (!isName(name)) return undefined
    const given = this.#form['with'] === undefined ? undefined : this.#tree('with', { key: 'with', of: this.#form })
    const config = this.#value('config')
    const step: TemplateStep = {
      name,
      description: this.#value('description') as string | undefined,
      work: compileWork(this.#part()),
      role: (this.#value('type') ?? 'standard') as Role,
      needs: this.#needs,
      when: (this.#value('when') ?? 'all_succeeded') as When,
      if: this.#if(),
      with: given?.made,
      config: isPlainObject(config) ? config : {},
      forEach: this.#forEach(),
      retry: this.#value('retry') as RetryOptions | undefined,
      timeout: this.#timeout(),
      onError: (this.#value('onError') ?? 'fail') as TemplateStep['onError'],
      undo: this.#undo(),
      limits: this.#limits(),
      cache: this.#cache(),
      priority: this.#value('priority') as number | undefined,
      queue: this.#value('queue') as string | undefined,
      batch: this.#batch(),
      publishes: this.#publishes(),
      result: this.#value('result') as JsonSchema | undefined,
    }
    return { step, form: this.#form, given: given?.prepared }
  }

  /** Undefined where there is nothing, or nothing right. */
  #value(key: string, of: PlainObject = this.#form): unknown {
    return this.#compiling.problems.isSpoilt({ owner: of, key }) ? undefined : of[key]
  }

  #spot(key: string, owner: object = this.#form): Spot {
    return { owner, key }
  }

  #whose(reach: Reach = 'before', hasItem = this.#isOfPieces()): Whose {
    const { name } = this.#form
    const step = typeof name === 'string' ? name : ''
    return { step, reach, hasItem, meant: reach === 'itself' ? [...this.#needs, step] : this.#needs }
  }

  #isOfPieces(): boolean {
    return this.#form['forEach'] !== undefined || this.#form['type'] === 'batch_worker'
  }

  #part(): WorkPart {
    return { form: this.#form, compiling: this.#compiling, whose: this.#whose() }
  }

  #tree(
    what: 'with' | 'items' | 'payload',
    { key, of }: { readonly key: string; readonly of: PlainObject },
  ): { readonly made: Made; readonly prepared: Prepared } {
    const reach = what === 'payload' || of !== this.#form ? 'itself' : 'before'
    const whose = what === 'items' ? this.#whose('before', false) : this.#whose(reach)
    return this.#compiling.tree(of[key], this.#spot(key, of), whose)
  }

  #expression(key: string, of: PlainObject = this.#form): Made | undefined {
    const value = this.#value(key, of)
    if (typeof value !== 'string') return undefined
    return this.#compiling.expression(value, this.#spot(key, of), this.#whose())
  }

  #if(): Made | undefined {
    const value = this.#value('if')
    if (typeof value === 'boolean') return { steps: [], make: () => value }
    if (typeof value !== 'string') return undefined
    return this.#compiling.expression(value, this.#spot('if'), this.#whose('before', false))
  }

  #forEach(): TemplateStep['forEach'] {
    const value = this.#value('forEach')
    if (value === undefined) return this.#warnOfItems()
    const isWhole = isPlainObject(value)
    const of = isWhole ? value : this.#form
    const items = isWhole ? 'items' : 'forEach'
    const { made } = this.#compiling.tree(of[items], this.#spot(items, of), this.#whose('before', false))
    const concurrency = this.#value('concurrency', of) ?? this.#value('concurrency')
    return {
      items: made,
      key: this.#expression('key', of) ?? this.#expression('key'),
      concurrency: typeof concurrency === 'number' ? concurrency : itemsAtOnce,
    }
  }

  #warnOfItems(): undefined {
    if (this.#form['forEach'] !== undefined) return
    for (const key of ['key', 'concurrency'].filter((each) => this.#form[each] !== undefined))
      this.#compiling.problems.warn(
        `'${key}' has no effect here: it is for steps with 'forEach'.`,
        this.#spot(key),
        'key',
      )
  }

  #timeout(): TemplateStep['timeout'] {
    const value = this.#value('timeout')
    const of = isPlainObject(value) ? value : { attempt: value }
    const { attempt, queue, total } = of as Readonly<Record<string, unknown>>
    return { attemptMs: msOf(attempt), queueMs: msOf(queue), totalMs: msOf(total) }
  }

  #undo(): UndoOfStep | undefined {
    const value = this.#value('undo')
    if (typeof value === 'string') return { uses: value, with: undefined, retry: undefined, timeoutMs: undefined }
    if (!isPlainObject(value) || !isName(value['uses'])) return undefined
    return {
      uses: value['uses'],
      with: value['with'] === undefined ? undefined : this.#tree('with', { key: 'with', of: value }).made,
      retry: this.#value('retry', value) as RetryOptions | undefined,
      timeoutMs: msOf(this.#value('timeout', value)),
    }
  }

  #limits(): TemplateStep['limits'] {
    const listed = this.#value('limits')
    const one = this.#value('limit')
    if (listed === undefined && one === undefined) return []
    const all: readonly unknown[] = [...(Array.isArray(listed) ? listed : []), ...(one === undefined ? [] : [one])]
    const limits = all.map((limit) => {
      if (!isPlainObject(limit)) return { name: String(limit), key: undefined }
      const key = limit['key'] === undefined ? undefined : this.#textTree('key', limit)
      return { name: String(limit['name']), key }
    })
    return [...new Map(limits.map((limit) => [limit.name, limit])).values()]
  }

  /** A text that may hold expressions. */
  #textTree(key: string, of: PlainObject): Made {
    return this.#compiling.tree(of[key], this.#spot(key, of), this.#whose()).made
  }

  #cache(): TemplateStep['cache'] {
    const value = this.#value('cache')
    if (value === undefined) return undefined
    if (!isPlainObject(value)) return { ttlMs: msOf(value) ?? 0, key: undefined }
    const key = value['key'] === undefined ? undefined : this.#textTree('key', value)
    return { ttlMs: msOf(value['ttl']) ?? 0, key }
  }

  #batch(): BatchRules | undefined {
    const value = this.#value('batch')
    if (!isPlainObject(value)) return undefined
    const told = Object.fromEntries(Object.entries(value).filter(([, rule]) => rule !== undefined))
    return { ...defaultBatches, ...told }
  }

  #publishes(): readonly Publication[] {
    const value = this.#value('publishes')
    if (!Array.isArray(value)) return []
    return value.filter(isPlainObject).map((publication) => ({
      event: publication['event'] as string,
      condition: (publication['condition'] ?? 'success') as Publication['condition'],
      mode: (publication['mode'] ?? 'durable') as Publication['mode'],
      payload:
        publication['payload'] === undefined
          ? undefined
          : this.#tree('payload', { key: 'payload', of: publication }).made,
      publisher: publication['publisher'] as string | undefined,
      schema: publication['schema'],
    }))
  }
}

function msOf(value: unknown): number | undefined {
  return value === undefined ? undefined : toMs(value as Duration)
}
