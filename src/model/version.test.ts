import { expect, it } from 'vitest'
import { compareVersions } from './version.ts'

it('orders versions as people read them', () => {
  const inOrder = [
    '0.9',
    '1',
    '1.0.1',
    '1.2.0-alpha',
    '1.2.0-beta.2',
    '1.2.0-beta.10',
    '1.2.0',
    'v1.9.2',
    '1.10.0',
    '2',
    '9',
    '10',
    '2026-11-21',
    'a',
    'b',
  ]
  const shuffled = [...inOrder].reverse()
  expect(shuffled.sort(compareVersions)).toEqual(inOrder)
})

it('takes versions for equal that differ in a v alone, and none else', () => {
  expect(compareVersions('v2', '2')).toBe(0)
  expect(compareVersions('2', '2')).toBe(0)
  expect(compareVersions('2-a', '2-a')).toBe(0)
  expect(compareVersions('99999999999999999999', '100000000000000000000')).toBeLessThan(0)
  expect(compareVersions('', '1')).toBeLessThan(0)
})
