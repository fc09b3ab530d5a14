// Libraries of others that a bench is run beside: installed on first use into bench/peers, in the versions that stand there.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const folder = resolve('bench/peers')

/** Which of them: those of the actor bench, of the queue bench or of the workflow bench. */
export type PeerKind = 'dependencies' | 'optionalDependencies' | 'devDependencies'

/** Adds the peers that can be had, installing them when they are not there. Of one that cannot, the reason is told. */
export async function addPeers(
  kind: PeerKind,
  adders: readonly (() => Promise<unknown>)[],
  tell: (line: string) => void,
): Promise<void> {
  try {
    if (!isInstalled(kind)) install(tell)
  } catch (error) {
    return tell(`without peers, which could not be installed: ${firstLine(error)}`)
  }
  for (const add of adders) await add().catch((error: unknown) => tell(`without a peer: ${firstLine(error)}`))
}

/** The name and version of each peer. */
export function peerVersions(kind: PeerKind): string[] {
  return Object.entries(wantedVersions(kind)).map(([name, version]) => `${name} ${version}`)
}

/** The module of an installed peer. */
export async function loadPeer<T>(name: string): Promise<T> {
  const { resolve: find } = createRequire(join(folder, 'package.json'))
  return (await import(pathToFileURL(find(name)).href)) as T
}

function wantedVersions(kind: PeerKind): Record<string, string> {
  const wanted = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
    PeerKind,
    Record<string, string>
  >
  return wanted[kind]
}

function isInstalled(kind: PeerKind): boolean {
  return Object.entries(wantedVersions(kind)).every(([name, version]) => {
    const path = join(folder, 'node_modules', name, 'package.json')
    return existsSync(path) && (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version === version
  })
}

function install(tell: (line: string) => void): void {
  tell('installing the peers into bench/peers (once)')
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock', '--loglevel=error']
  execFileSync('npm', ['install', ...flags], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
}

function firstLine(error: unknown): string {
  return String(error).split('\n')[0] ?? ''
}
