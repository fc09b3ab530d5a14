// What a program prints while it runs, for the tests of the examples.
import { vi } from 'vitest'

/** Runs `program` and returns the lines it gave to the console. */
export async function printedBy(program: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = []
  const keep = (...words: unknown[]): void => void lines.push(words.map(String).join(' '))
  const spies = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name).mockImplementation(keep))
  try {
    await program()
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return lines
}
