import { expect, it } from 'vitest'
import { messageText, prettyValue, shortValue, toJson } from './values.ts'

it('tells in JSON what JSON lacks', () => {
  const value = { big: 10n, map: new Map([['a', 1]]), set: new Set([1, 2]), at: new Date(0), none: undefined }
  expect(toJson(value)).toBe('{"big":"10","map":[["a",1]],"set":[1,2],"at":"1970-01-01T00:00:00.000Z"}')
  expect(toJson(undefined)).toBe('null')
})

it('keeps a message on one line', () => {
  expect(messageText('one\ntwo\u001b[2J')).toBe('one two')
  expect(messageText({ a: 'one\ntwo' })).toBe('{"a":"one\\ntwo"}')
  expect(shortValue({ a: { b: { c: { d: 1 } } } })).toBe('{ a: { b: { c: [Object] } } }')
})

it('leaves nothing out of a result', () => {
  const many = Array.from({ length: 150 }, (_, index) => index)
  expect(prettyValue(many, { columns: 80, colors: false })).toContain('149')
})
