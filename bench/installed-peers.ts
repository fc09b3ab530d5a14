// Libraries of others that a bench is run beside: installed on first use into bench/peers, in the versions that stand there.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const folder = resolve('bench/peers')
const requirePeer = createRequire(join(folder, 'package.json'))

/** Which of them: those of the actor bench, of the queue bench, or of the workflow and the Postgres bench. */
export type PeerKind = 'dependencies' | 'optionalDependencies' | 'devDependencies'

type Tell = (line: string) => void

/** Adds the peers that can be had, by name, installing them when they are not there. Of one that cannot, the reason is told. */
export async function addPeers(
  kind: PeerKind,
  adders: Readonly<Record<string, () => Promise<unknown>>>,
  tell: Tell,
): Promise<void> {
  try {
    if (!isInstalled(kind)) install(kind, tell)
  } catch (error) {
    return tell(`without peers, which could not be installed: ${firstLine(error)}`)
  }
  for (const [who, add] of Object.entries(adders)) await orWithout(who, add, tell)
}

/** Does something with a peer. When that fails the reason is told. */
export async function orWithout<T>(who: string, work: () => Promise<T>, tell: Tell): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    tell(`without ${who}: ${firstLine(error)}`)
    return undefined
  }
}

/** The name and version of each peer. */
export function peerVersions(kind: PeerKind): string[] {
  return Object.entries(wantedVersions(kind)).map(([name, version]) => `${name} ${version}`)
}

/** The module of an installed peer. */
export async function loadPeer<T>(name: string): Promise<T> {
  try {
    // Node 20 cannot import some modules of the older kind while the loader of TypeScript is there.
    return requirePeer(name) as T
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_REQUIRE_ESM') throw error
    return (await import(pathToFileURL(peerFile(name)).href)) as T
  }
}

/** Where a file of an installed peer is. */
export function peerFile(name: string): string {
  return requirePeer.resolve(name)
}

/** Throws on a Node that a peer cannot run on. */
export function needsNode(major: number, what: string): void {
  if (Number(process.versions.node.split('.')[0]) < major) throw new Error(`${what} needs Node ${major}`)
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

function install(kind: PeerKind, tell: Tell): void {
  tell('installing the peers into bench/peers (once)')
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock', '--loglevel=error']
  // Those of the workflow bench take 220 MB, which the other benches do without.
  if (kind !== 'devDependencies' && !isInstalled('devDependencies')) flags.push('--omit=dev')
  execFileSync('npm', ['install', ...flags], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
}

function firstLine(error: unknown): string {
  const text = error instanceof Error && error.message !== '' ? error.message : String(error)
  return text.split('\n')[0] ?? ''
}
