import { describe, expect, it } from 'vitest'
import { checkedRetry, definitionSettings } from './options.ts'

const refused = (message: string) =>
  expect.objectContaining({ code: 'option_invalid', message: expect.stringContaining(message) }) as Error

describe('the options of a definition', () => {
  it.each<[object | undefined | null, string]>([
    [undefined, "The options object of 'w' is undefined: expected { input, output,"],
    [null, "The options object of 'w' is null"],
    [
      (() => 1) as object,
      'The options object of \'w\' is "a function": expected {} as the second argument, and the function',
    ],
    [{ rety: 5 }, "Option 'rety' of 'w' is not known: expected one of retry, input"],
    [{ input: {} }, "input of 'w' is {}: expected a Standard Schema"],
    [{ output: null }, "output of 'w' is null: expected a Standard Schema"],
    [{ version: {} }, "version of 'w' is {}: expected a text of 1 to 255 characters."],
    [{ version: 5 }, "version of 'w' is 5"],
    [{ queue: '' }, `queue of 'w' is "": expected a text of 1 to 255 characters.`],
    [{ queue: 'a\0b' }, `queue of 'w' is "a\\u0000b"`],
    [{ retry: 5 }, "The options object of retry of 'w' is 5"],
    [{ retry: { attemps: 5 } }, "Option 'attemps' of retry of 'w' is not known: expected one of attempts, "],
    [{ retry: { retryIf: 5 } }, "retryIf of 'w' is 5: expected a function."],
    [
      { retry: { retryIf: async () => true } },
      'retryIf of \'w\' is "a promise": expected a function that answers true or false at once',
    ],
  ])('are refused: %o', (options, message) => {
    expect(() => definitionSettings('w', options as object)).toThrow(refused(message))
  })

  it.each(['\ud800', 'a\0b'])('go with a name that stores keep, not %j', (name) => {
    expect(() => definitionSettings(name, {})).toThrow(refused(`A definition's name is ${JSON.stringify(name)}`))
  })

  it('go with a name of at most 255 characters', () => {
    expect(definitionSettings('x'.repeat(255), {}).priority).toBe(0)
    expect(() => definitionSettings('x'.repeat(256), {})).toThrow(refused('a text of 1 to 255 characters.'))
  })

  it.each([1n, undefined, '', '  '])('go with a name that is one, not %o', (name) => {
    expect(() => definitionSettings(name as string, {})).toThrow(
      expect.objectContaining({ code: 'definition_invalid' }),
    )
  })

  it('take a schema that is a function', () => {
    const schema = Object.assign(() => 1, {
      '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value }) },
    })
    expect(definitionSettings('w', { input: schema }).input).toBe(schema)
  })
})

describe('retryIf', () => {
  const asked = (answer: unknown) =>
    checkedRetry("'w'", { retryIf: () => answer as boolean }, 3).retryIf?.(new Error('x'))

  it('answers true or false', () => {
    expect([asked(true), asked(false), asked(undefined), asked('yes')]).toEqual([true, false, false, true])
  })

  it('is refused when its answer is a promise, which would always be true', () => {
    expect(() => asked(Promise.resolve(false))).toThrow(refused('retryIf of \'w\' is "a promise"'))
    expect(() => asked(Promise.reject(new Error('later')))).toThrow(refused('retryIf of \'w\' is "a promise"'))
  })
})
