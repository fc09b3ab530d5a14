#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
// The program `troupe`: the arguments of this process go in, its exit code comes out.
import { main } from './cli.ts'
import { processIo } from './io.ts'

// A reader that leaves early, as in `troupe runs | head`, is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

const exitCode = await main(process.argv.slice(2), processIo())
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((resolve) => stream.write('', () => resolve()))
}
// Workers may leave timers and sockets behind; the command is over all the same.
process.exit(exitCode)
