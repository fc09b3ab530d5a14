import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { checkTemplate } from '../template.ts'
import { templateSchema } from './schema.ts'

const file = 'template.schema.json'
const { default: Ajv2020 } = createRequire(import.meta.url)('ajv/dist/2020.js') as {
  default: new (options: object) => Ajv
}
const accepts = new Ajv2020({ strict: false }).compile(templateSchema())

const step = (more: object): object => ({ name: 'order', steps: [{ name: 'a', uses: 'x', ...more }] })
const bare = (more: object): object => ({ name: 'order', steps: [{ name: 'a', ...more }] })

const right: readonly object[] = [
  step({}),
  { ...step({}), namespace: 'shop', version: '1.0.0', failure: 'finish_independent', metadata: { author: 'ann' } },
  { ...step({}), input: { type: 'object' }, output: '${{ steps.a }}', limits: { stripe: { concurrency: 2 } } },
  { ...step({}), lifecycle: { maxDuration: '1h', stalenessAction: 'error' }, identity: 'strict' },
  { ...step({}), environments: { test: { steps: [{ name: 'a', timeout: '1s' }] } } },
  step({ needs: [], when: 'all_settled', if: true, config: { a: 1 }, with: { a: [1] } }),
  step({ retry: { attempts: 3, backoff: 'fibonacci', base: '1s', max: 5_000, jitter: 0.1, maxElapsed: '1h' } }),
  step({ timeout: { attempt: '1s', queue: '1m', total: '1h' }, onError: 'continue', undo: 'unx' }),
  step({ undo: { uses: 'unx', with: { id: 1 }, retry: { attempts: 9 }, timeout: 100 } }),
  step({ forEach: '${{ input.items }}', concurrency: 2, key: '${{ item.id }}' }),
  step({ forEach: { items: [1, 2], concurrency: 2 } }),
  step({ limits: ['stripe', { name: 'mail', key: '${{ input.tenant }}' }], limit: 'x', cache: '1h', priority: -3 }),
  step({ cache: { ttl: '1h', key: 'k' }, queue: 'gpu', type: 'batchable', batch: { size: 5, worker: 'a' } }),
  step({ publishes: [{ event: 'a.b', condition: 'always', mode: 'fast', payload: {}, schema: true }], result: {} }),
  bare({ script: 'return 1' }),
  bare({ script: { code: 'return 1', timeout: '1s', memory: '8MB' } }),
  ...['completion', '1h', { message: 'go', key: 'x', timeout: '1h' }, { for: 5 }, { until: '2030-01-01' }].map((wait) =>
    bare({ wait }),
  ),
  bare({ wait: { completion: true, timeout: '1h' } }),
]

const wrong: readonly object[] = [
  {},
  { name: 'order' },
  { steps: [] },
  { ...step({}), step: [] },
  { ...step({}), failure: 'never' },
  { ...step({}), version: 1 },
  { name: '', steps: [] },
  step({ use: 'x' }),
  step({ needs: 1 }),
  step({ when: 'sometimes' }),
  step({ retry: { attempts: 0 } }),
  step({ retry: { max_attempts: 2 } }),
  step({ timeout: -1 }),
  step({ concurrency: 0 }),
  step({ priority: 101 }),
  step({ onError: { fallback: 1 } }),
  step({ type: 'other' }),
  step({ config: [] }),
  step({ limits: 'stripe' }),
  step({ batch: { size: 0 } }),
  step({ publishes: [{ condition: 'success' }] }),
  bare({ script: 1 }),
  bare({ wait: { message: 1 } }),
  bare({ wait: { seconds: 1 } }),
]

describe('the published schema', () => {
  it('is what template.schema.json holds; when the change is meant, refresh it with UPDATE=1', () => {
    const text = `${JSON.stringify(templateSchema(), null, 2)}\n`
    if (process.env['UPDATE'] === '1') writeFileSync(file, text)
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  it('has no key that the page leaves out', () => {
    const page = readFileSync('docs/template-language.md', 'utf8')
    const { properties, $defs } = templateSchema() as {
      readonly properties: object
      readonly $defs: { readonly step: { readonly properties: object } }
    }
    const keysIn = (heading: string): string[] => {
      const [, part = ''] = page.split(`\n## ${heading}\n`)
      const rows = (part.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'))
      return rows.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, key = '']) => key))
    }
    expect(keysIn('What a template says').toSorted()).toEqual(Object.keys(properties).toSorted())
    expect(keysIn('What a step says').toSorted()).toEqual(Object.keys($defs.step.properties).toSorted())
  })

  it.each(right)('accepts what loads: %j', (form) => {
    expect(accepts(form), JSON.stringify(accepts.errors)).toBe(true)
    expect(checkTemplate(JSON.stringify(form))).toEqual([])
  })

  it.each(wrong)('refuses what does not load: %j', (form) => {
    expect(accepts(form)).toBe(false)
    expect(checkTemplate(JSON.stringify(form))).not.toEqual([])
  })
})
