import { describe, expect, it } from 'vitest'
import type { JsonSchema } from '../model/template.ts'
import { misfits, schemaFaults } from './json-schema.ts'

function told(schema: JsonSchema, value: unknown): string[] {
  return misfits(schema, value).map(({ place, message }) => `${place.join('.')}: ${message}`)
}

describe('what does not fit a schema', () => {
  const properties = {
    total: { type: 'integer', minimum: 1, maximum: 9 },
    rate: { exclusiveMinimum: 0, exclusiveMaximum: 1, multipleOf: 0.25 },
    note: { type: 'string', minLength: 2, maxLength: 5, pattern: '^[a-z]+$' },
    mail: { type: 'string', format: 'email' },
    way: { enum: ['fast', 'slow'] },
    size: { enum: [1, '2', null] },
    kind: { const: 'order' },
    items: { type: 'array', minItems: 2, maxItems: 3, uniqueItems: true, items: { type: ['string', 'null'] } },
    more: {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      required: ['id'],
      properties: { id: {}, colour: {} },
    },
  }
  const schema = { type: 'object', properties }

  it.each([
    [{ total: '5' }, 'total: expected a whole number, not "5"'],
    [{ total: {} }, 'total: expected a whole number, not an object'],
    [{ total: null }, 'total: expected a whole number, not null'],
    [{ total: 0 }, 'total: expected 1 or more, not 0'],
    [{ total: 10 }, 'total: expected 9 or less, not 10'],
    [{ rate: 0 }, 'rate: expected more than 0, not 0'],
    [{ rate: 1 }, 'rate: expected less than 1, not 1'],
    [{ rate: 0.3 }, 'rate: expected a multiple of 0.25, not 0.3'],
    [{ note: 'a' }, 'note: expected at least 2 characters, not "a"'],
    [{ note: 'abcdef' }, 'note: expected at most 5 characters, not "abcdef"'],
    [{ note: 'A-B' }, 'note: expected a text that matches ^[a-z]+$, not "A-B"'],
    [{ mail: 'ann' }, 'mail: expected a text of the format email, not "ann"'],
    [{ way: 'slwo' }, 'way: expected one of slow, fast, not "slwo"'],
    [{ size: 3 }, 'size: expected one of 1, "2", null, not 3'],
    [{ kind: 'bill' }, 'kind: expected "order", not "bill"'],
    [{ items: ['a'] }, 'items: expected at least 2 items, not 1 item'],
    [{ items: ['a', 'b', 'c', 'd'] }, 'items: expected at most 3 items, not 4 items'],
    [{ items: ['a', 'b', 'a'] }, 'items: it has the same at 0 and 2'],
    [{ items: ['a', 7] }, 'items.1: expected a text or null, not 7'],
    [{ more: { id: 1, color: 2 } }, "more.color: it is not known here, but 'colour' is"],
    [{ more: { id: 1, x: 2 } }, 'more.x: it is not known here'],
    [{ more: { colour: 1 } }, 'more.id: it is missing'],
    [[1], ': expected an object, not a list'],
  ])('tells of %j what was expected where, and what came', (value, message) => {
    expect(told(schema, value)).toEqual([message])
  })

  it('tells several ways to fit as one', () => {
    const id = { anyOf: [{ type: 'string' }, { type: 'integer' }] }
    expect(told({ properties: { id } }, { id: true })).toEqual(['id: expected a text or a whole number, not true'])
    const named = { $defs: { id: { oneOf: [{ type: 'string' }, { $ref: '#/$defs/pair' }] }, pair: { type: 'array' } } }
    expect(told({ ...named, properties: { id: { $ref: '#/$defs/id' } } }, { id: 1 })).toEqual([
      'id: expected a text or a list, not 1',
    ])
    const deep = { oneOf: [{ type: 'string' }, { type: 'object', required: ['z'] }] }
    expect(told({ required: ['b'], properties: { a: deep } }, { a: {} })).toEqual([
      'b: it is missing',
      "a: it has none of the forms that it may have ('a': expected a text, not an object; 'a.z' is missing)",
    ])
    expect(told({ oneOf: [{ type: 'number' }, { type: 'integer' }] }, 1)).toEqual([
      ': it fits several of the forms of which it may have one',
    ])
    expect(told({ if: { type: 'object' }, then: { required: ['b'] } }, {})).toEqual(['b: it is missing'])
    expect(told({ not: { type: 'string' } }, 'a')).toEqual([': it is what it may not be'])
    expect(told({ properties: { a: false } }, { a: 1 })).toEqual(['a: it may not be here'])
  })

  it('cuts what is long', () => {
    expect(told({ maxLength: 3 }, 'x'.repeat(90))).toEqual([`: expected at most 3 characters, not "${'x'.repeat(58)}…`])
    const values = Array.from({ length: 20 }, (_, index) => `v${index}`)
    expect(told({ enum: values }, 'other')[0]).toMatch(/^: expected one of v0, .*, v11 and 8 more, not "other"$/)
  })
})

describe('a schema that is none', () => {
  const faults = (schema: unknown) =>
    schemaFaults(schema as JsonSchema).map(({ place, message }) => `${place.join('.')}: ${message}`)

  it('is told with the place in it, once', () => {
    expect(faults({ properties: { total: { type: 'strng' }, n: { minimum: '3', required: 'x' } } })).toEqual([
      'properties.total.type: expected one of string, array, boolean, integer, null, number, object or a list, not "strng"',
      'properties.n.minimum: expected a number, not "3"',
      'properties.n.required: expected a list, not "x"',
    ])
    expect(faults({ items: [3] })).toEqual(['items: expected an object or true or false, not a list'])
    expect(faults({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'objekt' })).toEqual([
      'type: expected one of object, array, boolean, integer, null, number, string or a list, not "objekt"',
    ])
  })

  it('is told with the reference that leads nowhere', () => {
    expect(faults({ properties: { a: { $ref: '#/$defs/x' } } })).toEqual([
      ": it refers to '#/$defs/x', where nothing is",
    ])
    expect(faults({ type: 'object' })).toEqual([])
  })
})
