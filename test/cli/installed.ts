// The package as npm would install it: built, in a project of its own, started as a process.
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Inside node_modules, so that the dependencies are found from there.
const installed = join(root, 'node_modules/.cache/troupe-cli')

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Started {
  /** Resolves once standard error has shown the text. */
  told(text: string): Promise<void>
  signal(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

export function buildPackage(): void {
  mkdirSync(installed, { recursive: true })
  copyFileSync(join(root, 'package.json'), join(installed, 'package.json'))
  const outDir = join(installed, 'dist')
  const tsc = [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    join(root, 'tsconfig.build.json'),
    '--outDir',
    outDir,
  ]
  const built = spawnSync(process.execPath, [...tsc, '--tsBuildInfoFile', join(outDir, '.tsbuildinfo')], {
    cwd: root,
    encoding: 'utf8',
  })
  if (built.status !== 0) throw new Error(`The build failed:\n${built.stdout}${built.stderr}`)
}

/** A folder with these files, in which `import 'troupe'` finds the package. */
export function makeProject(files: Readonly<Record<string, string>>): string {
  const project = mkdtempSync(join(tmpdir(), 'troupe-project-'))
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(installed, join(project, 'node_modules/troupe'), 'junction')
  for (const [path, text] of Object.entries({ 'package.json': '{ "type": "module" }', ...files })) {
    mkdirSync(dirname(join(project, path)), { recursive: true })
    writeFileSync(join(project, path), text)
  }
  return project
}

export function startTroupe(project: string, args: readonly string[], input = ''): Started {
  const program = join(project, 'node_modules/troupe/dist/cli/troupe.js')
  const { FORCE_COLOR: _forced, ...env } = process.env
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
    cwd: project,
    env,
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  child.stdin.end(input)
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, out, err })))
  const told = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (err.includes(text)) resolve()
      }
      child.stderr.on('data', look)
      child.on('close', () => reject(new Error(`It ended without telling '${text}':\n${err}`)))
      look()
    })
  return { told, ended, signal: (signal) => void child.kill(signal) }
}

export function troupe(project: string, args: readonly string[], input = ''): Promise<Ended> {
  return startTroupe(project, args, input).ended
}
