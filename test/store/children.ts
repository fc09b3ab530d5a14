// Runs a TypeScript module of this folder in a process of its own, and returns what it printed as JSON.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))

/** Fails with what the process wrote to its error output when it does not end well. */
export function runChild(file: string, given: unknown): Promise<unknown> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const options = {
    env: { ...process.env, JITI_FS_CACHE: 'false', NODE_OPTIONS: '' },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  } as const
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [jiti, path, JSON.stringify(given)], options, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout))
      else reject(new Error(`${file} failed: ${stderr}`, { cause: error }))
    })
  })
}

/** What a child was given. */
export function givenToChild<T>(): T {
  return JSON.parse(process.argv[2] ?? 'null') as T
}
