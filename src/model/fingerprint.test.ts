import { describe, expect, it } from 'vitest'
import { fingerprintOf, reasonOf } from './fingerprint.ts'

const stack = (line: number, called = 'charge', file = '/srv/app/pay.ts'): string =>
  `Error: no\n    at fail (node:internal/errors:1:2)\n    at ask (/srv/app/node_modules/card/index.js:4:5)\n    at ${called} (file://${file}:${line}:7)\n    at run (/srv/app/main.ts:1:1)`

const record = { name: 'CardError', code: 'declined', message: 'Card 4711 was declined', stack: stack(12) }

describe('fingerprintOf', () => {
  it('is a short text that stays the same from process to process', () => {
    expect(fingerprintOf('pay', record)).toBe('64257da252d3bc7d')
    expect(fingerprintOf('pay', { name: 'Error', message: 'no' })).toMatch(/^[0-9a-f]{16}$/)
  })

  it.each([
    ['the data in its message', { message: 'Card 4712 was declined' }],
    ['the line it came from', { stack: stack(900) }],
    ['the folder the program is in', { stack: stack(12, 'charge', '/home/ann/shop/pay.ts') }],
    ['what it carries', { details: { card: 4712 }, cause: { name: 'Error', message: 'x' }, retryable: false }],
  ])('does not depend on %s', (_what, other) => {
    expect(fingerprintOf('pay', { ...record, ...other })).toBe(fingerprintOf('pay', record))
  })

  it('depends on the definition', () => {
    expect(fingerprintOf('refund', record)).not.toBe(fingerprintOf('pay', record))
  })

  it.each([
    ['its code', { code: 'stolen' }],
    ['its name', { name: 'BankError' }],
    ['its message', { message: 'Card 4711 was stolen' }],
    ['the function it came from', { stack: stack(12, 'refund') }],
    ['the file it came from', { stack: stack(12, 'charge', '/srv/app/bank.ts') }],
    ['whether a place is known', { stack: 'Error: no' }],
  ])('depends on %s', (_what, other) => {
    expect(fingerprintOf('pay', { ...record, ...other })).not.toBe(fingerprintOf('pay', record))
  })
})

describe('reasonOf', () => {
  it.each([
    ['Order 17 is gone', 'Order <n> is gone'],
    ['Order A-17/b is gone', 'Order A-<n>/b is gone'],
    ['Run 0197f3a2-5c1e-7a00-8000-3f1c2b9d4e5f is lost', 'Run <id> is lost'],
    ['no document 507f1f77bcf86cd799439011', 'no document <n>'],
    [
      "User 'ann' and \"bob\" and `eve` can't sign in, won't they",
      "User <text> and <text> and <text> can't sign in, won't they",
    ],
    ['„Müller“ and “ann” and ‘bob’ left', '<text> and <text> and <text> left'],
    ['open /var/data/a.txt failed', 'open <path> failed'],
    ['open ./in/b.csv, then ../c.csv', 'open <path>, then <path>'],
    ['open C:\\data\\b.csv failed', 'open <path> failed'],
    ['read/write error', 'read/write error'],
    ['GET https://api.example.com/v1/x?id=7 gave 503', 'GET <address> gave <n>'],
    ['connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED <n>'],
    ['mail to ann.lee@example.com bounced', 'mail to <address> bounced'],
    ['took 1,204.5ms of\n  5s', 'took <n> of <n>'],
    ['', ''],
  ])('%j becomes %j', (message, reason) => {
    expect(reasonOf(message)).toBe(reason)
  })

  it('looks at the beginning alone', () => {
    const reason = reasonOf('word '.repeat(100_000))
    expect(reason).toBe('word '.repeat(60))
  })

  it('takes its time with no text', () => {
    for (const text of ["'", '/', '.', 'a-', '1,', '://', '@a.', '"x'])
      expect(reasonOf(text.repeat(100_000)).length).toBeLessThan(301)
  })
})
