import { describe, expect, it } from 'vitest'
import { errorOf, scriptCrashed } from './errors.ts'
import type { ScriptFault } from './wire.ts'

const order = {
  script: 'const a: number = 1',
  names: [],
  values: '[]',
  seed: 0,
  now: 0,
  timeoutMs: 1_500,
  memoryBytes: 67_108_864,
  outputBytes: 10,
}

describe('errorOf', () => {
  it('says how types are taken out where they are not', () => {
    const fault: ScriptFault = {
      name: 'SyntaxError',
      message: "expecting ';'",
      at: { line: 1, column: 8 },
      isTyped: false,
    }
    expect(errorOf({ type: 'invalid', fault }, { ...order, from: {} }).message).toBe(
      "The script is not valid: expecting ';' (line 1, column 8). It is read as JavaScript: for TypeScript, use Node 22.13 or newer, or `npm install @swc/wasm-typescript@1.16.2`\n" +
        '  1 | const a: number = 1\n    |        ^',
    )
  })

  it('says what is worth another attempt: only what a busy machine may have done', () => {
    const ends = ['out_of_time', 'stopped', 'out_of_memory', 'stuck'] as const
    const errors = ends.map((type) => errorOf({ type }, { ...order, from: {} }))
    expect(errors.map(({ code, retryable }) => [code, retryable])).toEqual([
      ['script_timed_out', true],
      ['script_timed_out', true],
      ['script_out_of_memory', false],
      ['script_failed', false],
    ])
    expect(scriptCrashed({ error: undefined, exitCode: 1 }, order)).toMatchObject({
      code: 'thread_ended',
      retryable: true,
    })
  })
})
