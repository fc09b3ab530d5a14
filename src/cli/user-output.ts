// What the code of users prints while a command works with it: standard output is the command's own.
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import type { Output } from './io.ts'

/** What is printed by `console` meanwhile goes there. */
export async function withUserOutput<T>(output: Output, work: () => Promise<T>): Promise<T> {
  const own = globalThis.console
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      output.write(chunk.toString())
      done()
    },
  })
  globalThis.console = new Console(stream, stream)
  try {
    return await work()
  } finally {
    globalThis.console = own
  }
}
