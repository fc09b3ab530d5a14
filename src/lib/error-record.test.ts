import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ErrorRecord, fromErrorRecord, rebuildError, toErrorRecord } from './error-record.ts'
import { errorCodes, TroupeError } from './errors.ts'

const bytesOf = (record: ErrorRecord) => Buffer.byteLength(JSON.stringify(record))

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function roundTrip(error: unknown): Error {
  return fromErrorRecord(JSON.parse(JSON.stringify(toErrorRecord(error))))
}

describe('toErrorRecord', () => {
  it('keeps what an error says', () => {
    const error = Object.assign(new TypeError('bad', { cause: new RangeError('too far') }), { code: 'E_BAD' })
    error.stack = 'TypeError: bad\n    at here'
    ;(error.cause as Error).stack = 'RangeError: too far'
    expect(toErrorRecord(error)).toEqual({
      name: 'TypeError',
      code: 'E_BAD',
      message: 'bad',
      stack: 'TypeError: bad\n    at here',
      cause: { name: 'RangeError', message: 'too far', stack: 'RangeError: too far' },
    })
  })

  it('keeps details as flat values, and whether a retry can help', () => {
    const error = Object.assign(new Error('full'), {
      stack: undefined,
      code: 507,
      retryable: true,
      details: {
        size: 7,
        name: 'a',
        ok: false,
        none: null,
        gone: undefined,
        far: Infinity,
        list: [1, 2],
        huge: 3n,
        ['__proto__']: null,
      },
    })
    expect(toErrorRecord(error)).toStrictEqual({
      name: 'Error',
      code: '507',
      message: 'full',
      retryable: true,
      details: { size: 7, name: 'a', ok: false, none: null, far: 'Infinity', list: '[1,2]', huge: '3' },
    })
  })

  it('keeps what an AggregateError holds', () => {
    const error = new AggregateError([new Error('first'), 'second'], 'all failed')
    const record = toErrorRecord(error)
    expect(record.errors?.map((inner) => inner.message)).toEqual(['first', 'second'])
  })

  it.each([
    ['boom', 'boom'],
    [undefined, 'Thrown value: undefined'],
    [null, 'Thrown value: null'],
    [7n, 'Thrown value: 7'],
    [Symbol('s'), 'Thrown value: Symbol(s)'],
    [{ status: 404 }, 'Thrown value: {"status":404}'],
  ])('describes a thrown %o', (thrown, message) => {
    expect(toErrorRecord(thrown)).toEqual({ name: 'Error', message })
  })

  it('describes a thrown object that lets nobody look', () => {
    expect(toErrorRecord(revokedProxy())).toEqual({
      name: 'Error',
      message: 'Thrown value: a value that cannot be written as text',
    })
  })

  it('takes an object with a message for an error', () => {
    expect(toErrorRecord({ message: 'like an error', name: '' })).toEqual({ name: 'Error', message: 'like an error' })
  })

  it('stops at an error that holds itself, and after 32 errors', () => {
    const error = new AggregateError([new Error('first')], 'all failed')
    error.errors.push(error, ...Array.from({ length: 40 }, (_, index) => new Error(String(index))))
    const messages = toErrorRecord(error).errors?.map((inner) => inner.message)
    expect(messages).toEqual(['first', ...Array.from({ length: 30 }, (_, index) => String(index))])
  })

  it('stops at a cause it has seen', () => {
    const error = new Error('outer')
    error.cause = new Error('inner', { cause: error })
    expect(toErrorRecord(error).cause?.message).toBe('inner')
    expect(toErrorRecord(error).cause?.cause).toBeUndefined()
  })

  it('stops after eight causes', () => {
    let error = new Error('0')
    for (let i = 1; i <= 20; i++) error = new Error(String(i), { cause: error })
    const messages: string[] = []
    for (let record: ErrorRecord | undefined = toErrorRecord(error); record; record = record.cause)
      messages.push(record.message)
    expect(messages).toEqual(['20', '19', '18', '17', '16', '15', '14', '13', '12'])
  })

  it('cuts the stack first, then the message, then details and causes', () => {
    const long = 'é'.repeat(20_000)
    const stackOnly = Object.assign(new Error('short'), { stack: long })
    expect(toErrorRecord(stackOnly)).toMatchObject({ message: 'short', stack: `${'é'.repeat(2047)}…` })
    const both = toErrorRecord(Object.assign(new Error('é'.repeat(8000)), { stack: 'x' }))
    expect([both.message, both.stack]).toEqual(['é'.repeat(8000), 'x'])
    const worse = toErrorRecord(Object.assign(new Error(long, { cause: new Error(long) }), { details: { id: 1 } }))
    expect(worse).toMatchObject({
      message: `${'é'.repeat(1023)}…`,
      details: { id: 1 },
      cause: { message: `${'é'.repeat(1023)}…` },
    })
    expect(worse.stack).toBeUndefined()
  })

  it('drops details and causes when nothing else is left to cut', () => {
    const details = Object.fromEntries(
      Array.from({ length: 99 }, (_, i) => [`${i}`.padEnd(300, '\u0001'), '\u0001'.repeat(2000)]),
    )
    const record = toErrorRecord(Object.assign(new Error('full'), { details }))
    expect(record).toEqual({ name: 'Error', message: 'full' })
  })

  it('keeps 32 errors and 16 KiB of a wide tree', () => {
    const wide = (depth: number): Error =>
      depth === 0
        ? new Error('\u0001'.repeat(500))
        : new AggregateError(
            Array.from({ length: 6 }, () => wide(depth - 1)),
            'wide',
          )
    const record = toErrorRecord(wide(4))
    expect(bytesOf(record)).toBeLessThanOrEqual(16 * 1024)
    expect(JSON.stringify(record).split('"name"').length - 1).toBe(32)
  })

  it('never throws and never passes 16 KiB, whatever is thrown', () => {
    const throwing = new Proxy(new Error('hidden'), {
      get: (_target, key) => {
        throw new Error(`no ${String(key)}`)
      },
    })
    const hostile = [
      throwing,
      { message: 'm', errors: revokedProxy(), details: revokedProxy(), cause: revokedProxy() },
      { message: 'm', errors: [revokedProxy()], toJSON: () => revokedProxy() },
      {
        message: 'm',
        details: new Proxy(
          { a: 1 },
          {
            get: () => {
              throw new Error('no')
            },
          },
        ),
      },
    ]
    for (const thrown of hostile) expect(bytesOf(toErrorRecord(thrown))).toBeLessThan(16 * 1024)
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withNullPrototype: true }),
        (thrown) => bytesOf(toErrorRecord(thrown)) <= 16 * 1024,
      ),
    )
  })
})

describe('fromErrorRecord', () => {
  it.each([EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, Error])(
    'restores %o',
    (Builtin) => {
      const error = new Builtin('again')
      const restored = roundTrip(error)
      expect(restored).toBeInstanceOf(Builtin)
      expect([restored.name, restored.message, restored.stack]).toEqual([error.name, 'again', error.stack])
      expect(['name', 'code', 'retryable', 'details'].filter((key) => Object.hasOwn(restored, key))).toEqual([])
    },
  )

  it('restores an AggregateError and what it holds', () => {
    const restored = roundTrip(new AggregateError([new TypeError('first')], 'all failed')) as AggregateError
    expect(restored).toBeInstanceOf(AggregateError)
    expect(restored.errors[0]).toBeInstanceOf(TypeError)
    expect(fromErrorRecord({ name: 'AggregateError', message: 'empty' })).toMatchObject({ errors: [] })
  })

  it('restores an error of this library by its code, and the name of its kind', () => {
    const cause = new RangeError('deep')
    const restored = roundTrip(new TroupeError('store_busy', 'busy', { cause, details: { tries: 3 }, retryable: true }))
    expect(restored).toBeInstanceOf(TroupeError)
    expect(restored).toMatchObject({ name: 'TroupeError', code: 'store_busy', details: { tries: 3 }, retryable: true })
    expect(restored.cause).toBeInstanceOf(RangeError)
    expect(fromErrorRecord({ name: 'PermanentError', code: 'permanent', message: 'no' })).toMatchObject({
      name: 'PermanentError',
      details: {},
    })
  })

  it('keeps the name, code and details of a class it does not know', () => {
    const restored = fromErrorRecord({
      name: 'HttpError',
      code: '404',
      message: 'gone',
      retryable: false,
      details: { url: '/' },
    })
    expect(restored).toMatchObject({ name: 'HttpError', code: '404', retryable: false, details: { url: '/' } })
    expect(restored.stack).toBe('HttpError: gone')
    expect(restored).not.toBeInstanceOf(TroupeError)
  })

  it('asks the hook first, for causes too', () => {
    class OwnError extends Error {}
    const revive = (record: ErrorRecord) => (record.name === 'OwnError' ? new OwnError(record.message) : undefined)
    const restored = fromErrorRecord(
      { name: 'Error', message: 'outer', cause: { name: 'OwnError', message: 'inner' } },
      revive,
    )
    expect(restored.cause).toBeInstanceOf(OwnError)
  })

  it('knows every code of the library', () => {
    expect(
      errorCodes.filter((code) => !(rebuildError({ name: 'TroupeError', message: 'm', code }) instanceof TroupeError)),
    ).toEqual([])
  })
})
