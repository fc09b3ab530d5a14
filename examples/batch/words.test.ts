import { expect, it } from 'vitest'
import { countWords } from './words.ts'

async function counted(...pieces: Buffer[]): Promise<number> {
  let words = -1
  const through: Buffer[] = []
  async function* source(): AsyncGenerator<Buffer> {
    yield* pieces
  }
  for await (const piece of countWords((sum) => (words = sum))(source())) through.push(piece)
  expect(Buffer.concat(through)).toEqual(Buffer.concat(pieces))
  return words
}

it('counts the same, wherever the bytes are cut', async () => {
  const text = Buffer.from('  Füße und\n\n Ärmel 🎉\tende')
  for (let cut = 0; cut <= text.length; cut++) {
    expect(await counted(text.subarray(0, cut), text.subarray(cut))).toBe(5)
  }
  expect(await counted(...[...text].map((byte) => Buffer.from([byte])))).toBe(5)
})

it('finds none in nothing', async () => {
  expect(await counted()).toBe(0)
  expect(await counted(Buffer.from(' \n'))).toBe(0)
})

it('refuses what is not UTF-8, also at the very end', async () => {
  await expect(counted(Buffer.from([0xff, 0x41]))).rejects.toThrow(TypeError)
  await expect(counted(Buffer.from('fü').subarray(0, 2))).rejects.toThrow(TypeError)
})
